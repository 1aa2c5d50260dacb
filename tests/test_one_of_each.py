"""One of each helper: what everybody needs is in ``safegen._util``; every exception has its reason here."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator

import pytest

from tests.support.architecture import modules

MODULES = modules()


def attribute(node: ast.Call) -> tuple[str, str]:
    """Receiver and name of a method call, ``("", "")`` for anything else."""
    if not isinstance(node.func, ast.Attribute):
        return "", ""
    return ast.unparse(node.func.value), node.func.attr


def hashes_a_file(node: ast.Call) -> bool:
    return ast.unparse(node.func).split(".")[-1] == "file_digest"


def reads_the_clock(node: ast.Call) -> bool:
    receiver, name = attribute(node)
    return name in {"now", "utcnow", "today"} and receiver.split(".")[-1] in {"datetime", "date"}


def renames_a_file(node: ast.Call) -> bool:
    """``Path.replace`` and ``Path.rename`` take one argument; text and times are replaced with other ones."""
    receiver, name = attribute(node)
    if name not in {"replace", "rename", "renames"}:
        return False
    return receiver == "os" or (len(node.args) == 1 and not node.keywords)


def locks_a_file(node: ast.Call) -> bool:
    return attribute(node)[1] in {"flock", "lockf", "locking"}


def parses_a_time(node: ast.Call) -> bool:
    return attribute(node)[1] == "fromisoformat"


RULES: dict[str, tuple[Callable[[ast.Call], bool], dict[str, str]]] = {
    "a file is hashed by _util.hashing": (
        hashes_a_file,
        {
            "safegen._util.hashing": "the one place",
            "safegen.release.files": "hash and fsync are of one descriptor, opened without following links",
        },
    ),
    "the clock is read by _util.time": (reads_the_clock, {"safegen._util.time": "the one place"}),
    "a time is read from text by _util.time": (
        parses_a_time,
        {
            "safegen._util.time": "the one place",
            "safegen.ledger.fsck_timestamps": "a time from a checked leaf always names its zone",
        },
    ),
    "a file is replaced by _util.files": (
        renames_a_file,
        {
            "safegen._util.files": "the one place",
            "safegen.generators.hub.download": "a download that may be resumed is renamed once it is whole",
            "safegen.keys.creation": "a whole folder appears at once; of two makers the rename picks one",
            "safegen.release.files": "a release gets its name without replacing another file",
            "safegen.workspace.backup": "a whole folder appears at once, in the place of nothing",
            "safegen.workspace.restore": "a whole folder appears at once, in the place of nothing",
            "safegen.workspace.migrate": "a closed ledger gets another name",
        },
    ),
    "a file is locked by _util.files": (locks_a_file, {"safegen._util.files": "the one place"}),
}


def calls(name: str) -> Iterator[ast.Call]:
    return (node for node in ast.walk(MODULES[name].tree) if isinstance(node, ast.Call))


@pytest.mark.parametrize("rule", RULES)
def test_there_is_one_of_each(rule: str) -> None:
    """A copy elsewhere is refused, and so is an exception that nothing needs any more."""
    matches, allowed = RULES[rule]
    assert {name for name in MODULES if any(map(matches, calls(name)))} == set(allowed)


@pytest.mark.parametrize(
    ("matches", "yes", "no"),
    [
        (hashes_a_file, "hashlib.file_digest(f, 'sha256')", "hashlib.sha256(data)"),
        (reads_the_clock, "datetime.now(UTC)", "utc_now()"),
        (reads_the_clock, "datetime.datetime.utcnow()", "clock.now()"),
        (renames_a_file, "temporary.replace(path)", "text.replace('a', 'b')"),
        (renames_a_file, "os.replace(a, b)", "moment.replace(tzinfo=UTC)"),
        (locks_a_file, "fcntl.flock(file, 2)", "lock_descriptor(file, wait=True)"),
        (parses_a_time, "datetime.fromisoformat(text)", "parse_moment(text)"),
    ],
)
def test_the_rules_find_copies(matches: Callable[[ast.Call], bool], yes: str, no: str) -> None:
    found, other = (ast.parse(code, mode="eval").body for code in (yes, no))
    assert isinstance(found, ast.Call) and isinstance(other, ast.Call)
    assert matches(found) and not matches(other)
