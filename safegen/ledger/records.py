"""The values the ledger accepts and returns. Frozen; nothing heavy is imported here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias

from safegen.types import Json

Kind: TypeAlias = Literal["decision", "release", "withdrawal", "consent", "review", "audit", "key"]
"""What an entry records. Refusals and holds are decisions."""


@dataclass(frozen=True)
class Draft:
    """An entry to be appended: ``public`` goes into the tree, ``private`` only its salted commitment."""

    kind: Kind
    public: Json
    private: Json | None = None


@dataclass(frozen=True)
class Entry:
    """An entry of the ledger. ``leaf`` are the canonical bytes whose hash is in the tree."""

    index: int
    kind: Kind
    time: str
    public: Json
    commitment: str
    leaf: bytes


@dataclass(frozen=True)
class ReleaseRecord:
    """What a release records about a video.

    ``manifest`` is the C2PA manifest store (JUMBF bytes), ``manifest_json`` what c2pa's reader says of
    it; ``content_id`` the watermark payload, 0 to 2**64 - 1; ``descriptors`` opaque content descriptors;
    ``attributes`` the bias attributes as JSON. Those four are stored beside the entry, the tree has
    their hashes. ``public`` is added to the public entry as it is (decision, policy, checks, model);
    ``private`` (prompt, settings) is only committed to.
    """

    manifest_id: str
    manifest: bytes
    content_id: int
    watermark_alg: str
    manifest_json: Json = field(default_factory=dict)
    descriptors: bytes = b""
    attributes: Sequence[Mapping[str, Any]] = ()
    public: Json = field(default_factory=dict)
    private: Json | None = None


@dataclass(frozen=True)
class ReleaseEntry:
    """A recorded release with what is stored beside it. ``withdrawn``: index of the withdrawal, if any."""

    entry: Entry
    sha256: str
    manifest_id: str
    content_id: int
    watermark_alg: str
    manifest: bytes
    manifest_json: Json
    descriptors: bytes
    attributes: tuple[Json, ...]
    withdrawn: int | None = None

    @property
    def index(self) -> int:
        """Number of the entry in the ledger."""
        return self.entry.index


@dataclass(frozen=True)
class Problem:
    """Something ``check`` found wrong. ``code`` is stable, ``message`` is for a person."""

    code: str
    message: str
    index: int | None = None


@dataclass(frozen=True)
class CheckReport:
    """What ``check`` looked at and found. ``root`` is hex; ``notes`` are worth reading but not wrong."""

    origin: str
    size: int
    root: str
    checkpoints: int
    redacted: int
    problems: tuple[Problem, ...] = ()
    notes: tuple[str, ...] = ()
    stamps: int = 0
    """Time stamps beside the checkpoints."""

    @property
    def ok(self) -> bool:
        """Nothing is wrong."""
        return not self.problems
