"""The gate: run what a policy asks for, apply its rules, keep apart what was requested and what ran."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from safegen.errors import CheckUnavailable
from safegen.moderation.checks import CheckResult, run_check, run_optional
from safegen.policies.frames import CONTENT, RULES, FrameRule
from safegen.protocols import NoProgress, Progress
from safegen.types import Action, CheckRun, Clip, Finding

if TYPE_CHECKING:
    from safegen.policies.schema import Policy

FAILURE_CATEGORIES = frozenset({"blank_output", "black_output"})
"""Categories that mean that making the clip failed."""
SOURCE_FAULT_CATEGORIES = frozenset({"frozen_output", "flash_general", "flash_red"})
"""Faults of a clip of our own; of a video made elsewhere they are facts that its owner should know."""


@dataclass(frozen=True)
class RuledFinding:
    """A finding (``threshold``: the one it reached) and what the policy makes of it."""

    finding: Finding
    action: Action


@dataclass(frozen=True)
class GateResult:
    """What the gate saw. ``requested``: the checks the policy names; ``absent``: those not installed, why.

    ``not_looked_for``: what a clip may show (``policies.frames.CONTENT``) and no check that ran looked for.
    """

    findings: tuple[RuledFinding, ...]
    ran: tuple[CheckRun, ...]
    requested: tuple[str, ...]
    absent: Mapping[str, str] = field(default_factory=dict)
    not_looked_for: tuple[str, ...] = ()

    @property
    def action(self) -> Action:
        """The strictest consequence."""
        return max((r.action for r in self.findings), default=Action.ALLOW)

    def findings_for(self, action: Action) -> tuple[Finding, ...]:
        """The findings that lead to *action*, strongest first."""
        return tuple(sorted((r.finding for r in self.findings if r.action == action), key=lambda f: -f.score))


def rule_for(policy: Policy, category: str) -> FrameRule:
    """The rule for *category*: the policy's, else the usual one, else (text in a picture) that for prompts.

    A category nobody knows is refused.
    """
    if category in policy.frames.rules:
        return policy.frames.rules[category]
    if category in RULES:
        return RULES[category]
    if category in policy.categories:
        rule = policy.categories[category]
        return FrameRule(review=rule.review, block=rule.block)
    return FrameRule(block=0.001)


def apply_rules(policy: Policy, findings: Sequence[Finding]) -> tuple[RuledFinding, ...]:
    """Each finding with what it leads to."""
    out = []
    for finding in findings:
        rule = rule_for(policy, finding.category)
        action = rule.action(finding.score)
        reached = rule.threshold(action)
        out.append(RuledFinding(finding if reached is None else replace(finding, threshold=reached), action))
    return tuple(out)


def collect_results(
    policy: Policy, required: Sequence[CheckResult], optional: Sequence[CheckResult | str]
) -> GateResult:
    """The answers of the policy's checks, in its order (a text: why an optional one is not installed).

    Raises CheckUnavailable when none of them looked for something that the policy wants looked for.
    """
    absent = {
        name: answer
        for name, answer in zip(policy.frames.optional, optional, strict=True)
        if isinstance(answer, str)
    }
    checked = [*required, *(answer for answer in optional if not isinstance(answer, str))]
    found = [f for findings, _ in checked for f in findings]
    looked_for = {*(c for _, ran in checked for c in ran.looked_for), *(f.category for f in found)}
    missed = [c for c in policy.frames.look_for if c not in looked_for]
    if missed:
        raise CheckUnavailable(
            f"nothing looked for {in_words(missed)}, which the policy {policy.name!r} asks for",
            hint="install a check that does and name it under `frames: required:` (docs/moderation.md says "
            "which finds what), or take the category out of `frames: look_for:`",
        )
    return GateResult(
        apply_rules(policy, found),
        tuple(ran for _, ran in checked),
        (*policy.frames.required, *policy.frames.optional),
        absent,
        tuple(c for c in CONTENT if c not in looked_for),
    )


def in_words(categories: Sequence[str]) -> str:
    """*categories* as they stand in a sentence: ``nudity, violence or dangerous content``."""
    words = [CONTENT.get(c, c) for c in categories]
    return " or ".join([*([", ".join(words[:-1])] if words[1:] else []), *words[-1:]])


def run_checks(clip: Clip, policy: Policy, *, progress: Progress = NoProgress()) -> GateResult:
    """Run the policy's checks on *clip*, one after the other. Raises CheckUnavailable."""
    required: list[CheckResult] = []
    for name in policy.frames.required:
        required.append(run_check(name, clip))
        progress.advance()
    optional: list[CheckResult | str] = []
    for name in policy.frames.optional:
        optional.append(run_optional(name, clip))
        progress.advance()
    return collect_results(policy, required, optional)
