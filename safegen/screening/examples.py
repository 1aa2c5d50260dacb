"""Run a policy's own examples: does it do what its author thinks it does?"""

from __future__ import annotations

from dataclasses import dataclass

from safegen.policies.schema import Example, Policy
from safegen.screening.run import screen
from safegen.types import Decision, PromptAction, Request


@dataclass(frozen=True)
class Mismatch:
    """An example that came out differently. ``reason`` says what decided."""

    example: Example
    actual: PromptAction
    reason: str


def run_examples(policy: Policy) -> list[Mismatch]:
    """Screen every example of *policy*; those that differ from what they expect. Raises as ``screen``
    does.
    """
    out = []
    for example in policy.examples:
        request = Request(prompt=example.prompt, negative_prompt=example.negative_prompt, policy=policy.name)
        decision = screen(request, policy=policy)
        if not _matches(example, decision):
            out.append(Mismatch(example, decision.outcome, _why(decision)))
    return out


def _matches(example: Example, decision: Decision) -> bool:
    if decision.outcome != example.expect:
        return False
    return example.category is None or any(f.category == example.category for f in decision.findings)


def _why(decision: Decision) -> str:
    if not decision.findings:
        return "nothing reached a threshold"
    return "; ".join(f"{f.category} {f.score:.2f}: {f.reason}" for f in decision.findings[:3])
