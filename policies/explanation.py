"""A policy in words, and what each category of a decision means under it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from safegen.policies.frames import CONTENT
from safegen.policies.loading import chain
from safegen.policies.schema import CATEGORIES, Policy, Rule
from safegen.types import Action, Decision


@dataclass(frozen=True)
class CategoryStanding:
    """A category of a decision: what it scored, what that leads to, and how far the next stricter step is.

    ``margin`` is the next threshold minus the score; ``None`` when there is no stricter step.
    """

    category: str
    score: float
    action: Action
    rule: Rule
    margin: float | None


def describe_policy(policy: Policy, source: str) -> Iterator[str]:
    """*policy* in plain sentences. *source*: the name or path it was loaded from, to say who set a rule."""
    if policy.description:
        yield " ".join(policy.description.split())
    order = chain(source)
    if len(order) > 1:
        yield "It builds on " + ", which builds on ".join(name for name, _ in order[1:]) + "."
    checks = ", ".join(policy.checks.required)
    yield f"Checks that must run: {checks}. If one cannot run, nothing is let through."
    if policy.guard is not None:
        yield _guard(policy)
    for category, words in CATEGORIES.items():
        rule = policy.rule(category)
        by = next((name for name, data in order if category in (data.get("categories") or {})), policy.name)
        yield f"{category} ({words}): {_rule(rule)}" + (f" [{by}]" if len(order) > 1 else "") + "."
    held = "held for a person" if policy.languages.unsupported == Action.REVIEW else "refused"
    yield f"Prompts in languages other than {', '.join(policy.languages.supported)} are {held}."
    yield (
        "Negative prompts are screened like prompts."
        if policy.negative_prompt.screen == "full"
        else "Negative prompts are screened for attempts at evasion only."
    )
    frames = ", ".join(policy.frames.required)
    yield f"Prompts can have at most {policy.max_prompt_chars} characters. Checks of the frames: {frames}."
    if policy.frames.look_for:
        wanted = ", ".join(CONTENT.get(c, c) for c in policy.frames.look_for)
        yield f"One of them must have looked for each of: {wanted}. If none has, nothing is let through."


def _rule(rule: Rule) -> str:
    steps = []
    if rule.review is not None:
        steps.append(f"held from {rule.review:g}")
    if rule.block is not None:
        steps.append(f"refused from {rule.block:g}")
    return ", ".join(steps) or "never acted on"


def _guard(policy: Policy) -> str:
    guard = policy.guard
    assert guard is not None
    which = "every prompt" if guard.when == "all" else "prompts that would be held"
    clears = (
        ""
        if guard.clears is None
        else f"; below {guard.clears:g} it lets through what only the classifier would hold"
    )
    return f"The guard {guard.model} is asked about {which}, for at most {guard.timeout:g} s{clears}."


def category_standings(decision: Decision, policy: Policy) -> list[CategoryStanding]:
    """Every category that scored in *decision*, what decides first, the strongest first."""
    out = []
    for category, score in decision.categories.items():
        rule = policy.rule(category)
        ahead = [t for t in (rule.review, rule.block) if t is not None and t > score]
        out.append(
            CategoryStanding(category, score, rule.action(score), rule, min(ahead) - score if ahead else None)
        )
    return sorted(out, key=lambda s: (-s.action.severity, -s.rule.relative(s.score), -s.score))
