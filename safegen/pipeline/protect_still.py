"""``protect`` for single pictures: PNG and JPEG, the same format out."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from safegen import plugins
from safegen.errors import MarkingFailed, SafegenError, UsageError
from safegen.media.encode import Encoding
from safegen.media.label import draw_labels, label_box
from safegen.media.still import Still, read_still, write_still
from safegen.media.thumbnail import ThumbnailPicker
from safegen.pipeline.frames_gate import NO_FINDINGS, ApprovedFindings, moderate
from safegen.pipeline.stages import Encoded, ProtectedSource, UnmarkedClip
from safegen.protocols import LumaWatermark
from safegen.types import Clip
from safegen.watermarks import PUBLIC_KEY
from safegen.workspace.session import Session

if TYPE_CHECKING:
    from safegen.policies.schema import Policy
    from safegen.release import ReleaseJob

STILL_SUFFIXES = {"image/png": ".png", "image/jpeg": ".jpg"}
"""What is protected as a picture, and the extension of the result."""
_ALLOWED_SUFFIXES = {"image/png": {".png"}, "image/jpeg": {".jpg", ".jpeg"}}
_SETTLED_FRAME = 3
"""The frame of a clip that stands still whose mark a picture gets."""
_METADATA = (b"Exif\0\0", b"eXIf", b"http://ns.adobe.com/xap/", b"XML:com.adobe.xmp")


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
    source: ProtectedSource,
    policy: Policy,
    job: ReleaseJob,
    studio: Session,
    *,
    content_id: int,
    watermark: str,
    encoding: Encoding,
    allow_damaged: bool,
    approved: ApprovedFindings = NO_FINDINGS,
) -> Encoded:
    """Check, mark and write one picture. *encoding* and *allow_damaged* are for videos."""
    import numpy as np

    label = studio.workspace.config.label
    scheme = plugins.load_watermark(watermark)
    payload = content_id & ((1 << scheme.payload_bits) - 1)
    still = read_still(source.path)
    if still.pixels.ndim == 2 and not isinstance(scheme, LumaWatermark):
        raise UsageError(
            f"the watermark {watermark!r} needs colour, but this picture is greyscale", hint="use tile"
        )
    shown = still.rgb
    made = UnmarkedClip(
        Clip.from_array(shown[None], 1), "protected", None, {}, _notes(source.path), source=source
    )
    moderated = moderate(made, policy, progress=studio.progress, approved=approved)
    studio.progress.stage("marking, encoding")
    try:
        said = next(draw_labels([shown], label))
        # A scene begins stronger than anybody should look at for long: a still gets what follows.
        settled = _SETTLED_FRAME if isinstance(scheme, LumaWatermark) else 1
        *_, marked = scheme.embed(iter([said] * settled), payload=payload, key=PUBLIC_KEY)
    except SafegenError:
        raise
    except Exception as error:
        raise MarkingFailed(f"the watermark could not be embedded: {error}") from error
    change = marked.astype(np.int32) - shown
    suffix = ".png" if source.path.read_bytes()[:4] == b"\x89PNG" else ".jpg"
    target = job.temporary(f"marked{suffix}")
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


def _notes(path: Path) -> tuple[str, ...]:
    """What a picture's file holds beside pixels and colour profile."""
    data = path.read_bytes()
    if any(mark in data for mark in _METADATA):
        return ("camera and editing metadata (EXIF, XMP) is discarded; the orientation is applied",)
    return ()
