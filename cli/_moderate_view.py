"""Output of ``safegen moderate``."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from safegen.cli._output import say

if TYPE_CHECKING:
    from safegen.moderation.batch import FileOutcome

_MOST = 20
_ORDER = (4, 3, 7, 2)


def show(item: FileOutcome, *, plain: bool) -> None:
    """One file for people."""
    from safegen.cli._output import console, said_of
    from safegen.moderation.findings import sorted_findings

    out = console(plain)
    if item.error is not None:
        out.print(f"{item.path}: not checked: {said_of(item.path, item.error)}")
        if item.error.hint:
            out.print(f"  hint: {item.error.hint}")
        return
    if item.moderation is None:
        out.print(f"{item.path}: not checked")
        return
    found = item.moderation
    ran = ", ".join(c.name for c in found.gate.ran)
    out.print(f"{found.path}: {found.action.upper()} ({found.policy.name}; ran: {ran})")
    if found.blind_spot:
        out.print(f"  {found.blind_spot}")
    rows = sorted_findings(found.gate.findings)
    for row in rows[:_MOST]:
        f = row.finding
        when = "" if f.time is None else f"{f.time:7.1f} s"
        out.print(f"  {row.action:<8} {f.score:.2f} {when:>9}  {f.category}: {f.reason}")
    if len(rows) > _MOST:
        out.print(f"  and {len(rows) - _MOST} more: see --json")
    for note in found.notes:
        out.print(f"  note: {note}")


def write_page(path: Path, items: Sequence[FileOutcome]) -> None:
    """The HTML page. Raises UsageError when *path* exists or cannot be written."""
    from safegen._util.time import utc_now
    from safegen.cli._files import write_new
    from safegen.moderation.html_report import ReportItem, render

    when = utc_now().isoformat(timespec="seconds")
    rows = [ReportItem(i.path, i.moderation, "" if i.error is None else str(i.error)) for i in items]
    write_new(path, render(rows, when=when).encode())
    say(f"wrote {path}", err=True)


def exit_code(items: Sequence[FileOutcome]) -> int:
    """The gravest of all files'."""
    codes = {i.exit_code for i in items}
    return next((c for c in _ORDER if c in codes), 0)
