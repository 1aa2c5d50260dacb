"""``generate``: from a request to a release, one way."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

from safegen import plugins
from safegen.errors import GenerationFailed, HeldForReview, RefusedByPolicy, SafegenError, UsageError
from safegen.media.encode import Encoding
from safegen.media.spool import begin_digest, spool
from safegen.pipeline.build import build, request_json
from safegen.pipeline.finish import finish
from safegen.pipeline.records import decision_private, decision_public
from safegen.pipeline.steps import Label, Made, Trace
from safegen.pipeline.studio import Studio
from safegen.types import Allowed, Decision, Held, Json, Refused, Release, Request

if TYPE_CHECKING:
    from safegen.protocols import Generator
    from safegen.review import Approval
    from safegen.workspace import Workspace

_SIZES = ("width", "height", "seconds", "fps", "steps", "guidance")


def produce(
    request: Request,
    output: Path | None,
    *,
    studio: Studio,
    watermark: str = "tile",
    encoding: Encoding = Encoding(),
    overwrite: bool = False,
    approval: int | None = None,
    generator: Generator | None = None,
    label: Callable[[Made], Label] | None = None,
) -> Release:
    """Screen, generate, moderate, mark, sign, check, record, release. See ``safegen.generate``.

    *generator* (default: the one the request names) may be one that is loaded already. *label* looks at
    the clip before it is moderated and says what is recorded with it; what it raises stops the release.
    """
    from safegen.policies import load
    from safegen.release import ReleaseJob
    from safegen.screening import screen

    started = time.monotonic()
    policy = load(request.policy)
    generator = generator or find_generator(request.model)
    plugins.load("watermarks", watermark)
    content_id = studio.new_id()
    destination = output or Path.cwd() / f"safegen-{content_id:016x}.mp4"
    check_output(destination)
    studio.progress.stage("screening")
    decision = screen(request, policy=policy)
    index = record_decision(decision, studio)
    passed = let_pass(decision, approval, studio, index)
    screened = time.monotonic()
    with ReleaseJob.begin(
        studio.ledger, destination, clock=studio.clock, overwrite=overwrite, at=studio.at
    ) as job:
        made = make(generator, request, job.temporary("frames.raw"), studio)
        if label is not None:
            made = replace(made, label=label(made))
        return finish(
            made,
            decision,
            policy,
            job=job,
            studio=studio,
            content_id=content_id,
            watermark=watermark,
            encoding=encoding,
            decision_index=index,
            approval=passed,
            timings={"screening": screened - started, "generation": time.monotonic() - screened},
        )


def plan(request: Request, output: Path | None, *, workspace: Workspace) -> Json:
    """What ``produce`` would do: decision, model, sizes. Raises what it would raise before generating."""
    from safegen.policies import load
    from safegen.screening import screen

    policy = load(request.policy)
    generator = find_generator(request.model)
    if output is not None:
        check_output(output)
    decision = screen(request, policy=policy)
    if not isinstance(decision, Allowed):
        stop(decision)
    outlook = generator.outlook(request)
    return {
        "prompt": request.prompt,
        "decision": decision.outcome,
        "policy": f"{policy.name} {policy.digest[:12]}",
        "checks": ", ".join(c.name for c in decision.checks),
        "then": ", ".join((*policy.frames_required, *policy.attributes)),
        "seed": request.seed,
        **{k: v for k, v in vars(request).items() if k in _SIZES and v is not None},
        "model": generator.name,
        **{k: v for k, v in vars(outlook).items() if k in _SIZES and v is not None},
        **outlook.needs,
        "notes": "; ".join(outlook.notes) or "none",
        "output": str(output) if output else "safegen-ID.mp4",
        "workspace": str(workspace.root),
    }


def find_generator(model: str) -> Generator:
    """The generator for *model*: an embedded or preset name, a local folder, a hub id. Raises UsageError."""
    from safegen.generators import find

    generator: Generator = find(model)
    return generator


def check_output(destination: Path) -> None:
    """Refuse early what could not be written late. Raises UsageError."""
    if destination.suffix.lower() not in {".mp4", ".m4v", ".mov"}:
        raise UsageError(f"{destination.name}: safegen writes MP4", hint="give a name that ends in .mp4")
    if destination.is_dir():
        raise UsageError(f"{destination} is a folder", hint="give a file name in it")
    if not destination.parent.is_dir():
        raise UsageError(f"there is no folder {destination.parent}", hint="create it first")


def record_decision(decision: Decision, studio: Studio) -> int:
    """Enter the decision into the ledger, the prompt only as a commitment; returns the entry's index."""
    private = decision_private(decision, keep_prompt=studio.workspace.config.keep_prompts)
    return studio.ledger.append("decision", decision_public(decision), private)


def let_pass(decision: Decision, approval: int | None, studio: Studio, index: int) -> Approval | None:
    """Stop unless *decision* allows the request, or a person did: that *approval* is then spent.

    Raises RefusedByPolicy (no approval helps), HeldForReview, UsageError for an approval nothing needs.
    """
    if isinstance(decision, Allowed):
        if approval is not None:
            raise UsageError("the policy allows this prompt by itself", hint="leave --approval out")
        return None
    if approval is None or not isinstance(decision, Held):
        stop(decision, index)
    from safegen.review import spend

    return spend(studio.ledger, approval, decision, recorded=index)


def stop(decision: Decision, index: int | None = None) -> NoReturn:
    """Raise what a refusing or holding decision means. *index*: its entry in the ledger, if recorded."""
    first = decision.findings[0] if decision.findings else None
    why = f"{first.category}: {first.reason}" if first else "the overall score is too high"
    if isinstance(decision, Refused):
        raise RefusedByPolicy(
            f"the policy {decision.policy.name!r} refuses this prompt ({why})",
            decision=decision,
            hint="nothing was generated; `safegen screen` shows every finding",
        )
    if isinstance(decision, Held):
        raise HeldForReview(
            f"the policy {decision.policy.name!r} wants a person to look first ({why})",
            decision=decision,
            hint="nothing was generated"
            if index is None
            else f"nothing was generated; it waits as decision {index}: see `safegen review show {index}`",
        )
    raise TypeError(f"{type(decision).__name__} is no reason to stop")


def make(generator: Generator, request: Request, frames: Path, studio: Studio) -> Made:
    """Generate and spool into the file *frames*; whatever goes wrong in a generator is GenerationFailed."""
    try:
        generated = generator.generate(request, progress=studio.progress)
        digest = begin_digest(generated.clip)
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
    return Made(
        replace(clip, audio=generated.clip.audio),
        "generated",
        generated.model,
        settings,
        generated.warnings,
        trace=Trace(digest.hexdigest(), request_json(request), build()),
    )
