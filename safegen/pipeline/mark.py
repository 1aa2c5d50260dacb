"""Marking and encoding in one pass: frames stream from the spool through the mark into the encoder."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from safegen import plugins
from safegen.errors import MarkingFailed, ReleaseFailed, SafegenError
from safegen.media.encode import Encoding, encode_mp4
from safegen.media.label import draw_labels
from safegen.media.prefetch import prefetch
from safegen.media.thumbnail import ThumbnailPicker
from safegen.pipeline.stages import Encoded, Moderated
from safegen.protocols import NoProgress, Progress, Watermark
from safegen.watermarks import PUBLIC_KEY

if TYPE_CHECKING:
    from safegen.types import Frame


def mark_and_encode(
    moderated: Moderated,
    destination: Path,
    *,
    content_id: int,
    watermark: str = "tile",
    encoding: Encoding = Encoding(),
    label: str = "",
    progress: Progress = NoProgress(),
) -> Encoded:
    """Embed *content_id* and encode to *destination* (MP4), with a visible *label* where one is given.

    Raises MarkingFailed, ReleaseFailed (encoder, disk), Interrupted.
    """
    clip = moderated.unmarked.clip
    scheme = plugins.load_watermark(watermark)
    payload = content_id & ((1 << scheme.payload_bits) - 1)
    progress.stage("marking, encoding", clip.count)
    middle = ThumbnailPicker(clip.count)
    marked = prefetch(_embed(scheme, _crop_to_even(middle.through(draw_labels(clip, label))), payload))
    try:
        frames = encode_mp4(
            marked, destination, fps=clip.fps, audio=clip.audio, encoding=encoding, progress=progress
        )
    finally:
        marked.close()
    return Encoded(moderated, destination, payload, scheme.alg, frames, middle.jpeg())


def _embed(scheme: Watermark, frames: Iterable[Frame], payload: int) -> Iterator[Frame]:
    """Frames with the mark; whatever goes wrong in the scheme is MarkingFailed."""
    try:
        yield from scheme.embed(frames, payload=payload, key=PUBLIC_KEY)
    except (SafegenError, GeneratorExit):
        raise
    except Exception as error:
        raise MarkingFailed(f"the watermark could not be embedded: {error}") from error


def _crop_to_even(frames: Iterable[Frame]) -> Iterator[Frame]:
    """H.264 wants even sides: an odd last row or column is left out."""
    for frame in frames:
        height, width = frame.shape[:2]
        if min(height, width) < 2:
            raise ReleaseFailed(f"frames of {width}x{height} pixels cannot be encoded")
        yield frame[: height // 2 * 2, : width // 2 * 2]
