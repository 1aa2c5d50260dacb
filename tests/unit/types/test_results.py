"""Results show themselves: the JSON that the command line prints, byte for byte, and one short line."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from safegen.audit import json_report, texts_report
from safegen.cli._policy_view import diff_json, standing_json
from safegen.policies.difference import Change
from safegen.types import Held, JsonResult, Request
from safegen.verification.html_report import ReportItem
from tests.support import results

GOLDEN = Path(__file__).parents[2] / "data" / "json"
A, B = SimpleNamespace(name="a", digest="1"), SimpleNamespace(name="b", digest="2")
OTHERS: dict[str, Any] = {
    "held-private": lambda: results.decision(Held).to_dict(private=True),
    "detection-per-second": lambda: results.detection().to_dict(per_second=True),
    "report-unreadable": lambda: ReportItem(Path("/in/c.mp4"), error="cut short", exit_code=2).to_dict(),
    "audit-texts": lambda: texts_report.to_json(results.text_audit(), results.subject()),
    "audit-cell": lambda: json_report.cell_json(results.audit().cells[0]),
    "policy-diff": lambda: diff_json(A, B, [Change("x.y", 1, None)], results.comparison(), text=False),
    "policy-diff-text": lambda: diff_json(A, B, [], results.comparison(), text=True),
    "policy-explain": lambda: standing_json(results.decision(Held), results.standings()),
}
"""Forms with an argument, or made from several values."""


def golden(name: str) -> str:
    return (GOLDEN / f"{name}.json").read_text(encoding="utf-8").removesuffix("\n")


@pytest.mark.parametrize("name", results.SAMPLES)
def test_json_is_the_golden_byte_for_byte(name: str) -> None:
    result = results.SAMPLES[name]()
    assert isinstance(result, JsonResult)
    assert result.to_json() == golden(name)


@pytest.mark.parametrize("name", OTHERS)
def test_other_forms_are_the_golden_byte_for_byte(name: str) -> None:
    assert json.dumps(OTHERS[name](), ensure_ascii=False, indent=2) == golden(name)


def test_every_golden_has_its_test() -> None:
    assert {p.stem for p in GOLDEN.glob("*.json")} == {*results.SAMPLES, *OTHERS}


@pytest.mark.parametrize("name", results.SAMPLES)
def test_json_holds_json_types_only_and_no_result_changes_it(name: str) -> None:
    shown = results.SAMPLES[name]().to_dict()
    again = json.loads(json.dumps(shown, allow_nan=False))
    assert again == shown, "a tuple, an enumeration or a path is in it"


def test_to_json_takes_an_indent_and_a_private_form() -> None:
    held = results.decision(Held)
    assert "\n" not in held.to_json(None)
    assert held.to_json(private=True) == golden("held-private")
    assert results.PROMPT not in held.to_json(private=True)


@pytest.mark.parametrize(
    ("name", "line"),
    [
        ("release", "<Release Überlingen.mp4 id 0000000000001234 entry 4>"),
        ("allowed", "<Allowed by default, score 0.99 (violence, self_harm)>"),
        ("held", "<Held by default, score 0.99 (violence, self_harm)>"),
        ("refused", "<Refused by default, score 0.99 (violence, self_harm)>"),
        ("detection", "<Detection a.mp4: 0000000000001234>"),
        ("report", "<Report VERIFIED a.mp4>"),
        (
            "moderation",
            "<Moderation block a.mp4, 2 findings, nothing looked for nudity or dangerous content>",
        ),
        ("moderation-failed", "<FileOutcome b.mp4: not checked>"),
        ("compliance", "<ComplianceReport eu: not met, a.mp4>"),
        ("description", "<Description of 2.0 s: captions>"),
        ("reproduction", "<Reproduction different to release 4>"),
        ("entry", "<Entry 4 decision 2026-01-02T03:04:05Z>"),
        ("ledger-check", "<CheckReport log.example: 2 problems, 5 entries>"),
        ("ledger-release", "<ReleaseEntry 4 id 0000000000001234, withdrawn by 9>"),
        ("case", "<Case 4 approved>"),
        ("consent", "<Consent 3 live: likeness>"),
        ("variation-kept", "<Variation 2 seed 8: kept a-2.mp4>"),
        ("variation-failed", "<Variation 3 seed 9: failed>"),
        ("audit", "<AuditResult cannot say: Audit of tiny>"),
        ("pull-plan", "<PullPlan org/model: 1000 bytes to fetch>"),
        ("pinned-model", "<PinnedModel org/model at c0ffee, 1 files>"),
    ],
)
def test_repr_is_what_a_person_wants_to_know(name: str, line: str) -> None:
    assert repr(results.SAMPLES[name]()) == line


@pytest.mark.parametrize("name", results.SAMPLES)
def test_repr_is_one_short_line_without_prompts_and_bytes(name: str) -> None:
    line = repr(results.SAMPLES[name]())
    assert "\n" not in line and len(line) <= 200
    for secret in (results.PROMPT, "marmalade", "gherkin", "b'", "Ada"):
        assert secret not in line


def test_a_request_and_what_was_found_in_it_never_show_the_prompt() -> None:
    shown = repr((results.REQUEST, results.FINDINGS, results.decision(Held)))
    assert "marmalade" not in shown and "gherkin" not in shown


def test_results_are_equal_and_hash_as_before() -> None:
    assert Request(results.PROMPT, negative_prompt="gherkin rain", seed=7) == results.REQUEST
    assert results.decision(Held) == results.decision(Held)
    assert hash(results.reading()) == hash(results.reading())
