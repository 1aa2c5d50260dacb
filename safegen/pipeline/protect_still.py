"""``protect`` for single pictures: PNG and JPEG, the same format out."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

from safegen import plugins
from safegen.errors import UsageError
from safegen.media.label import draw_labels, label_box
from safegen.media.still import Still, read_still, write_still
from safegen.media.still_facts import notes_on
from safegen.media.thumbnail import ThumbnailPicker
from safegen.pipeline.context import ReleaseContext
from safegen.pipeline.frames_gate import moderate
from safegen.pipeline.mark import payload_of, translate_marking_errors
from safegen.pipeline.stages import Encoded, ProtectedSource, UnmarkedClip
from safegen.protocols import LumaWatermark
from safegen.types import Clip
from safegen.watermarks import PUBLIC_KEY

STILL_SUFFIXES = {"image/png": ".png", "image/jpeg": ".jpg"}
"""What is protected as a picture, and the extension of the result."""
_ALLOWED_SUFFIXES = {"image/png": {".png"}, "image/jpeg": {".jpg", ".jpeg"}}
_SETTLED_FRAME = 3
"""The frame of a clip that stands still whose mark a picture gets."""


def check_still_output_path(destination: Path, mime: str) -> None:
    """Refuse early what could not be written later. Raises UsageError."""
    if destination.suffix.lower() not in _ALLOWED_SUFFIXES[mime]:
        raise UsageError(
            f"{destination.name}: a picture keeps its format",
            hint=f"give a name that ends in {STILL_SUFFIXES[mime]}",
        )
    if destination.is_dir():
        raise UsageError(f"{destination} is a folder", hint="give a file name in it")
    if not destination.parent.is_dir():
        raise UsageError(f"there is no folder {destination.parent}", hint="create it first")


def mark_and_encode_still(
    source: ProtectedSource, context: ReleaseContext, *, allow_damaged: bool
) -> Encoded:
    """Check, mark and write one picture. The encoder's settings and *allow_damaged* are for videos."""
    import numpy as np

    label, watermark = context.config.label, context.settings.watermark
    scheme = plugins.load_watermark(watermark)
    payload = payload_of(context.content_id, scheme)
    still = read_still(source.path)
    if still.pixels.ndim == 2 and not isinstance(scheme, LumaWatermark):
        raise UsageError(
            f"the watermark {watermark!r} needs colour, but this picture is greyscale", hint="use tile"
        )
    shown = still.rgb
    unmarked = UnmarkedClip(
        Clip.from_array(shown[None], 1),
        "protected",
        None,
        {},
        (*still.notes, *notes_on(source.path.read_bytes())),
        source=source,
    )
    moderated = moderate(unmarked, context.policy, progress=context.progress, approved=context.approved)
    context.progress.stage("marking, encoding")
    with translate_marking_errors():
        labelled = next(draw_labels([shown], label))
        # A scene begins stronger than anybody should look at for long: a still gets what follows.
        settled = _SETTLED_FRAME if isinstance(scheme, LumaWatermark) else 1
        *_, marked = scheme.embed(iter([labelled] * settled), payload=payload, key=PUBLIC_KEY)
    change = marked.astype(np.int32) - shown
    suffix = ".png" if source.path.read_bytes()[:4] == b"\x89PNG" else ".jpg"
    target = context.job.temporary(f"marked{suffix}")
    pixels = _add_change(still, change)
    if label and pixels.ndim == 3 and pixels.shape[2] == 4:
        box = label_box(label, *pixels.shape[:2])  # words on see-through ground could not be read
        rows, columns = box.white.shape
        pixels[box.top : box.top + rows, box.left : box.left + columns, 3] = np.iinfo(pixels.dtype).max
    write_still(replace(still, pixels=pixels), target)
    middle = ThumbnailPicker(1)
    middle.add_frame(marked)
    return Encoded(moderated, target, payload, scheme.alg, 1, middle.jpeg())


def _add_change(still: Still, change: Any) -> Any:
    """The picture with *change* (8-bit steps, (height, width, 3)) added to its colours; alpha stays."""
    import numpy as np

    pixels = still.pixels
    scale = 1 if pixels.dtype == np.uint8 else 257
    most = np.iinfo(pixels.dtype).max
    out = pixels.astype(np.int32)
    if out.ndim == 2:
        out += change[..., 0] * scale
    else:
        out[..., :3] += change * scale
    return np.clip(out, 0, most).astype(pixels.dtype)
