"""Windows of filmed clips, and what is done to a clip before it is looked up by its pictures."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np

from safegen.media.sandbox import sample_frames
from safegen.types import FrameSample

FRAMES, SHORT = 24, 180
Edit = Callable[[FrameSample], FrameSample]


def _each(shown: FrameSample, change: Callable[[np.ndarray], np.ndarray]) -> FrameSample:
    return replace(shown, frames=np.stack([change(f) for f in shown.frames]))


def _jpeg(shown: FrameSample) -> FrameSample:
    def one(frame: np.ndarray) -> np.ndarray:
        packed = cv2.imencode(".jpg", frame, [cv2.IMWRITE_JPEG_QUALITY, 25])[1]
        return np.asarray(cv2.imdecode(packed, cv2.IMREAD_COLOR))

    return _each(shown, one)


def _mirror(shown: FrameSample) -> FrameSample:
    return _each(shown, lambda f: np.ascontiguousarray(f[:, ::-1]))


def crop(share: float, x: float, y: float) -> Edit:
    def cut(shown: FrameSample) -> FrameSample:
        height, width = shown.frames.shape[1:3]
        high, wide = round(height * share), round(width * share)
        top, left = round((height - high) * y), round((width - wide) * x)
        part = _each(shown, lambda f: np.ascontiguousarray(f[top : top + high, left : left + wide]))
        return replace(part, width=round(shown.width * share), height=round(shown.height * share))

    return cut


def _boxed(shown: FrameSample) -> FrameSample:
    bar = shown.frames.shape[1] // 6
    boxed = _each(shown, lambda f: cv2.copyMakeBorder(f, bar, bar, 0, 0, cv2.BORDER_CONSTANT))
    return replace(boxed, height=round(shown.height * boxed.frames.shape[1] / shown.frames.shape[1]))


def _squeezed(shown: FrameSample) -> FrameSample:
    narrow = _each(shown, lambda f: cv2.resize(f, (f.shape[1] * 4 // 5, f.shape[0])))
    return replace(narrow, width=round(shown.width * 0.8))


def _part(shown: FrameSample) -> FrameSample:
    first, last = len(shown.frames) // 4, len(shown.frames) * 3 // 4
    times = tuple(t - shown.times[first] for t in shown.times[first:last])
    seconds = shown.seconds * (last - first) / len(shown.frames)
    kept = shown.keyframe[first:last]
    return replace(shown, frames=shown.frames[first:last], times=times, keyframe=kept, seconds=seconds)


def _one(shown: FrameSample) -> FrameSample:
    at = len(shown.frames) // 3
    return replace(shown, frames=shown.frames[at : at + 1], times=(0.0,), keyframe=(True,), seconds=0.04)


EDITS: dict[str, Edit] = {
    "JPEG 25": _jpeg,
    "brighter, less contrast": lambda s: _each(s, lambda f: (f * 0.7 + 40).astype(np.uint8)),
    "half size": lambda s: _each(
        s, lambda f: cv2.resize(f, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)
    ),
    "mirrored, JPEG 25": lambda s: _mirror(_jpeg(s)),
    "letterbox": _boxed,
    "width 80%": _squeezed,
    "middle half of the time": _part,
    "one picture": _one,
    "crop 95%": crop(0.95, 0.5, 0.5),
    "crop 90%": crop(0.9, 0.3, 0.8),
    "crop 80%": crop(0.8, 0.5, 0.4),
    "crop 80%, corner": crop(0.8, 0.0, 1.0),
    "crop 70%": crop(0.7, 0.4, 0.5),
    "crop 75%, mirrored, JPEG 25": lambda s: _mirror(_jpeg(crop(0.75, 0.6, 0.5)(s))),
}


def filmed(folder: Path, windows: int) -> list[tuple[str, FrameSample]]:
    """Windows of the clips in *folder*."""
    found = []
    for file in sorted(folder.glob("*.mp4")):
        whole = sample_frames(file, frames=windows * FRAMES, short_side=SHORT)
        for window in range(len(whole.frames) // FRAMES):
            at = slice(window * FRAMES, (window + 1) * FRAMES)
            times = tuple(t - whole.times[at.start] for t in whole.times[at])
            cut = replace(
                whole,
                frames=whole.frames[at],
                times=times,
                keyframe=whole.keyframe[at],
                seconds=times[-1] + 0.04,
            )
            found.append((f"{file.stem} {window}", cut))
    return found
