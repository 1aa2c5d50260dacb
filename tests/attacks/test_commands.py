"""Every command with hostile words wherever it takes any: real runs, and no line that is not its own."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
import pytest

from safegen.cli import group
from tests.support.hostile import HOSTILE, check_output
from tests.support.shell import Ran, run

LIVE = {k: v for k, v in HOSTILE.items() if k not in {"null", "half a pair"}}
"""What can be an argument of a process."""
EVERY = pytest.mark.parametrize("text", LIVE.values(), ids=LIVE)
IN_JSON = ("line feed", "eight-bit sequences", "other direction", "not utf-8", "html")
HEAVY: dict[tuple[str, ...], list[str]] = {
    ("generate",): ["--dry-run"],
    ("audit", "screen"): ["--policy", "{}"],
    ("policy", "test"): ["{}"],
    ("policy", "lint"): ["{}"],
    ("doctor",): ["--workspace", "{}"],
}
"""What must be given so that a command comes to the hostile word and does no long work."""


def leaves(command: click.Command, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any]]:
    """Every command that does something, with the words that lead to it."""
    if isinstance(command, click.Group):
        context = click.Context(command)
        for name in command.list_commands(context):
            below = command.get_command(context, name)
            assert below is not None
            yield from leaves(below, (*path, name))
    else:
        yield path, command


COMMANDS = dict(leaves(group))


def with_words(path: tuple[str, ...], text: str) -> list[str]:
    """The command line: *text* for every argument, for every option that must be given, and more of them."""
    options, arguments = [], []
    for parameter in COMMANDS[path].params:
        number = isinstance(parameter.type, click.types.IntParamType | click.types.FloatParamType)
        word = "3" if number else text
        if isinstance(parameter.type, click.Choice):
            word = parameter.type.choices[0]
        if isinstance(parameter, click.Argument):
            arguments.append(word)
        elif parameter.required:
            options += [parameter.opts[-1], word]
    options += [word.format(text) if word == "{}" else word for word in HEAVY.get(path, ())]
    return [*path, *options, "--", *arguments]


@pytest.fixture
def nowhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder and workspace, no network, nobody to ask."""

    def refused(*_: object, **__: object) -> None:
        raise OSError("no network here")

    monkeypatch.setattr(socket.socket, "connect", refused)
    monkeypatch.setenv("SAFEGEN_WORKSPACE", str(tmp_path / "workspace"))
    monkeypatch.chdir(tmp_path)
    return tmp_path


def checked(done: Ran, about: str) -> str:
    """The output, after a look at both streams; an error is two lines of ours."""
    check_output(done.err, about=about)
    return check_output(done.out, about=about)


@pytest.mark.parametrize(
    ("text", "as_json"),
    [*((text, False) for text in LIVE.values()), *((LIVE[name], True) for name in IN_JSON)],
    ids=[*LIVE, *(f"{name}, JSON" for name in IN_JSON)],
)
def test_words_that_are_given(nowhere: Path, text: str, as_json: bool) -> None:
    """As prompts, files, names, folders, numbers of entries: whatever a command makes of them."""
    for path, command in COMMANDS.items():
        words = with_words(path, text)
        if as_json:
            if not any(p.name == "as_json" for p in command.params):
                continue
            words.insert(len(path), "--json")
        done = run(words)
        about = " ".join(path)
        out = checked(done, about)
        assert done.code not in {1, 141}, f"{about}: {done.err[:500]!r}"
        errors = [line for line in done.err.decode().splitlines() if line.startswith("error: ")]
        assert len(errors) <= (0 if done.code in {0, 40} or as_json else 1), about
        if as_json and out and path not in {("screen",), ("audit", "screen")}:
            json.loads(out)


@EVERY
def test_options_that_nobody_has(nowhere: Path, text: str) -> None:
    """Unknown commands and options, choices that are none: click repeats them in its own sentences."""
    for words in (
        [text],
        ["log", text],
        ["log", "list", "--kind", text],
        ["verify", f"--{text}", "x"],
        ["verify", "--require", text, "x"],
        ["screen", "x", "--policy", text],
        ["log", "show", text],
        ["verify", "--at", text, "x"],
        ["verify", "--resolve", text, "x"],
        ["template", "run", "birthday", "-o", "out", "--set", text],
        ["generate", "x", "--model", text, "--dry-run"],
        ["generate", "x", "--option", text, "--dry-run"],
        ["verify", "x.mp4", "--workspace", text],
    ):
        done = run(words)
        checked(done, " ".join(words[:2]))
        assert done.code in {2, 3, 4, 5, 6}, (words, done)


@EVERY
def test_environment_and_settings(nowhere: Path, text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Variables, and the values of the workspace's file."""
    for name in ("SAFEGEN_LOG", "SAFEGEN_WORKSPACE", "SAFEGEN_REVIEWER", "SAFEGEN_USER", "NO_COLOR", "TERM"):
        with monkeypatch.context() as patch:
            patch.setenv(name, text)
            checked(run(["log", "list"]), name)
    space = nowhere / "workspace"
    space.mkdir(exist_ok=True)
    for line in ("organisation = {}", "[signing]\ntsa_url = {}", "{} = 1", "[release]\nmanifest = {}", "{}"):
        quoted = json.dumps(text.encode("utf-8", "replace").decode())
        (space / "safegen.toml").write_text(line.format(quoted), encoding="utf-8")
        done = run(["log", "list"])
        checked(done, line)
        assert done.code in {2, 6}


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "utf-8"])
def test_a_terminal_that_knows_few_characters(nowhere: Path, encoding: str) -> None:
    """Nothing ends with an encoding error: characters that cannot be shown stand as escapes."""
    name = "Überlingen-東京-½.mp4"
    for words in (["verify", name], ["screen", name], ["moderate", name], ["--help"], ["verify", "--help"]):
        done = run(words, encoding=encoding)
        assert done.code in {0, 2, 3, 4, 7}, done
        shown = (done.out + done.err).decode(encoding)
        assert "Traceback" not in shown and "codec" not in shown
    done = run(["screen", name, "--json"], encoding=encoding)
    json.loads(done.out.decode(encoding))
    done = run(["verify", name, "--json"], encoding=encoding)
    assert name in json.loads(done.out.decode(encoding))["error"]["message"]
