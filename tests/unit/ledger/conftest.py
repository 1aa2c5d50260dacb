"""A ledger to play with, its clock and its key."""

from __future__ import annotations

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


@pytest.fixture
def ledger(open_ledger: OpenLedger) -> Iterator[Ledger]:
    with open_ledger() as opened:
        yield opened
