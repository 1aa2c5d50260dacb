"""docs/capabilities.md says what happens: a sample of its rows is tried, the others in the slow tests."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.capabilities.make import Case
from tests.support.capabilities.outcome import HANDLED, NOT_MADE, NOTED, REFUSED, outcome
from tests.support.capabilities.page import Row, read_page
from tests.support.capabilities.table import cases

CASES = cases()
SAMPLE = CASES[::11]
SLOW_ENCODERS = ("svtav1", "vpx-vp9", "x265")


def fast(case: Case) -> bool:
    return case in SAMPLE and case.video not in SLOW_ENCODERS


@pytest.fixture(scope="module")
def page(root: Path) -> dict[tuple[str, ...], tuple[str, str]]:
    return read_page(root / "docs" / "capabilities.md")


def check(case: Case, page: dict[tuple[str, ...], tuple[str, str]], folder: Path) -> None:
    became, why = outcome(case, folder)
    if became == NOT_MADE:
        pytest.skip(f"this FFmpeg does not write it: {why}")
    *which, became, why = Row(case, became, why).cells()
    assert page[tuple(cell.strip() for cell in which)] == (became, why.strip())


@pytest.mark.parametrize("case", [c for c in CASES if fast(c)], ids=lambda c: c.name)
def test_a_sample_of_the_page_is_true(
    case: Case, page: dict[tuple[str, ...], tuple[str, str]], tmp_path: Path
) -> None:
    check(case, page, tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize("case", [c for c in CASES if not fast(c)], ids=lambda c: c.name)
def test_the_rest_of_the_page_is_true(
    case: Case, page: dict[tuple[str, ...], tuple[str, str]], tmp_path: Path
) -> None:
    check(case, page, tmp_path)


def test_every_case_is_on_the_page_once(page: dict[tuple[str, ...], tuple[str, str]]) -> None:
    names = [c.name for c in CASES]
    assert len(set(names)) == len(names) == len(page) >= 150


def test_whatever_is_not_plainly_handled_says_why(page: dict[tuple[str, ...], tuple[str, str]]) -> None:
    assert {became for became, _ in page.values()} == {HANDLED, NOTED, REFUSED}
    assert all(bool(why) == (became != HANDLED) for became, why in page.values())
