"""Reasons on file for what the readers do not agree on: who says what, and why we hold what we hold."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.conformance.answers import Answer

SHIPPED = Path(__file__).with_name("reasons.toml")
LEAST_WORDS = 8


@dataclass(frozen=True)
class Reason:
    """One known disagreement: the files, what each reader says of them, and why safegen says what it says."""

    files: tuple[str, ...]
    said: Mapping[str, str]
    why: str


def load_reasons(file: Path, tools: Sequence[str]) -> tuple[Reason, ...]:
    """The reasons in *file* (TOML). Raises ValueError on one that is incomplete, or two for one file."""
    rows = tomllib.loads(file.read_text(encoding="utf-8")).get("reason", [])
    found = tuple(
        Reason(tuple(row["files"]), {tool: str(row[tool]) for tool in tools}, str(row["why"])) for row in rows
    )
    names = [name for reason in found for name in reason.files]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise ValueError(f"{file.name}: two reasons for {', '.join(twice)}")
    short = [reason.files[0] for reason in found if len(reason.why.split()) < LEAST_WORDS]
    if short:
        raise ValueError(f"{file.name}: the reason for {', '.join(short)} is no sentence")
    return found


def reason_for(name: str, reasons: Iterable[Reason]) -> Reason | None:
    """The reason about the file called *name*."""
    return next((reason for reason in reasons if name in reason.files), None)


def applies(reason: Reason, answers: Mapping[str, Answer]) -> bool:
    """Whether every reader still says what *reason* says it does."""
    return all(str(answers[tool]) == said for tool, said in reason.said.items())


def left_over(reasons: Iterable[Reason], used: set[str], looked_at: set[str]) -> list[str]:
    """Files that have a reason and no disagreement any more; of collections that were *looked_at* only."""
    named = [name for reason in reasons for name in reason.files]
    return [name for name in named if name not in used and name.partition("/")[0] in looked_at]
