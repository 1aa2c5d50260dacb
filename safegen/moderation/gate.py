"""The gate: run what a policy asks for, apply its rules, keep apart what was requested and what ran."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from safegen.moderation.checks import Checked, run_check, run_optional
from safegen.policies.frames import RANK, RULES, FrameAction, FrameRule
from safegen.protocols import NoProgress, Progress
from safegen.types import CheckRun, Clip, Finding

if TYPE_CHECKING:
    from safegen.policies.schema import Policy

FAILURES = frozenset({"blank_output", "black_output"})
"""Categories that mean that making the clip failed."""
HARMLESS_ELSEWHERE = frozenset({"frozen_output", "flash_general", "flash_red"})
"""Faults of a clip of our own; of a video made elsewhere they are facts that its owner should know."""


@dataclass(frozen=True)
class Ruled:
    """A finding (``threshold``: the one it reached) and what the policy makes of it."""

    finding: Finding
    action: FrameAction


@dataclass(frozen=True)
class Looked:
    """What the gate saw. ``requested``: the checks the policy names; ``absent``: those not installed, why."""

    ruled: tuple[Ruled, ...]
    ran: tuple[CheckRun, ...]
    requested: tuple[str, ...]
    absent: Mapping[str, str] = field(default_factory=dict)

    @property
    def action(self) -> FrameAction:
        """The strictest consequence."""
        return max((r.action for r in self.ruled), key=RANK.__getitem__, default="allow")

    def those(self, action: FrameAction) -> tuple[Finding, ...]:
        """The findings that lead to *action*, strongest first."""
        return tuple(sorted((r.finding for r in self.ruled if r.action == action), key=lambda f: -f.score))


def rule_of(policy: Policy, category: str) -> FrameRule:
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


def ruled(policy: Policy, findings: Sequence[Finding]) -> tuple[Ruled, ...]:
    """Each finding with what it leads to."""
    out = []
    for finding in findings:
        rule = rule_of(policy, finding.category)
        action = rule.action(finding.score)
        reached = rule.threshold(action)
        out.append(Ruled(finding if reached is None else replace(finding, threshold=reached), action))
    return tuple(out)


def gathered(policy: Policy, required: Sequence[Checked], optional: Sequence[Checked | str]) -> Looked:
    """The answers of the policy's checks, in its order (a text: why an optional one is not installed)."""
    absent = {
        name: answer
        for name, answer in zip(policy.frames.optional, optional, strict=True)
        if isinstance(answer, str)
    }
    checked = [*required, *(answer for answer in optional if not isinstance(answer, str))]
    return Looked(
        ruled(policy, [f for found, _ in checked for f in found]),
        tuple(ran for _, ran in checked),
        (*policy.frames.required, *policy.frames.optional),
        absent,
    )


def look(clip: Clip, policy: Policy, *, progress: Progress = NoProgress()) -> Looked:
    """Run the policy's checks on *clip*, one after the other. Raises CheckUnavailable."""
    required: list[Checked] = []
    for name in policy.frames.required:
        required.append(run_check(name, clip))
        progress.advance()
    optional: list[Checked | str] = []
    for name in policy.frames.optional:
        optional.append(run_optional(name, clip))
        progress.advance()
    return gathered(policy, required, optional)
