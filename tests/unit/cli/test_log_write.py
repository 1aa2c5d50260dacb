"""``safegen log``: the commands that write."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from safegen.cli import group
from safegen.errors import UsageError
from safegen.ledger.records import ReleaseRecord
from safegen.workspace.config import find_workspace
from safegen.workspace.session import open_ledger_for_writing


@pytest.fixture
def root(in_memory: Path) -> Path:
    """A workspace with a decision (0) and two releases (1, 2)."""
    from safegen.keys.identity import Identity

    space = find_workspace(in_memory / "studio")
    space.create()
    Identity.load_or_create(space.keys, name="Studio Nord")
    (space.root / "ledger.db").touch(mode=0o600)
    with open_ledger_for_writing(space) as ledger:
        ledger.append("decision", {"outcome": "allow"}, {"prompt": "a secret wish"})
        with ledger.transaction() as batch:
            for n in (1, 2):
                record = ReleaseRecord(f"urn:c2pa:{n}", b"manifest", n, "tile")
                batch.release(record, sha256=f"{n:064x}", size=1)
    return space.root


def run(root: Path, *arguments: str) -> Result:
    return CliRunner().invoke(group, [*arguments, "--workspace", str(root)])


def answer(root: Path, *arguments: str) -> dict[str, object]:
    done = run(root, *arguments, "--json")
    assert done.exit_code == 0, done.output
    return json.loads(done.stdout)


def test_redact_asks_and_forgets(root: Path) -> None:
    refused = CliRunner().invoke(group, ["log", "redact", "0", "--workspace", str(root)], input="n\n")
    assert refused.exit_code != 0
    shown = answer(root, "log", "show", "0", "--private")
    assert shown["private"] == {"prompt": "a secret wish"}
    answer(root, "log", "redact", "0", "--yes")
    assert answer(root, "log", "show", "0", "--private")["private"] is None
    assert answer(root, "log", "check")["redacted"] == 1
    assert b"a secret wish" not in (root / "ledger.db").read_bytes()


def test_withdraw_and_supersede(root: Path) -> None:
    at = answer(root, "log", "supersede", "1", "2", "--reason", "a better cut")["withdrawn_by_entry"]
    public = answer(root, "log", "show", str(at))["public"]
    assert public["superseded_by"] == {"release": 2, "manifest_id": "urn:c2pa:2"}
    for old, new in (("1", "2"), ("2", "1"), ("2", "2"), ("2", "0"), ("0", "2")):
        assert isinstance(run(root, "log", "supersede", old, new).exception, UsageError), (old, new)
    again = answer(root, "log", "withdraw", "1", "--reason", "once more")
    assert again["withdrawn_by_entry"] == at
    answer(root, "log", "withdraw", "2", "--reason", "a mistake")
    assert answer(root, "log", "check")["ok"]


def test_checkpoint_and_export(root: Path, tmp_path: Path) -> None:
    head = answer(root, "log", "checkpoint")
    assert head["size"] == 3
    file = tmp_path / "head.txt"
    assert run(root, "log", "checkpoint", "-o", str(file)).exit_code == 0
    assert file.read_text() == head["note"]
    lines = tmp_path / "log.jsonl"
    assert run(root, "log", "export", "-o", str(lines)).exit_code == 0
    assert [json.loads(x)["kind"] for x in lines.read_text().splitlines()] == [
        "decision",
        "release",
        "release",
    ]
    assert "secret" not in lines.read_text()
    assert isinstance(run(root, "log", "export", "-o", str(lines)).exception, UsageError)


def test_withdrawals_and_reviews_are_listed_with_what_they_are_about(root: Path) -> None:
    answer(root, "log", "withdraw", "2", "--reason", "a mistake")
    listed = run(root, "log", "list", "--kind", "withdrawal").stdout
    assert "a mistake" in listed
    assert "entry 2" in listed


def test_an_approval_is_not_tried(root: Path) -> None:
    done = run(root, "generate", "a red ball", "--approval", "0", "--dry-run")
    assert isinstance(done.exception, UsageError)


def test_stamp_needs_an_authority(root: Path) -> None:
    assert "tsa_url" in run(root, "log", "stamp").exception.hint
