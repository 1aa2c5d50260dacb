"""What a watermark detector reads, and the pictures it reads."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from safegen.types.serial import Json, JsonResult

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
class WatermarkReading(JsonResult):
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

    @property
    def id(self) -> str | None:
        """The payload as ids are written: 16 hexadecimal digits."""
        return None if self.payload is None else f"{self.payload:016x}"

    def __repr__(self) -> str:
        """Scheme, id and how certain it is."""
        what = (f"id {self.id}" if self.id else "no id") if self.present else "absent"
        return f"<WatermarkReading {self.alg} {what}, log10 p {self.log10_p:.1f}>"

    def to_dict(self) -> Json:
        """As in ``safegen.verify/1``; bounds with two decimals."""
        return {
            "alg": self.alg,
            "present": self.present,
            "id": self.id,
            "log10_false_positive_probability": round(self.log10_p, 2),
            "probability_is_proven_bound": self.bounded,
            "matched_known_id": self.matched_known,
            "bit_error_rate": self.bit_error_rate,
            "segments": [
                {
                    "start": s.start,
                    "end": s.end,
                    "present": s.present,
                    "log10_false_positive_probability": round(s.log10_p, 2),
                }
                for s in self.segments
            ],
        }


@dataclass(frozen=True)
class DetectedMark(JsonResult):
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

    def to_dict(self, *, per_second: bool = False) -> Json:
        """As ``safegen detect`` shows it; *per_second* adds every single second."""
        reading = self.reading
        parts = {"runs": self.runs, **({"per_second": reading.segments} if per_second else {})}
        return {
            "content_id": reading.id,
            "log10_p": round(reading.log10_p, 2),
            "bounded": reading.bounded,
            "bit_error_rate": reading.bit_error_rate,
            "spliced": self.spliced,
            **{
                name: [
                    {
                        "start": round(s.start, 3),
                        "end": round(s.end, 3),
                        "present": s.present,
                        "log10_p": round(s.log10_p, 2),
                    }
                    for s in segments
                ]
                for name, segments in parts.items()
            },
        }


@dataclass(frozen=True)
class Detection(JsonResult):
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

    def __repr__(self) -> str:
        """The file, and the ids found in it."""
        ids = ", ".join(mark.reading.id or "a mark without id" for mark in self.marks)
        return f"<Detection {self.path.name}: {ids or 'no mark'}>"

    def to_dict(self, *, per_second: bool = False) -> Json:
        """The answer of ``safegen detect``; seconds with three decimals, bounds with two."""
        return {
            "file": str(self.path),
            "kind": self.kind,
            "scheme": self.alg,
            "width": self.width,
            "height": self.height,
            "seconds": round(self.seconds, 3),
            "frames": self.frames,
            "step": round(self.step, 3),
            "present": self.present,
            "log10_p": round(self.log10_p, 2),
            "marks": [m.to_dict(per_second=per_second) for m in self.marks],
            "notes": list(self.notes),
            "exit_code": self.exit_code,
        }


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
