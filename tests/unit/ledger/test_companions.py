"""Files that somebody puts beside a ledger must not lead SQLite, or us, to files elsewhere."""

from __future__ import annotations

import os
import sqlite3
import struct
from pathlib import Path

import pytest

from safegen.errors import LedgerError

from .conftest import OpenLedger

MAGIC = bytes.fromhex("d9d505f920a163d7")


@pytest.fixture
def precious(tmp_path: Path) -> Path:
    file = tmp_path / "precious.txt"
    file.write_text("precious\n")
    return file


def hot_journal(database: Path, superior: Path) -> bytes:
    """A journal that SQLite rolls back, with the name of a super-journal (which it then removes)."""
    page = 4096
    pages = database.stat().st_size // page
    name = os.fsencode(superior)
    header = (MAGIC + struct.pack(">IIIII", 0, 1, pages, 512, page)).ljust(512, b"\0")
    record = struct.pack(">I", 0x40000000 // page + 1) + name
    return header + record + struct.pack(">II", len(name), sum(name)) + MAGIC


def test_what_a_super_journal_does_to_sqlite_itself(fresh: Path, precious: Path) -> None:
    """Why this matters: should a later SQLite refuse by itself, this test says so."""
    fresh.with_name("ledger.db-journal").write_bytes(hot_journal(fresh, precious))
    raw = sqlite3.connect(fresh)
    raw.execute("SELECT count(*) FROM ledger_entry")
    raw.close()
    assert not precious.exists()


@pytest.mark.parametrize("read_only", [False, True])
def test_a_super_journal_is_refused(
    fresh: Path, open_ledger: OpenLedger, precious: Path, read_only: bool
) -> None:
    fresh.with_name("ledger.db-journal").write_bytes(hot_journal(fresh, precious))
    with pytest.raises(LedgerError) as refused, open_ledger(read_only=read_only) as ledger:
        ledger.append("audit", {})
    assert refused.value.hint
    assert precious.read_text() == "precious\n"


@pytest.mark.parametrize("suffix", ["-journal", "-wal", "-shm"])
@pytest.mark.parametrize("link", [os.symlink, os.link])
def test_a_link_is_refused(
    fresh: Path, open_ledger: OpenLedger, precious: Path, suffix: str, link: object
) -> None:
    link(precious, fresh.with_name(f"ledger.db{suffix}"))
    with pytest.raises(LedgerError, match="not a plain file"), open_ledger() as ledger:
        ledger.append("audit", {})
    assert precious.read_text() == "precious\n"


def test_a_link_to_an_empty_file_gets_no_ledger(
    tmp_path: Path, open_ledger: OpenLedger, precious: Path
) -> None:
    precious.write_text("")
    (tmp_path / "ledger.db").symlink_to(precious)
    with pytest.raises(LedgerError, match="empty file"):
        open_ledger()
    assert precious.read_bytes() == b""


def test_checkpoints_are_not_written_through_a_link(
    fresh: Path, open_ledger: OpenLedger, tmp_path: Path, precious: Path
) -> None:
    (tmp_path / "checkpoints").mkdir()
    (tmp_path / "checkpoints/checkpoints.txt").symlink_to(precious)
    with open_ledger() as ledger, pytest.raises(LedgerError, match="was not"):
        ledger.append("audit", {})
    assert precious.read_text() == "precious\n"


def test_the_ledger_s_own_journal_is_rolled_back(fresh: Path, open_ledger: OpenLedger) -> None:
    """Left by a killed writer: no super-journal in it."""
    journal = fresh.with_name("ledger.db-journal")
    journal.write_bytes(hot_journal(fresh, fresh)[:512])
    with open_ledger() as ledger:
        ledger.append("audit", {})
        assert ledger.check().ok
