"""What the watermark's detector says about a whole file."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from safegen.types.evidence import WatermarkReading, WatermarkSegment


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
