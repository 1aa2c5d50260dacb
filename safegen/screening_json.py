"""Decisions as JSON, and streams of prompts in JSON lines: the interface that moderation pipelines use."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

from safegen.errors import UsageError
from safegen.types import Decision, Json, Request

if TYPE_CHECKING:
    from safegen.policies import Policy

SCHEMA = "safegen.screen/1"
MAX_LINE = 4 * 2**20
"""Bytes of a line that is still looked at."""


def decision_json(decision: Decision) -> Json:
    """A decision as ``safegen.screen/1``. Spans are character offsets into the prompt as it was given."""
    return {
        "schema": SCHEMA,
        "verdict": decision.outcome,
        "score": round(decision.score, 6),
        "categories": {k: round(v, 6) for k, v in decision.categories.items()},
        "language": decision.language,
        "findings": [
            {
                "category": f.category,
                "score": round(f.score, 6),
                "threshold": f.threshold,
                "detector": f.detector,
                "reason": f.reason,
                "span": list(f.span) if f.span else None,
            }
            for f in decision.findings
        ],
        "policy": {"name": decision.policy.name, "sha256": decision.policy.digest},
        "checks": [{k: v for k, v in vars(c).items() if v is not None} for c in decision.checks],
    }


def screen_jsonl(lines: Iterable[bytes], *, policy: str = "default") -> Iterator[Json]:
    """One answer per line, in order: ``{"id", "verdict", "score", "categories", "findings"}``.

    A line is an object with ``text`` (or ``prompt``) and optionally ``id``, or a bare JSON string. A line
    that cannot be read gives ``{"id", "error"}`` and the rest goes on. Raises UsageError (unknown policy)
    and CheckUnavailable (a required check cannot run) at once: those concern every line.
    """
    from safegen.policies import load

    rules = load(policy)
    for number, line in enumerate(lines):
        if not line.strip():
            continue
        yield _answer(line, number, rules)


def _answer(line: bytes, number: int, rules: Policy) -> Json:
    """The answer to one line."""
    from safegen.screening import screen

    identifier: Any = number
    try:
        value = _parse(line, number)
        identifier = value.get("id", number)
        text = value.get("text", value.get("prompt"))
        if not isinstance(text, str):
            raise UsageError(f"line {number + 1} has no text")
        negative = str(value.get("negative_prompt", ""))
        request = Request(prompt=text, negative_prompt=negative, policy=rules.name)
        return {"id": identifier, **decision_json(screen(request, policy=rules))}
    except UsageError as error:
        return {"id": identifier, "error": str(error), "exit_code": error.exit_code}


def _parse(line: bytes, number: int) -> Json:
    """The object of a line; a bare string counts as its text. Raises UsageError."""
    if len(line) > MAX_LINE:
        raise UsageError(f"line {number + 1} is larger than {MAX_LINE} bytes")
    try:
        value = json.loads(line.decode("utf-8"))
    except (UnicodeDecodeError, ValueError, RecursionError) as error:
        raise UsageError(f"line {number + 1} is not JSON in UTF-8") from error
    if isinstance(value, str):
        return {"text": value}
    if not isinstance(value, dict):
        raise UsageError(f"line {number + 1} is neither an object nor a string")
    return value
