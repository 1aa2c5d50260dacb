"""Show an audit to people."""

from __future__ import annotations

from typing import TYPE_CHECKING

from safegen.cli._output import say, say_note

if TYPE_CHECKING:
    from safegen.audit.api import AuditResult

_COLOURS = {"strays": "red", "no stray found": "green", "cannot say": "yellow"}


def show(done: AuditResult, *, plain: bool) -> None:
    """A line for every cell, with its interval; then the verdict and where the report is."""
    audit = done.audit
    say(done.subject.title)
    for note in audit.notes:
        say_note(note)
    for c in audit.cells:
        say()
        say(f"{c.attribute}: {c.group}")
        if c.n:
            top = sorted(c.shares, key=lambda s: s.share, reverse=True)[:4]
            seen = ", ".join(f"{s.name} {s.share:.0%} (aim {s.target:.0%})" for s in top)
            say(f"  shares    {seen}{', ...' if len(c.shares) > 4 else ''}")
            say(
                f"  distance  {c.corrected:.3f}, 95 % interval {c.low:.3f} to {c.high:.3f} "
                f"(seen {c.tv:.3f}, by chance {c.null:.3f})"
            )
        say(f"  number    {c.n} of {c.prompts} prompts, {c.n_effective:.0f} effective; {c.unknown} unknown")
        why = f": {c.why}" if c.why else f": at least {c.bound:.3f}" if c.verdict == "strays" else ""
        say("  verdict   ", coloured(c.verdict), why, plain=plain)
    for b in audit.contrasts:
        said = (
            b.why
            or f"distance {b.tv:.3f} ({b.null:.3f} by chance), p {b.p_adjusted:.4f}, d {b.effect_size:+.2f}"
        )
        say()
        say(f"{b.attribute}: {b.a} / {b.b}")
        say(f"  {said}")
    say()
    verdict, colour = coloured(audit.verdict)
    say((verdict.upper(), colour), plain=plain)
    if done.folder is not None:
        say(f"report    {done.folder / 'report.html'}")
    if done.index is not None:
        say(f"ledger    entry {done.index}")


def coloured(verdict: str) -> tuple[str, str]:
    """A verdict with its colour."""
    return verdict, f"bold {_COLOURS[verdict]}"
