"""``protect``: mark, sign and record a video or picture made elsewhere."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING

from safegen import plugins
from safegen._util.files import text_name
from safegen._util.hashing import file_sha256
from safegen.credentials import formats
from safegen.errors import UnreadableInput, UsageError
from safegen.media.footage import Footage, open_footage
from safegen.media.remux import add_tracks
from safegen.media.spool import copy_file
from safegen.pipeline.context import ReleaseContext, ReleaseSettings
from safegen.pipeline.held_clips import record_if_held, spend_source_approval
from safegen.pipeline.input_media import original_name
from safegen.pipeline.mark_footage import check_and_encode
from safegen.pipeline.produce import check_output_path
from safegen.pipeline.protect_still import STILL_SUFFIXES, check_still_output_path, mark_and_encode_still
from safegen.pipeline.release_clip import release_encoded
from safegen.pipeline.source_marks import find_source_marks
from safegen.pipeline.stages import Encoded, ProtectedSource, UnmarkedClip
from safegen.types import Clip, Release
from safegen.workspace.session import Session

if TYPE_CHECKING:
    from safegen.types import Frame


def protect(
    path: Path,
    output: Path | None,
    *,
    session: Session,
    policy: str = "default",
    source_type: str | None = None,
    settings: ReleaseSettings = ReleaseSettings(),
    allow_damaged: bool = False,
) -> Release:
    """See ``safegen.protect``. The file is decoded in the sandbox; everything besides pictures is kept."""
    from safegen.policies import load
    from safegen.release import ReleaseJob

    started = time.monotonic()
    rules = load(policy)
    plugins.load_watermark(settings.watermark)  # an unknown one is refused before anything is read
    mime = media_type(path)
    destination = _destination(path, output, mime, overwrite=settings.overwrite)
    with ReleaseJob.begin(
        session.ledger, destination, clock=session.clock, overwrite=settings.overwrite, hook=session.hook
    ) as job:
        session.progress.stage("reading")
        # A copy of our own: what is checked, marked and named as the source must be one and the same.
        source = job.temporary(f"source{path.suffix}")
        copy_file(path, source)
        content_id = session.new_id()
        digest = file_sha256(source)
        approval = spend_source_approval(session, digest, rules)
        context = ReleaseContext(
            session,
            job,
            rules,
            content_id,
            settings,
            approval=approval,
            timings={"reading": time.monotonic() - started},
        )
        mark = mark_and_encode_still if mime in STILL_SUFFIXES else _mark_and_encode_video
        with (
            context.timed("checking, marking, encoding"),
            record_if_held(context, lambda: {"source_sha256": digest}),
            original_name(path, source),
        ):
            encoded = mark(
                ProtectedSource(source, text_name(path), source_type, digest),
                context,
                allow_damaged=allow_damaged,
            )
        encoded = _with_source_marks(encoded, settings.watermark)
        return release_encoded(encoded, context)


def _with_source_marks(encoded: Encoded, watermark: str) -> Encoded:
    """*encoded* with the marks that its source carried before, and a warning for each."""
    unmarked = encoded.moderated.unmarked
    assert unmarked.source is not None
    marks = find_source_marks(unmarked.source.path, watermark)
    notes = tuple(
        f"the source carries a mark already ({mark.alg}); it is recorded as the source's own"
        for mark in marks
    )
    unmarked = replace(
        unmarked, source=replace(unmarked.source, marks=marks), warnings=(*unmarked.warnings, *notes)
    )
    return replace(encoded, moderated=replace(encoded.moderated, unmarked=unmarked))


def media_type(path: Path) -> str:
    """The file's media type. Raises UnreadableInput for what is not protected here."""
    mime = formats.detect(path).mime
    if mime is None:
        raise UnreadableInput(f"{path} is not a video or picture of a known format", hint="convert it to MP4")
    if mime.startswith("image/") and mime not in STILL_SUFFIXES and mime != "image/gif":
        raise UnreadableInput(
            f"{path} is {mime.rpartition('/')[2]}, which cannot be protected",
            hint="convert it to PNG or JPEG",
        )
    return mime


def _destination(path: Path, output: Path | None, mime: str, *, overwrite: bool) -> Path:
    """Where the result goes. Raises UsageError for a place it cannot be written to, or the original's."""
    name = text_name(path)  # that of the release is UTF-8, whatever the source's was
    stem = path.stem if name == path.name else Path(name.replace("\\", "_")).stem
    destination = output or path.with_name(f"{stem}.protected{STILL_SUFFIXES.get(mime, '.mp4')}")
    if mime in STILL_SUFFIXES:
        check_still_output_path(destination, mime)
    else:
        check_output_path(destination)
    if overwrite and destination.exists() and destination.samefile(path):
        raise UsageError("the original is never overwritten", hint="give another name with -o")
    return destination


def _mark_and_encode_video(
    source: ProtectedSource, context: ReleaseContext, *, allow_damaged: bool
) -> Encoded:
    """Check, mark and encode in one pass, then add the source's other tracks."""
    footage = open_footage(source.path, damaged=allow_damaged)
    unmarked = UnmarkedClip(_preview_clip(footage), "protected", None, {}, source=source)
    encoded = check_and_encode(
        unmarked,
        footage,
        context.policy,
        context.job.temporary("pictures.mp4"),
        content_id=context.content_id,
        watermark=context.settings.watermark,
        encoding=context.settings.encoding,
        progress=context.progress,
        approved=context.approved,
        label=context.config.label,
    )
    context.progress.stage("adding sound and other tracks")
    whole = context.job.temporary("marked.mp4")
    notes = (*footage.notes, *_container_notes(source.path), *add_tracks(encoded.path, footage, whole))
    encoded.path.unlink()
    looked = encoded.moderated.unmarked  # with what the checks had to say
    clip = replace(unmarked.clip, count=encoded.frames)
    unmarked = replace(unmarked, warnings=(*notes, *looked.warnings), clip=clip)
    return replace(encoded, path=whole, moderated=replace(encoded.moderated, unmarked=unmarked))


def _container_notes(path: Path) -> tuple[str, ...]:
    """What the release is, where it is not the kind of file that the source was."""
    from safegen.credentials.embedded import fragmented

    if formats.detect(path).mime in formats.BMFF and fragmented(path):
        return ("the source is a fragmented MP4; the release is a progressive MP4",)
    return ()


def _preview_clip(footage: Footage) -> Clip:
    """The pictures as the checks see them: upright RGB, short side 720 at most."""

    def read() -> Iterator[Frame]:
        for picture in footage:
            yield picture.preview

    width, height = footage.small
    rate = footage.rate if footage.rate > 0 else Fraction(25)
    return Clip(read, width, height, rate, footage.expected)
