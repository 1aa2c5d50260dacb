"""The one way out: results on stdout, words about them and progress on stderr.

Nothing else in this package writes (``tests/unit/cli/test_way_out.py``). A line is escaped here, as a whole:
whatever names it repeats, it stays one line and steers no terminal, so a command cannot forget to.
"""

from __future__ import annotations

import os
import shutil
import sys
import time
import unicodedata
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TypeAlias

import click

from safegen._text import one_line, own_text, to_json
from safegen.errors import UsageError

Part: TypeAlias = "str | tuple[str, str]"
"""Text, or text with a colour (``green``, ``bold green``)."""
_INDENT = "  "
"""How a line begins that says more about the one above it."""
_CONTINUED = "\n    "
"""How a line goes on that is wider than the terminal: never at the left edge, where verdicts stand."""


def say(*parts: Part, err: bool = False, plain: bool = False) -> None:
    """One line on stdout, or on stderr with *err*. No colours with *plain*, NO_COLOR or off a terminal."""
    stream = _stream(err)
    room = _columns() if stream.isatty() else None
    plain = plain or "NO_COLOR" in os.environ
    column, shown = 0, ""
    for part in parts:
        text, style = part if isinstance(part, tuple) else (part if shown else _no_verdict(part), "")
        text, column = _folded(_encodable(one_line(text), stream), column, room)
        shown += text if plain or not style else _coloured(text, style)
    click.echo(shown, file=stream, color=False if plain else None)


def say_note(text: str) -> None:
    """Something to know about the result, on stderr."""
    say(("note: ", "yellow"), text, err=True)


def show_document(text: str) -> None:
    """A text of our own, of several lines, on stdout: a proof, a certificate, a policy as YAML."""
    stream = _stream(False)
    click.echo(_encodable(own_text(text), stream), nl=False, file=stream)


def confirm(question: str, *, abort: bool = False, instead: str = "") -> bool:
    """Ask on the terminal. Raises click.Abort for a no with *abort*, UsageError where nobody can answer.

    *instead*: the option that answers yes.
    """
    question = one_line(question)
    try:
        yes = click.confirm(question, err=True)
    except click.Abort:
        if sys.stdin is not None and sys.stdin.isatty():
            raise
        click.echo(err=True)  # the question has not ended its line
        hint = f"add {instead} to answer yes" if instead else "run it in a terminal"
        raise UsageError(
            f"{question!r} needs an answer, and there is no terminal to ask on", hint=hint
        ) from None
    if abort and not yes:
        raise click.Abort
    return yes


def said_of(path: Path, error: Exception) -> str:
    """The message of *error* for a line that has named *path* already."""
    return str(error).removeprefix(f"{path}: ")


def print_json(value: object, *, indent: int | None = 2, sort_keys: bool = False) -> None:
    """One JSON document on stdout; with *indent* None one line. A stream that cannot show it gets ASCII."""
    stream = _stream(False)
    text = to_json(value, indent=indent, sort_keys=sort_keys)
    if _encodable(text, stream) != text:
        text = to_json(value, indent=indent, ascii_only=True, sort_keys=sort_keys)
    click.echo(text, file=stream)


def show_rows(rows: dict[str, object], *, as_json: bool) -> None:
    """Names and values, for people or programs."""
    if as_json:
        print_json({name.lower().replace(" ", "_"): value for name, value in rows.items()})
        return
    for name, value in rows.items():
        say(f"{name:<22}{value}")


def _no_verdict(line: object) -> str:
    """*line* unless it begins as only a verdict may, which comes as a part of its own, with a colour.

    A file may be called ``VERIFIED``: its first letter is then shown escaped.
    """
    text = str(line)
    start = text.lstrip(" ")
    if text.startswith(_INDENT) or not start[:1].isupper():
        return text
    from safegen.types import Verdict

    if not start.startswith(tuple(Verdict.__members__)):
        return text
    return f"\\u{ord(start[0]):04x}{start[1:]}"


def _coloured(text: str, style: str) -> str:
    words = style.split()
    colours = [w for w in words if w not in ("bold", "dim")]
    return click.style(
        text, fg=colours[0] if colours else None, bold="bold" in words or None, dim="dim" in words or None
    )


def _encodable(text: str, stream: Any) -> str:
    """*text* in characters that *stream* can show."""
    encoding = getattr(stream, "encoding", None) or "ascii"
    return text.encode(encoding, "backslashreplace").decode(encoding)


def _stream(err: bool) -> Any:
    """Where to write: where results go to a file, past a progress bar that has put itself in their place."""
    if err:
        return sys.stderr
    real = getattr(sys.stdout, "rich_proxied_file", sys.stdout)
    return sys.stdout if real.isatty() else real


def _columns() -> int:
    return max(20, shutil.get_terminal_size().columns)


def _folded(text: str, column: int, room: int | None) -> tuple[str, int]:
    """*text* broken where the terminal (*room* columns) would break it, and the column after it."""
    if room is None:
        return text, column
    out = []
    for character in text:
        width = 2 if unicodedata.east_asian_width(character) in "WFA" else 1
        if column + width > room:
            out.append(_CONTINUED)
            column = len(_CONTINUED) - 1
        out.append(character)
        column += width
    return "".join(out), column


class Screen:
    """``say`` on stdout, with or without colours."""

    def __init__(self, plain: bool) -> None:
        """*plain*: no colours."""
        self._plain = plain

    def print(self, *parts: Part) -> None:
        """One line."""
        say(*parts, plain=self._plain)


def console(plain: bool = False) -> Screen:
    """Where results go; no colours with *plain* or NO_COLOR."""
    return Screen(plain)


class ProgressBar:
    """Progress on stderr: a rich bar on a terminal, a line per stage otherwise (``--plain``), or nothing.

    Implements ``safegen.protocols.Progress``.
    """

    def __init__(self, *, quiet: bool = False, plain: bool = False) -> None:
        """*quiet* shows nothing at all."""
        self._quiet = quiet
        self._plain = plain
        self._bar: Any = None
        self._task: Any = None
        self._started = time.monotonic()

    def __enter__(self) -> Self:
        """Start showing."""
        if not self._quiet:
            from rich.console import Console
            from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

            screen = Console(stderr=True, no_color="NO_COLOR" in os.environ)
            draws = screen.encoding.lower().startswith("utf")  # a bar is not drawn in ASCII
            if screen.is_terminal and draws and not self._plain:
                self._bar = Progress(
                    SpinnerColumn(),
                    TextColumn("{task.description:<18}", markup=False),
                    BarColumn(),
                    TextColumn("{task.completed:.0f}/{task.total}", markup=False),
                    TimeElapsedColumn(),
                    console=screen,
                    transient=True,
                )
                self._bar.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Take the bar away."""
        if self._bar is not None:
            self._bar.stop()

    def stage(self, name: str, total: int | None = None) -> None:
        """Begin a stage."""
        if self._bar is not None:
            if self._task is not None:
                self._bar.remove_task(self._task)
            self._task = self._bar.add_task(one_line(name, 60), total=total)
        elif not self._quiet:
            say(f"[{time.monotonic() - self._started:6.1f} s] {name}", err=True)

    def advance(self, amount: int = 1) -> None:
        """Count units."""
        if self._bar is not None and self._task is not None:
            self._bar.advance(self._task, amount)

    def cancelled(self) -> bool:
        """Ctrl-C arrives as KeyboardInterrupt, so this never asks."""
        return False
