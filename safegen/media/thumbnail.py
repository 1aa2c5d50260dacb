"""Small pictures of a clip."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from safegen.errors import ReleaseFailed

if TYPE_CHECKING:
    from safegen.types import Frame


class ThumbnailPicker:
    """Keeps the middle one of *count* frames while they stream by; the last one when there are fewer."""

    def __init__(self, count: int, *, long_side: int = 320, quality: int = 80) -> None:
        """*long_side*: pixels of the thumbnail; *quality*: JPEG's, 0 to 100."""
        self._wanted, self._seen = count // 2, 0
        self._long_side, self._quality = long_side, quality
        self._step = max(1, self._wanted // 8)
        self._frame: Frame | None = None

    def add_frame(self, frame: Frame) -> None:
        """Look at the next frame (uint8 RGB)."""
        if self._seen == self._wanted or (self._seen < self._wanted and self._seen % self._step == 0):
            self._frame = _small(frame, self._long_side)
        self._seen += 1

    def through(self, frames: Iterable[Frame]) -> Iterator[Frame]:
        """The same frames, seen on their way."""
        for frame in frames:
            self.add_frame(frame)
            yield frame

    def jpeg(self) -> bytes:
        """The thumbnail as JPEG. Raises ReleaseFailed."""
        import cv2

        if self._frame is None:
            raise ReleaseFailed("there is no frame to make a thumbnail from")
        bgr = cv2.cvtColor(self._frame, cv2.COLOR_RGB2BGR)
        ok, data = cv2.imencode(".jpg", bgr, [cv2.IMWRITE_JPEG_QUALITY, self._quality])
        if not ok:
            raise ReleaseFailed("the thumbnail could not be encoded")
        return bytes(data.tobytes())


def _small(frame: Frame, long_side: int) -> Frame:
    """A scaled copy."""
    import cv2
    import numpy as np

    scale = long_side / max(frame.shape[:2])
    if scale >= 1:
        return frame.copy()
    size = (max(1, round(frame.shape[1] * scale)), max(1, round(frame.shape[0] * scale)))
    return np.asarray(cv2.resize(frame, size, interpolation=cv2.INTER_AREA), np.uint8)
