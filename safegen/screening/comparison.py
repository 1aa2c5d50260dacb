"""What becomes of prompts under one policy and under another."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import islice

from safegen.errors import UsageError
from safegen.policies.schema import Policy
from safegen.screening.labelled import LabelledPrompt
from safegen.screening.run import screen_requests
from safegen.types import DECISIONS, Action, Decision, PromptAction, Request

_CHUNK = 64


@dataclass(frozen=True)
class OutcomeChange:
    """A prompt with another outcome. ``reason``: category, score and reason of the finding that decided."""

    prompt: LabelledPrompt
    before: PromptAction
    after: PromptAction
    reason: str


@dataclass(frozen=True)
class Comparison:
    """``moved`` prompts of all ``count`` that could be screened; ``outcomes`` before and after, by label."""

    count: int
    skipped: int
    moved: tuple[OutcomeChange, ...]
    outcomes: dict[str, dict[Action, tuple[int, int]]]


def compare_outcomes(prompts: Iterable[LabelledPrompt], a: Policy, b: Policy) -> Comparison:
    """Screen *prompts* under both policies. Prompts that one of them cannot screen are counted as skipped.

    Raises CheckUnavailable when a required check cannot run.
    """
    moved: list[OutcomeChange] = []
    tally: Counter[tuple[str, str, int]] = Counter()
    count = skipped = 0
    stream = iter(prompts)
    while part := list(islice(stream, _CHUNK)):
        sides = [screen_requests([Request(p.text, policy=q.name) for p in part], q) for q in (a, b)]
        for prompt, before, after in zip(part, *sides, strict=True):
            if isinstance(before, UsageError) or isinstance(after, UsageError):
                skipped += 1
                continue
            count += 1
            label = prompt.label or "all"
            tally[label, before.outcome, 0] += 1
            tally[label, after.outcome, 1] += 1
            if before.outcome != after.outcome:
                moved.append(
                    OutcomeChange(prompt, before.outcome, after.outcome, _deciding_reason(before, after))
                )
    labels = sorted({key[0] for key in tally})
    outcomes = {label: {o: (tally[label, o, 0], tally[label, o, 1]) for o in DECISIONS} for label in labels}
    return Comparison(count, skipped, tuple(moved), outcomes)


def _deciding_reason(before: Decision, after: Decision) -> str:
    """The finding that decides on the stricter side."""
    stricter = max(before, after, key=lambda d: d.outcome)
    top = stricter.findings[0]
    return f"{top.category} {top.score:.2f} (limit {top.threshold}): {top.reason}"
