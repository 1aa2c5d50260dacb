"""The decision itself: findings and a policy in, Allowed, Held or Refused out. Pure."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import replace

from safegen.errors import CheckUnavailable
from safegen.policies.schema import CATEGORIES, Policy
from safegen.types import (
    DECISIONS,
    Action,
    Allowed,
    CheckRun,
    Decision,
    Finding,
    Held,
    PolicyRef,
    Refused,
    Request,
)

_BANDS = {Action.ALLOW: (0.0, 0.5), Action.REVIEW: (0.5, 0.8), Action.BLOCK: (0.8, 1.0)}
"""Where a decision's score lies."""
_OVERALL = 0.6
"""What the classifier's overall probability counts for the place of a score within its band."""
MAX_FINDINGS = 20


def decide(
    request: Request,
    *,
    policy: Policy,
    findings: Iterable[Finding],
    checks: Sequence[CheckRun],
    language: str = "en",
    language_reason: str = "",
    ref: PolicyRef | None = None,
    rated: bool = False,
) -> Allowed | Held | Refused:
    """Apply *policy* to what the checks found.

    *findings* may hold scores below any threshold; those that matter come back in the decision, strongest
    first, with the threshold they reached. The decision's score is 0.5 and more when a finding is not simply
    allowed, 0.8 and more when one is refused; between these it rises with the worst finding on its rule's own
    scale (``Rule.relative``) and with the overall probability, category ``unsafe``, so that a name in a
    harmless prompt ranks below a name in a harmful one. What is only held or refused because nobody could
    understand it lies at the bottom of its band.
    *language_reason*, when set, says why nobody could understand the prompt. *ref*: the policy's name and
    digest, if they are known already. *rated*: a check that rates prompts as a whole ran, which leaves out
    what hardly reads like harm. Raises CheckUnavailable for a
    score that is not a number in [0, 1] or when no check ran.
    """
    if not checks:
        raise CheckUnavailable("no prompt check ran", hint="name at least one under `checks: required:`")
    outcome = Action.ALLOW
    kept: list[Finding] = []
    scores: dict[str, float] = {}
    overall = 0.0
    for finding in findings:
        _check_score(finding)
        scores[finding.category] = max(scores.get(finding.category, 0.0), finding.score)
        rule = policy.rule(finding.category)
        lowest = rule.lowest
        if lowest is None:
            continue
        overall = max(overall, rule.relative(finding.score))
        action = rule.action(finding.score)
        if action != Action.ALLOW:
            reached = rule.block if action == Action.BLOCK else rule.review
            kept.append(replace(finding, threshold=reached))
            outcome = max(outcome, action)
    least = 0.0
    if language_reason:
        action = policy.languages.unsupported
        outcome = max(outcome, action)
        least = _BANDS[action][0]
        kept.append(Finding("language", 1.0, "language", language_reason, threshold=1.0))
    kept.sort(key=lambda f: (-policy.rule(f.category).action(f.score).severity, -f.score, f.span or (0, 0)))
    return DECISIONS[outcome](
        request=request,
        policy=ref or PolicyRef(policy.name, policy.digest),
        checks=tuple(checks),
        findings=tuple(sorted(kept[:MAX_FINDINGS], key=lambda f: -f.score)),
        score=max(least, _band_score(overall, scores.get("unsafe", 0.0 if rated else None))),
        categories=dict(sorted(scores.items(), key=lambda kv: -kv[1])),
        language=language,
    )


def _band_score(worst: float, unsafe: float | None) -> float:
    """Score in [0, 1]: the band of *worst* (a relative score), in it the place by it and by *unsafe*."""
    low, high = next(b for b in reversed(_BANDS.values()) if worst >= b[0])
    inside = min(1.0, (worst - low) / (high - low))
    if unsafe is not None:
        inside = (1 - _OVERALL) * inside + _OVERALL * unsafe
    top = high if high == 1.0 else high - 1e-6
    return min(top, low + (high - low) * inside)


def explain(decision: Decision) -> str:
    """One sentence for a person: why the prompt was allowed, held or refused."""
    if decision.outcome == Action.ALLOW:
        return "nothing in the prompt reaches a threshold of the policy"
    verb = "refused" if decision.outcome == Action.BLOCK else "held for review by a person"
    if not decision.findings:
        return verb
    top = decision.findings[0]
    what = CATEGORIES.get(top.category, top.category)
    return f"{verb}: {what}: {top.reason}"


def _check_score(finding: Finding) -> None:
    """A broken score must stop everything: comparisons with NaN are all false, which would be a pass."""
    if not isinstance(finding.score, int | float) or not math.isfinite(finding.score):
        raise CheckUnavailable(
            f"the check {finding.detector!r} returned no usable score", hint="reinstall safegen or the model"
        )
    if not 0.0 <= finding.score <= 1.0:
        raise CheckUnavailable(
            f"the check {finding.detector!r} returned the score {finding.score}",
            hint="correct the check: scores must be in [0, 1]",
        )
