"""Somebody else's machine: what a pinned bundle and a proof show, and what an attacker cannot fake."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

import safegen
from safegen import Verdict
from safegen.workspace import config
from tests.e2e.conftest import Studio


@pytest.fixture
def stranger(tmp_path: Path) -> Path:
    """A workspace that shares nothing with the studio's."""
    return tmp_path / "stranger"


@pytest.fixture
def handed(studio: Studio, tmp_path: Path) -> Path:
    """The video and its proof, as they were sent."""
    folder = tmp_path / "inbox"
    folder.mkdir()
    for file in (studio.first.path, *studio.first.sidecars):
        shutil.copy(file, folder)
    return folder / studio.first.path.name


def bundle(studio: Studio, target: Path, *, pem: bool = False) -> Path:
    from safegen._util.time import utc_now
    from safegen.keys.identity import Identity
    from safegen.keys.trust import export_pem, export_trust

    own = Identity.load(config.find_workspace(studio.workspace).keys)
    target.write_text(export_pem(own) if pem else export_trust(own, "Studio", created=utc_now()))
    return target


def pin(stranger: Path, file: Path) -> None:
    from safegen.keys.trust import TrustStore, read_trust_file

    TrustStore(config.find_workspace(stranger).trust).add(read_trust_file(file))


def test_unknown_maker_is_untrusted(handed: Path, stranger: Path) -> None:
    report = safegen.verify(handed, workspace=stranger)
    assert report.verdict is Verdict.SIGNED_UNTRUSTED
    assert any("not pinned any log" in n.reason for n in report.not_checked)


def test_pinned_maker_and_proof_verify_offline(
    studio: Studio, handed: Path, stranger: Path, tmp_path: Path
) -> None:
    pin(stranger, bundle(studio, tmp_path / "trust.json"))
    report = safegen.verify(handed, workspace=stranger)
    assert report.verdict is Verdict.VERIFIED
    assert report.ledger is not None
    assert report.ledger.source == "sidecar"
    assert not (stranger / "ledger.db").exists()


def test_trust_for_one_run(studio: Studio, handed: Path, stranger: Path, tmp_path: Path) -> None:
    file = bundle(studio, tmp_path / "trust.json")
    assert safegen.verify(handed, workspace=stranger, trust=[file]).verdict is Verdict.VERIFIED
    assert safegen.verify(handed, workspace=stranger).verdict is Verdict.SIGNED_UNTRUSTED


def test_bare_root_trusts_the_signature_only(
    studio: Studio, handed: Path, stranger: Path, tmp_path: Path
) -> None:
    pin(stranger, bundle(studio, tmp_path / "root.pem", pem=True))
    assert safegen.verify(handed, workspace=stranger).verdict is Verdict.SIGNED_UNLOGGED


def test_missing_proof(studio: Studio, handed: Path, stranger: Path, tmp_path: Path) -> None:
    pin(stranger, bundle(studio, tmp_path / "trust.json"))
    handed.with_name(handed.name + ".tlog-proof").unlink()
    assert safegen.verify(handed, workspace=stranger).verdict is Verdict.SIGNED_UNLOGGED


def test_proof_of_another_release(studio: Studio, handed: Path, stranger: Path, tmp_path: Path) -> None:
    pin(stranger, bundle(studio, tmp_path / "trust.json"))
    report = safegen.verify(handed, workspace=stranger, proof=studio.second.sidecars[0])
    assert report.verdict is Verdict.SIGNED_UNLOGGED
    assert any("a different file" in n.reason for n in report.not_checked)


@pytest.mark.parametrize("at", ["extra", "index", "hash", "signature"])
def test_forged_proof(studio: Studio, handed: Path, stranger: Path, tmp_path: Path, at: str) -> None:
    pin(stranger, bundle(studio, tmp_path / "trust.json"))
    proof = handed.with_name(handed.name + ".tlog-proof")
    lines = proof.read_text().splitlines(keepends=True)
    row = {"extra": 1, "index": 2, "hash": 3, "signature": len(lines) - 1}[at]
    old = lines[row]
    lines[row] = "index 0\n" if at == "index" else old[:-12] + ("A" if old[-12] != "A" else "B") + old[-11:]
    proof.write_text("".join(lines))
    assert safegen.verify(handed, workspace=stranger).verdict is Verdict.SIGNED_UNLOGGED


def test_attackers_folder_adds_no_trust(
    studio: Studio, handed: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A download that brings its own workspace: anchors, ledger and all."""
    monkeypatch.delenv("SAFEGEN_WORKSPACE", raising=False)
    monkeypatch.setattr(config, "_user_folder", lambda: tmp_path / "me")
    shutil.copytree(studio.workspace, handed.parent, dirs_exist_ok=True)
    pin(handed.parent, bundle(studio, tmp_path / "trust.json"))
    monkeypatch.chdir(handed.parent)
    assert config.look_up_workspace().source == "discovered"
    assert safegen.verify(handed.name).verdict is Verdict.SIGNED_UNTRUSTED
