"""``generate``: from a request to a release, one way."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from safegen import plugins
from safegen._util.time import utc_now
from safegen.consent.prompt_check import apply_consent
from safegen.errors import GenerationFailed, SafegenError, UsageError
from safegen.media.encode import Encoding
from safegen.media.scratch import scratch_in
from safegen.media.spool import spool, start_digest
from safegen.pipeline.accessibility import sidecar_names
from safegen.pipeline.authorize import authorize, load_consents, screen_prompt, trust_anchors
from safegen.pipeline.authorize import raise_for_decision as raise_for_decision
from safegen.pipeline.environment import describe_environment, request_json
from safegen.pipeline.finish import release_clip
from safegen.pipeline.held_clips import remove_held_clip
from safegen.pipeline.inputs import Admitted, admit_inputs
from safegen.pipeline.stages import Annotations, GenerationRecord, UnmarkedClip
from safegen.pipeline.upstream import add_upstream
from safegen.request.settings import names_for
from safegen.request.validate import check_request
from safegen.types import Allowed, Held, Json, Outlook, Refused, Release, Request
from safegen.workspace.session import Session

if TYPE_CHECKING:
    from safegen.policies.schema import Policy
    from safegen.protocols import Generator
    from safegen.workspace.config import Workspace

_SIZE_SETTINGS = names_for("dry run")


def produce(
    request: Request,
    output: Path | None,
    *,
    studio: Session,
    watermark: str = "tile",
    encoding: Encoding = Encoding(),
    overwrite: bool = False,
    approval: int | None = None,
    generator: Generator | None = None,
    annotate: Callable[[UnmarkedClip], Annotations] | None = None,
    notes: Sequence[str] = (),
) -> Release:
    """Screen, admit inputs, generate, moderate, mark, sign, check, record, release. See ``safegen.generate``.

    *generator* (default: the one the request names) may be one that is loaded already. *label* looks at
    the clip before it is moderated and says what is recorded with it; what it raises stops the release.
    *notes* about how the request came about join its warnings.
    """
    from safegen.policies import load
    from safegen.release import ReleaseJob

    started = time.monotonic()
    policy = load(request.policy)
    generator = generator or find_generator(request.model)
    plugins.load_watermark(watermark)
    content_id = studio.new_id()
    destination = output or Path.cwd() / f"safegen-{content_id:016x}.mp4"
    check_output_path(destination)
    check_request(request, generator)
    decision = screen_prompt(request, policy, studio)
    with ReleaseJob.begin(
        studio.ledger,
        destination,
        clock=studio.clock,
        overwrite=overwrite,
        hook=studio.hook,
        sidecar_names=sidecar_names(destination, studio),
    ) as job:
        cleared = authorize(decision, policy, studio=studio, temporary=job.temporary, approval=approval)
        ready = time.monotonic()
        if cleared.held_clip is not None:
            made = cleared.held_clip.unmarked
        else:
            made = generate_clip(
                generator, cleared.request, job.temporary("frames.raw"), studio, cleared.inputs
            )
            made = replace(made, warnings=(*notes, *made.warnings))
        if annotate is not None:
            made = replace(made, annotations=annotate(made))
        release = release_clip(
            made,
            cleared.inputs.decision,
            policy,
            job=job,
            studio=studio,
            content_id=content_id,
            watermark=watermark,
            encoding=encoding,
            decision_index=cleared.decision_index,
            approval=cleared.approval,
            timings={"screening": ready - started, "generation": time.monotonic() - ready},
        )
    if cleared.held_clip is not None:
        remove_held_clip(cleared.held_clip)
    return release


def plan(request: Request, output: Path | None, *, workspace: Workspace, notes: Sequence[str] = ()) -> Json:
    """What ``produce`` would do: decision, model, sizes. Raises what it would raise before generating."""
    from safegen.policies import load
    from safegen.screening import screen

    policy = load(request.policy)
    generator = find_generator(request.model)
    if output is not None:
        check_output_path(output)
    outlook = check_request(request, generator)
    decision = screen(request, policy=policy)
    if isinstance(decision, Refused):
        raise_for_decision(decision)
    with tempfile.TemporaryDirectory(prefix="safegen-") as folder:
        admitted = _admit_read_only(decision, policy, Path(folder), workspace)
    if not isinstance(admitted.decision, Allowed):
        raise_for_decision(admitted.decision)
    return _plan_json(admitted, policy, generator, outlook, output, workspace, notes)


def _admit_read_only(
    decision: Allowed | Held, policy: Policy, folder: Path, workspace: Workspace
) -> Admitted:
    """Look at the inputs without a ledger to write to. Raises as ``admit`` does."""
    from safegen.ledger.store import Ledger

    trusted = trust_anchors(workspace)
    if not workspace.has_ledger:
        return admit_inputs(decision, policy, temporary=folder.joinpath, anchors=trusted, ledger=None)
    with Ledger.open(workspace.ledger_url, read_only=True) as ledger:
        agreed = load_consents(workspace, ledger, utc_now())
        asked = apply_consent(decision, policy, agreed)
        if isinstance(asked, Refused):
            raise_for_decision(asked)
        return admit_inputs(
            asked, policy, temporary=folder.joinpath, anchors=trusted, ledger=ledger, consents=agreed
        )


def _plan_json(
    admitted: Admitted,
    policy: Policy,
    generator: Generator,
    outlook: Outlook,
    output: Path | None,
    workspace: Workspace,
    notes: Sequence[str],
) -> Json:
    """The plan as names and values, for people and programs."""
    decision = admitted.decision
    request = decision.request
    said = [*notes, *admitted.notes, *outlook.notes]
    return {
        "prompt": request.prompt,
        "mode": request.mode,
        **{c.role: c.name for c in admitted.conditions},
        **({"shots": "; ".join(f"{s.at:g} s: {s.prompt}" for s in request.shots)} if request.shots else {}),
        **({} if request.strength is None else {"strength": request.strength}),
        "decision": decision.outcome,
        "policy": f"{policy.name} {policy.digest[:12]}",
        "checks": ", ".join(c.name for c in decision.checks),
        "then": ", ".join((*policy.frames.required, *policy.frames.optional, *policy.attributes)),
        "seed": request.seed,
        **{k: v for k, v in vars(request).items() if k in _SIZE_SETTINGS and v is not None},
        "model": generator.name,
        **{k: v for k, v in vars(outlook).items() if k in _SIZE_SETTINGS and v is not None},
        **outlook.needs,
        "notes": "; ".join(said) or "none",
        "output": str(output) if output else "safegen-ID.mp4",
        "workspace": str(workspace.root),
    }


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


def generate_clip(
    generator: Generator, request: Request, frames: Path, studio: Session, admitted: Admitted | None = None
) -> UnmarkedClip:
    """Generate and spool into the file *frames*; whatever goes wrong in a generator is GenerationFailed.

    *admitted*: the request's inputs, if it has any.
    """
    conditions = admitted.conditions if admitted else ()
    try:
        with scratch_in(frames.parent):
            generated = generator.generate(request, progress=studio.progress, conditions=conditions)
        digest = start_digest(generated.clip)
        clip = spool(generated.clip, frames, progress=studio.progress, digest=digest)
    except SafegenError:
        raise
    except MemoryError as error:
        raise GenerationFailed(
            "there is not enough memory", hint="lower --width, --height or --seconds"
        ) from error
    except Exception as error:
        raise GenerationFailed(f"the generator failed: {type(error).__name__}: {error}") from error
    settings = {"seed": request.seed, **generated.settings}
    return UnmarkedClip(
        replace(clip, audio=generated.clip.audio),
        "generated",
        generated.model,
        settings,
        (*(admitted.notes if admitted else ()), *generated.warnings),
        ingredients=add_upstream(admitted.ingredients if admitted else (), generated.upstream),
        rendition=generated.upstream is not None,
        generation=GenerationRecord(digest.hexdigest(), request_json(request), describe_environment()),
    )
