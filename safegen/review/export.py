"""What people decided about held prompts, as labelled rows: new data for training and measuring a screen."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from safegen.review.queue import Status, list_cases
from safegen.types import Json

if TYPE_CHECKING:
    from safegen.ledger.reader import LedgerReader

_LABELS: dict[Status, str] = {
    "approved": "safe",
    "used": "safe",
    "denied": "unsafe",
    "finally denied": "unsafe",
}
_NO_LIMIT = 1 << 40


@dataclass
class SkippedCases:
    """Cases that give no row: not decided, let through by the approval of another, prompt not kept, clips."""

    undecided: int = 0
    passed: int = 0
    no_prompt: int = 0
    clips: int = 0


def labelled_rows(ledger: LedgerReader, skipped: SkippedCases) -> Iterator[Json]:
    """One row per decided case, newest first: ``{id, text, label, ...}``; *skipped* counts the rest.

    ``label`` is ``safe`` where a person approved and ``unsafe`` where one denied; ``category`` is what the
    screen held it for, with the score, the policy's SHA-256 and the checks it had then. Prompts are there
    only in workspaces that keep them. Raises LedgerError when an entry makes no sense.
    """
    for case in list_cases(ledger, include_decided=True, limit=_NO_LIMIT):
        if case.output is not None:
            skipped.clips += 1
            continue
        if case.status == "passed":
            skipped.passed += 1
            continue
        if case.status not in _LABELS:
            skipped.undecided += 1
            continue
        private = ledger.private(case.index) or {}
        text = private.get("prompt")
        if not isinstance(text, str) or not text:
            skipped.no_prompt += 1
            continue
        findings = private.get("findings") or [{}]
        public = case.decision.public
        yield {
            "id": f"review-{case.index}",
            "text": text,
            "label": _LABELS[case.status],
            "category": findings[0].get("category", "unsafe"),
            "source": "review",
            "decided": case.steps[-1].time,
            "score": public.get("score"),
            "policy": public.get("policy"),
            "checks": public.get("checks"),
        }
