"""People's decisions become labelled rows."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

from click.testing import CliRunner

from safegen.cli import group
from safegen.pipeline.ledger_records import decision_private, decision_public
from safegen.review import queue
from safegen.review.export import SkippedCases, labelled_rows
from safegen.screening import screen
from safegen.types import Held, Request

from .conftest import opened

NAMES = ("Mickey Mouse", "Batman", "Darth Vader", "Pikachu", "Super Mario")


def test_decided_prompts_are_rows_and_the_rest_is_counted(root: Path, tmp_path: Path) -> None:
    with opened(root) as ledger:
        indexes = []
        for i, name in enumerate(NAMES):
            decision = screen(Request(f"{name} riding a bicycle"))
            assert isinstance(decision, Held)
            private = decision_private(decision, keep_prompt=i != 3)
            indexes.append(ledger.append("decision", decision_public(decision), private))
        queue.record_review(ledger, indexes[0], "approve", reviewer="Ada")
        queue.record_review(ledger, indexes[1], "deny", reviewer="Ada")
        queue.record_review(ledger, indexes[2], "deny", reviewer="Ada")
        queue.record_review(ledger, indexes[2], "appeal", reviewer="Bo")
        queue.record_review(ledger, indexes[3], "deny", reviewer="Ada")
        left = SkippedCases()
        got = {r["id"]: r for r in labelled_rows(ledger, left)}
    assert {r["text"]: r["label"] for r in got.values()} == {
        "Mickey Mouse riding a bicycle": "safe",
        "Batman riding a bicycle": "unsafe",
    }
    row = got[f"review-{indexes[0]}"]
    assert (row["category"], row["source"]) == ("copyright_ip", "review")
    assert len(row["policy"]["sha256"]) == 64
    assert {c["name"] for c in row["checks"]} >= {"rules", "classifier"}
    assert (left.undecided, left.passed, left.no_prompt) == (2, 0, 1)

    out = tmp_path / "rows.jsonl"
    ran = CliRunner().invoke(group, ["review", "export", "-o", str(out), "--workspace", str(root)])
    assert ran.exit_code == 0, ran.output
    assert [json.loads(line)["label"] for line in out.read_text().splitlines()] == ["unsafe", "safe"]
    again = CliRunner().invoke(group, ["review", "export", "--json", "--workspace", str(root)])
    assert json.loads(again.stdout)["rows"] == 2
    # what comes out goes in: the screen and the policies read it as labelled prompts
    compared = CliRunner().invoke(
        group, ["policy", "diff", "default", "strict", "--prompts", str(out), "--json"]
    )
    assert set(json.loads(compared.output)["outcomes"]) == {"safe", "unsafe"}


def test_a_reviewed_and_changed_mind_counts_once(root: Path) -> None:
    decision = screen(Request("Batman riding a bicycle"))
    assert isinstance(decision, Held)
    with opened(root) as ledger:
        private = decision_private(replace(decision), keep_prompt=True)
        index = ledger.append("decision", decision_public(decision), private)
        for act in ("deny", "appeal", "approve"):
            queue.record_review(ledger, index, act, reviewer="Ada")  # type: ignore[arg-type]
        assert [r["label"] for r in labelled_rows(ledger, SkippedCases())] == ["safe"]
