"""The order of what was found, and how it reads in JSON."""

from __future__ import annotations

from collections.abc import Sequence

from safegen.moderation.gate import RuledFinding
from safegen.types import Action, Json


def finding_to_dict(row: RuledFinding) -> Json:
    """As in ``safegen.moderate/1``; scores with four decimals, times with three."""
    f = row.finding
    return {
        "category": f.category,
        "score": round(f.score, 4),
        "threshold": f.threshold,
        "action": str(row.action),
        "time": None if f.time is None else round(f.time, 3),
        "check": f.detector,
        "reason": f.reason,
    }


def sorted_findings(rows: Sequence[RuledFinding]) -> list[RuledFinding]:
    """*rows*, the strictest consequence first, then in order of time."""
    return sorted(rows, key=lambda r: (-r.action.severity, r.finding.time or 0.0, -r.finding.score))


def by_second(rows: Sequence[RuledFinding]) -> dict[int, list[RuledFinding]]:
    """Those of *rows* that have a time, by second, in order."""
    seconds: dict[int, list[RuledFinding]] = {}
    for row in sorted(rows, key=lambda r: r.finding.time or 0.0):
        if row.finding.time is not None:
            seconds.setdefault(int(row.finding.time), []).append(row)
    return seconds


def strictest_action(rows: Sequence[RuledFinding]) -> Action:
    """The strictest consequence of *rows*."""
    return max((r.action for r in rows), default=Action.ALLOW)
