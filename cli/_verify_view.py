"""Show a verdict on a terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING

from safegen.types import Report, Verdict

if TYPE_CHECKING:
    from safegen.cli._output import Screen
    from safegen.verification.html_report import ReportItem

_STYLE = {
    Verdict.VERIFIED: "bold green",
    Verdict.VERIFIED_REPACKED: "bold green",
    Verdict.SIGNED_UNTRUSTED: "bold yellow",
    Verdict.SIGNED_UNLOGGED: "bold yellow",
    Verdict.EXPIRED_BUT_LOGGED: "bold yellow",
    Verdict.WITHDRAWN: "bold yellow",
    Verdict.RECOVERED: "bold cyan",
    Verdict.MARKED_UNRESOLVED: "bold yellow",
    Verdict.CREDENTIALS_UNREADABLE: "bold yellow",
    Verdict.TAMPERED: "bold red",
    Verdict.CONFLICT: "bold red",
    Verdict.NO_PROVENANCE: "bold",
}


def show_item(item: ReportItem, console: Screen, *, explain: bool) -> None:
    """The report on a file, or one line for a file that could not be examined."""
    if item.report is None:
        console.print(f"UNREADABLE  {item.path}: {item.error}")
        if item.hint:
            console.print(f"  hint: {item.hint}")
    else:
        show(item.report, console, explain=explain)


def show(report: Report, console: Screen, *, explain: bool) -> None:
    """Verdict, the sentence behind it, the reasons, and what the credentials say."""
    name = (report.verdict.name, _STYLE[report.verdict])
    console.print(name, f"  {report.path}: {report.origin.sentence}")
    console.print("  " + report.summary)
    for reason in report.reasons:
        console.print("  - " + reason)
    for line in _facts(report):
        console.print(line)
    if explain:
        _explain(report, console)
    for skipped in report.not_checked:
        console.print(f"  not checked: {skipped.layer} ({skipped.reason})")


def _facts(report: Report) -> list[str]:
    """What a reader wants to know about how the file was made, as label and value lines."""
    from safegen.verification.summary import summary_rows

    return [f"  {label:<11}{value}" for label, value in summary_rows(report)]


def passed_over(count: int) -> str:
    """One line on the files in folders that are no known medium."""
    return f"skipped: {count} other file{'s' if count != 1 else ''} in the folders"


def _explain(report: Report, console: Screen) -> None:
    """Every layer in its own words."""
    credentials = report.credentials
    console.print(
        f"  credentials: {credentials.state.value}; codes: {', '.join(credentials.codes) or 'none'}"
    )
    if credentials.manifest_id is not None:
        about = credentials.revocation or "no available source says anything about the certificate"
        console.print(f"  revocation: {about}; credentials: {credentials.source}")
    for note in credentials.notes:
        console.print(f"    note: {note}")
    for reading in report.watermarks:
        where = [f"{s.start:.0f}-{s.end:.0f} s" for s in reading.segments if s.present]
        if not reading.present:
            console.print(f"  watermark {reading.alg}: absent")
            continue
        console.print(
            f"  watermark {reading.alg}: present, log10 p = {reading.log10_p:.1f}; "
            f"in {', '.join(where) or 'no whole second'}"
        )
    if report.content:
        console.print(
            f"  content: score {report.content.score:.3f} (at least {report.content.threshold:.3f} "
            f"needed), {report.content.overlap:.0%} of the picture compared"
        )
    if report.ledger:
        found = report.ledger
        console.print(
            f"  ledger: {found.origin} entry {found.index}, from the {found.source}; "
            f"proven: {found.proven}, bytes match: {found.bytes_match}"
        )
    console.print(f"  sha256: {report.sha256}")
