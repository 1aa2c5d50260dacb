"""The values the ledger accepts and returns. Frozen; nothing heavy is imported here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias

from safegen.types import Json, JsonResult

Kind: TypeAlias = Literal[
    "decision", "release", "withdrawal", "consent", "review", "audit", "key", "redaction"
]
"""What an entry records. Refusals and holds are decisions."""


@dataclass(frozen=True)
class Draft:
    """An entry to be appended: ``public`` goes into the tree, ``private`` only its salted commitment."""

    kind: Kind
    public: Json
    private: Json | None = None

    def __repr__(self) -> str:
        """Its kind alone: the private part may hold a prompt."""
        return f"<Draft {self.kind}>"


@dataclass(frozen=True)
class Entry(JsonResult):
    """An entry of the ledger. ``leaf`` are the canonical bytes whose hash is in the tree."""

    index: int
    kind: Kind
    time: str
    public: Json
    commitment: str
    leaf: bytes

    def __repr__(self) -> str:
        """Number, kind and time."""
        return f"<Entry {self.index} {self.kind} {self.time}>"

    def to_dict(self) -> Json:
        """As ``safegen log show`` prints it."""
        return {
            "index": self.index,
            "kind": self.kind,
            "time": self.time,
            "public": self.public,
            "commitment": self.commitment,
        }


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

    def __repr__(self) -> str:
        """Its ids alone: the private part may hold a prompt."""
        return f"<ReleaseRecord {self.manifest_id} id {self.content_id:016x}>"


@dataclass(frozen=True)
class ReleaseEntry(JsonResult):
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

    def __repr__(self) -> str:
        """Number and ids; what is stored beside the entry stays out."""
        gone = "" if self.withdrawn is None else f", withdrawn by {self.withdrawn}"
        return f"<ReleaseEntry {self.index} id {self.content_id:016x}{gone}>"

    def to_dict(self) -> Json:
        """As ``safegen log resolve`` and ``safegen log find`` print it."""
        return {
            "index": self.index,
            "content_id": f"{self.content_id:016x}",
            "manifest_id": self.manifest_id,
            "sha256": self.sha256,
            "withdrawn": self.withdrawn,
        }


@dataclass(frozen=True)
class Problem(JsonResult):
    """Something ``check`` found wrong. ``code`` is stable, ``message`` is for a person."""

    code: str
    message: str
    index: int | None = None

    def to_dict(self) -> Json:
        """As in ``safegen log check``."""
        return {"code": self.code, "message": self.message, "index": self.index}


@dataclass(frozen=True)
class CheckReport(JsonResult):
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

    def __repr__(self) -> str:
        """The answer, and over how much."""
        found = "ok" if self.ok else f"{len(self.problems)} problems"
        return f"<CheckReport {self.origin}: {found}, {self.size} entries>"

    def to_dict(self) -> Json:
        """As ``safegen log check`` prints it."""
        return {
            "ok": self.ok,
            "origin": self.origin,
            "size": self.size,
            "root": self.root,
            "checkpoints": self.checkpoints,
            "time_stamps": self.stamps,
            "redacted": self.redacted,
            "problems": [p.to_dict() for p in self.problems],
            "notes": list(self.notes),
        }
