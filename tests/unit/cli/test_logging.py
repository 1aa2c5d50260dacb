"""``-v``, ``-vv`` and SAFEGEN_LOG: what is said, where it goes, and that it ends with the command."""

from __future__ import annotations

import json
import logging
import re
import subprocess
import sys

import click
import pytest
from click.testing import CliRunner

from safegen._util.logs import logger
from safegen.cli import group

LINE = re.compile(r"\d\d:\d\d:\d\d (info|debug) +safegen(\.\w+)+: .+")


def screen(*before: str, after: tuple[str, ...] = ()) -> tuple[str, str]:
    done = CliRunner().invoke(group, [*before, "screen", "a red ball", "--json", *after])
    assert done.exit_code == 0, done.output
    return done.stdout, done.stderr


def test_silent_without_it() -> None:
    assert screen()[1] == ""


@pytest.mark.parametrize(
    ("before", "after", "detailed"),
    [
        (("-v",), (), False),
        ((), ("-v",), False),
        (("--verbose",), (), False),
        (("-vv",), (), True),
        ((), ("-vv",), True),
        (("-v",), ("-v",), True),
    ],
)
def test_before_and_after_the_name(before: tuple[str, ...], after: tuple[str, ...], detailed: bool) -> None:
    out, err = screen(*before, after=after)
    assert json.loads(out)["verdict"] == "allow", "the result alone is on stdout"
    assert "screened: allow by policy default" in err
    assert all(LINE.fullmatch(line) for line in err.splitlines()), err
    assert ("check rules" in err) is detailed


@pytest.mark.parametrize(
    ("value", "verbose", "levels"),
    [
        ("info", (), {"info"}),
        ("debug", (), {"info", "debug"}),
        ("json", (), {"info"}),
        ("JSON, debug", (), {"info", "debug"}),
        ("json", ("-vv",), {"info", "debug"}),
        ("info", ("-vv",), {"info", "debug"}),
    ],
)
def test_the_variable(
    value: str, verbose: tuple[str, ...], levels: set[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SAFEGEN_LOG", value)
    err = screen(*verbose)[1]
    if "json" not in value.lower():
        assert {m[1] for m in map(LINE.fullmatch, err.splitlines()) if m} == levels
        return
    lines = [json.loads(line) for line in err.splitlines()]
    assert {line["level"] for line in lines} == levels
    verdict = next(line for line in lines if line["message"].startswith("screened"))
    assert verdict["fields"] == {"outcome": "allow", "policy": "default", "score": verdict["fields"]["score"]}
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT[\d:.]+\+00:00", verdict["time"])


def test_a_word_nobody_knows_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SAFEGEN_LOG", "loud")
    done = CliRunner().invoke(group, ["screen", "a red ball"])
    assert done.exit_code == 2 and "'loud' is none of json, info, debug" in done.output


def test_every_command_has_it_once() -> None:
    def below(command: click.Command) -> None:
        assert [p.name for p in command.params].count("verbose") == 1, command.name
        if isinstance(command, click.Group):
            context = click.Context(command)
            for name in command.list_commands(context):
                for _again in range(2):
                    found = command.get_command(context, name)
                assert found is not None
                below(found)

    below(group)


def test_nothing_is_left_when_the_command_is_over() -> None:
    log = logging.getLogger("safegen")
    before = (list(log.handlers), log.level)
    screen("-vv")
    assert (list(log.handlers), log.level) == before


def test_a_line_cannot_steer_the_terminal_and_a_bad_message_stops_nothing() -> None:
    from safegen.cli._logging import _handler

    log = logger("safegen.test")
    handler = _handler(as_json=False)
    record = log.makeRecord(log.name, logging.INFO, __file__, 1, "%(a)s", ({"a": "x\x1b[2J\ny"},), None)
    assert "\x1b" not in handler.format(record) and "\n" not in handler.format(record)
    handler.emit(log.makeRecord(log.name, logging.INFO, __file__, 1, "%(b)d", ({"a": 1},), None))


def test_the_library_is_silent_for_those_who_do_not_log() -> None:
    """Without a handler Python prints warnings on stderr by itself."""
    code = "from safegen._util.logs import logger; logger('safegen.x').warning('told nobody')"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True)
    assert done.stderr == b""


def test_help_does_not_pay_for_it() -> None:
    code = (
        "import sys\nfrom safegen.cli import group\n"
        "try: group(['--help'])\nexcept SystemExit: pass\n"
        "assert 'logging' not in sys.modules, 'imported for nothing'"
    )
    subprocess.run([sys.executable, "-c", code], check=True, capture_output=True)
