"""The maker's own keys in somebody else's hands, and clocks: what is noticed, and what cannot be."""

from __future__ import annotations

import shutil
from datetime import timedelta
from pathlib import Path

import pytest

from safegen import Verdict
from safegen._util import time as clock
from safegen.credentials.manifest import build_manifest
from safegen.credentials.sign import sign_file
from safegen.keys.log_key import decode_vkey
from safegen.keys.revoke import revoke
from tests.e2e.makers import Maker, hand_over, inputs, paint

GOOD = {Verdict.VERIFIED, Verdict.VERIFIED_REPACKED, Verdict.EXPIRED_BUT_LOGGED, Verdict.RECOVERED}
BLAMED = {Verdict.TAMPERED, Verdict.CONFLICT}


@pytest.fixture
def maker(tmp_path: Path) -> Maker:
    return Maker.open(tmp_path / "workspace")


@pytest.fixture
def anna(tmp_path: Path, maker: Maker) -> Maker:
    """Somebody who pinned the maker."""
    return Maker.open(tmp_path / "anna", name="Anna")


def pinned(maker: Maker, tmp_path: Path) -> Path:
    """The maker's trust file as it is now."""
    return maker.trust_file(tmp_path / "trust.json")


def stolen(maker: Maker, target: Path) -> Path:
    """A clip that a thief signed with the maker's signing key, elsewhere."""
    bare = paint(target.with_name("bare.mp4"), seed=9)
    sign_file(bare, target, build_manifest(inputs(0xBAD)), signer=maker.identity.signer())
    return target


def test_a_stolen_signing_key_makes_no_releases(maker: Maker, anna: Maker, tmp_path: Path) -> None:
    """Without the log's key there is no proof: a thief's clip is signed, and never verified."""
    forged = stolen(maker, tmp_path / "forged.mp4")
    trust = [pinned(maker, tmp_path)]
    assert anna.verify(forged, trust=trust).verdict is Verdict.SIGNED_UNLOGGED
    genuine = maker.release(tmp_path / "genuine.mp4")
    shutil.copy(f"{genuine}.tlog-proof", f"{forged}.tlog-proof")
    assert anna.verify(forged, trust=trust).verdict not in GOOD, "nor with a proof of another release"
    thief = Maker.open(tmp_path / "thief")
    other = thief.release(tmp_path / "thiefs.mp4", signer=maker.identity.signer())
    assert anna.verify(other, trust=trust).verdict not in GOOD, "nor with a log that nobody pinned"


def test_a_revoked_key_is_good_for_nothing_any_more(maker: Maker, anna: Maker, tmp_path: Path) -> None:
    """Once the revocation is pinned, before and after, with and without an entry; the new key is trusted."""
    logged = hand_over(maker.release(tmp_path / "logged.mp4"), tmp_path / "inbox")
    forged = stolen(maker, tmp_path / "forged.mp4")
    assert anna.verify(logged, trust=[pinned(maker, tmp_path)]).verdict is Verdict.VERIFIED
    fresh, _ = revoke(maker.identity, lambda *_: None, reason="keyCompromise")
    renewed = Maker(maker.root, fresh)
    after = [pinned(renewed, tmp_path)]
    for file in (logged, forged):
        for moment in (None, clock.utc_now() - timedelta(days=1), clock.utc_now() + timedelta(days=1)):
            assert anna.verify(file, trust=after, at=moment).verdict not in GOOD | BLAMED
    later = hand_over(renewed.release(tmp_path / "later.mp4", content_id=7), tmp_path / "inbox")
    assert anna.verify(later, trust=after).verdict is Verdict.VERIFIED


def test_a_stolen_log_key_is_found_by_proofs_that_come_back(
    maker: Maker, anna: Maker, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With every key a thief can fork the log: nobody can tell from one proof, the maker can from two."""
    maker.release(tmp_path / "first.mp4", content_id=1)
    copy = tmp_path / "copy"
    shutil.copytree(maker.root, copy)
    with monkeypatch.context() as elsewhere:
        elsewhere.setenv("XDG_STATE_HOME", str(tmp_path / "thiefs"))
        thief = Maker(copy, type(maker.identity).load(copy / "keys"))
        forged = hand_over(thief.release(tmp_path / "forged.mp4", content_id=2, seed=3), tmp_path / "inbox")
    maker.release(tmp_path / "second.mp4", content_id=3)
    report = anna.verify(forged, trust=[pinned(maker, tmp_path)])
    assert report.verdict is Verdict.VERIFIED, "one proof alone does not show a fork (docs/threat-model.md)"
    own = {"origin": maker.identity.log_origin, "keys": [decode_vkey(maker.identity.log_vkey)[1]]}
    with maker.ledger(read_only=True) as ledger:
        assert not ledger.check(**own).problems
    returned = maker.root / "checkpoints" / "returned.tlog-proof"
    shutil.copy(f"{forged}.tlog-proof", returned)
    with maker.ledger() as ledger:
        assert "forked" in {p.code for p in ledger.check(**own).problems}


SKEWS = [timedelta(days=d) for d in (-36500 // 2, -3650, -400, -2, 2, 30, 400, 3650)]


@pytest.mark.parametrize("skew", SKEWS, ids=str)
def test_a_clock_that_is_wrong(maker: Maker, anna: Maker, tmp_path: Path, skew: timedelta) -> None:
    """Judged by a clock that is far off: it can cost a good verdict, makes none and accuses nobody."""
    release = hand_over(maker.release(tmp_path / "clip.mp4"), tmp_path / "inbox")
    stranger = hand_over(
        Maker.open(tmp_path / "stranger").release(tmp_path / "other.mp4"), tmp_path / "inbox"
    )
    trust = [pinned(maker, tmp_path)]
    inside = maker.identity.leaf.not_valid_before_utc <= clock.utc_now() + skew <= maker.identity.expires
    for file in (release, stranger):
        facts = anna.verify(file, trust=trust)
        report = anna.verify(file, trust=trust, at=clock.utc_now() + skew)
        assert report.verdict not in BLAMED
        assert (report.verdict in GOOD) == (inside and file is release)
        assert report.sha256 == facts.sha256
        assert report.credentials.manifest_id == facts.credentials.manifest_id
