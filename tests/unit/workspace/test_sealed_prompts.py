"""Held prompts: shown to the reviewer, to nobody else, for nothing else, and not for ever."""

from __future__ import annotations

import json
import stat
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from click.testing import CliRunner

from safegen.cli import group
from safegen.ledger.store import Ledger
from safegen.pipeline.ledger_records import append_decision, decision_public
from safegen.review.queue import record_review, spend_approval
from safegen.types import Allowed, Decision, Finding, Held, PolicyRef, Request, Shot
from safegen.workspace.config import Workspace, find_workspace
from safegen.workspace.sealed_prompts import (
    KEY_NAME,
    open_sealed_prompt,
    remove_old_prompts,
    remove_sealed_prompt,
)
from safegen.workspace.session import open_ledger_for_writing

PROMPT, NEGATIVE, SHOT = "a doubtful sentence about nothing", "dense fog at noon", "a second doubtful scene"
POLICY = PolicyRef("default", "ab" * 32)
HELD = Held(
    Request(PROMPT, negative_prompt=NEGATIVE, shots=(Shot(0, SHOT),)),
    POLICY,
    (),
    (Finding("hate", 0.7, "rules", "the words 'doubtful sentence'", threshold=0.6),),
    score=0.7,
)


@pytest.fixture
def root(in_memory: Path) -> Path:
    return in_memory / "studio"


@pytest.fixture
def opened(root: Path) -> Iterator[tuple[Workspace, Ledger]]:
    space = find_workspace(root)
    with open_ledger_for_writing(space, create=True) as ledger:
        yield space, ledger


def hold(space: Workspace, ledger: Ledger, decision: Decision = HELD) -> int:
    session: Any = SimpleNamespace(workspace=space, ledger=ledger)
    return append_decision(session, decision, decision_public(decision))


def sealed(root: Path) -> list[Path]:
    return sorted((root / "held" / "prompts").glob("*")) if (root / "held").exists() else []


def shown(root: Path, index: int) -> dict[str, Any]:
    done = CliRunner().invoke(group, ["review", "show", str(index), "--workspace", str(root), "--json"])
    assert done.exit_code == 0, done.output
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def settings(root: Path, text: str) -> Workspace:
    (root / "safegen.toml").write_text(f"format = 1\n{text}\n")
    return find_workspace(root)


def test_the_reviewer_sees_what_was_held(root: Path, opened: tuple[Workspace, Ledger]) -> None:
    index = hold(*opened)
    found = shown(root, index)
    assert (found["prompt"], found["negative_prompt"]) == (PROMPT, NEGATIVE)
    assert found["storyboard"] == [{"at": "0.0", "prompt": SHOT}]
    assert "doubtful sentence" in found["findings"][0]["reason"]
    said = CliRunner().invoke(group, ["review", "show", str(index), "--workspace", str(root)]).output
    assert PROMPT in said and SHOT in said and NEGATIVE in said


def test_no_file_has_it_in_plain_words(
    root: Path, opened: tuple[Workspace, Ledger], caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level("DEBUG"):
        index = hold(*opened)
        shown(root, index)
    files = [p for p in root.rglob("*") if p.is_file()]
    assert sealed(root)[0] in files and root / "ledger.db" in files
    for text in (PROMPT, NEGATIVE, SHOT, "doubtful"):
        assert not [p for p in files if text.encode() in p.read_bytes()]
        assert text not in caplog.text
    for path in (sealed(root)[0], root / "keys" / KEY_NAME):
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE((root / "held" / "prompts").stat().st_mode) == 0o700


@pytest.mark.parametrize("text", ["[privacy]\nkeep_prompts = true", "[review]\nseal_prompts = false"])
def test_nothing_is_sealed_where_it_is_kept_or_unwanted(
    root: Path, opened: tuple[Workspace, Ledger], text: str
) -> None:
    hold(settings(root, text), opened[1])
    assert sealed(root) == []


def test_only_held_prompts_are_sealed(root: Path, opened: tuple[Workspace, Ledger]) -> None:
    hold(*opened, Allowed(Request(PROMPT), POLICY, ()))
    hold(*opened, Held(Request("", model=""), POLICY, ()))
    assert sealed(root) == []


def test_a_sealed_prompt_of_another_case_is_not_shown(root: Path, opened: tuple[Workspace, Ledger]) -> None:
    first, second = hold(*opened), hold(*opened, Held(Request("another sentence"), POLICY, ()))
    one, two = sealed(root)
    two.write_bytes(one.read_bytes())
    assert shown(root, first)["prompt"] == PROMPT
    found = shown(root, second)
    assert found["prompt"] is None
    assert "belongs to another decision" in found["prompt_absent"]


@pytest.mark.parametrize(
    "data", [b"", b"safegen-sealed/1\n", b"safegen-sealed/1\n" + bytes(99), b"\xff" * 400]
)
def test_damage_is_said(root: Path, opened: tuple[Workspace, Ledger], data: bytes) -> None:
    index = hold(*opened)
    sealed(root)[0].write_bytes(data)
    found = shown(root, index)
    assert found["prompt"] is None and "cannot be opened" in found["prompt_absent"]


def test_a_lost_key_is_said(root: Path, opened: tuple[Workspace, Ledger]) -> None:
    index = hold(*opened)
    (root / "keys" / KEY_NAME).unlink()
    assert KEY_NAME in shown(root, index)["prompt_absent"]
    (root / "keys" / KEY_NAME).write_bytes(b"short")
    (root / "keys" / KEY_NAME).chmod(0o600)
    assert "is not a key" in shown(root, index)["prompt_absent"]


def test_the_digests_of_the_ledger_decide(opened: tuple[Workspace, Ledger]) -> None:
    space, ledger = opened
    entry = ledger.entry(hold(space, ledger))
    private = ledger.private(entry.index)
    assert private is not None
    assert open_sealed_prompt(space, entry, private)[0] is not None
    found, why = open_sealed_prompt(space, entry, {**private, "prompt_sha256": "00" * 32})
    assert found is None and "not what the ledger recorded" in why


def test_it_goes_some_days_after_the_decision(root: Path, opened: tuple[Workspace, Ledger]) -> None:
    space, ledger = opened
    index, now = hold(space, ledger), datetime.now(UTC)
    remove_old_prompts(space, ledger, now + timedelta(days=999))
    assert len(sealed(root)) == 1, "while the case waits"
    record_review(ledger, index, "deny", reviewer="Ada")
    remove_old_prompts(space, ledger, now + timedelta(days=29))
    assert len(sealed(root)) == 1
    record_review(ledger, index, "appeal", reviewer="Bo")
    remove_old_prompts(space, ledger, now + timedelta(days=999))
    assert len(sealed(root)) == 1, "an appeal needs it"
    record_review(ledger, index, "deny", reviewer="Ada")
    remove_old_prompts(space, ledger, datetime.now(UTC) + timedelta(days=30))
    assert sealed(root) == []
    assert "not kept" in shown(root, index)["prompt_absent"]


def test_what_an_approval_let_through_needs_no_person(root: Path, opened: tuple[Workspace, Ledger]) -> None:
    space, ledger = opened
    first = hold(space, ledger)
    record_review(ledger, first, "approve", reviewer="Ada")
    second = hold(space, ledger)
    spend_approval(ledger, first, HELD, recorded=second)
    remove_old_prompts(space, ledger, datetime.now(UTC) + timedelta(days=31))
    assert sealed(root) == []


def test_at_once_where_no_days_are_given(root: Path, opened: tuple[Workspace, Ledger]) -> None:
    index = hold(*opened)
    settings(root, "[review]\nkeep_days = 0")
    done = CliRunner().invoke(group, ["review", "deny", str(index), "--workspace", str(root)])
    assert done.exit_code == 0, done.output
    assert sealed(root) == []


def test_a_redaction_takes_it_along(root: Path, opened: tuple[Workspace, Ledger]) -> None:
    index, other = hold(*opened), hold(*opened)
    done = CliRunner().invoke(group, ["log", "redact", str(index), "-y", "--workspace", str(root)])
    assert done.exit_code == 0, done.output
    assert [p.name for p in sealed(root)] == [f"{other}.sealed"]
    assert shown(root, index)["prompt_absent"] == "redacted"
    opened[1].redact(other)
    assert shown(root, other)["prompt"] is None, "whoever redacts past the command is not betrayed either"
    remove_old_prompts(*opened, datetime.now(UTC) + timedelta(days=31))
    assert sealed(root) == []


def test_what_belongs_to_no_case_stays(root: Path, opened: tuple[Workspace, Ledger]) -> None:
    hold(*opened)
    (root / "held" / "prompts" / "99.sealed").write_bytes(b"of a ledger that went back")
    (root / "held" / "prompts" / "notes.txt").write_bytes(b"mine")
    remove_old_prompts(*opened, datetime.now(UTC) + timedelta(days=999))
    assert len(sealed(root)) == 3
    remove_sealed_prompt(opened[0], 1234)


def test_a_folder_that_cannot_be_written_to_holds_all_the_same(
    root: Path, opened: tuple[Workspace, Ledger], caplog: pytest.LogCaptureFixture
) -> None:
    (root / "held").write_bytes(b"in the way")
    index = hold(*opened)
    assert "cannot be kept" in caplog.text
    assert opened[1].entry(index).public["outcome"] == "review"
    assert "not kept" in shown(root, index)["prompt_absent"]
