"""What changes between two policies: their content, and what becomes of prompts."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

from safegen.errors import UnreadableInput, UsageError
from safegen.policies.schema import Action, Policy
from safegen.types import Decision, Request

_LEFT_OUT = ("name", "extends", "description", "version", "examples")
_CHUNK = 64


@dataclass(frozen=True)
class Change:
    """A key (dotted) whose value differs; ``None`` where one side does not have it."""

    key: str
    before: Any
    after: Any


@dataclass(frozen=True)
class LabelledPrompt:
    """A prompt to compare policies by. ``label`` is ``safe``, ``unsafe`` or unknown (empty)."""

    id: str
    text: str
    label: str = ""


@dataclass(frozen=True)
class OutcomeChange:
    """A prompt with another outcome. ``because``: category, score and reason of the finding that decided."""

    prompt: LabelledPrompt
    before: Action
    after: Action
    reason: str


@dataclass(frozen=True)
class Comparison:
    """``moved`` prompts of all ``count`` that could be screened; ``outcomes`` before and after, by label."""

    count: int
    skipped: int
    moved: tuple[OutcomeChange, ...]
    outcomes: dict[str, dict[str, tuple[int, int]]]


def content_changes(a: Policy, b: Policy) -> list[Change]:
    """Where the resolved content of *a* and *b* differs, sorted by key; descriptions and examples aside."""
    one, two = (_flat(p.model_dump(mode="json", exclude=set(_LEFT_OUT))) for p in (a, b))
    keys = sorted({*one, *two})
    return [Change(k, one.get(k), two.get(k)) for k in keys if one.get(k) != two.get(k)]


def _flat(value: Any, at: str = "") -> dict[str, Any]:
    if not isinstance(value, dict):
        return {at: value}
    out: dict[str, Any] = {}
    for key, inner in value.items():
        out |= _flat(inner, f"{at}.{key}" if at else str(key))
    return out


def compare_outcomes(prompts: Iterable[LabelledPrompt], a: Policy, b: Policy) -> Comparison:
    """Screen *prompts* under both policies. Prompts that one of them cannot screen are counted as skipped.

    Raises CheckUnavailable when a required check cannot run.
    """
    from safegen.screening import screen_requests

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
    outcomes = {
        label: {o: (tally[label, o, 0], tally[label, o, 1]) for o in ("allow", "review", "block")}
        for label in labels
    }
    return Comparison(count, skipped, tuple(moved), outcomes)


def _deciding_reason(before: Decision, after: Decision) -> str:
    """The finding that decides on the stricter side."""
    rank = {"allow": 0, "review": 1, "block": 2}
    stricter = max(before, after, key=lambda d: rank[d.outcome])
    top = stricter.findings[0]
    return f"{top.category} {top.score:.2f} (limit {top.threshold}): {top.reason}"


def examples(*of: Policy) -> Iterator[LabelledPrompt]:
    """The examples of policies as prompts, each once."""
    seen: set[str] = set()
    for policy in of:
        for i, example in enumerate(policy.examples):
            if example.prompt not in seen:
                seen.add(example.prompt)
                yield LabelledPrompt(f"{policy.name}-{i}", example.prompt)


def read_prompts(path: Path) -> Iterator[LabelledPrompt]:
    """Rows of JSON lines: ``{"text" or "prompt", "id"?, "label"?}``. Raises UnreadableInput with the line."""
    try:
        lines = path.read_bytes().splitlines()
    except OSError as error:
        raise UnreadableInput(f"{path}: {error.strerror}", hint="check the path") from error
    for number, line in enumerate(lines):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
            text = row.get("text", row.get("prompt"))
        except (ValueError, AttributeError, RecursionError) as error:
            raise _bad(path, number) from error
        if not isinstance(text, str):
            raise _bad(path, number)
        label = row.get("label")
        yield LabelledPrompt(str(row.get("id", number)), text, label if label in ("safe", "unsafe") else "")


def _bad(path: Path, number: int) -> UnreadableInput:
    return UnreadableInput(
        f"{path.name}, line {number + 1}: not an object with `text`",
        hint='write one {"id", "text", "label"} object per line',
    )
