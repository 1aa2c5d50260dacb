"""Somebody with the database file rewrites history: ``check`` and the next write must notice."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from safegen.errors import LedgerError
from safegen.ledger import CheckReport, Ledger, LogSigner, ReleaseRecord, sign_checkpoint
from safegen.ledger.canonical import canonical, commitment, parse_leaf
from safegen.ledger.merkle import Frontier, leaf_hash, node_id

from .conftest import OpenLedger

Attack = Callable[[sqlite3.Connection], object]


@pytest.fixture
def victim(fresh: Path, open_ledger: OpenLedger) -> Path:
    """Ten entries; 7 is a release, 8 withdraws it, 9 is another release."""
    with open_ledger() as ledger:
        for number in range(7):
            ledger.append("decision", {"number": number}, {"prompt": f"p{number}"})
        for payload in (1, 2):
            with ledger.transaction() as batch:
                record = ReleaseRecord(
                    f"urn:{payload}", b"m%d" % payload, payload, "a", descriptors=b"d%d" % payload
                )
                batch.release(record, sha256=f"{payload:064x}", size=3)
            if payload == 1:
                ledger.withdraw(7, "test")
        assert ledger.check().ok
    return fresh


def codes(open_ledger: OpenLedger, **options: object) -> set[str]:
    with open_ledger(read_only=True, **options) as ledger:
        return {problem.code for problem in ledger.check().problems}


def attack(path: Path, script: str | Attack) -> None:
    raw = sqlite3.connect(path)
    raw.execute("PRAGMA foreign_keys=OFF")
    if callable(script):
        script(raw)
    else:
        raw.executescript(script)
    raw.commit()
    raw.close()


SCRIPTS = {
    "edit a column": ("UPDATE ledger_entry SET kind='audit' WHERE position=3", {"entry-columns"}),
    "edit a leaf": (
        "UPDATE ledger_entry SET leaf=CAST(replace(leaf,'\"number\":3','\"number\":9') AS BLOB)",
        {"tree-changed", "forked"},
    ),
    "garbage leaf": ("UPDATE ledger_entry SET leaf=x'00' WHERE position=3", {"entry-corrupt", "forked"}),
    "drop the last": ("DELETE FROM ledger_entry WHERE position=9", {"entry-missing", "forked"}),
    "drop one in the middle": ("DELETE FROM ledger_entry WHERE position=4", {"entry-missing", "forked"}),
    "swap two": (
        """UPDATE ledger_entry SET position=-1 WHERE position=2;
           UPDATE ledger_entry SET position=2 WHERE position=3;
           UPDATE ledger_entry SET position=3 WHERE position=-1""",
        {"forked", "private-changed"},
    ),
    "add one": (
        "INSERT INTO ledger_entry SELECT 10, kind, time, leaf FROM ledger_entry WHERE position=1",
        {"size-changed", "not-covered"},
    ),
    "edit a node": ("UPDATE ledger_node SET hash=zeroblob(32) WHERE id=5", {"tree-changed"}),
    "drop a node": ("DELETE FROM ledger_node WHERE id=5", {"tree-changed"}),
    "edit a private part": ("UPDATE ledger_secret SET body='{}' WHERE position=1", {"private-changed"}),
    "drop a private part": ("DELETE FROM ledger_secret WHERE position=1", {"private-missing"}),
    "blank a private part": ("UPDATE ledger_secret SET body=NULL WHERE position=1", {"private-missing"}),
    "edit a blob": ("UPDATE ledger_blob SET data='x' WHERE data=CAST('m1' AS BLOB)", {"blob-changed"}),
    "drop a blob": ("DELETE FROM ledger_blob WHERE data=CAST('m1' AS BLOB)", {"blob-missing"}),
    "another payload": ("UPDATE ledger_release SET content_id=77 WHERE position=9", {"release-changed"}),
    "another file": ("UPDATE ledger_release SET sha256='00' WHERE position=9", {"release-changed"}),
    "drop the details": ("DELETE FROM ledger_release WHERE position=9", {"release-missing"}),
    "invent a release": (
        """INSERT INTO ledger_release SELECT 1, sha256, manifest_id, content_id, watermark_alg, manifest,
           manifest_json, descriptors, attributes, withdrawn FROM ledger_release WHERE position=9""",
        {"release-invented"},
    ),
    "hide a withdrawal": ("UPDATE ledger_release SET withdrawn=NULL", {"withdrawal-changed"}),
    "invent a withdrawal": ("UPDATE ledger_release SET withdrawn=8", {"withdrawal-changed"}),
    "shrink the size": ("UPDATE ledger_state SET size=3", {"size-changed"}),
    "drop the checkpoints": ("DELETE FROM ledger_checkpoint", {"not-covered"}),
    "garbage checkpoint": ("UPDATE ledger_checkpoint SET note='x' WHERE size=5", {"checkpoint-corrupt"}),
    "edited checkpoint": (
        "UPDATE ledger_checkpoint SET note=replace(note, char(10)||'5', char(10)||'4') WHERE size=5",
        {"checkpoint-forged"},
    ),
}


@pytest.mark.parametrize("name", SCRIPTS)
def test_edits_are_found(victim: Path, open_ledger: OpenLedger, name: str) -> None:
    script, expected = SCRIPTS[name]
    attack(victim, script)
    assert expected <= codes(open_ledger)


def rewritten(raw: sqlite3.Connection, signer: LogSigner) -> None:
    """Change entry 3 and redo everything in the database that depends on it, with the log's own key."""
    raw.execute("DELETE FROM ledger_node")
    raw.execute("DELETE FROM ledger_checkpoint")
    edge = Frontier()
    for position, leaf, salt, body in raw.execute(
        "SELECT position, leaf, salt, body FROM ledger_entry JOIN ledger_secret USING (position) ORDER BY 1"
    ).fetchall():
        if position == 3:
            value = parse_leaf(leaf)
            leaf = canonical(value | {"public": {"number": 33}, "commitment": commitment(salt, body)})
            raw.execute("UPDATE ledger_entry SET leaf=? WHERE position=3", (leaf,))
        for node, value in edge.append(leaf_hash(leaf)):
            raw.execute("INSERT INTO ledger_node VALUES (?,?)", (node_id(node), value))
        raw.execute(
            "INSERT INTO ledger_checkpoint VALUES (?,?)",
            (edge.size, sign_checkpoint(signer, edge.size, edge.root())),
        )


def test_a_rewrite_with_the_key_is_caught_by_the_checkpoints_outside(
    victim: Path, open_ledger: OpenLedger, signer: LogSigner
) -> None:
    attack(victim, lambda raw: rewritten(raw, signer))
    assert codes(open_ledger, checkpoint_dir=None) == set(), "the database alone looks sound"
    assert codes(open_ledger) == {"forked"}
    with open_ledger() as ledger, pytest.raises(LedgerError, match="does not contain"):
        ledger.append("audit", {})


def test_a_rewrite_without_the_key(victim: Path, open_ledger: OpenLedger, signer: LogSigner) -> None:
    thief = LogSigner(signer.origin, Ed25519PrivateKey.generate())
    attack(victim, lambda raw: rewritten(raw, thief))
    assert "checkpoint-forged" in codes(open_ledger, checkpoint_dir=None)
    with open_ledger(signer=None, checkpoint_dir=None, read_only=True) as ledger:
        assert {p.code for p in ledger.check().problems} == {"keys-missing"}, "unchecked is not sound"


def test_an_older_copy_is_caught(victim: Path, open_ledger: OpenLedger, tmp_path: Path) -> None:
    shutil.copy(victim, tmp_path / "old.db")
    with open_ledger() as ledger:
        ledger.append("audit", {})
    shutil.copy(tmp_path / "old.db", victim)
    assert codes(open_ledger) == {"rolled-back"}
    with open_ledger() as ledger:
        with pytest.raises(LedgerError, match="does not contain") as caught:
            ledger.append("audit", {})
        assert "rolled back" in caught.value.hint
        with pytest.raises(LedgerError):
            ledger.checkpoint()


def test_a_fresh_database_under_old_checkpoints(victim: Path, open_ledger: OpenLedger) -> None:
    victim.unlink()
    with open_ledger() as ledger, pytest.raises(LedgerError, match="does not contain"):
        ledger.append("audit", {})


def test_a_fork_is_caught_by_a_returning_proof(
    victim: Path, open_ledger: OpenLedger, tmp_path: Path, signer: LogSigner
) -> None:
    """Both the database and its checkpoints are rewritten, but a sidecar is still somewhere."""
    with open_ledger() as ledger:
        proof = ledger.prove(9)
    attack(victim, lambda raw: rewritten(raw, signer))
    (tmp_path / "checkpoints/checkpoints.txt").unlink()
    with open_ledger() as ledger:
        ledger.append("audit", {})
    assert codes(open_ledger) == set()
    (tmp_path / "checkpoints/returned.tlog-proof").write_text(proof)
    assert codes(open_ledger) == {"forked"}


def test_checkpoints_outside(
    victim: Path, open_ledger: OpenLedger, tmp_path: Path, signer: LogSigner
) -> None:
    file = tmp_path / "checkpoints/checkpoints.txt"
    text = file.read_text()
    file.write_text(text[:-40])  # torn by a power cut
    report = check(open_ledger)
    assert report.ok and any("end at 9 of 10" in note for note in report.notes)
    with open_ledger() as ledger:
        ledger.append("audit", {})
    assert check(open_ledger).ok
    file.write_text(file.read_text() + sign_checkpoint(LogSigner("example.com/x", signer.key), 3, bytes(32)))
    assert codes(open_ledger) == {"checkpoint-foreign"}
    file.write_text("")
    assert codes(open_ledger) == {"checkpoints-missing"}
    file.unlink()
    assert codes(open_ledger) == {"checkpoints-missing"}


def check(open_ledger: OpenLedger) -> CheckReport:
    with open_ledger(read_only=True) as ledger:
        return ledger.check()


def test_changed_blobs_are_never_handed_out(victim: Path, open_ledger: OpenLedger) -> None:
    attack(victim, "UPDATE ledger_blob SET data='x' WHERE data=CAST('m2' AS BLOB)")
    with open_ledger(read_only=True) as ledger, pytest.raises(LedgerError, match="changed"):
        ledger.find_releases(content_id=2)


def test_changed_search_columns(victim: Path, open_ledger: OpenLedger) -> None:
    attack(victim, "UPDATE ledger_release SET content_id=77, manifest_id='urn:evil' WHERE position=9")
    with open_ledger(read_only=True) as ledger:
        for wrong in ({"content_id": 77}, {"manifest_id": "urn:evil"}):
            with pytest.raises(LedgerError, match="changed"):
                ledger.find_releases(**wrong)
        assert ledger.find_releases(sha256=f"{2:064x}")[0].content_id == 2


def test_changed_private_parts_are_never_handed_out(victim: Path, open_ledger: OpenLedger) -> None:
    attack(victim, "UPDATE ledger_secret SET body='{}' WHERE position=1")
    with open_ledger(read_only=True) as ledger, pytest.raises(LedgerError, match="changed"):
        ledger.private(1)


def test_a_changed_tree_gives_no_proofs(victim: Path, open_ledger: OpenLedger) -> None:
    attack(victim, "UPDATE ledger_node SET hash=zeroblob(32) WHERE id < 16")
    with open_ledger(read_only=True) as ledger, pytest.raises(LedgerError, match="contradicts"):
        ledger.prove(1)


def test_a_damaged_file(victim: Path, open_ledger: OpenLedger) -> None:
    data = bytearray(victim.read_bytes())
    for at in range(4096, len(data), 4096):
        data[at : at + 64] = b"\xff" * 64
    victim.write_bytes(data)
    with pytest.raises(LedgerError) as caught:
        codes(open_ledger)
    assert caught.value.hint


def test_time_running_backwards_is_a_note(open_ledger: OpenLedger) -> None:
    with open_ledger() as ledger:
        ledger.append("audit", {})
        ledger.append("audit", {})
    with open_ledger() as ledger:  # a fresh clock starts again
        ledger.append("audit", {})
        report = ledger.check()
    assert report.ok and report.notes == ("entry 2 is dated before its predecessor",)


def test_a_wrecked_ledger_lists_a_bounded_number(ledger: Ledger, tmp_path: Path) -> None:
    from safegen.ledger import Draft

    ledger.append_many([Draft("audit", {}) for _ in range(300)])
    attack(tmp_path / "ledger.db", "UPDATE ledger_secret SET body='1'")
    assert len(ledger.check().problems) == 100
