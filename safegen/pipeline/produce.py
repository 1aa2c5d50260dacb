"""``generate``: from a request to a release in three parts: ``prepare``, ``make`` and ``release``.

``prepare`` ends with the permission to generate, ``make`` with a clip on which nothing is marked yet,
``release`` with the published file. ``reproduce`` stops after ``make``.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from safegen import plugins
from safegen._util.logs import logger, public_name
from safegen.errors import GenerationFailed, SafegenError, UsageError
from safegen.media.scratch import scratch_in
from safegen.media.spool import spool, start_digest
from safegen.pipeline.accessibility import sidecar_names
from safegen.pipeline.authorize import authorize, screen_prompt
from safegen.pipeline.context import ReleaseContext, ReleaseSettings
from safegen.pipeline.environment import describe_environment, request_json
from safegen.pipeline.held_clips import HeldClip, remove_held_clip
from safegen.pipeline.inputs import Admitted
from safegen.pipeline.manifest import add_upstream
from safegen.pipeline.release_clip import release_clip
from safegen.pipeline.stages import Annotations, GenerationRecord, UnmarkedClip
from safegen.request.validate import check_request
from safegen.types import Release, Request
from safegen.workspace.session import Session

if TYPE_CHECKING:
    from safegen.protocols import Generator

_log = logger(__name__)


@dataclass(frozen=True)
class Prepared:
    """A request that may be generated, with what makes it. ``held_clip`` was made of it before, and a person
    approved it. ``notes`` about how the request came about join the warnings of a new clip.
    """

    context: ReleaseContext
    inputs: Admitted
    generator: Generator
    held_clip: HeldClip | None = None
    notes: tuple[str, ...] = ()


def produce(
    request: Request,
    output: Path | None,
    *,
    session: Session,
    settings: ReleaseSettings = ReleaseSettings(),
    approval: int | None = None,
    generator: Generator | None = None,
    annotations: Annotations = Annotations(),
    notes: Sequence[str] = (),
) -> Release:
    """Screen, admit inputs, generate, moderate, mark, sign, check, record, release. See ``safegen.generate``.

    *annotations* are recorded with the clip; everything else as for ``prepare``.
    """
    with prepare(
        request,
        output,
        session=session,
        settings=settings,
        approval=approval,
        generator=generator,
        notes=notes,
    ) as prepared:
        return release(prepared, replace(make(prepared), annotations=annotations))


@contextmanager
def prepare(
    request: Request,
    output: Path | None,
    *,
    session: Session,
    settings: ReleaseSettings = ReleaseSettings(),
    approval: int | None = None,
    generator: Generator | None = None,
    notes: Sequence[str] = (),
) -> Iterator[Prepared]:
    """Screen, take the destination, admit the inputs, record the decision, spend the *approval*.

    *generator* (default: the one the request names) may be one that is loaded already. A block that is left
    without a release leaves nothing in the user's folder. Raises UsageError, and what ``authorize`` raises.
    """
    from safegen.policies import load
    from safegen.release import ReleaseJob

    started = time.monotonic()
    policy = load(request.policy)
    generator = generator or find_generator(request.model)
    plugins.load_watermark(settings.watermark)
    content_id = session.new_id()
    destination = output or Path.cwd() / f"safegen-{content_id:016x}.mp4"
    check_output_path(destination)
    check_request(request, generator)
    decision = screen_prompt(request, policy, session)
    with ReleaseJob.begin(
        session.ledger,
        destination,
        clock=session.clock,
        overwrite=settings.overwrite,
        hook=session.hook,
        sidecar_names=sidecar_names(destination, session),
    ) as job:
        authorized = authorize(decision, policy, session=session, temporary=job.temporary, approval=approval)
        context = ReleaseContext(
            session,
            job,
            policy,
            content_id,
            settings,
            decision=authorized.inputs.decision,
            decision_index=authorized.decision_index,
            approval=authorized.approval,
            timings={"screening": time.monotonic() - started},
        )
        yield Prepared(context, authorized.inputs, generator, authorized.held_clip, tuple(notes))


def make(prepared: Prepared) -> UnmarkedClip:
    """The clip that was held and approved, else a new one. Raises GenerationFailed, Interrupted."""
    with prepared.context.timed("generation"):
        if prepared.held_clip is not None:
            return prepared.held_clip.unmarked
        clip = generate_clip(prepared.generator, prepared.inputs, prepared.context)
        return replace(clip, warnings=(*prepared.notes, *clip.warnings))


def release(prepared: Prepared, unmarked: UnmarkedClip) -> Release:
    """Moderate, mark, sign, record and publish *unmarked*; raises as ``release_clip`` does.

    A clip that was held is removed from the workspace once it is published.
    """
    released = release_clip(unmarked, prepared.context)
    if prepared.held_clip is not None:
        remove_held_clip(prepared.held_clip)
    return released


def generate_clip(generator: Generator, inputs: Admitted, context: ReleaseContext) -> UnmarkedClip:
    """Generate and spool; whatever goes wrong in a generator is GenerationFailed."""
    request = inputs.decision.request
    frames = context.job.temporary("frames.raw")
    _log.info(
        "generating with %(model)s, %(mode)s", {"model": public_name(generator.name), "mode": request.mode}
    )
    started = time.monotonic()
    try:
        with scratch_in(frames.parent):
            generated = generator.generate(request, progress=context.progress, conditions=inputs.conditions)
        digest = start_digest(generated.clip)
        clip = spool(generated.clip, frames, progress=context.progress, digest=digest)
    except SafegenError:
        raise
    except MemoryError as error:
        raise GenerationFailed(
            "there is not enough memory", hint="lower --width, --height or --seconds"
        ) from error
    except Exception as error:
        raise GenerationFailed(f"the generator failed: {type(error).__name__}: {error}") from error
    _log.info(
        "generated %(frames)d frames of %(width)dx%(height)d in %(seconds).2f s",
        {
            "frames": clip.count,
            "width": clip.width,
            "height": clip.height,
            "seconds": time.monotonic() - started,
        },
    )
    return UnmarkedClip(
        replace(clip, audio=generated.clip.audio),
        "generated",
        generated.model,
        {"seed": request.seed, **generated.settings},
        (*inputs.notes, *generated.warnings),
        ingredients=add_upstream(inputs.ingredients, generated.upstream),
        rendition=generated.upstream is not None,
        generation=GenerationRecord(digest.hexdigest(), request_json(request), describe_environment()),
    )


def find_generator(model: str) -> Generator:
    """The generator for *model*: an embedded or preset name, a local folder, a hub id. Raises UsageError."""
    from safegen.generators.registry import find_generator

    generator: Generator = find_generator(model)
    return generator


def check_output_path(destination: Path) -> None:
    """Refuse early what could not be written later. Raises UsageError."""
    if destination.suffix.lower() not in {".mp4", ".m4v", ".mov"}:
        raise UsageError(f"{destination.name}: safegen writes MP4", hint="give a name that ends in .mp4")
    if destination.is_dir():
        raise UsageError(f"{destination} is a folder", hint="give a file name in it")
    if not destination.parent.is_dir():
        raise UsageError(f"there is no folder {destination.parent}", hint="create it first")
