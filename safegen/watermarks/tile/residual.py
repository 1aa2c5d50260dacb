"""Combine many frames into one picture in which a static mark adds up and the content averages out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import cv2
import numpy as np
from numpy.typing import NDArray

from safegen.watermarks.tile.mask import expected

if TYPE_CHECKING:
    from safegen.types import FrameSample

__all__ = ["Streams", "frame_residual", "streams", "work_size"]

_SHORT_MIN, _SHORT_MAX = 256, 360
_FLOOR = 2.0
_LIMIT = 2.0


def work_size(width: int, height: int) -> tuple[int, int]:
    """(width, height) at which residuals are taken: short side within [256, 360], long side <= 4 x short.

    Smaller pictures are enlarged: below 256 the mark's upper frequencies would fold over.
    """
    short = min(width, height)
    target = min(max(short, _SHORT_MIN), _SHORT_MAX)
    w, h = (max(1, round(side * target / short)) for side in (width, height))
    return min(w, 4 * target), min(h, 4 * target)


def frame_residual(frame: NDArray[np.uint8], size: tuple[int, int]) -> NDArray[np.float32]:
    """High-passed luma of one RGB frame (or grey, (h, w)), normalised and weighted: float32.

    Divided by its local RMS and limited (robustness), then weighted by how strong the embedder's mask
    allows the mark to be there against that noise: a matched filter in amplitude. The box widths are
    odd numbers of pixels near 3.2 and 5 canonical pixels.
    """
    grey = cv2.cvtColor(frame, cv2.COLOR_RGB2GRAY) if frame.ndim == 3 else frame
    if (grey.shape[1], grey.shape[0]) != size:
        shrink = size[0] < grey.shape[1]
        grey = cv2.resize(grey, size, interpolation=cv2.INTER_AREA if shrink else cv2.INTER_CUBIC)
    y = grey.astype(np.float32)
    canonical = min(size) / 256
    box = 2 * int(3.2 * canonical / 2) + 1
    window = 2 * int(5 * canonical / 2) + 1
    high = y - cv2.blur(cv2.blur(y, (box, box)), (box, box))
    # A running sum can end a hair below zero.
    rms = cv2.sqrt(np.maximum(cv2.blur(high * high, (window, window)), 0.0))
    scale = rms + _FLOOR
    share = expected(grey, rms) / scale
    return np.asarray(np.clip(high / scale, -_LIMIT, _LIMIT) * share, dtype=np.float32)


@dataclass(frozen=True)
class Streams:
    """Residuals of a sample: ``means`` over all frames and over keyframes only, float32 (h, w) each.

    ``seconds`` are (start, sum of the residuals) of each second that has frames. ``size`` = (w, h).
    """

    size: tuple[int, int]
    means: tuple[NDArray[np.float32], ...]
    seconds: tuple[tuple[int, NDArray[np.float32]], ...]


def streams(sample: FrameSample) -> Streams | None:
    """Residuals of every frame, averaged three ways; ``None`` without frames.

    The first intra-coded frame of a heavily compressed clip often carries more of the mark than all
    frames together, hence the keyframes' own stream.
    """
    frames = sample.frames
    if frames.ndim != 4 or 0 in frames.shape:
        return None
    size = work_size(frames.shape[2], frames.shape[1])
    seconds: dict[int, NDArray[np.float32]] = {}
    keys = np.zeros((size[1], size[0]), dtype=np.float32)
    n_keys = 0
    for index, frame in enumerate(frames):
        one = frame_residual(np.ascontiguousarray(frame), size)
        second = int(sample.times[index]) if index < len(sample.times) else 0
        if second in seconds:
            seconds[second] += one
        else:
            seconds[second] = one.copy()
        if index < len(sample.keyframe) and sample.keyframe[index]:
            keys += one
            n_keys += 1
    total = np.asarray(np.sum(list(seconds.values()), axis=0) / len(frames), dtype=np.float32)
    means = (total,) if n_keys in (0, len(frames)) else (total, np.asarray(keys / n_keys, dtype=np.float32))
    return Streams(size, means, tuple(sorted(seconds.items())))
