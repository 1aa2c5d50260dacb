"""The same ledger on PostgreSQL. Set SAFEGEN_TEST_POSTGRES to the URL of an empty database to run this."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from safegen.errors import LedgerError
from safegen.ledger import Draft, Ledger, LogSigner, ReleaseRecord, verify_proof
from safegen.release import ReleaseJob, recover

URL = os.environ.get("SAFEGEN_TEST_POSTGRES", "")
pytestmark = pytest.mark.skipif(not URL, reason="SAFEGEN_TEST_POSTGRES is not set")


@pytest.fixture
def empty_server() -> None:
    from sqlalchemy import create_engine, text

    with create_engine(URL).begin() as connection:
        connection.execute(text("DROP SCHEMA public CASCADE"))
        connection.execute(text("CREATE SCHEMA public"))


@pytest.mark.usefixtures("empty_server")
def test_everything(tmp_path: Path, signer: LogSigner) -> None:
    with pytest.raises(LedgerError, match="not a safegen ledger"):
        Ledger.open(URL, read_only=True)
    with Ledger.open(URL, signer=signer, checkpoint_dir=tmp_path / "c", timeout=0.3) as ledger:
        assert ledger.append_many([Draft("audit", {"i": i}) for i in range(300)])[-1] == 299
        (tmp_path / "out").mkdir()
        with ReleaseJob.begin(ledger, tmp_path / "out/v.mp4") as job:
            video = job.temporary("v.mp4")
            video.write_bytes(b"video")
            job.record(video, release=ReleaseRecord("urn:1", b"m", 2**64 - 1, "a", private={"p": 1}))
            job.publish()
        assert recover(ledger).removed == 0
        (found,) = ledger.find(content_id=2**64 - 1)
        assert (found.index, found.manifest) == (300, b"m")
        assert ledger.content_ids() == (2**64 - 1,)
        assert verify_proof(ledger.prove(7), logs={signer.origin: signer.public_key}).index == 7
        ledger.redact(300)
        ledger.withdraw(300, "test")
        assert ledger.check().ok
        with (
            ledger.transaction(),
            Ledger.open(URL, signer=signer, timeout=0.3) as other,
            pytest.raises(LedgerError, match="another safegen"),
        ):
            other.append("audit", {})
    with Ledger.open(URL, read_only=True) as ledger:
        assert len(ledger) == 302
        with pytest.raises(LedgerError, match="reading only"):
            ledger.redact(0)


def test_a_server_that_is_not_there(signer: LogSigner) -> None:
    with pytest.raises(LedgerError) as caught:
        Ledger.open("postgresql+psycopg://x@/x?host=/nonexistent", signer=signer)
    assert "server" in caught.value.hint
