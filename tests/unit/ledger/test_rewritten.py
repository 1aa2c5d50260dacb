"""A whole database made anew, an older copy put back, deletions passed off as redactions: all are told."""

from __future__ import annotations

import shutil
import sqlite3
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from safegen.errors import LedgerError, UsageError
from safegen.ledger import Ledger, LogSigner, sign_checkpoint
from safegen.ledger.seen import SeenCheckpoints

from .conftest import OpenLedger
from .test_attacks import attack, codes, rewritten, victim  # noqa: F401

THIEF = LogSigner("example.com/thief", Ed25519PrivateKey.from_private_bytes(bytes(32)))


@pytest.fixture
def seen(tmp_path: Path, signer: LogSigner) -> SeenCheckpoints:
    return SeenCheckpoints(tmp_path / "state" / "logs", signer.vkey)


def taken_over(raw: sqlite3.Connection) -> None:
    """Everything rewritten under another name and key, the name in the state included."""
    rewritten(raw, THIEF)
    raw.execute("UPDATE ledger_state SET origin=?", (THIEF.origin,))


def test_a_rewrite_under_another_origin(
    victim: Path,  # noqa: F811
    open_ledger: OpenLedger,
    tmp_path: Path,
) -> None:
    attack(victim, taken_over)
    assert {"origin-changed", "checkpoint-foreign", "not-covered"} <= codes(open_ledger, checkpoint_dir=None)
    assert "forked" in codes(open_ledger)
    (tmp_path / "checkpoints/checkpoints.txt").unlink()
    assert {"origin-changed", "checkpoints-missing"} <= codes(open_ledger)
    with open_ledger() as ledger, pytest.raises(LedgerError, match="belongs to the log"):
        ledger.append("audit", {})


@pytest.mark.parametrize("origin", ["", "example.com/other", "example.com/log\n", "7"])
def test_only_the_origin_was_changed(victim: Path, open_ledger: OpenLedger, origin: str) -> None:  # noqa: F811
    attack(victim, lambda raw: raw.execute("UPDATE ledger_state SET origin=?", (origin,)))
    assert codes(open_ledger) == {"origin-changed"}


def test_the_expected_log_may_be_named(
    victim: Path,  # noqa: F811
    open_ledger: OpenLedger,
    signer: LogSigner,
) -> None:
    with open_ledger(signer=None, read_only=True) as ledger:
        assert {p.code for p in ledger.check().problems} == {"keys-missing"}
        assert {p.code for p in ledger.check(origin=signer.origin).problems} == {"keys-missing"}
        assert {p.code for p in ledger.check(keys=[signer.public_key]).problems} == {"keys-missing"}
        assert ledger.check(origin=signer.origin, keys=[signer.public_key]).ok
        wrong = ledger.check(origin=signer.origin, keys=[THIEF.public_key])
        assert {"checkpoint-forged", "not-covered"} <= {p.code for p in wrong.problems}


def test_a_file_without_a_checkpoint_is_told(
    victim: Path,  # noqa: F811
    open_ledger: OpenLedger,
    tmp_path: Path,
) -> None:
    (tmp_path / "checkpoints/notes.txt").write_text("nothing of the kind\n")
    assert codes(open_ledger) == {"checkpoint-unreadable"}


# --- redaction --------------------------------------------------------------------------------


def test_a_deletion_is_no_redaction(victim: Path, open_ledger: OpenLedger) -> None:  # noqa: F811
    attack(victim, "UPDATE ledger_secret SET salt=NULL, body=NULL, redacted='2026-01-02' WHERE position=3")
    assert codes(open_ledger) == {"redaction-unrecorded"}
    with open_ledger() as ledger:
        ledger.redact(3)  # as for one that an earlier version redacted
        assert ledger.check().ok and ledger.check().redacted == 1


def test_a_redaction_does_not_cover_another(victim: Path, open_ledger: OpenLedger) -> None:  # noqa: F811
    with open_ledger() as ledger:
        ledger.redact(2)
        assert ledger.entry(10).public == {"entry": 2}
    attack(victim, "UPDATE ledger_secret SET salt=NULL, body=NULL, redacted='2026-01-02' WHERE position=3")
    assert codes(open_ledger) == {"redaction-unrecorded"}


def test_marked_redacted_with_other_content(victim: Path, open_ledger: OpenLedger) -> None:  # noqa: F811
    attack(victim, "UPDATE ledger_secret SET body='{}', redacted='2026-01-02' WHERE position=3")
    assert codes(open_ledger) == {"private-changed"}


def test_a_redaction_that_was_undone(victim: Path, open_ledger: OpenLedger) -> None:  # noqa: F811
    raw = sqlite3.connect(victim)
    ((salt, body),) = raw.execute("SELECT salt, body FROM ledger_secret WHERE position=2")
    raw.close()
    with open_ledger() as ledger:
        ledger.redact(2)
    attack(
        victim,
        lambda raw: raw.execute(
            "UPDATE ledger_secret SET salt=?, body=?, redacted=NULL WHERE position=2", (salt, body)
        ),
    )
    assert codes(open_ledger) == {"redaction-undone"}


def test_a_redaction_is_redacted_by_nobody(ledger: Ledger) -> None:
    ledger.append("decision", {}, {"prompt": "p"})
    ledger.redact(0)
    ledger.redact(0)
    assert len(ledger) == 2
    for index in (1, 2):
        with pytest.raises(UsageError):
            ledger.redact(index)


# --- going back -------------------------------------------------------------------------------


def test_an_older_copy_of_everything_is_told(
    victim: Path,  # noqa: F811
    open_ledger: OpenLedger,
    tmp_path: Path,
    seen: SeenCheckpoints,
) -> None:
    """Database and checkpoints beside it: only the record kept elsewhere knows better."""
    folder = tmp_path / "checkpoints"
    shutil.copy(victim, tmp_path / "old.db")
    shutil.copytree(folder, tmp_path / "old")
    with open_ledger(seen=seen) as ledger:
        ledger.append("audit", {})
    shutil.copy(tmp_path / "old.db", victim)
    shutil.rmtree(folder)
    shutil.copytree(tmp_path / "old", folder)
    assert codes(open_ledger) == set(), "by itself it looks sound"
    assert codes(open_ledger, seen=seen) == {"rolled-back"}
    with open_ledger(seen=seen) as ledger:
        for refused in (ledger.refuse_fork, lambda: ledger.append("audit", {}), ledger.checkpoint):
            with pytest.raises(LedgerError, match="does not contain") as caught:
                refused()
            assert "rolled back" in caught.value.hint


def test_another_history_of_the_same_length(
    victim: Path,  # noqa: F811
    open_ledger: OpenLedger,
    tmp_path: Path,
    seen: SeenCheckpoints,
    signer: LogSigner,
) -> None:
    with open_ledger(seen=seen, read_only=True) as ledger:
        assert ledger.check().ok, "a check that finds nothing is remembered"
    attack(victim, lambda raw: rewritten(raw, signer))
    (tmp_path / "checkpoints/checkpoints.txt").unlink()
    assert "forked" in codes(open_ledger, seen=seen)
    with open_ledger(seen=seen) as ledger, pytest.raises(LedgerError, match="does not contain"):
        ledger.refuse_fork()


def test_a_checkpoint_that_came_back_stops_writing(
    victim: Path,  # noqa: F811
    open_ledger: OpenLedger,
    tmp_path: Path,
    signer: LogSigner,
) -> None:
    (tmp_path / "checkpoints/back.txt").write_text(sign_checkpoint(signer, 12, bytes(32)))
    assert codes(open_ledger) == {"rolled-back"}
    with open_ledger() as ledger, pytest.raises(LedgerError, match="12 entries"):
        ledger.refuse_fork()
    (tmp_path / "checkpoints/back.txt").write_text(sign_checkpoint(THIEF, 12, bytes(32)))
    with open_ledger() as ledger:
        ledger.refuse_fork()  # not of this log: for `check` to tell


def test_the_record_is_bounded_and_may_be_lost(
    fresh: Path, open_ledger: OpenLedger, seen: SeenCheckpoints, tmp_path: Path, signer: LogSigner
) -> None:
    for size in range(1, 600):
        seen.remember(sign_checkpoint(signer, size, bytes(32)))
    assert seen.path.stat().st_size < 2**17
    found = seen.latest(signer.origin)
    assert found is not None and found.claim.size == 599
    seen.remember(sign_checkpoint(signer, 5, bytes(32)))
    assert seen.latest(signer.origin) == found and seen.latest("example.com/x") is None
    seen.path.unlink()
    shutil.rmtree(tmp_path / "state")
    (tmp_path / "state").touch()
    with open_ledger(seen=seen) as ledger:
        ledger.append("audit", {})
        assert len(ledger) == 1
