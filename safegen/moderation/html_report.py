"""A moderation as one HTML page: a time line per category, the same in a table; no scripts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from safegen._util.html import escape, render_page, scrolling
from safegen.moderation.findings import sorted_findings
from safegen.moderation.run import Moderation

_ACTION_CLASSES = {
    "allow": "good",
    "pixelate": "caution",
    "blur": "caution",
    "review": "caution",
    "block": "bad",
}
_ACTION_PHRASES = {
    "allow": "nothing speaks against release",
    "pixelate": "faces must be pixelated",
    "blur": "faces must be blurred",
    "review": "a person must review it",
    "block": "must not be released",
}
_STYLE = """
.lane rect.block { fill: var(--bad); } .lane rect.review { fill: var(--caution); }
.lane rect.pixelate, .lane rect.blur { fill: var(--note); } .lane rect.allow { fill: var(--none); }
.lane { margin: .25rem 0 1rem; } .lane svg { height: 1.25rem; }
"""
_FOOTER = """Made by safegen moderate at {when}. Classifiers make mistakes: a finding is a
reason to look, and no finding is no proof that there is nothing to find."""


@dataclass(frozen=True)
class ReportItem:
    """A file: what was found, or the error that kept it from being looked at."""

    path: Path
    moderation: Moderation | None = None
    error: str = ""


def render(items: Sequence[ReportItem], *, when: str) -> str:
    """The page for *items*; *when* says when it was made."""
    title = f"Moderation: {items[0].path.name}" if len(items) == 1 else f"Moderation of {len(items)} files"
    body = "\n".join(_section(i, item) for i, item in enumerate(items, 1))
    return render_page(title, body, _FOOTER.format(when=escape(when)), style=_STYLE)


def _section(number: int, item: ReportItem) -> str:
    head = (
        f'<section aria-labelledby="file-{number}"><h2 id="file-{number}"><bdi>{escape(item.path)}</bdi></h2>'
    )
    moderation = item.moderation
    if moderation is None:
        return f'{head}<p class="verdict bad"><strong>NOT CHECKED</strong> {escape(item.error)}</p></section>'
    action, policy = moderation.action, escape(moderation.policy.name)
    verdict = (
        f'<p class="verdict {_ACTION_CLASSES[action]}"><strong>{action.upper()}</strong> '
        f"{_ACTION_PHRASES[action]} under the policy <bdi>{policy}</bdi></p>{_blind_spot(moderation)}"
    )
    return "\n".join(
        (head, verdict, _timelines(moderation), _table(moderation), _checks_section(moderation), "</section>")
    )


def _blind_spot(moderation: Moderation) -> str:
    """What nobody looked for, as prominent as the verdict: "allow" says nothing about it."""
    if not moderation.blind_spot:
        return ""
    return f'<p class="verdict caution"><strong>NOT LOOKED FOR</strong> {escape(moderation.blind_spot)}</p>'


def _timelines(moderation: Moderation) -> str:
    """One bar per category over the length of the video; the same in words below."""
    if moderation.kind == "picture" or not moderation.seconds:
        return ""
    parts = []
    timed = [r for r in moderation.gate.findings if r.finding.time is not None]
    for category in sorted({r.finding.category for r in timed}):
        rows = [r for r in timed if r.finding.category == category]
        seconds = sorted({int(r.finding.time or 0.0) for r in rows})
        words = f"{category}: in the seconds {', '.join(map(str, seconds))} of {moderation.seconds:.1f}"
        bars = "".join(
            f'<rect class="{r.action}" x="{100 * int(r.finding.time or 0.0) / moderation.seconds:.2f}" y="0" '
            f'width="{max(0.3, 100 / max(1.0, moderation.seconds)):.2f}" height="8"/>'
            for r in rows
        )
        svg = f'<svg viewBox="0 0 100 8" preserveAspectRatio="none" role="img" aria-label="{escape(words)}">'
        caption = f'<p class="small">{escape(words)}</p>'
        parts.append(f'<div class="lane"><h4>{escape(category)}</h4>{svg}{bars}</svg>{caption}</div>')
    return f"<h3>Over time</h3>{''.join(parts)}" if parts else ""


def _table(moderation: Moderation) -> str:
    rows = "".join(
        f"<tr><td>{r.action}</td><td>{escape(r.finding.category)}</td><td>{r.finding.score:.2f}</td>"
        f"<td>{'' if r.finding.time is None else f'{r.finding.time:.1f}&nbsp;s'}</td>"
        f"<td>{escape(r.finding.detector)}</td><td><bdi>{escape(r.finding.reason)}</bdi></td></tr>"
        for r in sorted_findings(moderation.gate.findings)
    )
    if not rows:
        return "<h3>Findings</h3><p>none</p>"
    names = ("Consequence", "Category", "Score", "At", "Check", "What")
    head = "".join(f'<th scope="col">{n}</th>' for n in names)
    table = f"<table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>"
    return f"<h3>Findings</h3>{scrolling('Findings', table)}"


def _checks_section(moderation: Moderation) -> str:
    ran = "".join(
        f"<li>{escape(c.name)} {escape(c.version)}{'' if c.score is None else f', score {c.score:.2f}'}</li>"
        for c in moderation.gate.ran
    )
    notes = "".join(f"<li>{escape(n)}</li>" for n in moderation.notes)
    size = f"{moderation.frames} frames of {moderation.width} x {moderation.height}"
    about = f"<p>{size}; SHA-256 <bdi>{escape(moderation.sha256)}</bdi></p>"
    return f"<h3>What was examined</h3>{about}<ul>{ran}{notes}</ul>"
