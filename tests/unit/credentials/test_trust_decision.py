"""Trust is our own decision: which anchors vouch, when, and for whom."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import c2pa
import pytest

from safegen.credentials import library
from safegen.credentials.claim_signature import SignatureUnreadable, active_label, verify_claim_signature
from safegen.credentials.read import read_credentials
from safegen.credentials.sign import sign_file
from safegen.errors import UsageError
from safegen.keys.identity import Identity
from safegen.keys.trust import TrustStore, export_pem, export_trust, parse_trust
from safegen.types import CredentialState, Json

NOW = datetime.now(UTC)
Ephemeral = Callable[[Callable[[Identity], None]], Identity]


def test_export_here_add_there(signed: Path, identity: Identity, tmp_path: Path) -> None:
    store = TrustStore(tmp_path / "elsewhere" / "trust")
    assert not read_credentials(signed, anchors_pem=store.roots).trusted
    store.add(parse_trust(export_trust(identity, "Studio", created=NOW).encode()))
    evidence = read_credentials(signed, anchors_pem=store.roots)
    assert evidence.trusted and evidence.trusted_root is not None
    assert identity.fingerprint in evidence.trusted_root
    assert evidence.signer == "Studio Nord (safegen local identity, not verified by anyone)"
    assert read_credentials(signed, anchors_pem=[export_pem(identity)]).trusted


def test_another_root_does_not_vouch(signed: Path, stranger: Identity) -> None:
    evidence = read_credentials(signed, anchors_pem=[stranger.root_pem])
    assert evidence.state is CredentialState.VALID and not evidence.trusted and evidence.trusted_root is None
    assert "no anchor" in evidence.reason


def test_a_root_of_the_same_name_does_not_vouch(
    video: Path, definition: Json, signed: Path, tmp_path: Path
) -> None:
    twin = Identity.load_or_create(tmp_path / "twin", name="Studio Nord")
    assert not read_credentials(signed, anchors_pem=[twin.root_pem]).trusted


def test_a_time_stamp_anchor_never_vouches_for_a_signer(signed: Path, identity: Identity) -> None:
    root = identity.root_pem.decode()
    with signed.open("rb") as file:
        reader = c2pa.Reader(None, file, context=library.context(tsa_anchors_pem=root))
        assert reader.get_validation_state() == "Trusted", "if this changes, c2pa has learnt it too"
    evidence = read_credentials(signed, tsa_anchors_pem=[root])
    assert evidence.state is CredentialState.VALID and not evidence.trusted


def test_the_leaf_itself_is_no_anchor(signed: Path, identity: Identity) -> None:
    leaf_first = identity.chain_pem.split(b"-----END CERTIFICATE-----\n")[0] + b"-----END CERTIFICATE-----\n"
    assert not read_credentials(signed, anchors_pem=[leaf_first]).trusted
    assert read_credentials(signed, anchors_pem=[identity.chain_pem]).trusted, "its issuing CA may be one"


def test_field_anchors_have_to_be_certificates(signed: Path) -> None:
    with pytest.raises(UsageError):
        read_credentials(signed, anchors_pem=["no certificate"])


def test_expired(video: Path, definition: Json, tmp_path: Path, ephemeral: Ephemeral, tsa: Any) -> None:
    """With and without a time stamp, with the stamp's authority pinned, elsewhere pinned, or not."""
    plain, stamped = tmp_path / "plain.mp4", tmp_path / "stamped.mp4"
    signed_at = datetime.now(UTC)

    def in_time(identity: Identity) -> None:
        nonlocal signed_at
        for path, url in ((plain, None), (stamped, tsa.url)):
            path.unlink(missing_ok=True)
            sign_file(video, path, definition, signer=identity.signer(), tsa_url=url)
        signed_at = datetime.now(UTC)
        assert read_credentials(plain, anchors_pem=[identity.root_pem]).trusted

    identity = ephemeral(in_time)
    time.sleep(max(0.0, (identity.expires - datetime.now(UTC)).total_seconds()) + 1.1)

    late = read_credentials(plain, anchors_pem=[identity.root_pem])
    assert late.state is CredentialState.VALID and late.expired and not late.trusted and not late.failures
    assert late.trusted_root is not None and identity.fingerprint in late.trusted_root
    assert "signingCredential.expired" in late.notes
    then = read_credentials(plain, anchors_pem=[identity.root_pem], at=signed_at - timedelta(seconds=2))
    assert then.trusted and not then.expired

    proven = read_credentials(stamped, anchors_pem=[identity.root_pem], tsa_anchors_pem=[tsa.root])
    assert proven.trusted and proven.time_stamped and not proven.expired and proven.signed_at
    unknown = read_credentials(stamped, anchors_pem=[identity.root_pem])
    assert not unknown.trusted and not unknown.time_stamped and unknown.expired
    as_signer = read_credentials(stamped, anchors_pem=[identity.root_pem, tsa.root])
    assert not as_signer.time_stamped and not as_signer.trusted, "a signer root could backdate itself"
    elsewhere = read_credentials(stamped, tsa_anchors_pem=[tsa.root])
    assert elsewhere.time_stamped and not elsewhere.trusted

    data = bytearray(plain.read_bytes())
    data[-3] ^= 1
    plain.write_bytes(bytes(data))
    tampered = read_credentials(plain, anchors_pem=[identity.root_pem])
    assert tampered.state is CredentialState.INVALID and tampered.failures == ("assertion.bmffHash.mismatch",)


def test_the_certificates_are_those_that_signed(
    video: Path, definition: Json, identity: Identity, tmp_path: Path
) -> None:
    raw = sign_file(video, tmp_path / "out.mp4", definition, signer=identity.signer()).manifest_bytes
    label = active_label(raw)
    assert verify_claim_signature(raw, label).chain[0] == identity.leaf
    with pytest.raises(SignatureUnreadable, match="0 boxes"):
        verify_claim_signature(raw, "urn:c2pa:other")
    (size,) = (int.from_bytes(raw[:4], "big"),)
    first = 8 + int.from_bytes(raw[8:12], "big")
    twice = (2 * size - first).to_bytes(4, "big") + raw[4:] + raw[first:]
    with pytest.raises(SignatureUnreadable, match="2 boxes"):
        verify_claim_signature(twice, label)
    at = raw.index(b"c2pa.created")
    with pytest.raises(SignatureUnreadable):
        verify_claim_signature(raw[: len(raw) // 2], label)
    assert verify_claim_signature(raw[:at] + b"C" + raw[at + 1 :], label), "assertions are c2pa's to check"
    claim = raw.index(b"instanceID") + 14
    with pytest.raises(SignatureUnreadable, match="does not verify"):
        verify_claim_signature(raw[:claim] + bytes([raw[claim] ^ 1]) + raw[claim + 1 :], label)
