"""What each stage hands to the next. Only that stage constructs it, so none can be skipped.

``Authorized -> UnmarkedClip -> Moderated -> Encoded -> Signed -> ReadBack -> Release``
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from safegen.credentials.sign import Relationship
from safegen.types import Attribute, CheckRun, Clip, Finding, Json, ModelRef, SoftBinding, WatermarkReading

Origin = Literal["generated", "protected"]


@dataclass(frozen=True)
class ProtectedSource:
    """A video made elsewhere: our copy, its name, and what its user says it is (an IPTC source type).

    ``sha256`` (hex) is the copy's; ``marks`` were found in its pictures before they were marked here.
    """

    path: Path
    name: str
    digital_source_type: str | None
    sha256: str = ""
    marks: tuple[SoftBinding, ...] = ()


@dataclass(frozen=True)
class GenerationRecord:
    """What reproducing a clip needs: the SHA-256 (hex) of its frames as ``media.spool.start_digest`` defines
    it, the request without its prompts, and the libraries and processor that made it (JSON values).
    """

    frames_sha256: str
    request: Json
    environment: Json


@dataclass(frozen=True)
class Annotations:
    """What is recorded with a clip beside what made it.

    ``title`` (default: the file's name) and ``caption`` are public: they stand in the manifest.
    ``reproduces`` (JSON values) names a release that this one repeats, public too. ``private`` goes into
    the private part of the ledger's entry only.
    """

    title: str = ""
    caption: str = ""
    reproduces: Json = field(default_factory=dict)
    private: Json = field(default_factory=dict)


@dataclass(frozen=True)
class IngredientFile:
    """A file that a clip was made from: our copy, its name, what it is to the clip, the label actions use.

    ``generated``: trusted credentials say that all of it was made by a model, so nothing in it was filmed.
    ``broken``: its credentials do not match and the policy (or a person) let it pass all the same.
    """

    path: Path
    title: str
    relationship: Relationship
    label: str
    generated: bool = False
    broken: bool = False


@dataclass(frozen=True)
class UnmarkedClip:
    """A spooled clip and what made it. ``model`` is None for a video made elsewhere."""

    clip: Clip
    origin: Origin
    model: ModelRef | None
    settings: Mapping[str, Any]
    warnings: tuple[str, ...] = ()
    source: ProtectedSource | None = None
    ingredients: tuple[IngredientFile, ...] = ()
    """What it was made from, inputs first; each becomes a C2PA ingredient."""
    rendition: bool = False
    """The parent among them is this very clip, as another system made and signed it."""
    generation: GenerationRecord | None = None
    annotations: Annotations = Annotations()


@dataclass(frozen=True)
class Moderated:
    """A clip that passed the frames gate, with what ran and what is in it."""

    unmarked: UnmarkedClip
    findings: tuple[Finding, ...]
    checks: tuple[CheckRun, ...]
    attributes: tuple[Attribute, ...]
    requested: tuple[str, ...] = ()
    """Frame checks that the policy names; ``checks`` are those that ran."""
    absent: tuple[str, ...] = ()
    """Optional ones that are not installed."""


@dataclass(frozen=True)
class Accessibility:
    """What was done for people who cannot see or hear the clip: the *record* for manifest and ledger (JSON
    values), and the files beside it, temporaries by final name.
    """

    record: Json
    sidecars: Mapping[str, Path] = field(default_factory=dict)


@dataclass(frozen=True)
class Encoded:
    """The marked video on disk, not signed yet. ``content_id`` is the payload of its mark."""

    moderated: Moderated
    path: Path
    content_id: int
    watermark_alg: str
    frames: int
    thumbnail: bytes
    accessibility: Accessibility | None = None
    iscc: str = ""
    """Its ISCC Video-Code, where that could be computed."""


@dataclass(frozen=True)
class Signed:
    """The signed video on disk, not yet believed."""

    encoded: Encoded
    path: Path
    manifest_id: str
    manifest: bytes
    sidecar: Path | None = None
    """The manifest as a file of its own, where it is not embedded."""
    unstamped: str = ""
    """Why its signature has no time stamp, where an authority is configured; "" otherwise."""
    unstapled: str = ""
    """Why it has no revocation information, where a responder is configured; "" otherwise."""


@dataclass(frozen=True)
class ReadBack:
    """The signed video after it was opened again: credentials and mark read back as they must be."""

    signed: Signed
    manifest_json: Json
    reading: WatermarkReading
    descriptors: bytes
