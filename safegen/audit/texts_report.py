"""The audit of texts as JSON and as a section of the page."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

from safegen._text import to_json as json_text
from safegen.audit import html_report, json_report
from safegen.audit.data import DataAudit, LabelRate
from safegen.audit.json_report import Subject
from safegen.audit.session import FIGURES, REPORT, write_files
from safegen.types import Json


def to_json(found: DataAudit, subject: Subject) -> Json:
    """``safegen.audit/1`` with ``texts``, ``speaking``, ``mentions``, ``labels``, ``rates``."""
    body = json_report.to_json(found.audit, subject)
    for name in ("texts", "duplicates", "speaking", "mentions", "labels"):
        body[name] = getattr(found, name)
    body["rates"] = [{**json_report.rounded(vars(r)), "differs": r.differs} for r in found.rates]
    return body


def write(found: DataAudit, subject: Subject, folder: Path, *, when: datetime) -> None:
    """``report.html`` and ``audit.json`` in *folder*. Raises ReleaseFailed."""
    stamp = when.strftime("%Y-%m-%d %H:%M UTC")
    files = {
        REPORT: html_report.render(found.audit, subject, when=stamp, more=_section(found)),
        FIGURES: json_text(to_json(found, subject), indent=1) + "\n",
    }
    write_files(folder, files)


def _section(found: DataAudit) -> str:
    spoken = [(d, n, f"{n / found.texts:.1%}") for d, n in found.speaking.items()]
    parts = [
        "<section><h2>What the texts mention</h2>",
        html_report.table(f"Of {found.texts} texts", ("Dimension", "Texts", "Share"), spoken),
        "</section>",
    ]
    if found.rates:
        parts.append(
            "<section><h2>How labels are distributed</h2><p>Texts that mention a class, compared with "
            "the others that mention the same dimension. A difference shows that label and words go "
            "together in this data, not why.</p>"
        )
        head = ("Class", "Label", "Texts", "Rate", "Others", "Difference, 95 %", "p, adjusted", "")
        parts += [html_report.table("Label rates", head, [_row(r) for r in found.rates]), "</section>"]
    return "".join(parts)


def _row(r: LabelRate) -> tuple[object, ...]:
    word = r.why or ("differs" if r.differs else "no difference shown")
    between = f"{r.low:+.1%} to {r.high:+.1%}"
    return (f"{r.dimension}: {r.name}", r.label, r.n, f"{r.rate:.1%}", f"{r.others_rate:.1%}", between,
            f"{r.p_adjusted:.4f}", word)  # fmt: skip
