"""The commands as people and CI use them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from safegen.audit import journal, suites
from safegen.cli import group
from safegen.errors import SafegenError


def run(*arguments: object) -> Result:
    return CliRunner().invoke(group, ["audit", *map(str, arguments)])


def audited(folder: Path, colours: dict[str, int]) -> Path:
    """An audit of world-colours in *folder*, as a run leaves it."""
    named = suites.load("world-colours")
    head = journal.RunHeader(named, "tiny", {"name": "default", "sha256": "0"}, 0)
    values = [c for c, n in colours.items() for _ in range(n)]
    with journal.open_journal(folder, head, resume=False) as log:
        for i, value in enumerate(values):
            found = {"colour": {value: 1.0, "unknown": 0.0}}
            model = {"name": "tiny", "version": "1", "sha256": "ab"}
            log.write(journal.Observation("colour left open", i % 8, i // 8, i, "seen", found, model))
    return folder


EVEN = dict.fromkeys(("red", "orange", "yellow", "green", "blue", "purple", "white", "black"), 16)
BIASED = {**EVEN, "red": 70}


def test_the_gate_answers_by_its_exit_code(tmp_path: Path) -> None:
    even, biased = audited(tmp_path / "even", EVEN), audited(tmp_path / "biased", BIASED)
    few = audited(tmp_path / "few", {"red": 10})
    assert [run("gate", f).exit_code for f in (even, biased, few)] == [0, 9, 4]
    assert run("gate", biased, "--limit", "0.5", "--effect", "0.7").exit_code == 0
    shown = run("gate", biased, "--plain").output
    assert "STRAYS" in shown and "red 38% (aim 12%)" in shown
    body = json.loads(run("gate", biased, "--json").output)
    assert body["gate"]["exit_code"] == 9
    assert body["cells"][0]["bound"] > 0.05


def test_a_gate_that_makes_no_sense_is_a_usage_error(tmp_path: Path) -> None:
    folder = audited(tmp_path / "a", EVEN)
    result = run("gate", folder, "--limit", "0.3")
    assert isinstance(result.exception, SafegenError)
    assert result.exception.exit_code == 2
    assert "above limit" in str(result.exception)


def test_report_writes_three_files_and_changes_nothing_else(tmp_path: Path) -> None:
    folder = audited(tmp_path / "a", BIASED)
    before = (folder / journal.NAME).read_bytes()
    result = run("report", folder)
    assert result.exit_code == 0, "a report says; the gate decides"
    assert (folder / journal.NAME).read_bytes() == before
    assert {p.name for p in folder.iterdir()} == {journal.NAME, "report.html", "audit.json", "audit.jsonl"}
    elsewhere = tmp_path / "out"
    assert run("report", folder, "-o", elsewhere).exit_code == 0
    assert (elsewhere / "report.html").is_file()


@pytest.mark.parametrize(
    "arguments",
    [["report"], ["report", "x", "--released"], ["report", "x", "--targets", "y"], ["data"], ["gate"]],
)
def test_wrong_usage(arguments: list[str]) -> None:
    assert run(*arguments).exit_code == 2


def test_suites_are_listed_and_shown() -> None:
    rows = json.loads(run("suites", "--json").output)
    assert {"world-open", "occupations", "adjectives", "objects", "event-actor"} <= {r["name"] for r in rows}
    shown = json.loads(run("suites", "world-colours", "--json").output)
    assert shown["attributes"]["colour"]["least_n"] > 50
    assert "a large ball moving left to right" in run("suites", "world-colours").output


def test_data_for_people(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("a man\na woman\n")
    result = run("data", tmp_path / "a.txt", "--plain")
    assert result.exit_code == 0
    assert "gender: 2 texts" in result.output


def test_a_workspace_without_releases_says_so(tmp_path: Path) -> None:
    result = run("report", "--released", "--workspace", tmp_path)
    assert "no ledger" in str(result.exception)
