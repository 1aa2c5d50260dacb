"""EXPIRED_BUT_LOGGED: only a trusted authority's stamp, over the right checkpoint, in time, counts."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner

import safegen
from safegen import Verdict
from safegen.cli import group
from safegen.keys.trust import TrustStore, parse_trust, read_trust_file
from safegen.ledger import timestamp
from safegen.verification.html_report import ReportItem, render
from safegen.workspace import config
from tests.e2e.makers import Maker, hand_over
from tests.unit.credentials.conftest import Tsa, tsa  # noqa: F401

LATER = datetime.now(UTC) + timedelta(days=500)


def run(maker: Maker, *arguments: str) -> dict[str, object]:
    done = CliRunner().invoke(group, [*arguments, "--workspace", str(maker.root), "--json"])
    assert done.exit_code == 0, done.output
    return json.loads(done.stdout)


@pytest.fixture(scope="module")
def maker(tmp_path_factory: pytest.TempPathFactory, tsa: Tsa) -> Maker:  # noqa: F811
    made = Maker.open(tmp_path_factory.mktemp("maker") / "workspace")
    (made.root / "safegen.toml").write_text(f'format = 1\n[signing]\ntsa_url = "{tsa.url}"\n')
    return made


@pytest.fixture
def handed(maker: Maker, tmp_path: Path) -> Path:
    """A release and its proof as they were sent, stamped."""
    video = maker.release(tmp_path / "video.mp4", content_id=7)
    run(maker, "log", "stamp", "--proof", str(video) + ".tlog-proof")
    copy = hand_over(video, tmp_path / "inbox")
    stamped = Path(f"{video}.tlog-proof.tsr")
    Path(f"{copy}.tlog-proof.tsr").write_bytes(stamped.read_bytes())
    stamped.unlink()
    return copy


def stranger(maker: Maker, folder: Path, *authorities: bytes) -> Path:
    """Somebody else's workspace, with the maker and some time stamp authorities pinned."""
    folder.mkdir()
    store = TrustStore(config.find_workspace(folder / "me").trust)
    store.add(read_trust_file(maker.trust_file(folder / "trust.json")))
    for pem in authorities:
        store.add(parse_trust(pem, name="authority", kind="tsa"))
    return folder / "me"


def verdict(path: Path, root: Path) -> tuple[Verdict, str]:
    report = safegen.verify(path, workspace=root, watermark=False, at=LATER)
    return report.verdict, " ".join(n.reason for n in report.not_checked)


def test_a_stamp_of_a_pinned_authority(maker: Maker, handed: Path, tmp_path: Path, tsa: Tsa) -> None:  # noqa: F811
    me = stranger(maker, tmp_path / "a", tsa.root)
    assert safegen.verify(handed, workspace=me, watermark=False).verdict is Verdict.VERIFIED
    assert verdict(handed, me)[0] is Verdict.EXPIRED_BUT_LOGGED


def test_nobody_pinned_the_authority(maker: Maker, handed: Path, tmp_path: Path) -> None:
    found, why = verdict(handed, stranger(maker, tmp_path / "a"))
    assert found is Verdict.SIGNED_UNTRUSTED
    assert "trust add --tsa" in why


def test_the_makers_own_root_is_no_authority(maker: Maker, handed: Path, tmp_path: Path) -> None:
    found, why = verdict(handed, stranger(maker, tmp_path / "a", maker.identity.root_pem))
    assert found is Verdict.SIGNED_UNTRUSTED
    assert "does not verify" in why


def test_without_a_stamp(maker: Maker, handed: Path, tmp_path: Path, tsa: Tsa) -> None:  # noqa: F811
    Path(f"{handed}.tlog-proof.tsr").unlink()
    assert verdict(handed, stranger(maker, tmp_path / "a", tsa.root))[0] is Verdict.SIGNED_UNTRUSTED


def test_a_stamp_over_another_checkpoint(maker: Maker, handed: Path, tmp_path: Path, tsa: Tsa) -> None:  # noqa: F811
    token = timestamp.request_stamp(tsa.url, b"example.com/log\n1\nAAAA\n")
    Path(f"{handed}.tlog-proof.tsr").write_bytes(token)
    found, why = verdict(handed, stranger(maker, tmp_path / "a", tsa.root))
    assert found is Verdict.SIGNED_UNTRUSTED
    assert "does not verify" in why


def test_a_stamp_after_the_certificate_ended(
    maker: Maker,
    handed: Path,
    tmp_path: Path,
    tsa: Tsa,  # noqa: F811
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    me = stranger(maker, tmp_path / "a", tsa.root)
    monkeypatch.setattr(timestamp, "verify_stamp", lambda *_: LATER - timedelta(days=1))
    found, why = verdict(handed, me)
    assert found is Verdict.SIGNED_UNTRUSTED
    assert "the signer was not valid" in why


def test_other_credentials_under_the_same_proof(
    maker: Maker,
    handed: Path,
    tmp_path: Path,
    tsa: Tsa,  # noqa: F811
) -> None:
    """A file made later with a stolen key, beside the proof and stamp of an old release."""
    other = maker.release(tmp_path / "other.mp4", content_id=7, seed=5)
    handed.write_bytes(other.read_bytes())
    assert verdict(handed, stranger(maker, tmp_path / "a", tsa.root))[0] is Verdict.SIGNED_UNTRUSTED


def test_the_own_ledger_keeps_its_stamps(maker: Maker, tmp_path: Path, tsa: Tsa) -> None:  # noqa: F811
    TrustStore(config.find_workspace(maker.root).trust).add(parse_trust(tsa.root, name="tsa", kind="tsa"))
    video = maker.release(tmp_path / "later.mp4", content_id=9)
    Path(f"{video}.tlog-proof").unlink()
    assert verdict(video, maker.root)[0] is Verdict.SIGNED_UNTRUSTED
    run(maker, "log", "stamp")
    assert verdict(video, maker.root)[0] is Verdict.EXPIRED_BUT_LOGGED
    shown = safegen.verify(video, workspace=maker.root, watermark=False, at=LATER)
    stamped = shown.to_dict()["ledger"]["stamped_at"]
    assert abs(datetime.fromisoformat(stamped) - datetime.now(UTC)) < timedelta(minutes=1)
    assert stamped in render([ReportItem(video, shown)], when="now")
    release = safegen.verify(video, workspace=maker.root, watermark=False).ledger
    assert release is not None
    run(maker, "log", "withdraw", str(release.index), "--reason", "a mistake")
    assert verdict(video, maker.root)[0] is Verdict.SIGNED_UNTRUSTED


def test_a_replaced_release_names_its_successor(maker: Maker, tmp_path: Path) -> None:
    old = maker.release(tmp_path / "old.mp4", content_id=21)
    new = maker.release(tmp_path / "new.mp4", content_id=22, seed=2)
    first, second = (safegen.verify(p, workspace=maker.root, watermark=False) for p in (old, new))
    assert first.ledger is not None
    assert second.ledger is not None
    run(maker, "log", "supersede", str(first.ledger.index), str(second.ledger.index))
    report = safegen.verify(old, workspace=maker.root, watermark=False)
    assert report.verdict is Verdict.WITHDRAWN
    assert any(str(second.credentials.manifest_id) in reason for reason in report.reasons)
    document = report.to_dict()["ledger"]
    assert document["withdrawn"] is True
    assert document["superseded_by"] == second.credentials.manifest_id
    assert str(second.credentials.manifest_id) in render([ReportItem(old, report)], when="now")
    assert safegen.verify(new, workspace=maker.root, watermark=False).verdict is Verdict.VERIFIED
