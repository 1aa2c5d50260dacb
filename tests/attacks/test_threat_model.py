"""The threat model and the tests belong together: every row names tests, and every one of them exists."""

from __future__ import annotations

import ast
import re
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
HEAD = ["who", "by what", "what holds it", "test"]
NAMED = re.compile(r"`(tests/[\w/]+\.py)::(test_\w+)`")


def rows(text: str) -> list[tuple[int, list[str]]]:
    """The rows of every table of the document, each with its line; a table of another kind is an error."""
    found, head = [], False
    for number, line in enumerate(text.splitlines(), 1):
        if not line.startswith("|"):
            head = False
            continue
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if not head:
            assert cells == HEAD, f"line {number}: {cells}"
            head = True
        elif not set(line) <= set("|-"):
            found.append((number, cells))
    return found


@cache
def names_in(file: str) -> frozenset[str]:
    """The test functions of a file, by its source; none where there is no such file."""
    path = ROOT / file
    if not path.is_file():
        return frozenset()
    tree = ast.parse(path.read_text(encoding="utf-8"))
    kinds = (ast.FunctionDef, ast.AsyncFunctionDef)
    return frozenset(n.name for n in ast.walk(tree) if isinstance(n, kinds) and n.name.startswith("test_"))


def faults(text: str) -> list[str]:
    """What is wrong with the rows: cells that are missing, tests that are pending or do not exist."""
    found = []
    for number, cells in rows(text):
        where = f"docs/threat-model.md:{number}: "
        if len(cells) != len(HEAD) or not all(cells):
            found.append(f"{where}a cell is empty or missing")
            continue
        named = NAMED.findall(cells[3])
        if "(pending)" in cells[3]:
            found.append(f"{where}pending: {cells[0]}, {cells[1]}")
        elif not named or NAMED.sub("", cells[3]).strip(" ,"):
            found.append(f"{where}names no test: {cells[3]}")
        found += [f"{where}no such test: {f}::{name}" for f, name in named if name not in names_in(f)]
    return found


def test_every_row_names_tests_that_exist() -> None:
    text = (ROOT / "docs/threat-model.md").read_text(encoding="utf-8")
    assert len(rows(text)) >= 50
    found = faults(text)
    assert not found, "\n".join(["", *found])


def test_every_attack_is_in_the_threat_model() -> None:
    """A file of attacks that no row names is not known to who reads the model."""
    text = (ROOT / "docs/threat-model.md").read_text(encoding="utf-8")
    named = {file for file, _ in NAMED.findall(text)}
    here = {str(p.relative_to(ROOT)) for p in (ROOT / "tests/attacks").glob("test_*.py")}
    assert here - named == {"tests/attacks/test_threat_model.py"}


@pytest.mark.parametrize(
    ("cell", "fault"),
    [
        ("`tests/attacks/test_threat_model.py::test_every_row_names_tests_that_exist`", None),
        ("`tests/attacks/test_threat_model.py::test_nothing_of_the_kind`", "no such test"),
        ("`tests/attacks/no_such_file.py::test_x`", "no such test"),
        ("(pending)", "pending"),
        ("", "empty"),
        ("by hand", "names no test"),
        ("`tests/attacks/test_threat_model.py`", "names no test"),
        (
            "`tests/attacks/test_threat_model.py::test_every_row_names_tests_that_exist`, and by hand",
            "names no",
        ),
    ],
)
def test_faults_are_seen(cell: str, fault: str | None) -> None:
    found = faults(f"| {' | '.join(HEAD)} |\n|---|---|---|---|\n| a | b | c | {cell} |\n")
    assert [fault in f for f in found] == ([] if fault is None else [True])


def test_a_table_of_another_kind_is_an_error() -> None:
    with pytest.raises(AssertionError, match="line 1"):
        rows("| a | b |\n|---|---|\n| c | d |\n")
