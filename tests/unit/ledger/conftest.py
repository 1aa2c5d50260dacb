"""A ledger to play with, its clock and its key."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from safegen.ledger import Ledger, LogSigner

OpenLedger = Callable[..., Ledger]


class Ticking:
    """A clock that moves a second per look."""

    def __init__(self) -> None:
        self.now = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)

    def __call__(self) -> datetime:
        self.now += timedelta(seconds=1)
        return self.now


@pytest.fixture
def tmp_path(tmp_path: Path) -> Iterator[Path]:
    """A folder in memory where there is one: nothing here cuts the power, and every test syncs a lot."""
    memory = Path("/dev/shm")
    if not os.access(memory, os.W_OK):
        yield tmp_path
        return
    with tempfile.TemporaryDirectory(dir=memory, prefix="safegen-test-") as folder:
        yield Path(folder)


@pytest.fixture
def signer() -> LogSigner:
    return LogSigner("example.com/log", Ed25519PrivateKey.from_private_bytes(bytes(range(32))))


@pytest.fixture
def open_ledger(tmp_path: Path, signer: LogSigner) -> OpenLedger:
    def open_(**options: object) -> Ledger:
        settings = {
            "signer": signer,
            "checkpoint_dir": tmp_path / "checkpoints",
            "clock": Ticking(),
        } | options
        return Ledger.open(tmp_path / "ledger.db", **settings)

    return open_


@pytest.fixture(scope="session")
def empty_database(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """A fresh ledger's file; migrating anew for every test would be most of the tests' time."""
    path = tmp_path_factory.mktemp("template") / "ledger.db"
    Ledger.open(path).close()
    return path.read_bytes()


@pytest.fixture
def fresh(tmp_path: Path, empty_database: bytes) -> Path:
    """An empty ledger's file, where ``open_ledger`` opens it."""
    path = tmp_path / "ledger.db"
    path.touch(mode=0o600)
    path.write_bytes(empty_database)
    return path


@pytest.fixture
def ledger(fresh: Path, open_ledger: OpenLedger) -> Iterator[Ledger]:
    with open_ledger() as opened:
        yield opened
