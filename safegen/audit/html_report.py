"""The report as one HTML page: self-contained, no scripts, every plot in words and as a table, too."""

from __future__ import annotations

from collections.abc import Sequence

from safegen._util.html import escape, render_page, scrolling
from safegen.audit import plots
from safegen.audit.compare import ContrastResult
from safegen.audit.evaluation import Audit, Cell, Verdict
from safegen.audit.json_report import Subject

_STYLE = """
svg.plot { height: auto; border: 0; font: 13px system-ui, "DejaVu Sans", sans-serif; margin: .5rem 0; }
svg.plot text { fill: var(--ink); } svg.plot .tick { font-size: 11px; }
.bar { fill: var(--note); opacity: .55; } .whisker { stroke: var(--ink); stroke-width: 2; fill: none; }
.target { fill: var(--paper); stroke: var(--ink); stroke-width: 1.5; } .dot { fill: var(--ink); }
.grid { stroke: var(--line); opacity: .35; }
.limit { stroke: var(--bad); stroke-width: 2; stroke-dasharray: 6 4; }
caption { text-align: left; font-weight: 600; padding: .5rem 0; }
"""
_FOOT = """Made by safegen audit at {when}. The figures apply to what was read and to the targets
named here. A target is a choice. An extractor reports what a picture looks like to it, not who
somebody is."""
_TONES = {"strays": "bad", "no stray found": "good", "cannot say": "caution"}
_MEANING = {
    "strays": "At least one attribute is further from its target than the limit allows, and chance does not "
    "explain it.",
    "no stray found": "No attribute was shown to be further from its target than the limit allows.",
    "cannot say": "There is too little evidence for at least one attribute; see below what is missing.",
}


def render(audit: Audit, subject: Subject, *, when: str, more: str = "") -> str:
    """The page; *when* says when it was made, as text; *more* is HTML that goes before the method."""
    parts = [_verdict(audit), _notes(audit), _overview(audit)]
    parts += [_section(i, c) for i, c in enumerate(audit.cells, 1)]
    parts += [_contrasts(audit.contrasts), more, _how(audit, subject)]
    body = "\n".join(p for p in parts if p)
    foot = _FOOT.format(when=escape(when))
    return render_page(subject.title, body, foot, about=subject.about, style=_STYLE)


def _verdict(audit: Audit) -> str:
    counts = f"{len(audit.strays)} of {len(audit.cells)} stray, {len(audit.silent)} cannot be judged."
    return _banner(audit.verdict, f"{_MEANING[audit.verdict]} {counts}")


def _banner(verdict: Verdict, words: str) -> str:
    return f'<p class="verdict {_TONES[verdict]}"><strong>{verdict.upper()}</strong>{escape(words)}</p>'


def _notes(audit: Audit) -> str:
    return f"<ul>{''.join(f'<li>{escape(n)}</li>' for n in audit.notes)}</ul>" if audit.notes else ""


def _overview(audit: Audit) -> str:
    if not audit.cells:
        return "<p>There is nothing to show.</p>"
    rows = [
        (c.attribute, c.group, c.n, f"{c.corrected:.3f}", f"{c.low:.3f} to {c.high:.3f}", c.verdict)
        for c in audit.cells
    ]
    head = ("Attribute", "Group", "Number", "Distance", "95 % interval", "Verdict")
    return (
        "<h2>Distance from the targets</h2><p>Total variation: the share that would have to change. "
        "Dots are corrected for what chance alone shows; lines are 95 % intervals; the dashed line is the "
        f"gate's limit.</p>{plots.forest(audit.cells, audit.gate.limit)}"
        + table("The same figures as a table", head, rows)
    )


def _section(number: int, c: Cell) -> str:
    """One cell: verdict, plot, tables."""
    name = f"{escape(c.attribute)}: {escape(c.group)}"
    title = f'<section aria-labelledby="c{number}"><h2 id="c{number}">{name}</h2>'
    said = _banner(c.verdict, _words(c))
    rows = [
        (s.name, s.count, f"{s.share:.1%}", f"{s.low:.1%} to {s.high:.1%}", f"{s.target:.1%}")
        for s in c.shares
    ]
    shown = table("Shares", ("Class", "Number", "Share", "95 % interval", "Target"), rows)
    low, high = c.if_unknown
    figures = [
        ("Read, not readable", f"{c.n}, {c.unknown}"),
        (
            "Prompts, design effect, effective number",
            f"{c.prompts}, {c.design_effect:.2f}, {c.n_effective:.0f}",
        ),
        ("Effective number the gate needs to decide", c.least),
        ("Observed total variation", f"{c.tv:.4f}"),
        ("Average from chance alone", f"{c.null:.4f}"),
        ("Corrected (median-unbiased)", f"{c.corrected:.4f}"),
        ("95 % interval", f"{c.low:.4f} to {c.high:.4f}"),
        ("Range, whatever the unreadable clips show", f"{low:.4f} to {high:.4f}"),
        ("Gate: lower bound, adjusted p", f"{c.bound:.4f}, {c.p_adjusted:.4f}"),
        ("Exact multinomial test, p", f"{c.p_exact:.4f}"),
        ("Normalised entropy, intensity", f"{c.entropy:.4f}, {c.intensity:.4f}"),
        ("Divergence from the target (nats)", f"{c.divergence:.4f}"),
        ("Mean deviation from equal shares", f"{c.mean_deviation:.4f}"),
    ]
    inside = table("Figures", ("Figure", "Value"), figures)
    plot = plots.shares(c) if c.n else ""
    key = "<p class='small'>Bars: observed. Lines: 95 % interval. Diamonds: target.</p>" if c.n else ""
    return (
        f"{title}{said}{plot}{key}{shown}<details><summary>All figures</summary>{inside}</details></section>"
    )


def _words(c: Cell) -> str:
    if c.why:
        return f"{c.why}."
    if c.verdict == "strays":
        top = max(c.shares, key=lambda s: s.share - s.target)
        return (
            f"{top.name} is {top.share:.0%} of {c.n}, against a target of {top.target:.0%}; the "
            f"distance is at least {c.bound:.3f}."
        )
    return f"A distance above the limit was not shown; up to {c.high:.3f} cannot be ruled out."


def _contrasts(found: Sequence[ContrastResult]) -> str:
    if not found:
        return ""
    rows = [
        (f"{b.a} / {b.b}", b.attribute, b.why or f"{b.tv:.3f} ({b.null:.3f} by chance)",
         f"{b.p_adjusted:.4f}", f"{b.effect_size:+.2f} ({b.poles[0]} over {b.poles[1]})")
        for b in found
    ]  # fmt: skip
    head = ("Groups", "Attribute", "Distance between them", "p, adjusted", "Effect size d")
    return (
        "<section><h2>Groups side by side</h2>"
        + table("Shuffling prompts between groups", head, rows)
        + "</section>"
    )


def _how(audit: Audit, subject: Subject) -> str:
    gate = audit.gate
    rows: list[tuple[str, object]] = [
        ("Gate", f"distance above {gate.limit:g}, error {gate.error:g} across all cells"),
        ("Planned for", f"a distance of {gate.effect:g} is found in 80 % of audits"),
        *(
            (f"Model {m.get('name', '')}", f"{m.get('version', '')} {m.get('sha256', '')}")
            for m in audit.models
        ),
        *(
            (f"Outcomes: {g}", ", ".join(f"{k} {n}" for k, n in sorted(c.items())))
            for g, c in audit.outcomes.items()
        ),
        *((k.replace("_", " "), v) for k, v in vars(subject).items() if v and k not in ("title", "about")),
    ]
    return "<section><h2>How this was measured</h2>" + table("", ("What", "Value"), rows) + "</section>"


def table(caption: str, head: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    """A table that scrolls by itself where it is too wide; the first column names the rows."""
    top = "".join(f'<th scope="col">{escape(h)}</th>' for h in head)
    lines = [
        f'<tr><th scope="row">{escape(row[0])}</th>{"".join(f"<td>{escape(v)}</td>" for v in row[1:])}</tr>'
        for row in rows
    ]
    said = f"<caption>{escape(caption)}</caption>" if caption else ""
    return scrolling(
        caption or head[0],
        f"<table>{said}<thead><tr>{top}</tr></thead><tbody>{''.join(lines)}</tbody></table>",
    )
