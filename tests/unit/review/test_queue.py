"""The review queue: what a person decides, how often it counts, and what it never lets through."""

from __future__ import annotations

import json
import multiprocessing
import sqlite3
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from safegen.cli import group
from safegen.errors import HeldForReview, LedgerError, UsageError
from safegen.ledger import Ledger
from safegen.pipeline.ledger_records import decision_private, decision_public
from safegen.review import queue
from safegen.types import CheckRun, Finding, Held, Input, PolicyRef, Request, Shot

from .conftest import opened

PROMPT = "a doubtful sentence about nothing"
HELD = Held(
    Request(PROMPT, negative_prompt="fog"),
    PolicyRef("default", "ab" * 32),
    (CheckRun("rules", "3", None, 0.7),),
    (Finding("hate", 0.7, "rules", "the words 'doubtful sentence'", threshold=0.6),),
    score=0.7,
)


@pytest.fixture
def ledger(root: Path) -> Ledger:
    return opened(root)


def hold(ledger: Ledger, decision: Held = HELD, *, keep: bool = False) -> int:
    return ledger.append("decision", decision_public(decision), decision_private(decision, keep_prompt=keep))


def spend(ledger: Ledger, index: int, decision: Held = HELD) -> queue.Approval:
    return queue.spend_approval(ledger, index, decision, recorded=hold(ledger, decision))


def test_an_approval_passes_the_same_request_once(ledger: Ledger) -> None:
    index = hold(ledger)
    assert [c.index for c in queue.list_cases(ledger)] == [index]
    assert queue.record_review(ledger, index, "approve", reviewer="Ada").status == "approved"
    used = spend(ledger, index)
    assert ledger.entry(used.entry).public == {"decision": index, "act": "approve", "reviewer": "Ada"}
    with pytest.raises(HeldForReview, match="is used"):
        spend(ledger, index)
    passed = ledger.entry(used.use).public["passes"]
    assert queue.load_case(ledger, passed).status == "passed"
    assert index not in [c.index for c in queue.list_cases(ledger)]
    with pytest.raises(UsageError, match="is passed"):
        queue.record_review(ledger, passed, "approve", reviewer="Ada")
    queue.record_review(ledger, index, "approve", reviewer="Ada")
    with pytest.raises(HeldForReview, match="not the approval that counts"):
        spend(ledger, used.entry)
    assert spend(ledger, index).entry > used.entry


@pytest.mark.parametrize("act", ["approve", "deny", "appeal"])
def test_the_number_of_a_step_decides_about_no_case(ledger: Ledger, act: Any) -> None:
    """A number read off an approval, or mistyped, is not taken for the decision that it is about."""
    first, second = hold(ledger), hold(ledger, replace(HELD, request=Request("another")))
    queue.record_review(ledger, first, "approve", reviewer="Ada")
    used = spend(ledger, first)
    queue.record_review(ledger, second, "deny", reviewer="Ada")
    before = len(ledger)
    for step in (used.entry, used.use, before - 1):
        with pytest.raises(
            UsageError, match=rf"entry {step} is itself a step of the review of decision"
        ) as error:
            queue.record_review(ledger, step, act, reviewer="Bo")
        assert "safegen review show" in error.value.hint
    assert len(ledger) == before
    assert queue.load_case(ledger, used.entry).index == first, "looking is harmless"


CLIP = Input("video", Path("a.mp4"), "11" * 32)


@pytest.mark.parametrize(
    ("approved", "asked", "what"),
    [
        ({}, {"sha256": "22" * 32}, "input"),
        ({}, {"sha256": ""}, "input"),
        ({"sha256": ""}, {"sha256": ""}, "input"),
        ({}, {"mode": "extend"}, "way of working"),
        ({}, {"strength": 0.7}, "strength"),
        ({}, {"strength": None}, "strength"),
        ({"shots": (Shot(0, "a"),)}, {"shots": (Shot(0, "b"),)}, "storyboard"),
        ({"shots": (Shot(0, "a"),)}, {"shots": (Shot(0.5, "a"),)}, "storyboard"),
    ],
)
def test_an_approval_covers_what_the_clip_is_made_from(
    ledger: Ledger, approved: dict[str, Any], asked: dict[str, Any], what: str
) -> None:
    def request(changes: dict[str, Any]) -> Held:
        values = {"mode": "edit", "strength": 0.5, **changes}
        inputs = (replace(CLIP, sha256=values.pop("sha256", CLIP.sha256)),)
        return replace(HELD, request=replace(HELD.request, inputs=inputs, **values))

    index = hold(ledger, request(approved))
    queue.record_review(ledger, index, "approve", reviewer="Ada")
    with pytest.raises(HeldForReview, match=f"a different {what}"):
        spend(ledger, index, request(asked))
    if approved != {"sha256": ""}:
        spend(ledger, index, request(approved))


@pytest.mark.parametrize(
    ("change", "what"),
    [
        ({"request": replace(HELD.request, prompt=PROMPT + " ")}, "prompt"),
        ({"request": replace(HELD.request, negative_prompt="")}, "negative prompt"),
        ({"request": replace(HELD.request, model="other")}, "model"),
        ({"policy": PolicyRef("default", "cd" * 32)}, "policy"),
    ],
)
def test_an_approval_is_for_exactly_one_request(ledger: Ledger, change: dict[str, object], what: str) -> None:
    index = hold(ledger)
    queue.record_review(ledger, index, "approve", reviewer="Ada")
    with pytest.raises(HeldForReview, match=f"a different {what}"):
        spend(ledger, index, replace(HELD, **change))
    spend(ledger, index)


def test_denied_appealed_and_decided(ledger: Ledger) -> None:
    index = hold(ledger)
    with pytest.raises(HeldForReview, match="is waiting"):
        spend(ledger, index)
    with pytest.raises(UsageError, match="cannot be appealed"):
        queue.record_review(ledger, index, "appeal", reviewer="Ada")
    queue.record_review(ledger, index, "deny", reviewer="Ada", reason="too close to a slur")
    with pytest.raises(UsageError, match="cannot be approved"):
        queue.record_review(ledger, index, "approve", reviewer="Ada")
    assert queue.record_review(ledger, index, "appeal", reviewer="Bo").status == "appealed"
    assert index in [c.index for c in queue.list_cases(ledger)]
    with pytest.raises(HeldForReview, match="is appealed"):
        spend(ledger, index)
    assert queue.record_review(ledger, index, "deny", reviewer="Cy").status == "finally denied"
    for act in ("approve", "appeal", "deny"):
        with pytest.raises(UsageError):
            queue.record_review(ledger, index, act, reviewer="Ada")
    with pytest.raises(HeldForReview, match="finally denied"):
        spend(ledger, index)
    other = hold(ledger)
    for act in ("deny", "appeal", "approve"):
        queue.record_review(ledger, other, act, reviewer="Ada")
    assert spend(ledger, other).decision == other


def test_an_unused_approval_can_be_taken_back(ledger: Ledger) -> None:
    index = hold(ledger)
    queue.record_review(ledger, index, "approve", reviewer="Ada")
    queue.record_review(ledger, index, "deny", reviewer="Ada")
    with pytest.raises(HeldForReview, match="is denied"):
        spend(ledger, index)


def test_a_redacted_decision_cannot_be_matched(ledger: Ledger) -> None:
    index = hold(ledger)
    queue.record_review(ledger, index, "approve", reviewer="Ada")
    ledger.redact(index)
    with pytest.raises(HeldForReview, match="a different prompt"):
        spend(ledger, index)


def test_only_held_decisions_have_a_case(ledger: Ledger) -> None:
    index = ledger.append("decision", {"outcome": "block"})
    with pytest.raises(UsageError, match="not a decision that waits"):
        queue.record_review(ledger, index, "approve", reviewer="Ada")
    with pytest.raises(UsageError, match="no entry"):
        queue.record_review(ledger, 99, "approve", reviewer="Ada")
    with pytest.raises(UsageError, match="reviewer's name"):
        queue.record_review(ledger, hold(ledger), "approve", reviewer=" ")


def test_reasons_and_prompts_stay_in_the_workspace(ledger: Ledger) -> None:
    index = hold(ledger)
    at = queue.record_review(ledger, index, "deny", reviewer="Ada", reason="quotes a slur").steps[-1].index
    assert "slur" not in json.dumps(list(ledger.export()))
    assert ledger.private(at) == {"reason": "quotes a slur"}
    private = ledger.private(index)
    assert private is not None
    assert PROMPT not in json.dumps(private)
    assert "doubtful" not in json.dumps(private)
    assert private["findings"][0]["category"] == "hate"
    shown = queue.record_review(
        ledger, index, "appeal", reviewer="Ada", reason="it is a film title", publish_reason=True
    )
    assert shown.steps[-1].public["reason"] == "it is a film title"


def test_a_denial_rewritten_in_the_database_approves_nothing(root: Path) -> None:
    with opened(root) as ledger:
        index = hold(ledger)
        at = queue.record_review(ledger, index, "deny", reviewer="Ada").steps[-1].index
        leaf = ledger.entry(at).leaf
    with sqlite3.connect(root / "ledger.db") as database:
        forged = leaf.replace(b'"deny"', b'"approve"')
        database.execute("UPDATE ledger_entry SET leaf = ? WHERE position = ?", (forged, at))
    with opened(root) as ledger, pytest.raises(LedgerError, match="differs from the one in the tree"):
        spend(ledger, index)


def _race(root: Path, index: int, gate: object, answers: object) -> None:
    with opened(root) as ledger:
        recorded = hold(ledger)
        gate.wait(300)  # type: ignore[attr-defined]
        try:
            queue.spend_approval(ledger, index, HELD, recorded=recorded)
            answers.put("passed")  # type: ignore[attr-defined]
        except HeldForReview:
            answers.put("held")  # type: ignore[attr-defined]


def test_of_two_processes_one_passes(root: Path) -> None:
    with opened(root) as ledger:
        index = hold(ledger)
        queue.record_review(ledger, index, "approve", reviewer="Ada")
    context = multiprocessing.get_context("spawn")
    gate, answers = context.Barrier(2), context.Queue()
    both = [context.Process(target=_race, args=(root, index, gate, answers)) for _ in range(2)]
    for process in both:
        process.start()
    try:
        found = sorted(answers.get(timeout=300) for _ in both)
        for process in both:
            process.join(300)
    finally:  # a child that is left alive would be waited for when this process ends
        for process in both:
            process.kill()
    assert found == ["held", "passed"]


def run(root: Path, *arguments: str) -> object:
    done = CliRunner().invoke(group, [*arguments, "--workspace", str(root), "--json"], catch_exceptions=False)
    assert done.exit_code == 0, done.output
    return json.loads(done.stdout)


def test_the_commands(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SAFEGEN_REVIEWER", "Ada")
    with opened(root) as ledger:
        index = str(hold(ledger, keep=True))
    assert [c["decision"] for c in run(root, "review", "list")] == [int(index)]
    run(root, "review", "deny", index, "--reason", "no")
    assert run(root, "review", "list") == []
    run(root, "review", "appeal", index, "--reviewer", "Bo")
    assert run(root, "review", "approve", index)["status"] == "approved"
    shown = run(root, "review", "show", index)
    assert [s["act"] for s in shown["steps"]] == ["deny", "appeal", "approve"]
    assert [s["reviewer"] for s in shown["steps"]] == ["Ada", "Bo", "Ada"]
    assert shown["prompt"] == PROMPT
    assert "no" in shown["reasons"].values()
    plain = CliRunner().invoke(group, ["review", "show", index, "--workspace", str(root)])
    assert PROMPT in plain.output
    assert "approve by Ada" in plain.output
