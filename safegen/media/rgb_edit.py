"""A change made to a picture's RGB, carried over to the stored planes (8-bit only)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from safegen.types import Frame

__all__ = ["RgbRoundTrip"]

Planes = NDArray[np.uint8]
_BT709 = 1


class RgbRoundTrip:
    """The way to RGB and back for pictures of one range and matrix (a code of ITU-T H.273)."""

    def __init__(self, *, full_range: bool, matrix: int) -> None:
        """*matrix*: 1 is BT.709; others are taken as BT.601."""
        from av.video.reformatter import Colorspace

        self._range = "JPEG" if full_range else "MPEG"
        self._matrix = Colorspace.ITU709 if matrix == _BT709 else Colorspace.ITU601

    def rgb(self, planes: Planes) -> Frame:
        """uint8 RGB (height, width, 3) of *planes*, uint8 (3 height / 2, width), 4:2:0."""
        import av

        frame = av.VideoFrame.from_ndarray(planes, format="yuv420p").reformat(
            format="rgb24",
            src_colorspace=self._matrix,
            src_color_range=self._range,
            dst_color_range="JPEG",
        )
        return np.asarray(frame.to_ndarray(), np.uint8)

    def planes(self, rgb: Frame) -> Planes:
        """*rgb* as planes of 4:2:0."""
        import av

        frame: Any = av.VideoFrame.from_ndarray(np.ascontiguousarray(rgb), format="rgb24").reformat(
            format="yuv420p",
            dst_colorspace=self._matrix,
            src_color_range="JPEG",
            dst_color_range=self._range,
        )
        return np.asarray(frame.to_ndarray(), np.uint8)

    def apply_rgb_change(self, planes: Planes, before: Frame, after: Frame) -> Planes:
        """*planes* and what distinguishes *after* from *before*; what is equal stays exact."""
        difference = self.planes(after).astype(np.int16) - self.planes(before)
        return np.asarray(np.clip(planes + difference, 0, 255), np.uint8)
