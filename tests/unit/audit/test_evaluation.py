"""The gate's words, contrasts, the page, the ledger."""

from __future__ import annotations

import json
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest

from safegen.audit import html_report, json_report, suites
from safegen.audit.compare import compare_groups
from safegen.audit.evaluation import Audit, apply_gate, build_cell_from_counts, evaluate_run
from safegen.audit.journal import Observation
from safegen.audit.json_report import Subject
from safegen.audit.schema import Gate, Suite

GATE = Gate()
FOUR = dict.fromkeys(("a", "b", "c", "d"), 0.25)


def counts(*rows: tuple[int, ...]) -> np.ndarray:
    return np.array(rows, float)


EVEN = counts(*[(3, 3, 2, 2), (2, 2, 3, 3)] * 10)
BIASED = counts(*[(6, 1, 2, 1), (5, 2, 1, 2)] * 10)


def suite() -> Suite:
    return suites.load("world-colours").suite


def observed(colours: dict[str, int], *, unknown: int = 0) -> list[Observation]:
    values = [c for c, n in colours.items() for _ in range(n)] + ["unknown"] * unknown
    out = []
    for i, value in enumerate(values):
        found = {"colour": {value: 1.0, "unknown": float(value == "unknown")}}
        out.append(Observation("colour left open", i % 8, i // 8, i, "seen", found, {"sha256": "x"}))
    return out


def test_the_gate_catches_the_biased_and_lets_the_even_pass() -> None:
    even, biased = apply_gate(
        [
            build_cell_from_counts("even", "x", FOUR, EVEN, 0),
            build_cell_from_counts("biased", "x", FOUR, BIASED, 0),
        ],
        GATE,
    )
    assert (even.verdict, biased.verdict) == ("no stray found", "strays")
    assert biased.bound > GATE.limit >= even.bound
    assert biased.p_adjusted <= 0.05 < even.p_adjusted
    assert even.low == 0.0


def test_below_the_least_n_the_gate_is_silent_however_strong_the_bias() -> None:
    (cell,) = apply_gate(
        [build_cell_from_counts("g", "x", FOUR, counts((10, 0, 0, 0), (10, 0, 0, 0)), 0)], GATE
    )
    assert cell.verdict == "cannot say"
    assert cell.least > 20
    assert str(cell.least) in cell.why


def test_many_looks_need_more_clips_and_more_evidence() -> None:
    slight = counts(*[(4, 2, 2, 2)] * 20)
    (alone,) = apply_gate([build_cell_from_counts("g", "x", FOUR, slight, 0)], GATE)
    together = apply_gate(
        [build_cell_from_counts(str(i), "x", FOUR, EVEN if i else slight, 0) for i in range(12)], GATE
    )
    assert alone.verdict == "strays"
    assert together[0].p_adjusted > alone.p_adjusted
    assert together[0].least > alone.least


@pytest.mark.parametrize(
    ("colours", "unknown", "why"),
    [
        ({}, 0, "no clips were made"),
        ({"red": 1}, 0, "needs"),
        ({}, 40, "nothing could be read"),
        ({"red": 60, "blue": 60}, 80, "40% could not be read"),
    ],
)
def test_too_little_to_go_by(colours: dict[str, int], unknown: int, why: str) -> None:
    audit = evaluate_run(suite(), observed(colours, unknown=unknown))
    assert audit.verdict == "cannot say"
    assert audit.exit_code == 4
    assert why in audit.cells[0].why
    text = html_report.render(audit, Subject("model", "t"), when="now")
    assert "CANNOT SAY" in text


def test_what_is_not_in_the_suite_is_other() -> None:
    audit = evaluate_run(suite(), observed({"red": 10, "pink": 5}))
    shares = {s.name: (s.count, s.target) for s in audit.cells[0].shares}
    assert shares["other"] == (5, 0.0)
    assert "other" not in {s.name for s in evaluate_run(suite(), observed({"red": 9})).cells[0].shares}


def rows(prompts: int, leaning: float) -> list[tuple[int, dict[str, float]]]:
    rng = np.random.default_rng(int(leaning * 10))
    out = []
    for prompt in range(prompts):
        for _ in range(8):
            p = float(rng.random() < leaning)
            out.append((prompt, {"woman": p, "man": 1 - p, "unknown": 0.0}))
    return out


def test_contrasts_find_what_differs_and_only_that() -> None:
    classes = ("woman", "man")
    differ, same, few = compare_groups(
        [
            ("a", "b", "x", classes, rows(8, 0.8), rows(8, 0.3)),
            ("a", "c", "x", classes, rows(8, 0.5), rows(8, 0.5)),
            ("a", "d", "x", classes, rows(8, 0.5), rows(1, 0.5)),
        ]
    )
    assert differ.p_adjusted < 0.01
    assert differ.effect_size > 0.8
    assert same.p_adjusted > 0.5
    assert "two prompts" in few.why


class Checker(HTMLParser):
    """Collects what a page is made of."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))


def full() -> Audit:
    return evaluate_run(
        suite(), observed({"red": 70, "blue": 20, "green": 20, "<script>alert(1)</script>": 10})
    )


def test_the_page_stands_alone_and_every_plot_is_told_in_words() -> None:
    evil = "<script>alert(1)</script>\u202e"
    html = html_report.render(full(), Subject("model", evil, about=evil), when="now")
    checker = Checker()
    checker.feed(html)
    names = [t for t, _ in checker.tags]
    assert "script" not in names
    assert "\u202e" not in html
    assert not any(a.get("src") or a.get("href") for _, a in checker.tags)
    plots = [a for t, a in checker.tags if t == "svg"]
    assert len(plots) == 2
    assert all(a["role"] == "img" and len(a["aria-label"] or "") > 40 for a in plots)
    assert names.count("table") >= len(plots)
    assert [a.get("lang") for t, a in checker.tags if t == "html"] == ["en"]
    heads = [a.get("scope") for t, a in checker.tags if t == "th"]
    assert set(heads) == {"col", "row"}


def test_json_and_lines_hold_the_figures() -> None:
    audit = full()
    body = json.loads(json.dumps(json_report.to_json(audit, Subject("model", "t", suite="s"))))
    assert body["schema"] == "safegen.audit/1"
    assert body["gate"]["verdict"] == "strays" and body["gate"]["exit_code"] == 9
    line = json.loads(json_report.to_jsonl(audit))
    assert line["shares"][0] == {**line["shares"][0], "name": "red", "count": 70}
    assert line["low"] <= line["corrected"] <= line["high"]


def test_audits_become_entries_that_manifests_name(tmp_path: Path) -> None:
    from safegen.audit.session import record_once
    from safegen.pipeline.audit_assertion import add_audit_assertion, find_audits
    from safegen.types import ModelRef
    from safegen.workspace.config import find_workspace
    from safegen.workspace.session import open_session

    model = ModelRef("tiny", "x", "1", "x")
    subject = Subject("model", "t", suite="s", suite_sha256="aa", source_sha256="bb")
    with open_session(find_workspace(tmp_path / "w")) as session:
        assert find_audits(session.ledger, model) == []
        index = record_once(session.ledger, full(), subject)
        assert record_once(session.ledger, full(), subject) == index, "the same observations once"
        stated: dict[str, list[object]] = {"assertions": []}
        add_audit_assertion(stated, session.ledger, model)
        (assertion,) = stated["assertions"]
        (said,) = assertion["data"]["audits"]  # type: ignore[index]
        assert said["verdict"] == "strays"
        assert said["strays"] == ["colour: colour left open"]
        assert said["entry"] == index
        assert find_audits(session.ledger, ModelRef("tiny", "x", "1", "other weights")) == []
        assert find_audits(session.ledger, ModelRef("tiny", "x", "1", None)) == []
        assert session.ledger.check().ok
