"""Clips, what made them, what they show, and what was released."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

from safegen.types.request import CheckRun, Role
from safegen.types.serial import Json, JsonResult

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Frame: TypeAlias = NDArray[np.uint8]
    """One picture: uint8, shape (height, width, 3), RGB, full range."""


@dataclass(frozen=True)
class AudioTrack:
    """Sound: float32 samples in [-1, 1], shape (n, channels), ``rate`` in Hz."""

    samples: NDArray[np.float32]
    rate: int


@dataclass(frozen=True)
class Clip:
    """A moving picture that can be iterated over repeatedly without holding it in memory.

    ``open`` starts a fresh pass over the frames (uint8 RGB of (height, width, 3)). ``count`` is the
    number of frames; ``fps`` is exact.
    """

    open: Callable[[], Iterator[Frame]]
    width: int
    height: int
    fps: Fraction
    count: int
    audio: AudioTrack | None = None

    def __iter__(self) -> Iterator[Frame]:
        """Start a fresh pass over the frames."""
        return self.open()

    @property
    def seconds(self) -> float:
        """Duration in seconds."""
        return float(self.count / self.fps)

    @classmethod
    def from_array(cls, frames: NDArray[np.uint8], fps: int | Fraction) -> Clip:
        """Wrap frames held in memory: uint8, shape (n, height, width, 3), RGB."""
        n, height, width = (int(x) for x in frames.shape[:3])
        return cls(lambda: iter(frames), width, height, Fraction(fps), n)


@dataclass(frozen=True)
class Condition:
    """An admitted input, decoded: a picture is a clip of one frame. ``name`` is for messages."""

    role: Role
    clip: Clip
    name: str


@dataclass(frozen=True)
class Outlook:
    """What a generator would make of a request: the released size, duration and frame rate.

    ``None`` means the pipeline decides when it is loaded. ``notes`` are for the user: what is unknown,
    rounded or not possible. ``needs`` says what it takes (memory estimate, device, placement, download),
    as JSON values by name.
    """

    width: int | None
    height: int | None
    seconds: float | None
    fps: int | None
    notes: tuple[str, ...] = ()
    needs: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Generated:
    """What a generator returns: the clip and the settings that made it (for manifest and ledger).

    ``upstream``: the file as another system sent it, when it carries that system's Content Credentials. The
    clip is a rendition of it, so it goes into the manifest as the ``parentOf`` ingredient, with its own
    manifest store. It is in the job's scratch folder (``media.scratch``) and is not ours to keep.
    """

    clip: Clip
    model: ModelRef
    settings: Mapping[str, Any]
    warnings: tuple[str, ...] = ()
    upstream: Path | None = None


@dataclass(frozen=True)
class ModelRef:
    """Which model made a clip. ``digest`` is SHA-256 (hex) over its weight files, ``None`` if unknown."""

    name: str
    identifier: str
    version: str
    digest: str | None
    licence: str = ""
    kind: str = "diffusion"


@dataclass(frozen=True)
class Attribute:
    """One thing an extractor says about a clip: probabilities over named classes incl. ``unknown``."""

    name: str
    probabilities: Mapping[str, float]
    extractor: str
    confidence: float

    @property
    def value(self) -> str:
        """The likeliest class."""
        return max(self.probabilities, key=lambda k: self.probabilities[k])


@dataclass(frozen=True)
class Release(JsonResult):
    """A released file: its final path, hash, ids and where it stands in the ledger."""

    path: Path
    sha256: str
    content_id: int
    manifest_id: str
    index: int
    sidecars: tuple[Path, ...]
    attributes: tuple[Attribute, ...] = ()
    checks: tuple[CheckRun, ...] = ()
    warnings: tuple[str, ...] = ()
    timings: Mapping[str, float] = field(default_factory=dict)
    """Seconds spent per stage."""

    def __repr__(self) -> str:
        """File, id and entry."""
        return f"<Release {self.path.name} id {self.content_id:016x} entry {self.index}>"

    def to_dict(self) -> Json:
        """``safegen.release/1``; seconds with three decimals."""
        return {
            "schema": "safegen.release/1",
            "path": str(self.path),
            "sha256": self.sha256,
            "content_id": f"{self.content_id:016x}",
            "manifest_id": self.manifest_id,
            "ledger_index": self.index,
            "sidecars": [str(s) for s in self.sidecars],
            "checks": [c.to_dict() for c in self.checks],
            "attributes": {a.name: dict(a.probabilities) for a in self.attributes},
            "warnings": list(self.warnings),
            "timings": {k: round(v, 3) for k, v in self.timings.items()},
        }
