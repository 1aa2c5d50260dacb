"""A moderation as JSON: stable, versioned (``safegen.moderate/1``), described in docs/moderation.md."""

from __future__ import annotations

from safegen.moderation.gate import RuledFinding
from safegen.moderation.run import Moderation
from safegen.types import Action, Json

SCHEMA = "safegen.moderate/1"


def to_json(found: Moderation) -> Json:
    """All of *found*; values are JSON types only."""
    looked = found.gate
    return {
        "schema": SCHEMA,
        "path": str(found.path),
        "sha256": found.sha256,
        "kind": found.kind,
        "action": found.action,
        "exit_code": found.exit_code,
        "policy": {"name": found.policy.name, "sha256": found.policy.digest},
        "looked_at": {
            "width": found.width,
            "height": found.height,
            "seconds": round(found.seconds, 3),
            "fps": round(found.fps, 3),
            "frames": found.frames,
        },
        "checks": [
            {"name": c.name, "version": c.version, "sha256": c.digest, "score": c.score} for c in looked.ran
        ],
        "requested": list(looked.requested),
        "absent": dict(looked.absent),
        "findings": [_finding(r) for r in sorted_findings(found)],
        "seconds": [
            {
                "second": second,
                "action": strictest_action(rows),
                "categories": sorted({r.finding.category for r in rows}),
            }
            for second, rows in by_second(found).items()
        ],
        "notes": list(found.notes),
    }


def _finding(row: RuledFinding) -> Json:
    f = row.finding
    return {
        "category": f.category,
        "score": round(f.score, 4),
        "threshold": f.threshold,
        "action": row.action,
        "time": None if f.time is None else round(f.time, 3),
        "check": f.detector,
        "reason": f.reason,
    }


def sorted_findings(found: Moderation) -> list[RuledFinding]:
    """The findings, the strictest consequence first, then in order of time."""
    return sorted(
        found.gate.findings, key=lambda r: (-r.action.severity, r.finding.time or 0.0, -r.finding.score)
    )


def by_second(found: Moderation) -> dict[int, list[RuledFinding]]:
    """Findings that have a time, by second, in order."""
    seconds: dict[int, list[RuledFinding]] = {}
    for row in sorted(found.gate.findings, key=lambda r: r.finding.time or 0.0):
        if row.finding.time is not None:
            seconds.setdefault(int(row.finding.time), []).append(row)
    return seconds


def strictest_action(rows: list[RuledFinding]) -> Action:
    """The strictest consequence of *rows*."""
    return max((r.action for r in rows), default=Action.ALLOW)
