"""A backup that was restored and written to: one log has signed two histories, and verify says so."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from safegen import Verdict
from safegen.errors import CheckUnavailable
from safegen.keys.trust import TrustStore, read_trust_file
from safegen.verification.html_report import ReportItem, render
from safegen.workspace import config
from tests.e2e.makers import Maker, hand_over

CONTENT = ("ledger.db", "checkpoints")


def copy(source: Path, target: Path) -> None:
    """A copy as one makes it by hand, of the ledger and what belongs to it."""
    target.mkdir(exist_ok=True)
    shutil.copy(source / "ledger.db", target / "ledger.db")
    shutil.rmtree(target / "checkpoints", ignore_errors=True)
    shutil.copytree(source / "checkpoints", target / "checkpoints")


@pytest.fixture(scope="module")
def forked(tmp_path_factory: pytest.TempPathFactory) -> tuple[Maker, dict[str, Path]]:
    """Releases before the backup, after it, and after it was restored; ``old``: the backup itself."""
    folder = tmp_path_factory.mktemp("forked")
    maker = Maker.open(folder / "studio")
    before = maker.release(folder / "before.mp4", content_id=1)
    copy(maker.root, folder / "old")
    lost = maker.release(folder / "lost.mp4", content_id=2, seed=2)
    copy(folder / "old", maker.root)
    after = maker.release(folder / "after.mp4", content_id=3, seed=3)
    return maker, {"before": before, "lost": lost, "after": after, "old": folder / "old"}


def test_two_files_are_the_same_entry(forked: tuple[Maker, dict[str, Path]]) -> None:
    maker, files = forked
    report = maker.verify(files["lost"])
    assert report.verdict is Verdict.SIGNED_UNLOGGED
    assert any(
        "cannot both be true" in reason and "entries in place 1" in reason for reason in report.reasons
    )
    assert any(n.layer == "ledger" and "entry 1" in n.reason for n in report.not_checked)
    document = json.loads(report.to_json())
    assert "backup" in document["ledger"]["contradiction"]
    assert "cannot both be true" in render([ReportItem(files["lost"], report)], when="now")


def test_with_the_search_for_marks_too(forked: tuple[Maker, dict[str, Path]]) -> None:
    maker, files = forked
    assert maker.verify(files["lost"], watermark=True).verdict is not Verdict.VERIFIED


@pytest.mark.parametrize("name", ["before", "after"])
def test_what_the_ledger_has_is_verified(forked: tuple[Maker, dict[str, Path]], name: str) -> None:
    maker, files = forked
    report = maker.verify(files[name])
    assert report.verdict is Verdict.VERIFIED
    assert report.ledger is not None and report.ledger.contradiction == ""
    assert json.loads(report.to_json())["ledger"]["contradiction"] is None


def test_a_record_of_ones_own_beside_a_proof_that_says_otherwise(tmp_path: Path) -> None:
    """The same release recorded in two places by one log, other entries before it."""
    maker = Maker.open(tmp_path / "studio")
    maker.release(tmp_path / "first.mp4", content_id=1)
    copy(maker.root, tmp_path / "old")
    video = maker.release(tmp_path / "video.mp4", content_id=2, seed=2)
    proof = Path(f"{video}.tlog-proof").read_bytes()
    entry = maker.verify(video).ledger
    assert entry is not None
    with maker.ledger(read_only=True) as ledger:
        record = ledger.release(entry.index)
    copy(tmp_path / "old", maker.root)
    with maker.ledger() as ledger:
        ledger.append("audit", {"n": 1})
        from safegen.release import ReleaseJob, ReleaseRecord

        with ReleaseJob.begin(ledger, tmp_path / "again.mp4") as job:
            again = job.temporary("again.mp4")
            shutil.copy(video, again)
            job.record(
                again,
                release=ReleaseRecord(
                    record.manifest_id, record.manifest, record.content_id, record.watermark_alg
                ),
            )
            job.publish()
    assert maker.verify(tmp_path / "again.mp4").verdict is Verdict.VERIFIED
    assert Path(f"{video}.tlog-proof").read_bytes() == proof
    assert maker.verify(video).verdict is Verdict.SIGNED_UNLOGGED


def test_an_own_ledger_that_ends_earlier_is_not_relied_on(
    forked: tuple[Maker, dict[str, Path]], tmp_path: Path
) -> None:
    maker, files = forked
    root = tmp_path / "older"
    shutil.copytree(maker.root, root)
    copy(files["old"], root)
    with pytest.raises(CheckUnavailable, match="ends before entry 1"):  # it may lack a withdrawal
        Maker(root, maker.identity).verify(files["lost"])


def test_a_third_party_sees_each_by_itself(forked: tuple[Maker, dict[str, Path]], tmp_path: Path) -> None:
    maker, files = forked
    other = Maker.open(tmp_path / "other", "Other")
    other.release(tmp_path / "own.mp4", content_id=9)
    TrustStore(config.find_workspace(other.root).trust).add(
        read_trust_file(maker.trust_file(tmp_path / "trust.json"))
    )
    for name in ("lost", "after"):
        report = other.verify(hand_over(files[name], tmp_path / "inbox"))
        assert report.verdict is Verdict.VERIFIED
