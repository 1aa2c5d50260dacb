"""Reports as one HTML page (see `safegen._util.html`): a section for every file, an overview of several."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from safegen._util.html import escape, render_page
from safegen.types import CredentialsEvidence, Json, JsonResult, Report, Verdict, WatermarkReading
from safegen.types.verdict import REPORT_SCHEMA
from safegen.verification.summary import summary_rows

TONES = {
    Verdict.VERIFIED: "good",
    Verdict.VERIFIED_REPACKED: "good",
    Verdict.RECOVERED: "note",
    Verdict.TAMPERED: "bad",
    Verdict.CONFLICT: "bad",
    Verdict.NO_PROVENANCE: "none",
}
"""How a verdict is coloured (everything else: a caution); its words say the same."""

_FOOT = """Made by safegen verify at {when}. The verdict applies to the bytes with the SHA-256 shown and
to the trust settings at that time. &quot;No provenance&quot; says nothing about whether a video is real or
made by AI."""


@dataclass(frozen=True)
class ReportItem(JsonResult):
    """A file on the page: its report, or the error that kept it from being examined, with a hint."""

    path: Path
    report: Report | None = None
    error: str = ""
    exit_code: int = 0
    thumbnail: tuple[str, bytes] | None = None
    hint: str = ""

    def __repr__(self) -> str:
        """The report, or the file that has none."""
        return repr(self.report) if self.report else f"<ReportItem {self.path.name}: unreadable>"

    def to_dict(self) -> Json:
        """The report, or why there is none (``safegen.verify/1``)."""
        if self.report is not None:
            return self.report.to_dict()
        return {
            "schema": REPORT_SCHEMA,
            "path": str(self.path),
            "error": self.error,
            "hint": self.hint,
            "exit_code": self.exit_code,
        }


def render(items: Sequence[ReportItem], *, when: str) -> str:
    """The page for *items*; *when* says when it was made, as text."""
    title = f"Provenance report: {items[0].path.name}" if len(items) == 1 else "Provenance report"
    body = "\n".join(_section(i, item) for i, item in enumerate(items, 1))
    if len(items) > 1:
        body = f"{_overview(items)}\n{body}"
    return render_page(title, body, _FOOT.format(when=escape(when)))


def _overview(items: Sequence[ReportItem]) -> str:
    """A table of all files, each leading to its section."""
    rows = "".join(
        f'<tr><td><a href="#file-{i}"><bdi>{escape(item.path)}</bdi></a></td><td>{_name(item)}</td></tr>'
        for i, item in enumerate(items, 1)
    )
    return (
        f"<h2>{len(items)} files</h2><table><thead><tr><th scope='col'>File</th>"
        f"<th scope='col'>Verdict</th></tr></thead><tbody>{rows}</tbody></table>"
    )


def _name(item: ReportItem) -> str:
    return escape(item.report.verdict.name if item.report else "UNREADABLE")


def _section(number: int, item: ReportItem) -> str:
    """One file."""
    head = f'<section id="file-{number}" aria-labelledby="title-{number}">'
    name = f'<h2 id="title-{number}"><bdi>{escape(item.path)}</bdi></h2>'
    report = item.report
    if report is None:
        error = escape(f"{item.error} ({item.hint})" if item.hint else item.error)
        return f'{head}{name}<p class="verdict bad"><strong>UNREADABLE</strong> {error}</p></section>'
    tone = TONES.get(report.verdict, "caution")
    reasons = "".join(f"<li>{escape(reason)}</li>" for reason in report.reasons)
    verdict = (
        f'<p class="verdict {tone}"><strong>{report.verdict.name}</strong> '
        f"{escape(report.origin.sentence)}</p><p>{escape(report.summary)}</p><ul>{reasons}</ul>"
    )
    parts = [head, name, verdict, _picture(item), _summary(report), _watermarks(report), _content(report)]
    parts += [_ledger(report), _credentials(report), _not_checked(report), "</section>"]
    return "\n".join(part for part in parts if part)


def _picture(item: ReportItem) -> str:
    """The manifest's thumbnail, said to be what the credentials carry and not what the file shows."""
    if item.thumbnail is None:
        return ""
    kind, data = item.thumbnail
    source = f"data:{kind};base64,{base64.b64encode(data).decode('ascii')}"
    return (
        f'<figure><img src="{source}" alt="Thumbnail stored in the credentials">'
        "<figcaption>The thumbnail in the credentials; compare it with the video.</figcaption></figure>"
    )


def _rows(rows: Sequence[tuple[str, object]]) -> str:
    shown = "".join(
        f"<dt>{escape(k)}</dt><dd><bdi>{escape(v)}</bdi></dd>" for k, v in rows if v not in (None, "")
    )
    return f"<dl>{shown}</dl>"


def _summary(report: Report) -> str:
    rows = summary_rows(report)
    return f"<h3>What the credentials say</h3>{_rows(rows)}" if rows else ""


def _watermarks(report: Report) -> str:
    """The watermark layer: each reading, and which seconds carry it."""
    if not report.watermarks:
        return ""
    shown = []
    for reading in report.watermarks:
        state = "present" if reading.present else "absent"
        sure = "" if reading.bounded else " (an estimate)"
        chance = f"10^{reading.log10_p:.1f}{sure}" if reading.present else None
        rows: list[tuple[str, object]] = [
            ("Mark", f"{reading.alg}: {state}"),
            ("Id", None if reading.payload is None else f"{reading.payload:016x}"),
            ("Chance of a false alarm", chance),
        ]
        shown.append(_rows(rows) + _bar(reading))
    return "<h3>Hidden mark in the pictures</h3>" + "".join(shown)


def _bar(reading: WatermarkReading) -> str:
    """Segments as a bar; the same in words for whoever cannot see it."""
    if not reading.segments:
        return ""
    total = max(s.end for s in reading.segments) or 1.0
    parts = []
    for segment in reading.segments:
        left, width = 100 * segment.start / total, 100 * (segment.end - segment.start) / total
        kind = "marked" if segment.present else "bare"
        parts.append(f'<rect class="{kind}" x="{left:.2f}" y="0" width="{max(width, 0.2):.2f}" height="8"/>')
    marked = ", ".join(_spans(reading)) or "none"
    words = f"Seconds that carry the mark: {marked}"
    svg = f'<svg viewBox="0 0 100 8" preserveAspectRatio="none" role="img" aria-label="{escape(words)}">'
    return f'{svg}{"".join(parts)}</svg><p class="small">{escape(words)}</p>'


def _spans(reading: WatermarkReading) -> list[str]:
    """Marked stretches, neighbours joined."""
    found: list[tuple[float, float]] = []
    for segment in (s for s in reading.segments if s.present):
        if found and segment.start - found[-1][1] < 0.01:
            found[-1] = (found[-1][0], segment.end)
        else:
            found.append((segment.start, segment.end))
    return [f"{start:.0f}-{end:.0f} s" for start, end in found]


def _content(report: Report) -> str:
    match = report.content
    if match is None:
        return ""
    unlike = "do not match the recorded ones" if match.differs else "may or may not be the recorded ones"
    rows = [
        ("Pictures", "match the recorded ones" if match.matches else unlike),
        ("Score", f"{match.score:.3f} (at least {match.threshold:.3f} needed)"),
        ("Compared", f"{match.overlap:.0%} of the picture"),
    ]
    return "<h3>The pictures themselves</h3>" + _rows(rows)


def _ledger(report: Report) -> str:
    found = report.ledger
    if found is None:
        return ""
    rows = [
        ("Ledger", found.origin),
        ("Entry", found.index),
        ("Seen through", "your own ledger" if found.source == "ledger" else "the proof beside the file"),
        ("Proof", "verified" if found.proven else "not verified"),
        ("File as recorded", "yes, byte for byte" if found.bytes_match else "no, other bytes"),
        ("Withdrawn by its maker", "yes" if found.withdrawn else "no"),
        ("Replaced by the release", found.superseded_by),
        ("Independent time stamp", found.stamped_at or "none that counts"),
    ]
    return "<h3>The maker's ledger</h3>" + _rows(rows)


_WHERE = {
    "embedded": "",
    "sidecar": "in a file beside it",
    "remote": "at the address that the file names",
    "resolved": "with a resolution service",
}


def _credentials(report: Report) -> str:
    found = report.credentials
    rows: list[tuple[str, object]] = [
        ("State", found.state.value.replace("_", " ")),
        ("Reason", found.reason),
        ("Manifest", found.manifest_id),
        ("Issuer of the certificate", found.issuer),
        ("Signed at", found.signed_at),
        *(_certificate(found) if found.signer is not None else ()),
        ("Where the credentials are", _WHERE[found.source]),
        ("Status codes (C2PA)", ", ".join(found.codes)),
        ("Notes", ", ".join(found.notes)),
        ("SHA-256 of the file", report.sha256),
    ]
    return f"<details><summary>Details of the Content Credentials (C2PA)</summary>{_rows(rows)}</details>"


def _certificate(found: CredentialsEvidence) -> list[tuple[str, object]]:
    """What is known about the signer's certificate, where there is one."""
    return [
        ("Time stamp trusted", "yes" if found.time_stamped else "no"),
        ("Certificate expired", "yes" if found.expired else "no"),
        ("Certificate valid only later", "yes" if found.not_yet_valid else None),
        ("Certificate revoked", "yes" if found.revoked else "no"),
        ("Revocation", found.revocation or "no available source says anything about the certificate"),
    ]


def _not_checked(report: Report) -> str:
    if not report.not_checked:
        return ""
    rows = "".join(f"<li>{escape(n.layer)}: {escape(n.reason)}</li>" for n in report.not_checked)
    return f"<h3>Not checked</h3><ul>{rows}</ul>"
