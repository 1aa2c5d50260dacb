"""Output of the policy commands."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from safegen._text import one_line
from safegen.cli._output import say

if TYPE_CHECKING:
    from collections.abc import Sequence

    from safegen.policies import Change, Policy
    from safegen.policies.explanation import CategoryStanding
    from safegen.screening.comparison import Comparison
    from safegen.types import Decision


def diff_json(
    a: Policy, b: Policy, changed: Sequence[Change], seen: Comparison, *, text: bool
) -> dict[str, Any]:
    """``safegen.policy-diff/1``. Prompts are named by id; their text is there only if *text*."""
    return {
        "schema": "safegen.policy-diff/1",
        "before": {"name": a.name, "sha256": a.digest},
        "after": {"name": b.name, "sha256": b.digest},
        "changes": [vars(c) for c in changed],
        "prompts": seen.count,
        "skipped": seen.skipped,
        "outcomes": {
            label: {o: {"before": x, "after": y} for o, (x, y) in row.items()}
            for label, row in seen.outcomes.items()
        },
        "moved": [
            {"id": m.prompt.id, "label": m.prompt.label or None, "before": m.before, "after": m.after,
             "because": m.reason, **({"text": m.prompt.text} if text else {})}
            for m in seen.moved
        ],
    }  # fmt: skip


def show_diff(a: Policy, b: Policy, changed: Sequence[Change], seen: Comparison, limit: int) -> None:
    """The difference for people: keys, totals by label, then the prompts whose outcome moves."""
    say(f"{a.name} ({a.digest[:12]}) -> {b.name} ({b.digest[:12]})")
    for c in changed:
        say(f"  {c.key}: {c.before} -> {c.after}")
    if not changed:
        say("  no setting that affects decisions differs")
    skipped = f", {seen.skipped} could not be screened" if seen.skipped else ""
    say(f"{len(seen.moved)} of {seen.count} prompts have a different outcome{skipped}")
    for label, row in seen.outcomes.items():
        counts = ", ".join(f"{o} {x} -> {y}" for o, (x, y) in row.items())
        say(f"  {label + ':':<8} {counts}")
    for moved in seen.moved[:limit]:
        which = f"{one_line(moved.prompt.id, 40)}  {one_line(moved.prompt.text, 80)}"
        say(f"{moved.before:>6} -> {moved.after:<6}  {which}")
        say(f"{'':>17} {one_line(moved.reason, 120)}")
    if len(seen.moved) > limit:
        say(f"... and {len(seen.moved) - limit} more (--limit)")


def standing_json(decision: Decision, rows: Sequence[CategoryStanding]) -> dict[str, Any]:
    """``safegen.policy-explain/1`` for a prompt."""
    return {
        "schema": "safegen.policy-explain/1",
        "policy": {"name": decision.policy.name, "sha256": decision.policy.digest},
        "outcome": decision.outcome,
        "score": round(decision.score, 6),
        "categories": [
            {"category": r.category, "score": round(r.score, 6), "action": r.action,
             "review": r.rule.review, "block": r.rule.block,
             "margin": None if r.margin is None else round(r.margin, 6)}
            for r in rows
        ],
    }  # fmt: skip


def show_standing(sentence: str, rows: Sequence[CategoryStanding]) -> None:
    """Why a prompt came out as it did: every category beside its thresholds."""
    say(sentence)
    say(f"{'category':<26}{'score':>7}{'review':>8}{'block':>8}  means")
    for r in rows:
        limits = "".join(f"{'-' if t is None else f'{t:g}':>8}" for t in (r.rule.review, r.rule.block))
        after = f"; {r.margin:.3f} below the next limit" if r.margin is not None else ""
        say(f"{r.category:<26}{r.score:>7.3f}{limits}  {r.action}{after}")
