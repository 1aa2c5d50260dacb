"""Show an audit to people."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from safegen.cli._printable import printable as clean

if TYPE_CHECKING:
    from safegen.audit.api import AuditResult

_COLOURS = {"strays": "red", "no stray found": "green", "cannot say": "yellow"}


def show(done: AuditResult, *, plain: bool) -> None:
    """A line for every cell, with its interval; then the verdict and where the report is."""
    audit = done.audit
    click.echo(clean(done.subject.title))
    for note in audit.notes:
        click.echo(click.style("note: ", fg="yellow") + clean(note), err=True)
    for c in audit.cells:
        click.echo(clean(f"\n{c.attribute}: {c.group}"))
        if c.n:
            top = sorted(c.shares, key=lambda s: s.share, reverse=True)[:4]
            seen = ", ".join(f"{s.name} {s.share:.0%} (aim {s.target:.0%})" for s in top)
            click.echo(clean(f"  shares    {seen}{', ...' if len(c.shares) > 4 else ''}"))
            click.echo(
                f"  distance  {c.corrected:.3f}, 95 % interval {c.low:.3f} to {c.high:.3f} "
                f"(seen {c.tv:.3f}, by chance {c.null:.3f})"
            )
        click.echo(
            f"  number    {c.n} of {c.prompts} prompts, {c.n_effective:.0f} effective; {c.unknown} unknown"
        )
        why = f": {c.why}" if c.why else f": at least {c.bound:.3f}" if c.verdict == "strays" else ""
        click.echo(f"  verdict   {style_verdict(c.verdict, plain)}{clean(why)}")
    for b in audit.contrasts:
        said = (
            b.why
            or f"distance {b.tv:.3f} ({b.null:.3f} by chance), p {b.p_adjusted:.4f}, d {b.effect_size:+.2f}"
        )
        click.echo(clean(f"\n{b.attribute}: {b.a} / {b.b}\n  {said}"))
    click.echo(f"\n{style_verdict(audit.verdict, plain).upper()}")
    if done.folder is not None:
        click.echo(clean(f"report    {done.folder / 'report.html'}"))
    if done.index is not None:
        click.echo(f"ledger    entry {done.index}")


def style_verdict(verdict: str, plain: bool) -> str:
    """A verdict, coloured unless *plain*."""
    return verdict if plain else click.style(verdict, fg=_COLOURS[verdict], bold=True)
