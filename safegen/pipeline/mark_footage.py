"""Marking a video made elsewhere: decoding feeds the checks, the mark and the encoder at once.

What is encoded here stays a temporary: it becomes an ``Encoded`` only when every check has passed.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from safegen import plugins
from safegen.errors import MarkingFailed, SafegenError
from safegen.media.encode import Encoding
from safegen.media.encode_planes import encode_pictures
from safegen.media.footage import Footage, Picture
from safegen.media.label import draw_labels
from safegen.media.label_planes import PlaneLabel
from safegen.media.prefetch import prefetch
from safegen.media.thumbnail import ThumbnailPicker
from safegen.moderation.single_pass import PassStopped, SinglePass
from safegen.pipeline.frames_gate import NO_FINDINGS, ApprovedFindings, apply_gate
from safegen.pipeline.mark_planes import check_scheme_fits, mark_planes
from safegen.pipeline.stages import Encoded, UnmarkedClip
from safegen.protocols import NoProgress, Progress, Watermark

if TYPE_CHECKING:
    from safegen.policies.schema import Policy


def check_and_encode(
    made: UnmarkedClip,
    footage: Footage,
    policy: Policy,
    destination: Path,
    *,
    content_id: int,
    watermark: str = "tile",
    encoding: Encoding = Encoding(),
    progress: Progress = NoProgress(),
    approved: ApprovedFindings = NO_FINDINGS,
    label: str = "",
) -> Encoded:
    """Check, mark and encode *footage* (whose small pictures are ``made.clip``) in one pass.

    *approved*: as for ``moderate``. *label* is written into every picture; the checks see them without.

    Raises CheckUnavailable, GenerationFailed (frames gate), MarkingFailed, ReleaseFailed, UnreadableInput,
    UsageError (a scheme that cannot mark such pictures), Interrupted.
    """
    scheme = plugins.load_watermark(watermark)
    check_scheme_fits(scheme, watermark, footage)
    payload = content_id & ((1 << scheme.payload_bits) - 1)
    middle = ThumbnailPicker(footage.expected)
    draw = PlaneLabel(footage, label).draw if label else _unlabelled
    progress.stage("checking, marking, encoding", footage.expected)
    with SinglePass(made.clip, policy) as checks:
        try:
            source = _show_to_checks(iter(footage), checks, middle, label)
            marked = prefetch(_mark(scheme, map(draw, source), footage, payload))
            try:
                frames = encode_pictures(marked, destination, footage, encoding=encoding, progress=progress)
            finally:
                marked.close()
        except BaseException:
            checks.stop(PassStopped())
            checks.raise_first_failure()
            raise
        looked, extracted = checks.results()
    moderated = apply_gate(made, policy, looked, extracted, approved)
    return Encoded(moderated, destination, payload, scheme.alg, frames, middle.jpeg())


def _show_to_checks(
    pictures: Iterator[Picture], checks: SinglePass, middle: ThumbnailPicker, label: str
) -> Iterator[Picture]:
    """The pictures, each shown to every check first; stops at once when a check says no."""
    for picture in pictures:
        checks.feed(picture.preview)
        middle.add_frame(next(draw_labels([picture.preview], label)))
        if checks.failed:
            raise PassStopped
        yield picture
    checks.end()


def _unlabelled(picture: Picture) -> Picture:
    return picture


def _mark(
    scheme: Watermark, pictures: Iterator[Picture], footage: Footage, payload: int
) -> Iterator[Picture]:
    """Pictures with the mark; whatever goes wrong in the scheme is MarkingFailed."""
    try:
        yield from mark_planes(scheme, pictures, footage, payload)
    except (SafegenError, GeneratorExit, PassStopped):
        raise
    except Exception as error:
        raise MarkingFailed(f"the watermark could not be embedded: {error}") from error
