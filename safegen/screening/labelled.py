"""Prompts to measure policies by, with or without labels: from a file, or a policy's own examples."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from safegen.errors import UnreadableInput, UsageError
from safegen.policies.schema import Policy
from safegen.screening.jsonl import name_line


@dataclass(frozen=True)
class LabelledPrompt:
    """A prompt to measure by. ``label`` is ``safe``, ``unsafe`` or unknown (empty)."""

    id: str
    text: str
    label: str = ""


def example_prompts(*of: Policy) -> Iterator[LabelledPrompt]:
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
        try:
            identifier = str(name_line(row.get("id"), number))
        except UsageError as error:
            raise UnreadableInput(f"{path.name}: {error}", hint="give it another id") from error
        yield LabelledPrompt(identifier, text, label if label in ("safe", "unsafe") else "")


def _bad(path: Path, number: int) -> UnreadableInput:
    return UnreadableInput(
        f"{path.name}, line {number + 1}: not an object with `text`",
        hint='write one {"id", "text", "label"} object per line',
    )
