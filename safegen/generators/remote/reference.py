"""A picture or clip to send along: what was admitted and screened, re-encoded.

What else its file held (place, camera, comments) stays here.
"""

from __future__ import annotations

import base64
from collections.abc import Sequence
from typing import TYPE_CHECKING

from safegen.errors import GenerationFailed, UsageError
from safegen.generators.remote.engines import Engine
from safegen.media.encode import Encoding, encode_mp4
from safegen.media.scratch import scratch_file
from safegen.protocols import Progress

if TYPE_CHECKING:
    from safegen.generators.remote.client import ReferenceFile
    from safegen.types import Condition, Frame, Request

_QUALITY = Encoding(crf=12, preset="fast")


def encode_reference(
    engine: Engine, request: Request, conditions: Sequence[Condition], progress: Progress
) -> ReferenceFile | None:
    """The file that goes with *request*: a PNG of its first frame, or its clip as MP4; ``None`` for text.

    Raises UsageError when the request's inputs do not fit its way of working, Interrupted.
    """
    wanted = {"image": "first_frame", "edit": "video", "extend": "video"}.get(request.mode)
    if wanted is None:
        return None
    found = [c for c in conditions if c.role == wanted]
    if len(found) != 1 or len(conditions) != 1:
        raise UsageError(f"{request.mode!r} needs one input for {wanted.replace('_', ' ')}")
    if wanted == "first_frame":
        frame = next(iter(found[0].clip))
        if engine.reference_must_match_size and request.width and request.height:
            frame = _cover(frame, request.width, request.height)
        return ("first-frame.png", _png(frame), "image/png")
    file = scratch_file("reference.mp4")
    try:
        encode_mp4(
            found[0].clip,
            file,
            fps=found[0].clip.fps,
            audio=found[0].clip.audio,
            encoding=_QUALITY,
            progress=progress,
        )
        return ("source.mp4", file.read_bytes(), "video/mp4")
    finally:
        file.unlink(missing_ok=True)


def data_url(file: ReferenceFile) -> str:
    """*file* as a ``data:`` URL."""
    return f"data:{file[2]};base64,{base64.b64encode(file[1]).decode('ascii')}"


def _png(frame: Frame) -> bytes:
    import cv2

    done, data = cv2.imencode(".png", cv2.cvtColor(frame, cv2.COLOR_RGB2BGR))
    if not done:
        raise GenerationFailed("the picture could not be encoded")
    return bytes(data)


def _cover(frame: Frame, width: int, height: int) -> Frame:
    """*frame* scaled to cover the size, and what sticks out cut off evenly."""
    import cv2
    import numpy as np

    h, w = frame.shape[:2]
    scale = max(width / w, height / h)
    size = (max(width, round(w * scale)), max(height, round(h * scale)))
    kind = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
    big = cv2.resize(frame, size, interpolation=kind)
    top, left = (size[1] - height) // 2, (size[0] - width) // 2
    return np.ascontiguousarray(big[top : top + height, left : left + width], np.uint8)
