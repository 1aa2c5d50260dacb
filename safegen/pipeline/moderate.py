"""The frames gate and the attributes: what the policy wants looked at before a clip is marked."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from safegen import plugins
from safegen.errors import CheckUnavailable, GenerationFailed, SafegenError
from safegen.pipeline.steps import Made, Moderated
from safegen.protocols import NoProgress, Progress
from safegen.types import Attribute, CheckRun, Clip, Finding

if TYPE_CHECKING:
    from safegen.policies.schema import Policy

_HINTS = {
    "generated": "try another seed or prompt; nothing was released",
    "protected": "nothing was released; another policy may require other frame checks",
}


def moderate(made: Made, policy: Policy, *, progress: Progress = NoProgress()) -> Moderated:
    """Run every frames check and extractor that *policy* requires.

    Raises CheckUnavailable when one cannot run or answers nonsense, GenerationFailed when one finds
    that the output must not be delivered (a blank clip is a failure, not a video).
    """
    progress.stage("checking", len(policy.frames_required) + len(policy.attributes))
    findings: list[Finding] = []
    checks: list[CheckRun] = []
    for name in policy.frames_required:
        found, ran = run_check(name, made.clip)
        findings.extend(found)
        checks.append(ran)
        progress.advance()
    if findings:
        worst = max(findings, key=lambda f: f.score)
        raise GenerationFailed(
            f"the clip did not pass the frames gate: {worst.reason}",
            hint=_HINTS[made.origin],
        )
    attributes: list[Attribute] = []
    for name in policy.attributes:
        values, ran = _run_extractor(name, made)
        attributes.extend(values)
        checks.append(ran)
        progress.advance()
    return Moderated(made, tuple(findings), tuple(checks), tuple(attributes))


def run_check(name: str, clip: Clip) -> tuple[list[Finding], CheckRun]:
    """What the frames detector *name* finds in *clip*. Raises CheckUnavailable whatever goes wrong in it."""
    try:
        found, ran = plugins.load("frames", name).run(clip)
        found = list(found)
        usable = isinstance(ran, CheckRun) and all(math.isfinite(f.score) for f in found)
    except SafegenError as error:
        raise CheckUnavailable(
            f"the frames check {name!r} could not run: {error}", hint=error.hint
        ) from error
    except Exception as error:
        raise CheckUnavailable(f"the frames check {name!r} failed: {error}") from error
    if not usable:
        raise CheckUnavailable(f"the frames check {name!r} gave no usable answer")
    return found, ran


def _run_extractor(name: str, made: Made) -> tuple[list[Attribute], CheckRun]:
    """One attribute extractor; the record of what is in a clip is not optional either."""
    try:
        values, ran = plugins.load("frames", name).run(made.clip)
        values = list(values)
        usable = isinstance(ran, CheckRun) and bool(values)
        usable = usable and all(math.isfinite(p) for a in values for p in a.probabilities.values())
    except Exception as error:
        raise CheckUnavailable(f"the attribute extractor {name!r} failed: {error}") from error
    if not usable:
        raise CheckUnavailable(f"the attribute extractor {name!r} gave no usable answer")
    return values, ran
