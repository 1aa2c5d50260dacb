"""The C2PA's list in the verdict: it vouches for signers, takes nothing from what is pinned, names itself."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

import safegen
from safegen import Verdict
from safegen.cli import group
from safegen.compliance import rules
from safegen.compliance.rules import check_compliance
from safegen.errors import KeyUnavailable
from safegen.keys.c2pa_list import TrustList, packaged_list, store_list
from safegen.keys.certificates import Hierarchy, issue_hierarchy
from safegen.keys.files import write_private
from safegen.keys.signers import from_paths
from safegen.keys.trust import TrustStore, read_trust_file
from safegen.verification import c2pa_lists
from safegen.workspace.config import find_workspace
from tests.e2e.makers import Maker, hand_over

DATE = "2026-11-30"


@pytest.fixture(autouse=True)
def lists(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The user's data folder."""
    monkeypatch.setattr(c2pa_lists, "user_data_folder", lambda: tmp_path / "data")
    return c2pa_lists.list_folder()


def listed(folder: Path, *anchors: bytes) -> None:
    """A newer list of signers with *anchors*."""
    body = b"".join((*packaged_list("signer").anchors, *anchors))
    store_list(folder, TrustList("signer", DATE, "a test", body))


def keys(maker: Maker, *arguments: str) -> Result:
    return CliRunner().invoke(group, ["keys", *arguments, "--workspace", str(maker.root)])


def configure(maker: Maker, made: Hierarchy, *certificates: str) -> None:
    """``[signing]`` with the named certificates of *made* as chain."""
    chain = b"".join(getattr(made, name).public_bytes(Encoding.PEM) for name in certificates)
    (maker.root / "chain.pem").write_bytes(chain)
    pem = made.leaf_key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    write_private(maker.root / "leaf.key", pem)
    text = 'format = 1\n[signing]\nchain = "chain.pem"\nkey = "leaf.key"\n'
    (maker.root / "safegen.toml").write_text(text)


def test_a_listed_signer_is_trusted_and_the_list_named(tmp_path: Path, lists: Path) -> None:
    maker, me = Maker.open(tmp_path / "maker"), tmp_path / "me"
    file = hand_over(maker.release(tmp_path / "clip.mp4"), tmp_path / "inbox")
    before = safegen.verify(file, workspace=me, watermark=False)
    assert (before.verdict, before.trusted_by) == (Verdict.SIGNED_UNTRUSTED, None)
    listed(lists, maker.identity.root_pem)
    found = safegen.verify(file, workspace=me, watermark=False)
    assert found.verdict is Verdict.SIGNED_UNLOGGED, "the proof is of a log that nobody pinned"
    assert found.trusted_by is not None and found.trusted_by.startswith(f"C2PA trust list of {DATE}: ")
    assert maker.identity.fingerprint in found.trusted_by
    off = safegen.verify(file, workspace=me, watermark=False, c2pa_list=False)
    assert (off.verdict, off.trusted_by) == (Verdict.SIGNED_UNTRUSTED, None)
    arguments = [str(file), "--no-watermark", "--json", "--workspace", str(me)]
    for more, code in (([], 12), (["--no-c2pa-list"], 11)):
        done = CliRunner().invoke(group, ["verify", *arguments, *more])
        assert done.exit_code == code, done.output


def test_comply_has_the_same_switch(tmp_path: Path, lists: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    maker = Maker.open(tmp_path / "maker")
    file = maker.release(tmp_path / "clip.mp4")
    listed(lists, maker.identity.root_pem)
    reports = []

    def keep(report: Any, rule: Any) -> Any:
        reports.append(report)
        return check_compliance(report, rule)

    monkeypatch.setattr(rules, "check_compliance", keep)
    for more in ([], ["--no-c2pa-list"]):
        arguments = [str(file), "--rule", "eu-ai-act-50", "--workspace", str(tmp_path / "me"), *more]
        assert CliRunner().invoke(group, ["comply", *arguments]).exit_code == 9
    assert [report.credentials.trusted for report in reports] == [True, False]


@pytest.mark.parametrize("anchor", ["root", "issuing"])
def test_the_list_takes_nothing_from_a_pinned_maker(tmp_path: Path, lists: Path, anchor: str) -> None:
    """Whether the list holds the maker's root or an authority below it."""
    maker, me = Maker.open(tmp_path / "maker"), tmp_path / "me"
    file = hand_over(maker.release(tmp_path / "clip.mp4"), tmp_path / "inbox")
    TrustStore(find_workspace(me).trust).add(read_trust_file(maker.trust_file(tmp_path / "maker.json")))
    issuing = maker.identity.issuing.public_bytes(Encoding.PEM)
    listed(lists, maker.identity.root_pem if anchor == "root" else issuing)
    found = safegen.verify(file, workspace=me, watermark=False)
    assert found.verdict is Verdict.VERIFIED
    assert found.trusted_by is not None and found.trusted_by.startswith('"Studio Nord", pinned: ')


@pytest.mark.parametrize("chain", [("leaf", "issuing", "root"), ("leaf", "issuing")], ids=["root", "topmost"])
def test_who_pins_the_export_can_check_what_a_certificate_of_ones_own_signed(
    tmp_path: Path, chain: tuple[str, ...]
) -> None:
    maker, me = Maker.open(tmp_path / "maker"), tmp_path / "me"
    local = json.loads(keys(maker, "show", "--json").stdout)
    assert local["signs_with"] == "the local identity" and local["root_sha-256"] == maker.identity.fingerprint
    made = issue_hierarchy("Nord", datetime.now(UTC))
    configure(maker, made, *chain)
    signer = from_paths(maker.root / "chain.pem", maker.root / "leaf.key")
    file = hand_over(maker.release(tmp_path / "clip.mp4", signer=signer), tmp_path / "inbox")
    assert maker.verify(tmp_path / "clip.mp4").verdict is Verdict.VERIFIED
    target = tmp_path / "nord.json"
    done = json.loads(keys(maker, "export-trust", "-o", str(target), "--name", "Nord", "--json").stdout)
    bundle = read_trust_file(target)
    top = getattr(made, chain[-1]).public_bytes(Encoding.PEM)
    assert bundle.roots == (top,) and list(bundle.logs) == [maker.identity.log_origin]
    shown = json.loads(keys(maker, "show", "--json").stdout)
    assert done["root_sha-256"] == bundle.anchors[0].sha256 == shown["root_sha-256"]
    assert shown["signs_with"] == "the certificate under [signing]"
    assert keys(maker, "export-trust", "--pem").stdout.encode() == top
    TrustStore(find_workspace(me).trust).add(bundle)
    assert safegen.verify(file, workspace=me, watermark=False).verdict is Verdict.VERIFIED


def test_a_lone_certificate_is_not_exported(tmp_path: Path) -> None:
    maker = Maker.open(tmp_path / "maker")
    configure(maker, issue_hierarchy("Nord", datetime.now(UTC)), "leaf")
    target = tmp_path / "nord.json"
    for more in ([], ["--pem"]):
        done = keys(maker, "export-trust", "-o", str(target), *more)
        assert isinstance(done.exception, KeyUnavailable) and "add the CA's" in done.exception.hint
        assert not target.exists()
    shown = keys(maker, "show", "--json")
    assert shown.exit_code == 0 and "unknown" in json.loads(shown.stdout)["root_sha-256"]
