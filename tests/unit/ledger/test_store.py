"""The ledger's daily work: append, find, prove, redact, withdraw, export, open, wait, refuse."""

from __future__ import annotations

import errno
import json
import os
import signal
import sqlite3
import stat
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from safegen.errors import KeyUnavailable, LedgerError, UsageError
from safegen.ledger import Draft, Ledger, LogSigner, ReleaseRecord, verify_checkpoint, verify_proof
from safegen.ledger.merkle import verify_consistency

from .conftest import OpenLedger

RECORD = ReleaseRecord(
    "urn:c2pa:1",
    b"jumbf",
    2**64 - 2,
    "test.v1",
    manifest_json={"big": 2**60},
    descriptors=b"\0\1",
    attributes=[{"name": "people", "p": 0.25}],
    public={"policy": "default"},
    private={"prompt": "a red ball"},
)


def release(ledger: Ledger, record: ReleaseRecord = RECORD, sha256: str = "ab" * 32) -> int:
    with ledger.transaction() as batch:
        return batch.release(record, sha256=sha256, size=7, sidecars=[{"suffix": ".vtt", "sha256": "00"}])


def test_append_and_read(ledger: Ledger) -> None:
    assert ledger.append("decision", {"outcome": "block"}, {"prompt": "secret"}) == 0
    assert ledger.append("audit", {"run": 1}) == 1
    entry = ledger.entry(0)
    assert (entry.kind, entry.time, entry.public) == (
        "decision",
        "2026-01-02T03:04:06.000Z",
        {"outcome": "block"},
    )
    assert b"secret" not in entry.leaf
    assert ledger.private(0) == {"prompt": "secret"} and ledger.private(1) is None
    assert [e.index for e in ledger.entries()] == [1, 0]
    assert [e.index for e in ledger.entries("audit")] == [1]
    assert [e.index for e in ledger.entries(before=1, limit=5)] == [0]
    assert len(ledger) == 2
    with pytest.raises(UsageError):
        ledger.entry(2)


def test_equal_entries_have_unequal_leaves(ledger: Ledger) -> None:
    first, second = ledger.append_many([Draft("audit", {}), Draft("audit", {})])
    assert ledger.entry(first).commitment != ledger.entry(second).commitment


def test_a_batch_is_all_or_nothing(ledger: Ledger) -> None:
    with pytest.raises(UsageError):
        ledger.append_many([Draft("audit", {}), Draft("audit", {"x": {1, 2}})])
    assert len(ledger) == 0
    assert ledger.append_many([Draft("audit", {"i": i}) for i in range(300)])[-1] == 299
    assert len(ledger.entries(limit=1000)) == 300
    assert ledger.append_many([]) == []
    assert ledger.check().ok


def test_release_is_found_by_everything(ledger: Ledger) -> None:
    index = release(ledger)
    for key in ({"sha256": "AB" * 32}, {"manifest_id": "urn:c2pa:1"}, {"content_id": 2**64 - 2}):
        (found,) = ledger.find_releases(**key)
        assert (found.index, found.manifest, found.descriptors) == (index, b"jumbf", b"\0\1")
        assert found.manifest_json == {"big": 2**60}
        assert found.attributes == ({"name": "people", "p": 0.25},)
        assert found.content_id == 2**64 - 2 and found.withdrawn is None
        assert found.entry.public["policy"] == "default"
        assert found.entry.public["content_id"] == "fffffffffffffffe"
    assert (
        ledger.find_releases(content_id=1)
        == ledger.find_releases(content_id=2**64)
        == ledger.find_releases(sha256="00")
        == ()
    )
    assert ledger.find_releases(sha256="ab" * 32, content_id=1) == ()
    with pytest.raises(UsageError):
        ledger.find_releases()
    assert "red ball" not in json.dumps(list(ledger.export()))


@pytest.mark.parametrize("payload", [0, 1, 2**63 - 1, 2**63, 2**64 - 1])
def test_payloads_are_unsigned(ledger: Ledger, payload: int) -> None:
    release(ledger, ReleaseRecord("m", b"", payload, "a"))
    assert ledger.content_ids() == (payload,)
    assert ledger.find_releases(content_id=payload)[0].content_id == payload
    assert ledger.check().ok


def test_unrecordable_releases(ledger: Ledger) -> None:
    for record in (
        ReleaseRecord("m", b"", 2**64, "a"),
        ReleaseRecord("m", b"", -1, "a"),
        ReleaseRecord("m", b"", 1, "a", public={"sha256": "x"}),
        ReleaseRecord("m", b"", 1, "a", manifest_json={"x": b""}),
    ):
        with pytest.raises(UsageError):
            release(ledger, record)
    assert len(ledger) == 0 and ledger.content_ids() == ()


def test_descriptors_come_page_by_page(ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("safegen.ledger.reader._PAGE", 2)
    for number in range(5):
        ledger.append("audit", {})
        release(ledger, ReleaseRecord("m", b"", number, "a", descriptors=bytes([number])))
    assert list(ledger.descriptors()) == [(2 * i + 1, bytes([i])) for i in range(5)]
    assert [line["index"] for line in ledger.export()] == list(range(10))


def test_withdrawal(ledger: Ledger) -> None:
    index = release(ledger)
    at = ledger.withdraw(index, "asked to")
    assert ledger.withdraw(index, "again") == at == 1
    assert ledger.find_releases(content_id=2**64 - 2)[0].withdrawn == at
    assert ledger.entry(at).public == {"release": index, "sha256": "ab" * 32, "reason": "asked to"}
    with pytest.raises(UsageError):
        ledger.withdraw(at, "not a release")
    assert ledger.check().ok


def test_redaction_leaves_the_tree(ledger: Ledger, tmp_path: Path, signer: LogSigner) -> None:
    ledger.append("decision", {"n": 1}, {"prompt": "forget-this-prompt"})
    proof = ledger.prove(0)
    ledger.redact(0)
    ledger.redact(0)
    assert ledger.private(0) is None
    report = ledger.check()
    assert report.ok and report.redacted == 1
    assert verify_proof(proof, logs={signer.origin: signer.public_key}).index == 0
    for path in tmp_path.rglob("*"):
        assert path.is_dir() or b"forget-this-prompt" not in path.read_bytes(), path
    with pytest.raises(UsageError):
        ledger.redact(1)


def test_checkpoints_grow_consistently(ledger: Ledger, signer: LogSigner, tmp_path: Path) -> None:
    logs, heads = {signer.origin: signer.public_key}, []
    for _ in range(9):
        ledger.append("audit", {})
        note = ledger.checkpoint()
        assert note in (tmp_path / "checkpoints/checkpoints.txt").read_text()
        heads.append(verify_checkpoint(note, logs=logs))
    for old in heads:
        for new in heads[old.size - 1 :]:
            proof = ledger.prove_consistency(old.size, new.size)
            verify_consistency(old.size, old.root, new.size, new.root, proof)
        assert ledger.root(old.size) == old.root
    with pytest.raises(UsageError):
        ledger.prove_consistency(3, 10)


def test_empty_ledger(ledger: Ledger, signer: LogSigner) -> None:
    assert len(ledger) == 0 and ledger.latest_checkpoint() is None and ledger.origin == signer.origin
    assert ledger.check().ok
    assert verify_checkpoint(ledger.checkpoint(), logs={signer.origin: signer.public_key}).size == 0
    assert ledger.check().ok
    with pytest.raises(UsageError):
        ledger.prove(0)


# --- opening ----------------------------------------------------------------------------------


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_several_processes_make_and_fill_it_together(open_ledger: OpenLedger) -> None:
    pids = []
    for worker in range(4):
        pid = os.fork()
        if pid == 0:
            signal.alarm(300)  # a child that hangs is not waited for for ever
            try:
                with open_ledger() as ledger:
                    for number in range(10):
                        ledger.append("audit", {"worker": worker, "number": number})
                os._exit(0)
            except BaseException as error:
                os.write(2, f"{error!r}\n".encode())
                os._exit(1)
        pids.append(pid)
    assert [os.waitpid(pid, 0)[1] for pid in pids] == [0] * 4
    with open_ledger() as ledger:
        assert len(ledger) == 40
        report = ledger.check()
        assert report.ok and report.checkpoints == 80
        for worker in range(4):
            mine = [e.public["number"] for e in ledger.entries() if e.public["worker"] == worker]
            assert mine == list(range(9, -1, -1))


def test_threads_share_a_ledger(ledger: Ledger) -> None:
    with ThreadPoolExecutor(4) as pool:
        indices = list(pool.map(lambda i: ledger.append("audit", {"i": i}), range(40)))
        assert sorted(indices) == list(range(40))
        assert all(pool.map(lambda i: ledger.entry(i).index == i, range(40)))
    assert ledger.check().ok


def test_checking_while_others_write(open_ledger: OpenLedger, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("safegen.ledger.fsck._PAGE", 3)
    with open_ledger() as ledger, open_ledger(read_only=True) as reader, ThreadPoolExecutor(1) as pool:

        def write() -> None:
            for number in range(25):
                index = release(ledger, ReleaseRecord("m", b"%d" % number, number, "a"))
                ledger.withdraw(index, "test")

        writing = pool.submit(write)
        while not writing.done():
            assert reader.check(keys=[ledger.signer.public_key]).problems == ()
        writing.result()
        assert reader.check().size == 50


def test_reopening_continues(open_ledger: OpenLedger) -> None:
    with open_ledger() as first:
        first.append("audit", {})
    with open_ledger() as second:
        assert second.append("audit", {}) == 1
        assert second.check().ok


def test_files_are_private(ledger: Ledger, tmp_path: Path) -> None:
    ledger.append("audit", {})
    for path in tmp_path.rglob("*"):
        assert stat.S_IMODE(path.stat().st_mode) == (0o700 if path.is_dir() else 0o600), path


def test_writing_needs_the_log_key(open_ledger: OpenLedger, signer: LogSigner) -> None:
    with open_ledger(signer=None) as ledger, pytest.raises(KeyUnavailable):
        ledger.append("audit", {})
    with open_ledger() as ledger:
        ledger.append("audit", {})
    with open_ledger(signer=LogSigner("example.com/else", signer.key)) as ledger:
        with pytest.raises(LedgerError, match=r"belongs to the log example\.com/log"):
            ledger.append("audit", {})
        assert ledger.origin == "example.com/log"


def state_of(folder: Path) -> dict[str, tuple[int, int, bytes]]:
    return {
        str(path): (
            path.stat().st_mtime_ns,
            path.stat().st_mode,
            path.read_bytes() if path.is_file() else b"",
        )
        for path in [folder, *folder.rglob("*")]
    }


def test_reading_touches_nothing(open_ledger: OpenLedger, tmp_path: Path) -> None:
    with open_ledger() as ledger:
        release(ledger)
    before = state_of(tmp_path)
    with open_ledger(read_only=True) as ledger:
        assert ledger.find_releases(content_id=2**64 - 2)
        assert ledger.check().ok and ledger.prove(0) and ledger.content_ids()
        for write in (lambda: ledger.append("audit", {}), lambda: ledger.redact(0), ledger.checkpoint):
            with pytest.raises(LedgerError, match="read-only"):
                write()
    assert state_of(tmp_path) == before


def test_reading_a_missing_ledger_creates_nothing(open_ledger: OpenLedger, tmp_path: Path) -> None:
    with pytest.raises(LedgerError, match="no ledger"):
        open_ledger(read_only=True)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "content", [b"not a database at all" * 100, b"", b"SQLite format 3\0" + b"\xff" * 4080]
)
def test_files_that_are_no_ledger(open_ledger: OpenLedger, tmp_path: Path, content: bytes) -> None:
    (tmp_path / "ledger.db").write_bytes(content)
    with pytest.raises(LedgerError) as caught:
        open_ledger(read_only=True)
    assert caught.value.hint
    if content:
        with pytest.raises(LedgerError):
            open_ledger()
    assert (tmp_path / "ledger.db").read_bytes() == content or not content


def test_someone_elses_database(open_ledger: OpenLedger, tmp_path: Path) -> None:
    for script in (
        "CREATE TABLE t (a)",
        "CREATE TABLE alembic_version (version_num); INSERT INTO alembic_version VALUES ('0001')",
    ):
        (tmp_path / "ledger.db").unlink(missing_ok=True)
        with sqlite3.connect(tmp_path / "ledger.db") as raw:
            raw.executescript(script)
        with pytest.raises(LedgerError, match="another program"):
            open_ledger()


def test_newer_schema(open_ledger: OpenLedger, tmp_path: Path) -> None:
    open_ledger().close()
    with sqlite3.connect(tmp_path / "ledger.db") as raw:
        raw.execute("UPDATE alembic_version SET version_num = '9999'")
    with pytest.raises(LedgerError, match="schema 9999") as caught:
        open_ledger()
    assert "upgrade" in caught.value.hint


def test_paths_that_cannot_be(tmp_path: Path, signer: LogSigner) -> None:
    for url in (tmp_path, tmp_path / "missing/ledger.db"):
        with pytest.raises(LedgerError) as caught:
            Ledger.open(url, signer=signer)
        assert caught.value.hint
    for url in ("nosuchdatabase://x", "sqlite://", "sqlite+pysqlite:////tmp/x.db", "://"):
        with pytest.raises(UsageError) as refused:
            Ledger.open(url, signer=signer)
        assert refused.value.hint


@pytest.mark.parametrize("name", ["with space.db", "100%.db", "a?b#c.db", "ü'\".db"])
def test_names_of_all_kinds(tmp_path: Path, signer: LogSigner, name: str) -> None:
    with Ledger.open(f"sqlite:///{tmp_path / name}", signer=signer) as ledger:
        ledger.append("audit", {})
    with Ledger.open(tmp_path / name, read_only=True) as ledger:
        assert len(ledger) == 1
    assert {path.name.removesuffix("-journal") for path in tmp_path.iterdir()} == {name}


def test_another_writer_is_waited_for_and_named(open_ledger: OpenLedger, tmp_path: Path) -> None:
    with open_ledger(timeout=0.2) as ledger:
        raw = sqlite3.connect(tmp_path / "ledger.db", isolation_level=None)
        raw.execute("BEGIN IMMEDIATE")
        with pytest.raises(LedgerError, match="another safegen process is writing") as caught:
            ledger.append("audit", {})
        assert caught.value.hint
        assert len(ledger) == 0
        raw.execute("ROLLBACK")
        assert ledger.append("audit", {}) == 0


def test_a_writer_killed_in_the_middle(open_ledger: OpenLedger, tmp_path: Path) -> None:
    """A hot journal: reading says so without touching it, writing repairs it."""
    with open_ledger() as ledger:
        ledger.append("audit", {})
    script = (
        "import sqlite3,os,signal,sys\n"
        "raw=sqlite3.connect(sys.argv[1],isolation_level=None)\n"
        "raw.execute('PRAGMA journal_mode=TRUNCATE');raw.execute('PRAGMA cache_size=1')\n"
        "raw.execute('PRAGMA cache_spill=1');raw.execute('BEGIN IMMEDIATE')\n"
        "raw.execute(\"UPDATE ledger_entry SET leaf=x'00'\")\n"
        "for i in range(1000,1400): raw.execute('INSERT INTO ledger_node VALUES (?, zeroblob(999))', (i,))\n"
        "os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    subprocess.run([sys.executable, "-c", script, str(tmp_path / "ledger.db")], check=False)
    assert (tmp_path / "ledger.db-journal").stat().st_size > 0
    before = state_of(tmp_path)
    with pytest.raises(LedgerError, match="half-way") as caught:
        open_ledger(read_only=True).close()
    assert "writes" in caught.value.hint
    assert state_of(tmp_path) == before
    with open_ledger() as ledger:
        assert ledger.check().ok and len(ledger) == 1


def test_full_disk_under_the_checkpoints(
    open_ledger: OpenLedger, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(descriptor: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with open_ledger() as ledger:
        monkeypatch.setattr("safegen.ledger.checkpoint_folder.os.fsync", full)
        with pytest.raises(LedgerError, match="but their checkpoint"):
            ledger.append("audit", {})
        monkeypatch.undo()
        ledger.append("audit", {})
        assert ledger.check().ok


def test_a_device_is_not_read_for_ever(open_ledger: OpenLedger, tmp_path: Path) -> None:
    (tmp_path / "checkpoints").mkdir(mode=0o700)
    (tmp_path / "checkpoints/checkpoints.txt").symlink_to("/dev/zero")
    with open_ledger() as ledger, pytest.raises(LedgerError, match="not a regular file"):
        ledger.append("audit", {})


def test_the_key_can_be_changed(open_ledger: OpenLedger, signer: LogSigner) -> None:
    fresh = LogSigner(signer.origin, Ed25519PrivateKey.generate())
    with open_ledger() as ledger:
        ledger.append("key", {"next": fresh.vkey})
    with open_ledger(signer=fresh) as ledger:
        ledger.append("audit", {})
        assert [problem.code for problem in ledger.check().problems] == ["checkpoint-forged"] * 2
        assert ledger.check(keys=[signer.public_key]).ok


def test_schema_is_what_the_models_say(open_ledger: OpenLedger) -> None:
    from alembic.autogenerate import compare_metadata
    from alembic.migration import MigrationContext

    from safegen.ledger import database, migrations
    from safegen.ledger.models import Base

    with open_ledger() as ledger, ledger.database.reading() as connection:
        assert compare_metadata(MigrationContext.configure(connection), Base.metadata) == []
    assert migrations.head() == database.SCHEMA


def test_a_migration_that_stops_half_way_leaves_nothing(
    open_ledger: OpenLedger, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from safegen.ledger import migrations

    real = migrations.upgrade

    def stopped(connection: object) -> None:
        real(connection)
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(migrations, "upgrade", stopped)
        with pytest.raises(KeyboardInterrupt):
            open_ledger()
    with sqlite3.connect(tmp_path / "ledger.db") as raw:
        assert raw.execute("SELECT count(*) FROM sqlite_master").fetchone() == (0,)
    with open_ledger() as ledger:
        assert ledger.append("audit", {}) == 0


def test_threads_may_make_ledgers_at_the_same_time(tmp_path: Path) -> None:
    with ThreadPoolExecutor(4) as pool:
        opened = list(pool.map(lambda i: Ledger.open(tmp_path / f"{i % 2}.db"), range(8)))
    assert all(len(ledger) == 0 for ledger in opened)
    for ledger in opened:
        ledger.close()


def test_light_imports() -> None:
    """Proofs need no database library, an existing ledger no migrations."""
    script = (
        "import sys, safegen.ledger.proof\n"
        "assert not {'sqlalchemy', 'sqlmodel', 'alembic'} & set(sys.modules)\n"
        "import safegen.ledger.store\n"
        "assert 'alembic' not in sys.modules\n"
    )
    subprocess.run([sys.executable, "-c", script], check=True)
