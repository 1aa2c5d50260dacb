"""Output of ``safegen models``, and its confirmation before a download."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from safegen.cli._output import confirm, say

if TYPE_CHECKING:
    from safegen.generators.pull import PullPlan


def table(rows: Iterable[Mapping[str, Any]]) -> Iterator[str]:
    """The list for people: name, whether it is here, size, licence, what it is."""
    yield f"{'NAME':<18}{'HERE':<20}{'SIZE':>9}  {'LICENCE':<26} WHAT IT IS"
    for row in rows:
        name, licence, what = (str(row[key]) for key in ("name", "licence", "summary"))
        yield f"{name:<18}{row['here']:<20}{format_bytes(row['bytes']):>9}  {licence:<26} {what}"
    yield ""
    yield "any other diffusers video pipeline: --model FOLDER, or `safegen models pull ORGANISATION/NAME`"


def lines(values: Mapping[str, Any], indent: str = "") -> Iterator[str]:
    """Names and values for people; tables within are indented, empty values are left out."""
    for key, value in values.items():
        name = f"{indent}{str(key).replace('_', ' '):<{max(1, 22 - len(indent))}}"
        if value in ("", None, [], {}):
            continue
        if isinstance(value, Mapping):
            yield name.rstrip()
            yield from lines(value, indent + "  ")
        elif isinstance(value, list | tuple) and value and isinstance(value[0], Mapping):
            yield name.rstrip()
            for entry in value:
                yield indent + "  " + "; ".join(str(v) for v in entry.values())
        elif isinstance(value, list | tuple):
            long = any(" " in str(v) for v in value)
            for i, shown in enumerate(map(str, value) if long else (", ".join(map(str, value)),)):
                yield f"{name if i == 0 else ' ' * 22} {shown}"
        else:
            yield f"{name} {format_bytes(value) if str(key).startswith('bytes') else str(value)}"


def format_bytes(count: int | None) -> str:
    """Bytes for people."""
    if count is None:
        return "-"
    for unit, name in ((1e9, "GB"), (1e6, "MB"), (1e3, "kB")):
        if count >= unit:
            return f"{count / unit:.2f} {name}"
    return f"{count} B"


def confirm_download(
    plan: PullPlan, shown: Mapping[str, Any], *, yes: bool, accepted: bool, as_json: bool
) -> bool:
    """Whether to download: says what would come (stderr), and asks on a terminal unless *yes*.

    Raises UsageError when nobody can be asked.
    """
    from safegen.errors import UsageError

    if not as_json:
        for line in lines(shown):
            say(line, err=True)
    if plan.terms and not accepted:
        return True  # the library says what must be accepted
    if yes or not plan.bytes_to_fetch:
        return True
    if not on_terminal():
        raise UsageError(
            f"this would download {format_bytes(plan.bytes_to_fetch)}",
            hint="add --yes to confirm without a prompt",
        )
    if confirm(f"download {format_bytes(plan.bytes_to_fetch)}?"):
        return True
    say("nothing was downloaded", err=True)
    return False


def on_terminal() -> bool:
    """Whether somebody is there to answer."""
    return sys.stdin.isatty()
