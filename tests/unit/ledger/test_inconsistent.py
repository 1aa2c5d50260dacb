"""An inconsistent database: every question ends in an answer or a SafegenError, no answer gets better."""

from __future__ import annotations

import random
import shutil
import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from safegen.errors import LedgerError, SafegenError
from safegen.ledger import Ledger, LogSigner, ReleaseEntry
from safegen.ledger.fast_lookup import lookup_release

from .conftest import OpenLedger
from .test_attacks import victim  # noqa: F401
from .test_proven import LIVE, WITHDRAWN

VALUES: tuple[object, ...] = (
    *(None, 0, -1, 1, 3, 2**62, -(2**63), 0.5, float("inf"), "", "x", "7", "null", "[]", "{}", "[[]]"),
    *(
        '{"files": 1}',
        "é" * 70,
        "0" * 64,
        "a\0b",
        b"",
        b"\x00",
        b"\xff" * 32,
        b"{}",
        b"null",
        b"[1]",
        b"0" * 400,
    ),
)
ANSWERS: dict[str, Callable[[Ledger], Any]] = {
    "len": len,
    "origin": lambda ledger: ledger.origin,
    "entry": lambda ledger: [ledger.entry(index) for index in range(10)],
    "private": lambda ledger: [ledger.private(index) for index in range(10)],
    "entries": lambda ledger: ledger.entries(limit=20),
    "kind": lambda ledger: ledger.entries("release", before=9),
    "sha256": lambda ledger: ledger.find_releases(sha256=f"{2:064x}"),
    "manifest": lambda ledger: ledger.find_releases(manifest_id="urn:1"),
    "content": lambda ledger: ledger.find_releases(content_id=2),
    "release": lambda ledger: ledger.release(WITHDRAWN),
    "ids": lambda ledger: sorted(ledger.content_ids()),
    "descriptors": lambda ledger: list(ledger.descriptors()),
    "export": lambda ledger: list(ledger.export()),
    "checkpoint": lambda ledger: ledger.latest_checkpoint(),
    "prove": lambda ledger: ledger.prove(WITHDRAWN),
    "including": lambda ledger: ledger.checkpoint_including(LIVE, ledger.entry(LIVE).leaf, 10),
    "consistency": lambda ledger: ledger.prove_consistency(3, 10),
    "root": lambda ledger: ledger.root(10),
}


def tables(path: Path) -> dict[str, list[str]]:
    raw = sqlite3.connect(path)
    names = [row[0] for row in raw.execute("SELECT name FROM sqlite_master WHERE type='table'")]
    found = {name: [row[1] for row in raw.execute(f"PRAGMA table_info({name})")] for name in sorted(names)}
    raw.close()
    return found


def loosened(path: Path) -> None:
    """Columns of any type and no constraints, as somebody who writes the file by hand can have them."""
    raw = sqlite3.connect(path)
    raw.execute("PRAGMA writable_schema=ON")
    for name, columns in tables(path).items():
        loose = f"CREATE TABLE {name} ({', '.join(columns)})"
        raw.execute("DROP TABLE IF EXISTS kept")
        raw.execute(f"CREATE TABLE kept AS SELECT * FROM {name}")
        raw.execute(f"DROP TABLE {name}")
        raw.execute(loose)
        raw.execute(f"INSERT INTO {name} SELECT * FROM kept")
        raw.execute("DROP TABLE kept")
    raw.commit()
    raw.close()


def mutate(path: Path, rng: random.Random) -> str:
    """One to three random changes; what was done."""
    raw = sqlite3.connect(path)
    done = []
    known = tables(path)
    for _ in range(rng.randint(1, 3)):
        table = rng.choice([name for name in known if name != "sqlite_sequence"])
        column, value = rng.choice(known[table]), rng.choice(VALUES)
        where = f"rowid = (SELECT rowid FROM {table} ORDER BY rowid LIMIT 1 OFFSET {rng.randrange(10)})"
        what = rng.choice(["set", "set", "set", "all", "delete", "empty", "copy", "drop", "rename"])
        script = {
            "set": f"UPDATE {table} SET {column} = ? WHERE {where}",
            "all": f"UPDATE {table} SET {column} = ?",
            "delete": f"DELETE FROM {table} WHERE {where}",
            "empty": f"DELETE FROM {table}",
            "copy": f"INSERT INTO {table} SELECT * FROM {table} WHERE {where}",
            "drop": f"DROP TABLE {table}",
            "rename": f"ALTER TABLE {table} RENAME COLUMN {column} TO other",
        }[what]
        try:
            raw.execute(script, (value,) if "?" in script else ())
        except sqlite3.Error as error:
            done.append(f"refused {script}: {error}")
            continue
        done.append(f"{script} {value!r}")
        known = tables(path) if what in {"drop", "rename"} else known
        raw.commit()
        known = tables(path)
    raw.commit()
    raw.close()
    return "; ".join(done)


@pytest.fixture
def loose(victim: Path) -> Path:  # noqa: F811
    loosened(victim)
    return victim


@pytest.fixture
def ask(open_ledger: OpenLedger, signer: LogSigner) -> Callable[[str], Iterator[tuple[str, Any]]]:
    """Every question put to the ledger as it stands; a LedgerError is an answer, anything else is not."""

    def ask_(done: str) -> Iterator[tuple[str, Any]]:
        try:
            ledger = open_ledger(read_only=True, signer=None)
        except SafegenError:
            return
        with ledger:
            for name, question in ANSWERS.items():
                try:
                    answer = question(ledger)
                except SafegenError as error:
                    answer = error
                except Exception as error:
                    raise AssertionError(f"{name} after {done}") from error
                yield name, answer
            for index in (WITHDRAWN, LIVE):
                try:
                    yield (
                        f"proven {index}",
                        ledger.proven_release(index, keys=[signer.public_key], origin=signer.origin),
                    )
                except LedgerError as error:
                    yield f"proven {index}", error
            try:
                yield "check", ledger.check(keys=[signer.public_key], origin=signer.origin)
            except SafegenError as error:
                yield "check", error

    return ask_


@pytest.mark.parametrize("seed", range(12))
def test_no_mutation_ends_in_a_crash_or_a_better_answer(
    loose: Path,
    tmp_path: Path,
    ask: Callable[[str], Iterator[tuple[str, Any]]],
    signer: LogSigner,
    seed: int,
) -> None:
    intact = dict(ask("nothing"))
    assert intact["check"].ok and intact[f"proven {WITHDRAWN}"].withdrawn == 8
    shutil.copy(loose, tmp_path / "kept.db")
    short = lookup_release(loose, "urn:1", {signer.origin: signer.public_key})
    assert short is not None and (short.index, short.withdrawn) == (WITHDRAWN, True)
    rng = random.Random(seed)
    for _ in range(25):
        shutil.copy(tmp_path / "kept.db", loose)
        done = mutate(loose, rng)
        for name, answer in ask(done):
            if name.startswith("proven"):
                assert isinstance(answer, LedgerError) or answer == intact[name], done
            if isinstance(answer, SafegenError):
                assert answer.hint or answer.exit_code == 2, (done, name, answer)
        fast = lookup_release(loose, "urn:1", {signer.origin: signer.public_key})
        assert fast in {None, short}, done


@pytest.mark.parametrize("seed", range(6))
def test_no_damaged_file_ends_in_a_crash(
    victim: Path,  # noqa: F811
    tmp_path: Path,
    ask: Callable[[str], Iterator[tuple[str, Any]]],
    seed: int,
) -> None:
    """Cut short, or with bytes changed anywhere."""
    intact = dict(ask("nothing"))
    data, rng = victim.read_bytes(), random.Random(seed)
    for _ in range(20):
        changed = bytearray(data)
        if rng.random() < 0.3:
            del changed[rng.randrange(len(changed)) :]
        for _ in range(rng.randint(1, 30) if changed else 0):
            changed[rng.randrange(len(changed))] = rng.randrange(256)
        victim.write_bytes(changed)
        for name, answer in ask("damage"):
            if name.startswith("proven") and isinstance(answer, ReleaseEntry):
                assert answer == intact[name]
