"""What the layers of a file show, and the verdict."""

from __future__ import annotations

import enum
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from safegen.types.request import Json

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


@dataclass(frozen=True)
class WatermarkSegment:
    """Presence of the mark between ``start`` and ``end`` (seconds); ``log10_p`` as in WatermarkReading."""

    start: float
    end: float
    present: bool
    log10_p: float


@dataclass(frozen=True)
class Geometry:
    """How the examined picture maps to the one that was marked.

    A point x (pixels in the examined frame, origin top left) lies at ``A @ x + t`` in the marked
    frame's canonical coordinates (short side 256). ``t`` may be known only modulo ``period``
    (canonical pixels; 0 when it is known exactly).
    """

    a: tuple[float, float, float, float] = (1.0, 0.0, 0.0, 1.0)
    t: tuple[float, float] = (0.0, 0.0)
    period: float = 0.0


@dataclass(frozen=True)
class WatermarkReading:
    """What a watermark detector read.

    ``payload`` is the unsigned integer carried (``None`` when not decoded). ``log10_p`` is the
    base-10 logarithm of a bound on the probability that unmarked content gives a reading this
    strong (0 = no evidence, -9 = one in a billion), all trials of the search counted. ``bounded``
    says whether that probability is proven for the scheme; back ends without one say ``False``.
    """

    alg: str
    present: bool
    payload: int | None
    log10_p: float
    bounded: bool = True
    matched_known: bool = False
    """The payload was found by testing the ids of a ledger, not by free decoding."""
    segments: tuple[WatermarkSegment, ...] = ()
    geometry: Geometry | None = None
    bit_error_rate: float | None = None


@dataclass(frozen=True)
class DetectedMark:
    """A mark, and where in the file it is: ``runs`` cover the file from start to end, in turn with and
    without it (empty if the scheme, or a picture, has no timeline).

    The borders are sampled: ``Detection.step`` seconds apart. A run's ``log10_p`` counts all stretches that
    could have been chosen; ``reading.segments`` are the single seconds.
    """

    reading: WatermarkReading
    runs: tuple[WatermarkSegment, ...] = ()

    @property
    def spliced(self) -> bool:
        """Whether only parts of the file carry the mark."""
        return any(not run.present for run in self.runs)


@dataclass(frozen=True)
class Detection:
    """Every mark found in a file, strongest first; none: ``marks`` is empty, ``log10_p`` came nearest.

    ``frames`` frames were examined, ``step`` seconds apart (0 for a picture), of ``seconds`` in all.
    """

    path: Path
    kind: Literal["video", "picture"]
    alg: str
    width: int
    height: int
    seconds: float
    frames: int
    step: float
    marks: tuple[DetectedMark, ...]
    log10_p: float
    notes: tuple[str, ...] = ()

    @property
    def present(self) -> bool:
        """Whether a mark was found."""
        return bool(self.marks)

    @property
    def exit_code(self) -> int:
        """``safegen detect``'s: 0 with a mark, 40 without."""
        return 0 if self.marks else 40


@dataclass(frozen=True)
class FrameSample:
    """Frames picked from a file by the sandboxed decoder.

    ``frames``: uint8, shape (n, height, width, 3), RGB, possibly scaled down. ``times`` in seconds,
    ``keyframe`` flags per frame; ``width``, ``height`` are those of the file; ``seconds`` its duration.
    """

    frames: NDArray[np.uint8]
    times: tuple[float, ...]
    keyframe: tuple[bool, ...]
    width: int
    height: int
    fps: float
    seconds: float


class CredentialState(enum.Enum):
    """What C2PA says about a file, every state of the library mapped to one of these."""

    ABSENT = "absent"
    VALID = "valid"
    INVALID = "invalid"
    UNSUPPORTED = "unsupported"
    REMOTE_NOT_FETCHED = "remote_not_fetched"


@dataclass(frozen=True)
class SoftBinding:
    """A ``c2pa.soft-binding`` block: algorithm id and value."""

    alg: str
    value: str


@dataclass(frozen=True)
class IngredientEvidence:
    """Something a file was made from, as stated in the file's credentials.

    ``level`` 1 is what the file itself was made from, 2 what that was made from, and so on; a level's own
    ingredients follow it. ``relationship`` is C2PA's. ``manifest_id``, ``signer`` (its claimed name: chains
    of ingredients are not followed to your anchors) and ``source_type`` (IPTC, the last one stated) come
    from the ingredient's own manifest where it has one. ``failures``: C2PA codes that say it does not match.
    """

    title: str
    relationship: str
    level: int = 1
    manifest_id: str | None = None
    signer: str | None = None
    signed_at: str | None = None
    source_type: str | None = None
    failures: tuple[str, ...] = ()


@dataclass(frozen=True)
class CredentialsEvidence:
    """The C2PA layer of a file.

    ``trusted`` is our own chain check against the signer anchors only (a TSA anchor never counts);
    ``trusted_root`` names the anchor (subject, SHA-256). ``codes`` are the raw C2PA status codes,
    ``failures`` those that mean the file or a signature does not match, ``ingredient_failures``
    the hash or signature failures of ingredients, ``notes`` what is untrusted or informational there.
    """

    state: CredentialState
    trusted: bool = False
    trusted_root: str | None = None
    manifest_id: str | None = None
    signer: str | None = None
    issuer: str | None = None
    signed_at: str | None = None
    time_stamped: bool = False
    expired: bool = False
    revoked: bool = False
    revocation: str = ""
    """What lists and answers at hand say about the certificate; empty where nothing was about it."""
    source: Literal["embedded", "sidecar", "remote", "resolved"] = "embedded"
    """Where they lie: in the file, beside it, at the address it names, with a resolution service."""
    codes: tuple[str, ...] = ()
    failures: tuple[str, ...] = ()
    ingredient_failures: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    soft_bindings: tuple[SoftBinding, ...] = ()
    ancestors: tuple[str, ...] = ()
    """Manifest ids of the ingredients, transitively."""
    ancestor_bindings: tuple[SoftBinding, ...] = ()
    ingredients: tuple[IngredientEvidence, ...] = ()
    """What it was made from, as a tree written down in order."""
    manifest: Json | None = None
    """The active manifest as c2pa's reader JSON gives it."""
    store: bytes | None = field(default=None, repr=False, compare=False)
    """The raw manifest store (JUMBF)."""
    reason: str = ""
    """Why nothing could be read, where that is the state."""


@dataclass(frozen=True)
class ContentMatch:
    """Comparison of a file's pictures with the descriptors recorded for a release.

    ``score`` in [-1, 1] (1 = the same pictures over the registered overlap); ``overlap`` in [0, 1].
    ``share`` in (0, 1]: how much of the file's own picture is the release's; below 1 where the file shows
    all of it among other things.
    """

    matches: bool
    score: float
    overlap: float
    threshold: float
    share: float = 1.0


@dataclass(frozen=True)
class LedgerEvidence:
    """What a ledger or a proof sidecar says about a file.

    ``proven``: an inclusion proof up to a checkpoint signed by the pinned key of the pinned origin.
    ``bytes_match``: the file's SHA-256 is the recorded one. ``entry`` is the public record.
    ``time_stamped``: an RFC 3161 token of a trusted TSA covers the checkpoint.
    """

    proven: bool
    bytes_match: bool
    source: Literal["ledger", "sidecar"]
    origin: str
    index: int
    entry: Json
    time_stamped: bool = False
    stamped_at: str = ""
    """When that token was made (ISO 8601, UTC)."""
    withdrawn: bool = False
    superseded_by: str = ""
    """Manifest id of the release that replaces a withdrawn one, if its maker named one."""
