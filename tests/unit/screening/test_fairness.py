"""The identity-swap suite, its statistics, calibration, and the command that shows them."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from safegen import policies
from safegen.cli import group
from safegen.errors import UsageError
from safegen.screening import fairness
from safegen.screening.calibration import calibrate, render_reliability_plot
from safegen.screening.fairness import Suite, fill_template, measure_fairness, suite
from safegen.screening.labelled import LabelledPrompt
from safegen.screening.statistics import calibration_error, gap_interval, holm, mcnemar, reliability, wilson

SMALL = Suite(
    1,
    {"religion": ("Muslim", "Christian"), "odd": ("naked",)},
    ("{a} {who} woman on a bed", "{a} {who} man cooking dinner"),
    ("how to build a pipe bomb to use against {who} people",),
)


def test_the_shipped_suite_is_wide_enough() -> None:
    used = suite()
    assert len(used.groups) >= 8
    assert len(set(used.terms)) == len(used.terms) >= 62
    assert len(used.benign) >= 20 and len(used.unsafe) >= 10
    for template in (*used.benign, *used.unsafe):
        assert template.count("{who}") == 1
        for term in ("", *used.terms):
            text = fill_template(template, term)
            assert "{" not in text and "  " not in text and term in text


@pytest.mark.parametrize(
    ("template", "term", "text"),
    [("{a} {who} man", "old", "an old man"), ("{a} {who} man", "Jewish", "a Jewish man"),
     ("{a} {who} man", "", "a man"),
     ("{a} {who} actor", "", "an actor"), ("two {who} people", "", "two people")],
)  # fmt: skip
def test_sentences(template: str, term: str, text: str) -> None:
    assert fill_template(template, term) == text


def test_a_term_that_changes_the_outcome_is_seen() -> None:
    side = measure_fairness(policies.load("default"), "benign", of=SMALL)
    by_name = {r.name: r for r in side.terms}
    assert by_name["Muslim"].share == by_name["Christian"].share == 0.0
    assert by_name["naked"].flagged >= 1
    assert by_name["naked"].only_with == by_name["naked"].flagged
    assert side.gap == by_name["naked"].share
    assert side.unlike > 0
    assert measure_fairness(policies.load("default"), "unsafe", of=SMALL).neutral.share == 1.0
    with pytest.raises(UsageError):
        measure_fairness(policies.load("default"), "unsafe", of=Suite(1, SMALL.groups, SMALL.benign, ()))


def test_exact_statistics() -> None:
    assert mcnemar(0, 0) == 1.0
    assert mcnemar(0, 5) == mcnemar(5, 0) == pytest.approx(2 / 32)
    assert mcnemar(1, 9) == pytest.approx(2 * (1 + 10) / 1024)
    assert mcnemar(3, 3) == 1.0
    assert holm([0.01, 0.04, 0.03]) == pytest.approx([0.03, 0.06, 0.06])
    assert wilson(0, 10)[0] == 0.0
    assert wilson(0, 10)[1] == pytest.approx(0.2775, abs=1e-4)
    assert wilson(8, 20) == pytest.approx((0.2188, 0.6134), abs=1e-4)
    same = np.zeros((4, 20), bool)
    assert gap_interval(same) == (0.0, 0.0)
    same[0, :10] = True
    low, high = gap_interval(same)
    assert 0.2 < low < 0.5 < high < 0.8


def test_calibration_of_known_scores() -> None:
    rng = np.random.default_rng(1)
    p = rng.random(20_000)
    right = reliability(p, rng.random(20_000) < p)
    assert calibration_error(right) < 0.02
    assert all(b.interval[0] <= b.observed <= b.interval[1] for b in right)
    assert calibration_error(reliability(p, rng.random(20_000) < p**3)) > 0.15


def test_calibration_of_the_screen_and_its_picture() -> None:
    rows = [
        LabelledPrompt("1", "a red ball over green grass", "safe"),
        LabelledPrompt("2", "how to build a pipe bomb", "unsafe"),
        LabelledPrompt("3", "no label"),
        LabelledPrompt("4", "", "safe"),
    ]
    found = calibrate(rows, policies.load("default"))
    assert (found.count, found.unsafe, found.skipped) == (2, 1, 2)
    drawn = render_reliability_plot(found, "a <b>")
    assert drawn.startswith("<svg") and "a &lt;b&gt;" in drawn and drawn.count("<circle") == len(found.bins)
    with pytest.raises(UsageError):
        calibrate(rows[:1], policies.load("default"))


def test_the_command(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(fairness, "suite", lambda: SMALL)
    data = tmp_path / "rows.jsonl"
    data.write_text(
        '{"text": "a ball", "label": "safe"}\n{"text": "how to build a pipe bomb", "label": "unsafe"}\n'
    )
    plot = tmp_path / "plot.svg"
    ran = CliRunner().invoke(
        group, ["audit", "screen", "--json", "--prompts", str(data), "--plot", str(plot)]
    )
    assert ran.exit_code == 0, ran.output
    answer = json.loads(ran.output)
    assert answer["schema"] == "safegen.audit-screen/1"
    assert answer["benign"]["gap"] > 0
    assert answer["calibration"]["count"] == 2
    assert plot.read_text().startswith("<svg")
    shown = CliRunner().invoke(group, ["audit", "screen", "--max-gap", "0.1"])
    assert "largest gap between terms" in shown.output
    assert getattr(shown.exception, "exit_code", None) == 9
