"""What ties a file to a release, end to end: other people's keys, ids and proofs laid beside other videos."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

import safegen
from safegen import Verdict
from safegen.credentials.manifest import build_manifest
from safegen.credentials.sign import sign_file
from safegen.ledger.store import Ledger
from safegen.release import ReleaseJob, ReleaseRecord
from safegen.types import Report
from safegen.workspace.config import find_workspace
from tests.e2e.makers import JPEG, TILE, Maker, hand_over, inputs, paint

CONTENT = 0xABCDEF
PROOF = ".tlog-proof"


@pytest.fixture(scope="module")
def people(tmp_path_factory: pytest.TempPathFactory) -> tuple[Maker, Maker]:
    """A maker, and another who is pinned as well and means no good."""
    root = tmp_path_factory.mktemp("people")
    return Maker.open(root / "maker"), Maker.open(root / "other", name="Studio Sued")


@pytest.fixture(scope="module")
def genuine(people: tuple[Maker, Maker]) -> Path:
    return people[0].release(people[0].root.parent / "clip.mp4", content_id=CONTENT)


def signed_under(manifest_id: str, maker: Maker, target: Path, *, content_id: int = CONTENT) -> Path:
    """Another video, signed by *maker* under the id of somebody's release."""
    definition = build_manifest(inputs(content_id)) | {"label": manifest_id}
    plain = paint(target.with_suffix(".plain.mp4"), seed=7)
    result = sign_file(plain, target, definition, signer=maker.identity.signer(), thumbnail=JPEG)
    assert result.manifest_id == manifest_id
    return target


def third_party(tmp_path: Path, *makers: Maker) -> list[Path]:
    return [maker.trust_file(tmp_path / f"{i}.json") for i, maker in enumerate(makers)]


def verify(path: Path, tmp_path: Path, trust: list[Path], **more: Any) -> Report:
    return safegen.verify(path, workspace=tmp_path / "own", trust=trust, **({"watermark": False} | more))


def test_the_genuine_release_is_verified_by_a_third_party(
    people: tuple[Maker, Maker], genuine: Path, tmp_path: Path
) -> None:
    handed = hand_over(genuine, tmp_path / "inbox")
    report = verify(handed, tmp_path, third_party(tmp_path, *people))
    assert report.verdict is Verdict.VERIFIED
    assert any(n.layer == "withdrawal" for n in report.not_checked)


@pytest.mark.parametrize("who", ["another pinned signer", "the maker's own key"])
def test_another_video_under_the_id_and_with_the_proof_of_a_release(
    people: tuple[Maker, Maker], genuine: Path, tmp_path: Path, who: str
) -> None:
    released = people[0].verify(genuine).credentials.manifest_id
    assert released is not None
    forger = people[1] if who.startswith("another") else people[0]
    forged = signed_under(released, forger, tmp_path / "forged.mp4")
    shutil.copy(genuine.with_name(genuine.name + PROOF), forged.with_name(forged.name + PROOF))
    trust = third_party(tmp_path, *people)
    assert verify(forged, tmp_path, trust).verdict is Verdict.SIGNED_UNLOGGED
    assert people[0].verify(forged, trust=trust).verdict is Verdict.SIGNED_UNLOGGED  # with the ledger itself


def test_a_log_vouches_for_signers_it_was_pinned_with_only(
    people: tuple[Maker, Maker], tmp_path: Path
) -> None:
    """The maker's log records a file that another signer signed: genuine, and yet nobody pinned the two."""
    maker, other = people
    target = tmp_path / "guest.mp4"
    maker.release(target, content_id=0x77, seed=3, signer=other.identity.signer())
    handed = hand_over(target, tmp_path / "inbox")
    report = verify(handed, tmp_path, third_party(tmp_path, *people))
    assert report.verdict is Verdict.SIGNED_UNLOGGED
    assert any("pinned together" in reason for reason in report.reasons)


def test_a_bare_root_brings_no_log(people: tuple[Maker, Maker], genuine: Path, tmp_path: Path) -> None:
    handed = hand_over(genuine, tmp_path / "inbox")
    root = tmp_path / "root.pem"
    root.write_bytes(people[0].identity.root_pem)
    assert verify(handed, tmp_path, [root]).verdict is Verdict.SIGNED_UNLOGGED


def test_a_record_of_another_mark_than_the_credentials_name(
    people: tuple[Maker, Maker], tmp_path: Path
) -> None:
    maker, target = people[0], tmp_path / "swapped.mp4"
    with maker.ledger() as ledger, ReleaseJob.begin(ledger, target) as job:
        plain, signed = job.temporary("plain.mp4"), job.temporary("signed.mp4")
        paint(plain, seed=9)
        definition = build_manifest(inputs(0x51))
        result = sign_file(plain, signed, definition, signer=maker.identity.signer(), thumbnail=JPEG)
        record = ReleaseRecord(result.manifest_id, result.manifest_bytes, 0x52, TILE)
        job.record(signed, release=record)
        job.publish()
    assert maker.verify(target).verdict is Verdict.SIGNED_UNLOGGED


def test_recovery_needs_a_record_that_the_ledger_proves(
    people: tuple[Maker, Maker], genuine: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from safegen.errors import LedgerError
    from safegen.verification.collector import EvidenceCollector
    from safegen.verification.ledger_proofs import proves_release
    from safegen.verification.options import VerifyOptions
    from safegen.verification.trust import load_trust

    trust = load_trust(find_workspace(people[0].root))
    with people[0].ledger(read_only=True) as ledger:
        release = ledger.find_releases(content_id=CONTENT)[0]
        known = EvidenceCollector(genuine, VerifyOptions(trust=trust))
        assert proves_release(known, ledger, release)
        stranger = EvidenceCollector(genuine)
        assert not proves_release(stranger, ledger, release)
        assert stranger.not_checked
        foreign = EvidenceCollector(genuine, VerifyOptions(trust=replace(trust, own_logs=frozenset())))
        assert not proves_release(foreign, ledger, release), "a pinned log is not one's own"
        other = ledger.release(release.index)
        monkeypatch.setattr(Ledger, "prove", lambda *_: (_ for _ in ()).throw(LedgerError("no")))
        assert not proves_release(known, ledger, other)
