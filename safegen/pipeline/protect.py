"""``protect``: mark, sign and record a video or picture made elsewhere."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from safegen import plugins
from safegen._util.hashing import file_sha256
from safegen.credentials import formats
from safegen.errors import UnreadableInput, UsageError
from safegen.media.encode import Encoding
from safegen.media.footage import Footage, open_footage
from safegen.media.remux import add_tracks
from safegen.media.spool import copy_file
from safegen.pipeline.finish import release_clip
from safegen.pipeline.frames_gate import NO_FINDINGS, ApprovedFindings
from safegen.pipeline.held_clips import record_if_held, source_decision, spend_source_approval
from safegen.pipeline.mark_footage import check_and_encode
from safegen.pipeline.produce import check_output_path
from safegen.pipeline.protect_still import STILL_SUFFIXES, check_still_output_path, mark_and_encode_still
from safegen.pipeline.stages import Encoded, ProtectedSource, UnmarkedClip
from safegen.types import Clip, Release
from safegen.workspace.session import Session

if TYPE_CHECKING:
    from safegen.policies.schema import Policy
    from safegen.release import ReleaseJob
    from safegen.types import Frame

T = TypeVar("T")


def protect(
    path: Path,
    output: Path | None,
    *,
    studio: Session,
    policy: str = "default",
    source_type: str | None = None,
    watermark: str = "tile",
    encoding: Encoding = Encoding(),
    overwrite: bool = False,
    allow_damaged: bool = False,
) -> Release:
    """See ``safegen.protect``. The file is decoded in the sandbox; everything besides pictures is kept."""
    from safegen.policies import load
    from safegen.release import ReleaseJob

    started = time.monotonic()
    rules = load(policy)
    plugins.load_watermark(watermark)  # an unknown one is refused before anything is read
    mime = _media_type(path)
    destination = _destination(path, output, mime, overwrite=overwrite)
    with ReleaseJob.begin(
        studio.ledger, destination, clock=studio.clock, overwrite=overwrite, hook=studio.hook
    ) as job:
        studio.progress.stage("reading")
        # A copy of our own: what is checked, marked and named as the source must be one and the same.
        source = job.temporary(f"source{path.suffix}")
        copy_file(path, source)
        content_id = studio.new_id()
        digest = file_sha256(source)
        approval = spend_source_approval(studio, digest, rules)
        encode = mark_and_encode_still if mime in STILL_SUFFIXES else _encode_video
        ready = time.monotonic()
        with record_if_held(source_decision(rules), studio, lambda: {"source_sha256": digest}):
            encoded = _with_original_name(
                path,
                source,
                lambda: encode(
                    ProtectedSource(source, path.name, source_type),
                    rules,
                    job,
                    studio,
                    content_id=content_id,
                    watermark=watermark,
                    encoding=encoding,
                    allow_damaged=allow_damaged,
                    approved=NO_FINDINGS if approval is None else approval.findings,
                ),
            )
        return release_clip(
            encoded.moderated.unmarked,
            None,
            rules,
            job=job,
            studio=studio,
            content_id=content_id,
            watermark=watermark,
            encoding=encoding,
            encoded=encoded,
            approval=approval,
            timings={"reading": ready - started, "checking, marking, encoding": time.monotonic() - ready},
        )


def _media_type(path: Path) -> str:
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
    destination = output or path.with_name(f"{path.stem}.protected{STILL_SUFFIXES.get(mime, '.mp4')}")
    if mime in STILL_SUFFIXES:
        check_still_output_path(destination, mime)
    else:
        check_output_path(destination)
    if overwrite and destination.exists() and destination.samefile(path):
        raise UsageError("the original is never overwritten", hint="give another name with -o")
    return destination


def _with_original_name(path: Path, copy: Path, work: Callable[[], T]) -> T:
    """Do *work*; its error names the user's file, not our copy of it."""
    try:
        return work()
    except UnreadableInput as error:
        raise type(error)(str(error).replace(str(copy), str(path)), hint=error.hint) from error


def _encode_video(
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
    """Check, mark and encode in one pass, then add the source's other tracks."""
    footage = open_footage(source.path, damaged=allow_damaged)
    made = UnmarkedClip(_preview_clip(footage), "protected", None, {}, source=source)
    encoded = check_and_encode(
        made,
        footage,
        policy,
        job.temporary("pictures.mp4"),
        content_id=content_id,
        watermark=watermark,
        encoding=encoding,
        progress=studio.progress,
        approved=approved,
        label=studio.workspace.config.label,
    )
    studio.progress.stage("adding sound and other tracks")
    whole = job.temporary("marked.mp4")
    notes = (*footage.notes, *_container_notes(source.path), *add_tracks(encoded.path, footage, whole))
    encoded.path.unlink()
    made = replace(made, warnings=notes, clip=replace(made.clip, count=encoded.frames))
    return replace(encoded, path=whole, moderated=replace(encoded.moderated, unmarked=made))


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
