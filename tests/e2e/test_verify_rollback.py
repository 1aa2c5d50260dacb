"""A withdrawn release, and somebody who can write the maker's own ledger: no way back to a better verdict."""

from __future__ import annotations

import shutil
import sqlite3
from dataclasses import dataclass
from pathlib import Path

import pytest

from safegen import Verdict
from safegen.errors import CheckUnavailable
from tests.e2e.makers import Maker

NOT_BETTER = {Verdict.WITHDRAWN, Verdict.SIGNED_UNLOGGED}


@dataclass(frozen=True)
class Withdrawn:
    """A maker, a withdrawn release of theirs with its proof, the ledger from before the withdrawal."""

    maker: Maker
    clip: Path
    before: Path

    @property
    def database(self) -> Path:
        return self.maker.root / "ledger.db"


@pytest.fixture
def withdrawn(tmp_path: Path) -> Withdrawn:
    maker = Maker.open(tmp_path / "maker")
    clip = maker.release(tmp_path / "clip.mp4")
    maker.release(tmp_path / "another.mp4", content_id=5, seed=5)
    found = Withdrawn(maker, clip, tmp_path / "before.db")
    shutil.copy(found.database, found.before)
    with maker.ledger() as ledger:
        ledger.withdraw(0, "test")
    assert maker.verify(clip).verdict is Verdict.WITHDRAWN
    return found


@pytest.mark.parametrize("proof", ["with the proof beside it", "alone"])
def test_an_older_copy_of_the_ledger(withdrawn: Withdrawn, proof: str) -> None:
    """Also by the short cut, which does not open the ledger."""
    shutil.copy(withdrawn.before, withdrawn.database)
    if proof == "alone":
        withdrawn.clip.with_name("clip.mp4.tlog-proof").unlink()
    with pytest.raises(CheckUnavailable, match="was seen already"):
        withdrawn.maker.verify(withdrawn.clip)


@pytest.mark.parametrize(
    "script",
    [
        "DELETE FROM ledger_release",
        "UPDATE ledger_release SET withdrawn=NULL",
        "UPDATE ledger_release SET manifest_id='urn:x'",
        "DELETE FROM ledger_entry",
        "DELETE FROM ledger_checkpoint",
        "UPDATE ledger_checkpoint SET note='x'",
        "UPDATE ledger_state SET origin='example.org/x'",
        "DELETE FROM ledger_release; DELETE FROM ledger_entry WHERE position > 1",
    ],
)
def test_rows_changed_or_gone(withdrawn: Withdrawn, script: str) -> None:
    """The proof beside the file is the own log's: it says nothing that its ledger would have to know."""
    with sqlite3.connect(withdrawn.database) as raw:
        raw.executescript(script)
    raw.close()
    try:
        assert withdrawn.maker.verify(withdrawn.clip).verdict in NOT_BETTER
    except CheckUnavailable as error:
        assert "log check" in error.hint


def test_others_still_rely_on_the_proof(withdrawn: Withdrawn, tmp_path: Path) -> None:
    """A workspace with a ledger of its own checks another maker's proof as before."""
    other = Maker.open(tmp_path / "other", name="Studio Sued")
    other.release(tmp_path / "own.mp4", content_id=9, seed=9)
    trust = withdrawn.maker.trust_file(tmp_path / "trust.json")
    report = other.verify(withdrawn.clip, trust=[trust])
    assert report.verdict is Verdict.VERIFIED
    assert "withdrawal" in {note.layer for note in report.not_checked}
