"""Tables that others fill in: a text in the results is one cell of one row, whatever it holds."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from safegen.templates.results import COLUMNS, RESULTS_FILE, Row, open_journal
from tests.support.hostile import HOSTILE, controls

_DONE = {"run": "r", "status": "done", "key": "stolen", "path": "x.mp4"}
LINE = ",".join(_DONE.get(name, "1") for name in COLUMNS)
BREAKS = ["\n", "\r", "\r\n", "\x0b", "\x0c", "\x1c", "\x1e", "\x85", "\u2028", "\u2029"]


@pytest.mark.parametrize("break_", BREAKS)
def test_a_text_in_the_results_is_one_cell_of_one_row(tmp_path: Path, break_: str) -> None:
    """A row that seems to be finished is not made again: no text of another row can name one."""
    texts = (f"a{break_}{LINE}{break_}", f'a"{break_}{LINE}{break_}"', f"{break_}{LINE}")
    for number, text in enumerate(texts):
        folder = tmp_path / str(number)
        with open_journal(folder, run="r", resume=False) as journal:
            journal.write(Row(1, 2, "failed", error=text, hint=text, key="own"))
            journal.write(Row(2, 3, "done", path=f"b{break_}.mp4", key="second"))
        with open_journal(folder, run="r", resume=True) as journal:
            assert set(journal.done) == {"second"}


@pytest.mark.parametrize("text", [*HOSTILE.values(), "=1+1", "+1", "-1", "@SUM(A1)", "\t=1"])
def test_no_text_is_a_formula_or_hides_anything(tmp_path: Path, text: str) -> None:
    with open_journal(tmp_path, run="r", resume=False) as journal:
        journal.write(Row(1, 2, "failed", error=text, key="own"))
    written = (tmp_path / RESULTS_FILE).read_text(encoding="utf-8")
    assert written.count("\n") == 2 and not controls(written.replace("\n", ""))
    (row,) = csv.DictReader(written.splitlines())
    assert row["error"][:1] not in {"=", "+", "-", "@", "\t"} and row["key"] == "own"
