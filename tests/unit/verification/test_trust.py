"""Whom a verification trusts, in which order, and which logs go with whom."""

from __future__ import annotations

import json
from dataclasses import replace
from itertools import permutations
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from safegen.errors import KeyUnavailable, UsageError
from safegen.keys.c2pa_list import FILES, TrustList, packaged_list, store_list
from safegen.keys.identity import Identity
from safegen.keys.log_key import encode_vkey
from safegen.keys.trust import TrustBundle, TrustStore, export_pem, export_trust, parse_trust
from safegen.verification import c2pa_lists
from safegen.verification.trust import Trust, load_trust
from safegen.workspace.config import Workspace, find_workspace
from tests.unit.keys.test_c2pa_list import NOW

SIGNERS, STAMPS = packaged_list("signer"), packaged_list("tsa")


@pytest.fixture(scope="module")
def nord(tmp_path_factory: pytest.TempPathFactory) -> Identity:
    return Identity.load_or_create(tmp_path_factory.mktemp("nord") / "keys", name="Nord")


@pytest.fixture(autouse=True)
def lists(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The user's data folder."""
    monkeypatch.setattr(c2pa_lists, "user_data_folder", lambda: tmp_path / "data")
    return c2pa_lists.list_folder()


@pytest.fixture
def space(tmp_path: Path) -> Workspace:
    found = find_workspace(tmp_path / "me")
    found.create()
    return found


def bundle(maker: Identity, name: str = "Nord") -> TrustBundle:
    return parse_trust(export_trust(maker, name, created=NOW).encode())


def written(path: Path, text: str) -> Path:
    path.write_text(text)
    return path


def test_the_lists_vouch_for_signers_and_stamps_and_for_no_log(space: Workspace) -> None:
    trust = load_trust(space)
    assert trust.anchors == SIGNERS.anchors and trust.tsa_anchors == STAMPS.anchors
    assert trust.log_keys == {} and trust.ties == {} and trust.crls == ()
    assert not set(trust.names) - set(SIGNERS.fingerprints), (
        "a root for stamps only has no name among signers"
    )
    for root in (*SIGNERS.fingerprints, *STAMPS.fingerprints):
        assert trust.logs_of(root) == frozenset() == trust.logs_of(root.upper())
    described = trust.describe_anchor("CN=x", SIGNERS.fingerprints[0].upper())
    assert described == "C2PA trust list of 2026-08-13: CN=x"
    only = next(sha for sha in STAMPS.fingerprints if sha not in SIGNERS.fingerprints)
    assert trust.describe_anchor("CN=x", only) == "CN=x"


def test_the_switches(space: Workspace) -> None:
    assert load_trust(space, c2pa_list=False) == Trust(log_keys={})
    (space.root / "safegen.toml").write_text("format = 1\n[trust]\nc2pa_list = false\n")
    assert load_trust(find_workspace(space.root)) == Trust(log_keys={})
    (space.root / "safegen.toml").write_text("format = 1\n[trust]\nc2pa_list = true\n")
    assert load_trust(find_workspace(space.root)).anchors == SIGNERS.anchors


def test_an_updated_list_is_used_and_named(space: Workspace, lists: Path, nord: Identity) -> None:
    store_list(lists, TrustList("signer", "2026-11-30", "x", nord.root_pem))
    trust = load_trust(space)
    assert trust.anchors == (nord.root_pem,) and trust.tsa_anchors == STAMPS.anchors
    assert trust.describe_anchor("CN=x", nord.fingerprint).startswith("C2PA trust list of 2026-11-30: ")
    (lists / FILES["signer"]).write_text("damaged")
    with pytest.raises(UsageError, match="damaged"):
        load_trust(space)


def test_a_found_workspace_adds_nothing(space: Workspace, nord: Identity) -> None:
    TrustStore(space.trust).add(bundle(nord))
    found = load_trust(replace(space, source="discovered"))
    assert found.anchors == SIGNERS.anchors and found.log_keys == {} and found.ties == {}


def test_ones_own_pins_come_first_and_keep_their_name(
    space: Workspace, lists: Path, nord: Identity, tmp_path: Path
) -> None:
    """The same root from everywhere: named by whom the user chose first, tied to the log all the same."""
    store_list(lists, TrustList("signer", "2026-11-30", "x", nord.root_pem))
    pem = written(tmp_path / "evil.pem", export_pem(nord))
    assert "C2PA" in load_trust(space).describe_anchor("CN=x", nord.fingerprint)
    for_now = load_trust(space, [pem])
    assert for_now.describe_anchor("CN=x", nord.fingerprint).startswith('"evil", trusted for this run: ')
    assert for_now.logs_of(nord.fingerprint) == frozenset()
    TrustStore(space.trust).add(bundle(nord))
    trust = load_trust(space, [pem])
    assert trust.describe_anchor("CN=x", nord.fingerprint).startswith('"Nord", pinned: ')
    assert trust.logs_of(nord.fingerprint) == {nord.log_origin} == trust.logs_of(nord.fingerprint.upper())
    assert list(trust.log_keys) == [nord.log_origin] and len(trust.log_keys[nord.log_origin]) == 1
    assert trust.anchors[0] == nord.root_pem == trust.anchors[-1]


def test_a_name_that_somebody_gave_is_never_taken_for_ours(space: Workspace, nord: Identity) -> None:
    for name in ("C2PA trust list of 2026-08-13", "this workspace", 'x", pinned: C2PA trust list'):
        store = TrustStore(space.trust)
        identifier = store.add(bundle(nord, name))
        described = load_trust(space).describe_anchor("CN=x", nord.fingerprint)
        assert described.startswith(f'"{name}"'), "in quotes"
        store.remove(identifier)


def test_ones_own_identity_and_its_log(space: Workspace) -> None:
    own = Identity.load_or_create(space.keys, name="me")
    trust = load_trust(space)
    assert trust.anchors[0] == own.root_pem
    assert trust.describe_anchor("CN=x", own.fingerprint).startswith("this workspace: ")
    assert trust.logs_of(own.fingerprint) == {own.log_origin}


def test_a_configured_certificate_is_tied_to_ones_own_log(space: Workspace, nord: Identity) -> None:
    own = Identity.load_or_create(space.keys, name="me")
    (space.root / "chain.pem").write_bytes(nord.chain_pem + nord.root_pem)
    text = 'format = 1\n[signing]\nchain = "chain.pem"\nkey = "leaf.key"\n'
    (space.root / "safegen.toml").write_text(text)
    trust = load_trust(find_workspace(space.root))
    assert trust.anchors[:2] == (own.root_pem, nord.root_pem)
    assert trust.logs_of(nord.fingerprint) == {own.log_origin} == trust.logs_of(own.fingerprint)
    assert trust.describe_anchor("CN=x", nord.fingerprint).startswith("configured certificate: ")
    (space.root / "chain.pem").unlink()
    with pytest.raises(KeyUnavailable, match="cannot read the certificates"):
        load_trust(find_workspace(space.root))


def test_a_file_for_one_run_cannot_name_another_makers_log(
    space: Workspace, nord: Identity, tmp_path: Path
) -> None:
    """Neither with a key of one's own, which is an error, nor with the maker's root beside one's own log."""
    eve = Identity.load_or_create(tmp_path / "eve", name="Eve")
    document = json.loads(export_trust(eve, "Eve", created=NOW))
    foreign = encode_vkey(nord.log_origin, Ed25519PrivateKey.from_private_bytes(b"e" * 32).public_key())
    claims_log = written(tmp_path / "log.json", json.dumps(document | {"logs": [foreign]}))
    root = nord.root_pem.decode()
    claims_root = written(
        tmp_path / "root.json", json.dumps(document | {"roots": [*document["roots"], root]})
    )
    store = TrustStore(space.trust)
    store.add(bundle(nord))
    with pytest.raises(UsageError, match="already pinned with another key"):
        load_trust(space, [claims_log])
    trust = load_trust(space, [claims_root])
    assert trust.logs_of(nord.fingerprint) == {nord.log_origin}
    assert trust.logs_of(eve.fingerprint) == {eve.log_origin}
    own = replace(space, root=nord.folder.parent)
    for files in permutations(
        [written(tmp_path / "nord.json", export_trust(nord, "N", created=NOW)), claims_log]
    ):
        with pytest.raises(UsageError, match="already pinned with another key"):
            load_trust(replace(space, root=tmp_path / "empty"), files)
    with pytest.raises(UsageError, match="already pinned with another key"):
        load_trust(own, [claims_log])


def test_the_order_of_files_changes_nothing(space: Workspace, nord: Identity, tmp_path: Path) -> None:
    eve = Identity.load_or_create(tmp_path / "eve", name="Eve")
    files = [
        written(tmp_path / "a.json", export_trust(nord, "Nord", created=NOW)),
        written(tmp_path / "b.pem", export_pem(nord)),
        written(tmp_path / "c.json", export_trust(eve, "Eve", created=NOW)),
    ]
    results = [load_trust(space, order) for order in permutations(files)]
    for found in results[1:]:
        assert (found.anchors, found.names, found.ties) == (
            results[0].anchors,
            results[0].names,
            results[0].ties,
        )
