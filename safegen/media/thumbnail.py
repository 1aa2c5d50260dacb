"""Small pictures of a clip."""

from __future__ import annotations

from safegen.errors import ReleaseFailed
from safegen.types import Clip


def thumbnail_jpeg(clip: Clip, *, long_side: int = 320, quality: int = 80) -> bytes:
    """JPEG of the middle frame, scaled down to *long_side* pixels. Raises ReleaseFailed."""
    import cv2

    frame = None
    for index, frame in enumerate(clip):  # noqa: B007  a stream may be shorter than it says
        if index >= clip.count // 2:
            break
    if frame is None:
        raise ReleaseFailed("there is no frame to make a thumbnail of")
    scale = long_side / max(frame.shape[:2])
    if scale < 1:
        size = (max(1, round(frame.shape[1] * scale)), max(1, round(frame.shape[0] * scale)))
        frame = cv2.resize(frame, size, interpolation=cv2.INTER_AREA)
    ok, data = cv2.imencode(
        ".jpg", cv2.cvtColor(frame, cv2.COLOR_RGB2BGR), [cv2.IMWRITE_JPEG_QUALITY, quality]
    )
    if not ok:
        raise ReleaseFailed("the thumbnail could not be encoded")
    return bytes(data.tobytes())
