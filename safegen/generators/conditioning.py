"""Inputs as a pipeline needs them: its size, its frame rate."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from safegen.errors import Interrupted, UsageError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from safegen.protocols import Progress
    from safegen.types import Clip, Frame

    Frames = NDArray[np.uint8]


def resize_and_crop(frame: Frame, width: int, height: int) -> Frame:
    """A picture scaled to cover (height, width) and cut to it around its middle; uint8 RGB."""
    import cv2

    h, w = frame.shape[:2]
    if (h, w) == (height, width):
        return np.asarray(frame, np.uint8)
    scale = max(width / w, height / h)
    size = (max(width, round(w * scale)), max(height, round(h * scale)))
    how = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
    big = cv2.resize(np.ascontiguousarray(frame), size, interpolation=how)
    top, left = (size[1] - height) // 2, (size[0] - width) // 2
    return np.asarray(big[top : top + height, left : left + width], np.uint8)


def resample_clip(
    clip: Clip, width: int, height: int, fps: int, progress: Progress, *, max_frames: int
) -> Frames:
    """A clip's frames at *fps*, fitted: uint8, shape (n, height, width, 3), n >= 1.

    Each new frame is the one shown at its time. Raises UsageError for more than *max_frames*, Interrupted.
    """
    count = max(1, round(clip.seconds * fps)) if clip.count > 1 else 1
    if count > max_frames:
        raise UsageError(
            f"an input of {clip.seconds:.0f} s is too long",
            hint=f"cut it to {max_frames / fps:.0f} s or less first",
        )
    shown = [min(clip.count - 1, int(i * clip.fps / fps + 1e-9)) for i in range(count)]
    fitted: dict[int, Frame] = {}
    needed = set(shown)
    for i, frame in enumerate(clip):
        if progress.cancelled():
            raise Interrupted("stopped while reading an input")
        if i in needed:
            fitted[i] = resize_and_crop(frame, width, height)
    return np.stack([fitted[i] for i in shown])
