"""Streaming embedding: one frame in, one marked frame out."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

import cv2
import numpy as np
from numpy.typing import NDArray

from safegen.errors import MarkingFailed, UsageError
from safegen.watermarks.tile import carrier, code
from safegen.watermarks.tile.strength import Strength

if TYPE_CHECKING:
    from safegen.types import Frame

__all__ = ["coded_payload", "embed"]


def coded_payload(payload: int) -> NDArray[np.uint8]:
    """The 320 coded bits. Raises UsageError when *payload* is not in [0, 2**64)."""
    if not 0 <= payload < 1 << code.PAYLOAD_BITS:
        raise UsageError(
            "the watermark's payload must be in [0, 2**64)", hint="use a content id from the ledger"
        )
    return code.encode(payload)


class _Marker:
    """What is added to and taken from the frames of one clip at the strengths that stand."""

    def __init__(self, shape: tuple[int, int]) -> None:
        self.level = np.empty(shape, np.float32)
        self.one = np.empty(shape, np.uint8)
        self.changes = [np.empty((*shape, 3), np.uint8) for _ in range(2)]

    def set(self, level: NDArray[np.float32], plane: NDArray[np.float32]) -> None:
        """From now on round(level x pattern), the same for R, G and B: only luma moves."""
        for sign, three in zip((1, -1), self.changes, strict=True):
            cv2.multiply(level, plane, dst=self.one, scale=sign, dtype=cv2.CV_8U)
            cv2.cvtColor(self.one, cv2.COLOR_GRAY2RGB, dst=three)

    def mark(self, frame: Frame) -> Frame:
        """A marked copy; saturates at 0 and 255."""
        out = cv2.add(frame, self.changes[0])
        return np.asarray(cv2.subtract(out, self.changes[1], dst=out), np.uint8)


def embed(frames: Iterable[Frame], *, payload: int, key: bytes) -> Iterator[Frame]:
    """Yield marked copies of *frames* (uint8 RGB, (height, width, 3)), streaming, same size each.

    Raises UsageError when *payload* is not in [0, 2**64); MarkingFailed when the frame size changes
    or a frame is not uint8 RGB.
    """
    return _embed(iter(frames), coded_payload(payload), key)


def _embed(frames: Iterator[Frame], coded: NDArray[np.uint8], key: bytes) -> Iterator[Frame]:
    marker: _Marker | None = None
    strength = Strength()
    grey: NDArray[np.uint8] | None = None
    for frame in frames:
        if frame.ndim != 3 or frame.shape[2] != 3 or frame.dtype != np.uint8:
            raise MarkingFailed(
                "the watermark needs uint8 RGB frames", hint="convert the frames to 8-bit RGB before marking"
            )
        shape = (frame.shape[0], frame.shape[1])
        if marker is None:
            patterns, marker = carrier.Patterns(key, coded, shape), _Marker(shape)
        elif patterns.shape != shape:
            raise MarkingFailed(
                "the frame size changes within the clip", hint="scale every frame to one size before marking"
            )
        frame = np.ascontiguousarray(frame)
        grey = np.asarray(cv2.cvtColor(frame, cv2.COLOR_RGB2GRAY, dst=grey), np.uint8)
        level = strength.follow(grey, marker.level)
        if level is not None:
            marker.set(level, patterns.at(strength.low))
        yield marker.mark(frame)
