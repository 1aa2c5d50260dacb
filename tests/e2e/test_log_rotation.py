"""A new log key: old and new proofs verify for who follows the announcement, and for nobody else."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner

import safegen
from safegen import Verdict
from safegen.cli import group
from safegen.errors import KeyUnavailable, LedgerError, UsageError
from safegen.keys.identity import Identity
from safegen.keys.log_history import PastKey, verify_key_history
from safegen.keys.log_rotation import rotate_log
from safegen.keys.trust import TrustBundle, TrustStore, read_trust_file
from safegen.workspace import config
from tests.e2e.makers import Maker, hand_over


def rotated(maker: Maker) -> Maker:
    done = CliRunner().invoke(group, ["keys", "rotate-log", "--json", "--workspace", str(maker.root)])
    assert done.exit_code == 0, done.output
    return Maker(maker.root, Identity.load(maker.identity.folder))


def verdict(path: Path, root: Path) -> Verdict:
    return safegen.verify(path, workspace=root, watermark=False).verdict


def test_old_and_new_proofs(tmp_path: Path) -> None:
    old = Maker.open(tmp_path / "workspace")
    before = hand_over(old.release(tmp_path / "before.mp4"), tmp_path / "inbox")
    store = TrustStore(config.find_workspace(tmp_path / "me").trust)
    store.add(read_trust_file(old.trust_file(tmp_path / "old.json")))
    new = rotated(rotated(old))
    after = hand_over(new.release(tmp_path / "after.mp4", content_id=2), tmp_path / "inbox")
    assert verdict(before, tmp_path / "me") is Verdict.VERIFIED
    assert verdict(after, tmp_path / "me") is Verdict.SIGNED_UNLOGGED
    store.add(read_trust_file(new.trust_file(tmp_path / "new.json")))
    assert len(store.list()) == 1, "the old bundle is replaced"
    assert verdict(before, tmp_path / "me") is Verdict.VERIFIED
    assert verdict(after, tmp_path / "me") is Verdict.VERIFIED
    assert verdict(tmp_path / "before.mp4", old.root) is Verdict.VERIFIED
    done = CliRunner().invoke(group, ["log", "check", "--json", "--workspace", str(old.root)])
    report = json.loads(done.stdout)
    assert report["ok"], report["problems"]
    assert report["checkpoints"] >= 4
    with new.ledger(read_only=True) as ledger:
        entries = ledger.entries("key")
        assert [e.public["new"] for e in entries] == [new.identity.log_vkey, entries[1].public["new"]]
        assert entries[1].public["old"] == old.identity.log_vkey
    assert len(list(new.identity.folder.glob("log*.pem"))) == 1, "the old private key is gone"
    with pytest.raises((KeyUnavailable, LedgerError)):
        _ = old.identity.log_key


def test_a_failed_announcement_changes_nothing(tmp_path: Path) -> None:
    maker = Maker.open(tmp_path / "workspace")

    def fail(*_: str) -> None:
        raise LedgerError("full")

    with pytest.raises(LedgerError):
        rotate_log(maker.identity, fail)
    again = Identity.load(maker.identity.folder)
    assert again.log_vkey == maker.identity.log_vkey
    assert again.log_key is not None
    assert len(list(again.folder.glob("log*.pem"))) == 1


def test_nobody_slips_in_another_key(tmp_path: Path) -> None:
    """Bundles of a forger who knows the maker's public keys and signs with a key of their own."""
    victim = Maker.open(tmp_path / "workspace").identity
    store = TrustStore(tmp_path / "trust")
    store.add(TrustBundle("maker", (victim.root_pem,), vkeys=(victim.log_vkey,), logs=_logs(victim)))
    folder = tmp_path / "forger"
    forger = Identity.load_or_create(folder, name="Forger")
    public = json.loads((folder / "identity.json").read_text())
    from safegen.keys.log_key import encode_vkey

    own = encode_vkey(victim.log_origin, forger.log_key.public_key())
    (folder / "identity.json").write_text(
        json.dumps(public | {"log_origin": victim.log_origin, "log_vkey": own})
    )
    forger = Identity.load(folder)
    after = rotate_log(forger, lambda *_: None)
    note = after.log_history[0].note
    forged = [
        TrustBundle("f", logs=_logs(after), vkeys=(after.log_vkey,)),
        TrustBundle("f", logs=_logs(after), vkeys=(after.log_vkey,), log_history=after.log_history),
        TrustBundle(
            "f", logs=_logs(after), vkeys=(after.log_vkey,), log_history=(PastKey(victim.log_vkey, note),)
        ),
        TrustBundle("f", logs=_logs(victim), vkeys=(victim.log_vkey,), log_history=(PastKey(own, note),)),
    ]
    for bundle in forged:
        with pytest.raises(UsageError, match="already pinned with another key"):
            store.add(bundle)
    assert verify_key_history([own], after.log_history, after.log_vkey)
    past = after.log_history[0]
    assert not verify_key_history(
        [own], [replace(past, note=past.note.replace("rotation", "Rotation"))], after.log_vkey
    )


def _logs(identity: Identity) -> dict[str, object]:
    from safegen.keys.log_key import decode_vkey

    return dict([decode_vkey(identity.log_vkey)])
