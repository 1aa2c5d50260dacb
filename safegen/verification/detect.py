"""``detect``: the watermark alone, without credentials, ledger or workspace."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from safegen import plugins
from safegen.errors import CheckUnavailable, Interrupted, SafegenError, UnreadableInput
from safegen.media import sandbox
from safegen.protocols import NoProgress, Progress, Watermark
from safegen.types import DetectedMark, Detection, Json
from safegen.watermarks import PUBLIC_KEY

if TYPE_CHECKING:
    from safegen.media.sandbox import MediaInfo
    from safegen.watermarks.tile.timeline import Moment, Timeline

MAX_KEY = 4096
_PACES = ((120.0, 12.0), (900.0, 4.0), (float("inf"), 2.0))
"""(seconds, pictures a second): how closely files up to that length are looked at."""


def read_key(path: Path) -> bytes:
    """A watermark key: the bytes of a file, without white space around them. Raises UnreadableInput."""
    try:
        key = path.read_bytes()[: MAX_KEY + 1].strip()
    except OSError as error:
        raise UnreadableInput(
            f"{path}: {error.strerror}", hint="give a file that contains the key"
        ) from error
    if not key or len(key) > MAX_KEY:
        raise UnreadableInput(f"{path} contains no key", hint=f"use a key of 1 to {MAX_KEY} bytes")
    return key


def detect_file(
    path: Path, *, scheme: str = "tile", key: bytes = PUBLIC_KEY, progress: Progress = NoProgress()
) -> Detection:
    """Look for marks in the whole of *path*.

    Raises UnreadableInput (sound only, damaged), UsageError (an unknown scheme), CheckUnavailable,
    Interrupted.
    """
    found = plugins.load_watermark(scheme)
    try:
        info = sandbox.probe(path)
    except sandbox.NoVideo as error:
        raise UnreadableInput(
            f"{path} has no pictures, and the watermark is in the pictures",
            hint="use `safegen verify` to read the Content Credentials of sound files",
        ) from error
    try:
        if scheme == "tile":
            return _detect_timeline(path, info, found, key, progress)
        return _detect_sample(path, info, found, key)
    except SafegenError:
        raise
    except Exception as error:
        raise CheckUnavailable(f"the watermark detector {found.alg} failed: {error}") from error


def _detect_timeline(
    path: Path, info: MediaInfo, scheme: Watermark, key: bytes, progress: Progress
) -> Detection:
    """Every part of the file."""
    from safegen.watermarks.tile.carrier import carrier
    from safegen.watermarks.tile.timeline import Moment, locate

    pace = next(rate for most, rate in _PACES if info.seconds <= most)
    notes: list[str] = []

    def moments() -> Iterator[Moment]:
        progress.stage("looking", max(1, round(info.seconds)))
        done = 0
        for seen in sandbox.stream_frames(path, rate=pace, short_side=scheme.sample_short_side):
            if progress.cancelled():
                raise Interrupted("stopped while examining the file")
            if isinstance(seen, str):
                notes.append(seen)
                continue
            picture, time, keyframe = seen
            if int(time) > done:
                progress.advance(int(time) - done)
                done = int(time)
            yield Moment(picture, time, keyframe)

    line = locate(moments, key=carrier(key), secret=key, file=(info.width, info.height), seconds=info.seconds)
    if line.frames == 0:
        raise UnreadableInput(f"{path}: no frame in it can be decoded", hint="fetch it again")
    return _detection(path, info, scheme, line, pace, tuple(dict.fromkeys(notes)))


def _detection(
    path: Path, info: MediaInfo, scheme: Watermark, line: Timeline, pace: float, notes: tuple[str, ...]
) -> Detection:
    still = line.frames == 1
    step = 0.0 if still else max(1 / pace, 1 / float(info.fps) if info.fps else 0.0)
    return Detection(
        path,
        "picture" if still else "video",
        scheme.alg,
        info.width,
        info.height,
        0.0 if still else line.seconds,
        line.frames,
        step,
        line.marks,
        min([m.reading.log10_p for m in line.marks], default=line.log10_p),
        notes,
    )


def _detect_sample(path: Path, info: MediaInfo, scheme: Watermark, key: bytes) -> Detection:
    """One sample of the file, for schemes without a time line."""
    sample = sandbox.sample_frames(path, frames=scheme.sample_frames, short_side=scheme.sample_short_side)
    readings = scheme.detect(sample, key=key)
    marks = tuple(DetectedMark(r) for r in readings if r.present)
    still = len(sample.frames) == 1
    notes: tuple[str, ...] = ("this scheme does not say which parts of a file carry its mark",)
    if not marks:
        notes += ("without an id to test, this scheme never reports a mark",)
    return Detection(
        path,
        "picture" if still else "video",
        scheme.alg,
        info.width,
        info.height,
        0.0 if still else sample.seconds,
        len(sample.frames),
        0.0,
        marks,
        min((r.log10_p for r in readings), default=0.0),
        notes,
    )


def detection_to_json(found: Detection, *, per_second: bool = False) -> Json:
    """The answer as JSON values; seconds with three decimals, bounds with two."""
    return {
        "file": str(found.path),
        "kind": found.kind,
        "scheme": found.alg,
        "width": found.width,
        "height": found.height,
        "seconds": round(found.seconds, 3),
        "frames": found.frames,
        "step": round(found.step, 3),
        "present": found.present,
        "log10_p": round(found.log10_p, 2),
        "marks": [_mark_to_json(m, per_second) for m in found.marks],
        "notes": list(found.notes),
        "exit_code": found.exit_code,
    }


def _mark_to_json(mark: DetectedMark, per_second: bool) -> Json:
    reading = mark.reading
    parts = {"runs": mark.runs, **({"per_second": reading.segments} if per_second else {})}
    return {
        "content_id": None if reading.payload is None else f"{reading.payload:016x}",
        "log10_p": round(reading.log10_p, 2),
        "bounded": reading.bounded,
        "bit_error_rate": reading.bit_error_rate,
        "spliced": mark.spliced,
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
