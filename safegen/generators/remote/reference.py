"""A picture or clip to send along: what was admitted and screened, re-encoded.

What else its file held (place, camera, comments) stays here.
"""

from __future__ import annotations

import base64
from collections.abc import Sequence
from typing import TYPE_CHECKING

from safegen.errors import GenerationFailed, UsageError
from safegen.generators.conditioning import resize_and_crop
from safegen.generators.modes import MODES, check_required_inputs
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

    Raises UsageError when the request's inputs do not fit its mode, Interrupted.
    """
    check_required_inputs(request.mode, [c.role for c in conditions])
    if not MODES[request.mode].required:
        return None
    if len(conditions) != 1:
        raise UsageError(f"only one input can be sent, not {len(conditions)}", hint="omit the others")
    (given,) = conditions
    if given.role == "first_frame":
        frame = next(iter(given.clip))
        if engine.reference_must_match_size and request.width and request.height:
            frame = resize_and_crop(frame, request.width, request.height)
        return ("first-frame.png", _png(frame), "image/png")
    file = scratch_file("reference.mp4")
    try:
        encode_mp4(
            given.clip,
            file,
            fps=given.clip.fps,
            audio=given.clip.audio,
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
