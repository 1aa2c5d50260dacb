"""Trust bundles and the store: what goes in comes out, and nothing else gets in."""

from __future__ import annotations

import json
import os
import stat
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from safegen.errors import UnreadableInput, UsageError
from safegen.keys.identity import Identity
from safegen.keys.log_key import encode_vkey
from safegen.keys.trust import TrustStore, export_pem, export_trust, parse_trust, read_trust_file

NOW = datetime(2026, 11, 22, tzinfo=UTC)


@pytest.fixture(scope="module")
def identity(tmp_path_factory: pytest.TempPathFactory) -> Identity:
    return Identity.load_or_create(tmp_path_factory.mktemp("h") / "keys", name="Studio", passphrase=b"x")


@pytest.fixture(scope="module")
def text(identity: Identity) -> str:
    return export_trust(Identity.load(identity.folder), "Studio Nord", created=NOW)


def test_round_trip_without_a_passphrase(identity: Identity, text: str) -> None:
    bundle = parse_trust(text.encode())
    assert bundle.name == "Studio Nord" and bundle.roots == (identity.root_pem,)
    assert dict(bundle.logs) == {identity.log_origin: identity.log_key.public_key()}
    assert bundle.anchors[0].sha256 == identity.fingerprint and "Studio" in bundle.anchors[0].subject
    assert bundle.created.startswith("2026-11-22") and not bundle.tsa_roots
    assert "PRIVATE" not in text and identity.folder.name not in text


def test_bare_pem(identity: Identity) -> None:
    bundle = parse_trust(export_pem(identity).encode(), name="root")
    assert bundle.roots == (identity.root_pem,) and not bundle.logs and bundle.name == "root"
    stamps = parse_trust(export_pem(identity).encode(), kind="tsa")
    assert stamps.tsa_roots == (identity.root_pem,) and not stamps.roots


def test_official_trust_lists(shared: Path) -> None:
    bundle = read_trust_file(shared / "data/c2pa/C2PA-TRUST-LIST.pem")
    assert len(bundle.roots) == 30 and not bundle.logs and bundle.name == "C2PA-TRUST-LIST"
    stamps = read_trust_file(shared / "data/c2pa/C2PA-TSA-TRUST-LIST.pem", kind="tsa")
    assert len(stamps.tsa_roots) == 22 and not stamps.roots


def test_the_store(identity: Identity, text: str, tmp_path: Path) -> None:
    store = TrustStore(tmp_path / "a" / "trust")
    assert store.list() == () and store.roots == () and dict(store.logs) == {}
    added = store.add(parse_trust(text.encode()))
    assert store.add(parse_trust(text.encode())) == added and len(store.list()) == 1
    assert store.roots == (identity.root_pem,) and list(store.logs) == [identity.log_origin]
    stamps = store.add(parse_trust(export_pem(identity).encode(), name="tsa", kind="tsa"))
    assert stamps != added and store.roots == (identity.root_pem,) and store.tsa_roots == (identity.root_pem,)
    if os.name == "posix":
        assert stat.S_IMODE(store.folder.stat().st_mode) == 0o700
        assert all(stat.S_IMODE(p.stat().st_mode) == 0o600 for p in store.folder.iterdir())
    with pytest.raises(UsageError, match="0 pinned"):
        store.remove("ffff")
    with pytest.raises(UsageError):
        store.remove("")
    assert store.remove(added[:6]).name == "Studio Nord"
    assert store.roots == () and dict(store.logs) == {} and store.tsa_roots
    assert TrustStore(store.folder).list()[0][0] == stamps


def test_a_pinned_log_does_not_change_its_key(identity: Identity, text: str, tmp_path: Path) -> None:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    store = TrustStore(tmp_path)
    store.add(parse_trust(text.encode()))
    document = json.loads(text)
    document["logs"] = [encode_vkey(identity.log_origin, Ed25519PrivateKey.generate().public_key())]
    with pytest.raises(UsageError, match="another key"):
        store.add(parse_trust(json.dumps(document).encode()))
    assert store.logs[identity.log_origin] == identity.log_key.public_key()


@pytest.mark.parametrize(
    "change",
    [
        {"format": "other"},
        {"version": 2},
        {"version": None},
        {"name": ""},
        {"name": "x" * 101},
        {"name": "\x1b[2J"},
        {"name": 5},
        {"roots": "text"},
        {"roots": [5]},
        {"roots": ["not a certificate"]},
        {"roots": ["ü"]},
        {"logs": ["a+b+c"]},
        {"logs": {}},
        {"logs": None},
    ],
)
def test_hostile_bundles(change: dict[str, object], text: str) -> None:
    with pytest.raises(UsageError) as caught:
        parse_trust(json.dumps({**json.loads(text), **change}).encode())
    assert caught.value.hint


def test_hostile_bytes(identity: Identity, text: str, tmp_path: Path) -> None:
    private = (identity.folder / "root.key.pem").read_bytes()
    twice = json.loads(text)
    twice["logs"] *= 2
    for data in (
        b"",
        b"\0" * 100,
        b"{",
        b"[]",
        b"{}",
        b'{"a":' * 50_000,
        b"x" * ((1 << 20) + 1),
        identity.root_pem + private,
        identity.chain_pem,
        json.dumps(twice).encode(),
    ):
        with pytest.raises(UsageError):
            parse_trust(data)
    with pytest.raises(UnreadableInput):
        read_trust_file(tmp_path / "none")


@given(st.binary(max_size=200))
def test_any_bytes_are_refused(data: bytes) -> None:
    with pytest.raises(UsageError):
        parse_trust(data)


def test_damaged_subject_is_a_usage_error(tmp_path: Path) -> None:
    """Certificates are decoded piece by piece: a broken name must not surface later as a bug."""
    import base64

    own = Identity.load_or_create(tmp_path / "keys", name="maker")
    body = b"".join(own.root_pem.split(b"\n")[1:-2])
    der = bytearray(base64.b64decode(body))
    at = der.find(b"\x06\x03\x55\x04\x0a")  # the OID of the organisation, in issuer and subject
    for start in (at, der.find(b"\x06\x03\x55\x04\x0a", at + 1)):
        broken = bytearray(der)
        broken[start + 5] = 0x08  # the value's type is no string any more
        pem = b"-----BEGIN CERTIFICATE-----\n" + base64.b64encode(broken) + b"\n-----END CERTIFICATE-----\n"
        with pytest.raises(UsageError):
            _ = parse_trust(pem).anchors


def test_revocation_lists_are_pinned_and_never_taken_back(tmp_path: Path) -> None:
    from safegen._util.time import utc_now
    from safegen.keys.revoke import earlier_serials, revoke

    own = Identity.load_or_create(tmp_path / "keys", name="Studio Nord")
    before = export_trust(own, "Nord", created=utc_now()).encode()
    fresh, serial = revoke(own, lambda *_: None)
    assert earlier_serials(fresh) == (serial,)
    after = export_trust(fresh, "Nord", created=utc_now()).encode()
    store = TrustStore(tmp_path / "trust")
    store.add(parse_trust(before))
    store.add(parse_trust(after))
    store.add(parse_trust(before))
    (bundle,) = store.bundles()
    assert bundle.crls == fresh.crls, "an old copy of the bundle takes no revocation back"
    from cryptography import x509
    from cryptography.hazmat.primitives.serialization import Encoding

    der = x509.load_pem_x509_crl(fresh.crls[0]).public_bytes(Encoding.DER)
    for data in (fresh.crls[0], der):
        alone = parse_trust(data, name="list")
        assert (alone.roots, alone.crls) == ((), fresh.crls)
    identifier = store.add(parse_trust(der, name="list"))
    assert len(store.list()) == 2
    assert store.remove(identifier).crls == fresh.crls
