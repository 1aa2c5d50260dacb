"""What is shown goes one way out, where it is escaped: nothing writes past it, in commands, logs or JSON."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator

import pytest

from tests.support.architecture import modules

MODULES = modules()
COMMANDS = {name for name in MODULES if name.startswith("safegen.cli")}
WRITERS = {
    "click.echo", "click.secho", "click.style", "click.confirm", "click.prompt", "click.echo_via_pager",
    "echo", "secho", "style", "print", "pprint", "Console", "Text", "Text.assemble",
    "sys.stdout.write", "sys.stderr.write", "sys.stdout.buffer.write", "sys.stderr.buffer.write",
}  # fmt: skip
LINES = {"say", "say_note", "console.print", "out.print", "console(plain).print", "confirm"}
LOGS = {f"_log.{level}" for level in ("debug", "info", "warning", "error", "exception", "critical", "log")}


def calls(name: str) -> Iterator[tuple[ast.Call, str]]:
    """The calls in a module, each with what it calls."""
    for node in MODULES[name].nodes:
        if isinstance(node, ast.Call):
            yield node, ast.unparse(node.func)


def writes(_: ast.Call, called: str) -> bool:
    return called in WRITERS


def shows_raw_json(node: ast.Call, called: str) -> bool:
    """``json.dumps`` with ``ensure_ascii`` off: its text may hold anything."""
    return called == "json.dumps" and any(
        k.arg == "ensure_ascii" and not (isinstance(k.value, ast.Constant) and k.value.value is True)
        for k in node.keywords
    )


def gets_a_logger(_: ast.Call, called: str) -> bool:
    return called in {"logging.getLogger", "getLogger"}


RULES: dict[str, tuple[Callable[[ast.Call, str], bool], dict[str, str]]] = {
    "only _output writes": (
        writes,
        {
            "safegen.cli._output": "the one way out",
            "safegen.cli._logging": "a record on whatever stderr is at the moment, escaped as one line",
        },
    ),
    "JSON is written by _text": (
        shows_raw_json,
        {
            "safegen._text": "the one place",
            "safegen.audit.suites": "bytes that are hashed and signed for, as they always were",
            "safegen.ledger.canonical": "bytes that are hashed and signed for, as they always were",
            "safegen.ledger.transaction": "bytes that are hashed and signed for, as they always were",
            "safegen.policies.schema": "bytes that are hashed and signed for, as they always were",
        },
    ),
    "loggers come from _util.logs": (
        gets_a_logger,
        {
            "safegen._util.logs": "the one place",
            "safegen.cli._logging": "where the handler is added",
        },
    ),
}


@pytest.mark.parametrize("rule", RULES)
def test_nothing_goes_past_the_way_out(rule: str) -> None:
    """Another writer is refused, and so is an exception that nothing needs any more."""
    breaks, allowed = RULES[rule]
    assert {name for name in MODULES if any(breaks(*call) for call in calls(name))} == set(allowed)


@pytest.mark.parametrize(
    ("breaks", "yes", "no"),
    [
        (writes, "click.echo(x)", "say(x)"),
        (writes, "print(x)", "console.print(x)"),
        (writes, "sys.stdout.write(x)", "file.write(x)"),
        (shows_raw_json, "json.dumps(x, ensure_ascii=False)", "json.dumps(x)"),
        (shows_raw_json, "json.dumps(x, ensure_ascii=flag)", "json.dumps(x, ensure_ascii=True)"),
        (gets_a_logger, "logging.getLogger('x')", "logger(__name__)"),
    ],
)
def test_the_rules_find_what_they_are_for(breaks: Callable[[ast.Call, str], bool], yes: str, no: str) -> None:
    found, other = (ast.parse(code, mode="eval").body for code in (yes, no))
    assert isinstance(found, ast.Call) and isinstance(other, ast.Call)
    assert breaks(found, ast.unparse(found.func)) and not breaks(other, ast.unparse(other.func))


def test_lines_are_lines() -> None:
    """A line feed of our own in a line would be shown escaped: it is two calls."""
    seen = 0
    for name in sorted(COMMANDS):
        for node, called in calls(name):
            if called not in LINES:
                continue
            seen += 1
            for part in (p for argument in node.args for p in ast.walk(argument)):
                if isinstance(part, ast.Constant) and isinstance(part.value, str):
                    assert "\n" not in part.value, f"{name}:{node.lineno}"
    assert seen > 100


def test_log_messages_are_ours_and_their_values_are_named() -> None:
    """The filter that escapes values finds them in one mapping; a message put together would pass it by."""
    seen = 0
    for name in sorted(MODULES):
        for node, called in calls(name):
            if called not in LOGS:
                continue
            seen += 1
            message, *values = node.args
            where = f"{name}:{node.lineno}"
            assert isinstance(message, ast.Constant) and isinstance(message.value, str), where
            assert len(values) <= 1 and not node.keywords, where
            assert "%(" not in message.value or values, where
            assert all(isinstance(v, ast.Dict) for v in values), where
    assert seen > 20
