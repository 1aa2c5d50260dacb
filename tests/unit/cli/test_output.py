"""The one way out: colours, narrow terminals, files beside a progress bar, and lines that would pose."""

from __future__ import annotations

import io
import sys
import unicodedata

import click
import pytest

from safegen.cli import _output
from safegen.cli._output import ProgressBar, confirm, console, print_json, say, show_document
from safegen.errors import UsageError
from safegen.types import Verdict
from tests.support.hostile import HOSTILE


class Terminal(io.StringIO):
    """A stream that is a terminal."""

    encoding = "utf-8"

    def isatty(self) -> bool:
        return True


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> Terminal:
    """Narrow, and of many colours; a test puts it into stdout's place itself."""
    monkeypatch.setattr(_output, "_columns", lambda: 40)
    monkeypatch.delenv("NO_COLOR", raising=False)
    return Terminal()


def rows(text: str, columns: int = 40) -> list[str]:
    """*text* as a terminal shows it: broken where a row is full."""
    shown = [""]
    for character in text:
        if character == "\n" or sum(map(width, shown[-1])) + width(character) > columns:
            shown.append("")
        if character != "\n":
            shown[-1] += character
    return shown


def width(character: str) -> int:
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1


@pytest.mark.parametrize("padding", ["x", " ", "東", "x y ", "é", "\u00a0"])
def test_no_padding_puts_a_forged_verdict_at_the_left_edge(
    terminal: Terminal, padding: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A name that fills the row to its end would have a row of its own for what follows."""
    monkeypatch.setattr(sys, "stdout", terminal)
    for count in range(25, 90):
        terminal.seek(0)
        terminal.truncate()
        console(plain=True).print(("TAMPERED", "bold red"), f"  {padding * count}VERIFIED  ball.mp4")
        first, *others = rows(terminal.getvalue())
        assert first.startswith("TAMPERED")
        assert all(row.startswith("    ") or not row for row in others)


def test_outside_a_terminal_a_line_stays_one(capsys: pytest.CaptureFixture[str]) -> None:
    say("x" * 500)
    assert capsys.readouterr().out == "x" * 500 + "\n"


def test_colours(terminal: Terminal, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdout", terminal)

    def said() -> str:
        return terminal.getvalue().splitlines()[-1]

    console().print(("VERIFIED", "bold green"), "  a")
    assert said() == "\x1b[32m\x1b[1mVERIFIED\x1b[0m  a"
    console(plain=True).print(("VERIFIED", "bold green"), "  a")
    assert said() == "VERIFIED  a"
    monkeypatch.setenv("NO_COLOR", "1")
    console().print(("VERIFIED", "bold green"), "  a")
    assert said() == "VERIFIED  a"


@pytest.mark.parametrize("verdict", [v.name for v in Verdict])
def test_only_a_verdict_begins_a_line_as_one(verdict: str, capsys: pytest.CaptureFixture[str]) -> None:
    """A line that begins with a name from elsewhere shows its first letter escaped."""
    for line in (f"{verdict}  a.mp4", f" {verdict}", f"{verdict}.mp4: not checked"):
        say(line)
        assert capsys.readouterr().out == f"\\u{ord(verdict[0]):04x}{line.strip()[1:]}\n"
    for line in (f"  {verdict}", f"a {verdict}", "Verified.", ""):
        say(line)
        assert capsys.readouterr().out == f"{line}\n"
    say((verdict, "bold"), f"  {verdict}")
    assert capsys.readouterr().out == f"{verdict}  {verdict}\n"


def test_results_go_past_a_progress_bar_into_a_file(monkeypatch: pytest.MonkeyPatch) -> None:
    """A bar on a terminal takes the place of stdout; what is said meanwhile is still in the file."""
    screen, file = Terminal(), io.StringIO()
    monkeypatch.setattr(sys, "stderr", screen)
    monkeypatch.setattr(sys, "stdout", file)
    monkeypatch.setenv("TERM", "xterm")
    with ProgressBar() as bar:
        bar.stage("\x1b]0;owned\x07[bold]one[/]\n", 2)
        say("a result")
        print_json({"a": 1}, indent=None)
        show_document("of our\nown\n")
        bar.advance()
    assert file.getvalue() == 'a result\n{"a": 1}\nof our\nown\n'
    assert "\x1b]0" not in screen.getvalue() and "\x07" not in screen.getvalue()


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
def test_stages(text: str, capsys: pytest.CaptureFixture[str]) -> None:
    with ProgressBar(plain=True) as bar:
        bar.stage(text)
    out = capsys.readouterr().err
    assert out.count("\n") == 1 and out.rstrip("\n").isprintable()


def test_a_question_that_nobody_can_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    """Outside a terminal (CI) it is no interruption, and the way on is said; a no stays a no."""
    monkeypatch.setattr("sys.stdin", io.StringIO(""))
    with pytest.raises(UsageError) as refused:
        confirm("really?", abort=True, instead="--yes")
    assert "--yes" in refused.value.hint
    monkeypatch.setattr("sys.stdin", io.StringIO("n\n"))
    with pytest.raises(click.Abort):
        confirm("really?", abort=True)
