"""Marking and encoding in one pass: frames stream from the spool through the mark into the encoder."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from safegen import plugins
from safegen.errors import MarkingFailed, ReleaseFailed, SafegenError
from safegen.media.encode import encode_mp4
from safegen.media.label import draw_labels
from safegen.media.prefetch import prefetch
from safegen.media.thumbnail import ThumbnailPicker
from safegen.pipeline.stages import Encoded, Moderated
from safegen.protocols import Watermark
from safegen.watermarks import PUBLIC_KEY

if TYPE_CHECKING:
    from safegen.pipeline.context import ReleaseContext
    from safegen.types import Frame


def mark_and_encode(moderated: Moderated, context: ReleaseContext) -> Encoded:
    """Embed the content id and encode to MP4, with a visible label where the workspace sets one.

    Raises MarkingFailed, ReleaseFailed (encoder, disk), Interrupted.
    """
    clip = moderated.unmarked.clip
    scheme = plugins.load_watermark(context.settings.watermark)
    payload = payload_of(context.content_id, scheme)
    target = context.job.temporary("marked.mp4")
    context.progress.stage("marking, encoding", clip.count)
    middle = ThumbnailPicker(clip.count)
    labelled = middle.through(draw_labels(clip, context.config.label))
    marked = prefetch(_embed(scheme, _crop_to_even(labelled), payload))
    try:
        frames = encode_mp4(
            marked,
            target,
            fps=clip.fps,
            audio=clip.audio,
            encoding=context.settings.encoding,
            progress=context.progress,
        )
    finally:
        marked.close()
    return Encoded(moderated, target, payload, scheme.alg, frames, middle.jpeg())


def payload_of(content_id: int, scheme: Watermark) -> int:
    """As much of *content_id* as the mark of *scheme* holds."""
    return content_id & ((1 << scheme.payload_bits) - 1)


@contextmanager
def translate_marking_errors() -> Iterator[None]:
    """Whatever goes wrong in a scheme within the block is MarkingFailed."""
    try:
        yield
    except SafegenError:
        raise
    except Exception as error:
        raise MarkingFailed(f"the watermark could not be embedded: {error}") from error


def _embed(scheme: Watermark, frames: Iterable[Frame], payload: int) -> Iterator[Frame]:
    """Frames with the mark. Raises MarkingFailed."""
    with translate_marking_errors():
        yield from scheme.embed(frames, payload=payload, key=PUBLIC_KEY)


def _crop_to_even(frames: Iterable[Frame]) -> Iterator[Frame]:
    """H.264 wants even sides: an odd last row or column is left out."""
    for frame in frames:
        height, width = frame.shape[:2]
        if min(height, width) < 2:
            raise ReleaseFailed(f"frames of {width}x{height} pixels cannot be encoded")
        yield frame[: height // 2 * 2, : width // 2 * 2]
