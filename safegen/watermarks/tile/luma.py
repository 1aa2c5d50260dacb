"""The same mark on luma planes as they are stored: 8 or 10 bit, limited or full range, chroma untouched.

Equal steps in R, G and B are one step in luma, so this is what ``embed`` does to RGB, without the way
there and back: a third of the arithmetic, and colours stay exactly what they were.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import cv2
import numpy as np
from numpy.typing import NDArray

from safegen.errors import MarkingFailed
from safegen.watermarks.tile import carrier
from safegen.watermarks.tile.embed import coded_payload
from safegen.watermarks.tile.strength import Strength

__all__ = ["embed_luma"]

Plane = NDArray[np.uint8] | NDArray[np.uint16]
_BLACK, _SPAN = 16, 219
"""Limited range in 8 bit (ITU-R BT.709): black level, and steps from black to white."""


def embed_luma(
    planes: Iterable[Plane], *, payload: int, key: bytes, depth: int, full_range: bool
) -> Iterator[Plane]:
    """Mark luma planes (uint8, or uint16 of *depth* bits; (height, width)) in place and yield them.

    Raises UsageError when *payload* is not in [0, 2**64); MarkingFailed when the size changes.
    """
    return _marked(iter(planes), coded_payload(payload), key, depth, full_range)


def _marked(
    planes: Iterator[Plane], coded: NDArray[np.uint8], key: bytes, depth: int, full_range: bool
) -> Iterator[Plane]:
    step = 2.0 ** (depth - 8) * (1.0 if full_range else _SPAN / 255)
    strength = Strength()
    marker: _Marker | None = None
    for luma in planes:
        if marker is None:
            patterns, marker = carrier.Patterns(key, coded, luma.shape), _Marker(luma.shape, depth)
        elif patterns.shape != luma.shape:
            raise MarkingFailed(
                "the frame size changes within the clip", hint="scale every frame to one size before marking"
            )
        level = strength.follow(_grey(luma, depth, full_range), marker.level)
        if level is not None:
            marker.set(level, patterns.at(strength.low), step)
        marker.mark(luma)
        yield luma


def _grey(luma: Plane, depth: int, full_range: bool) -> NDArray[np.uint8]:
    """Full-range 8-bit grey, as the mask wants it."""
    if full_range and depth == 8:
        return np.asarray(luma, np.uint8)
    scale = 2.0 ** (8 - depth) * (1.0 if full_range else 255 / _SPAN)
    table = (np.arange(1 << depth) - (0 if full_range else _BLACK << (depth - 8))) * scale
    values = np.clip(np.round(table), 0, 255).astype(np.uint8)
    if depth == 8:
        return np.asarray(cv2.LUT(luma, values), np.uint8)
    return np.asarray(values[np.minimum(luma, len(values) - 1)], np.uint8)


class _Marker:
    """What is added to and taken from the planes of one clip at the strengths that stand."""

    def __init__(self, shape: tuple[int, ...], depth: int) -> None:
        self.most = (1 << depth) - 1
        self.level = np.empty(shape, np.float32)
        self.changes = [np.empty(shape, np.uint8 if depth == 8 else np.uint16) for _ in range(2)]
        self.kind = cv2.CV_8U if depth == 8 else cv2.CV_16U

    def set(self, level: NDArray[np.float32], plane: NDArray[np.float32], scale: float) -> None:
        """From now on round(scale x level x pattern)."""
        for sign, change in zip((1, -1), self.changes, strict=True):
            cv2.multiply(level, plane, dst=change, scale=sign * scale, dtype=self.kind)

    def mark(self, luma: Plane) -> None:
        """Change *luma* in place, saturating."""
        cv2.add(luma, self.changes[0], dst=luma)
        cv2.subtract(luma, self.changes[1], dst=luma)
        if luma.dtype == np.uint16:
            np.minimum(luma, self.most, out=luma)
