"""The frames gate and the attributes: what the policy wants looked at before a clip is marked."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, TypeAlias

from safegen import plugins
from safegen.errors import CheckUnavailable, GenerationFailed, SafegenError
from safegen.pipeline.steps import Made, Moderated
from safegen.protocols import NoProgress, Progress
from safegen.types import Attribute, CheckRun, Clip, Finding

if TYPE_CHECKING:
    from collections.abc import Sequence

    from safegen.policies.schema import Policy

Checked: TypeAlias = tuple[list[Finding], CheckRun]
Extracted: TypeAlias = tuple[list[Attribute], CheckRun]

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
    checked, extracted = [], []
    for name in policy.frames_required:
        checked.append(run_check(name, made.clip))
        progress.advance()
    passed(made, checked)
    for name in policy.attributes:
        extracted.append(run_extractor(name, made.clip))
        progress.advance()
    return judged(made, checked, extracted)


def passed(made: Made, checked: Sequence[Checked]) -> None:
    """Raises GenerationFailed when a check found something."""
    findings = [f for found, _ in checked for f in found]
    if findings:
        worst = max(findings, key=lambda f: f.score)
        raise GenerationFailed(
            f"the clip did not pass the frames gate: {worst.reason}",
            hint=_HINTS[made.origin],
        )


def judged(made: Made, checked: Sequence[Checked], extracted: Sequence[Extracted]) -> Moderated:
    """The clip with what checks and extractors say. Raises GenerationFailed when a check found something."""
    passed(made, checked)
    findings = tuple(f for found, _ in checked for f in found)
    ran = (*(r for _, r in checked), *(r for _, r in extracted))
    return Moderated(made, findings, ran, tuple(a for values, _ in extracted for a in values))


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


def run_extractor(name: str, clip: Clip) -> tuple[list[Attribute], CheckRun]:
    """One attribute extractor; the record of what is in a clip is not optional either."""
    try:
        values, ran = plugins.load("frames", name).run(clip)
        values = list(values)
        usable = isinstance(ran, CheckRun) and bool(values)
        usable = usable and all(math.isfinite(p) for a in values for p in a.probabilities.values())
    except Exception as error:
        raise CheckUnavailable(f"the attribute extractor {name!r} failed: {error}") from error
    if not usable:
        raise CheckUnavailable(f"the attribute extractor {name!r} gave no usable answer")
    return values, ran
