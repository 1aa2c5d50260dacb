"""The same ledger on PostgreSQL: on a server started for the test where its programs are installed.

SAFEGEN_TEST_POSTGRES, the URL of an empty database, takes one that runs already.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from safegen.errors import LedgerError
from safegen.ledger import Draft, Ledger, LogSigner, ReleaseRecord, verify_proof
from safegen.release import ReleaseJob, recover
from tests.support.postgres import programs, server


@pytest.fixture
def url() -> Iterator[str]:
    """An empty database."""
    pytest.importorskip("psycopg")
    given = os.environ.get("SAFEGEN_TEST_POSTGRES", "")
    if not given:
        if programs() is None:
            pytest.skip("PostgreSQL is not installed, and SAFEGEN_TEST_POSTGRES names no server")
        with server() as started:
            yield started
        return
    from sqlalchemy import create_engine, text

    with create_engine(given).begin() as connection:
        connection.execute(text("DROP SCHEMA public CASCADE"))
        connection.execute(text("CREATE SCHEMA public"))
    yield given


def test_everything(tmp_path: Path, signer: LogSigner, url: str) -> None:
    with pytest.raises(LedgerError, match="not a safegen ledger"):
        Ledger.open(url, read_only=True)
    with Ledger.open(url, signer=signer, checkpoint_dir=tmp_path / "c", timeout=0.3) as ledger:
        assert ledger.append_many([Draft("audit", {"i": i}) for i in range(300)])[-1] == 299
        (tmp_path / "out").mkdir()
        with ReleaseJob.begin(ledger, tmp_path / "out/v.mp4") as job:
            video = job.temporary("v.mp4")
            video.write_bytes(b"video")
            job.record(video, release=ReleaseRecord("urn:1", b"m", 2**64 - 1, "a", private={"p": 1}))
            job.publish()
        assert recover(ledger).removed == 0
        (found,) = ledger.find_releases(content_id=2**64 - 1)
        assert (found.index, found.manifest) == (300, b"m")
        assert ledger.content_ids() == (2**64 - 1,)
        assert verify_proof(ledger.prove(7), logs={signer.origin: signer.public_key}).index == 7
        ledger.redact(300)
        ledger.withdraw(300, "test")
        assert ledger.check().ok
        with (
            ledger.transaction(),
            Ledger.open(url, signer=signer, timeout=0.3) as other,
            pytest.raises(LedgerError, match="another safegen"),
        ):
            other.append("audit", {})
    with Ledger.open(url, read_only=True) as ledger:
        assert len(ledger) == 303
        with pytest.raises(LedgerError, match="read-only"):
            ledger.redact(0)


def test_a_server_that_is_not_there(signer: LogSigner) -> None:
    pytest.importorskip("psycopg")
    with pytest.raises(LedgerError) as caught:
        Ledger.open("postgresql+psycopg://x@/x?host=/nonexistent", signer=signer)
    assert "server" in caught.value.hint
