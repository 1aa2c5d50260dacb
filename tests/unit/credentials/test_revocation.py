"""Revocation: stapled answers, lists, and that a revoked signer is never trusted."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from safegen.credentials.claim_signature import signature_box, verify_claim_signature
from safegen.credentials.open_store import manifest_bytes
from safegen.credentials.read import read_credentials
from safegen.credentials.sign import sign_file
from safegen.credentials.staple import staple_sign1
from safegen.errors import CheckUnavailable, SigningFailed, UsageError
from safegen.keys.identity import Identity
from safegen.keys.revocation import check_revocation, read_crls
from safegen.keys.revoke import revoke, revoked_serials
from safegen.types import CredentialState, Json
from tests.e2e.responder import Responder


def quiet(*_: str) -> None:
    pass


def sign(source: Path, out: Path, definition: Json, own: Identity, url: str | None) -> Path:
    made = sign_file(source, out, definition, signer=own.signer(), ocsp_url=url)
    assert manifest_bytes(out) == made.manifest_bytes
    return out


def test_a_good_answer_is_stapled(
    video: Path, tmp_path: Path, definition: Json, own: Identity, responder: Responder
) -> None:
    out = sign(video, tmp_path / "out.mp4", definition, own, responder.url)
    plain = sign(video, tmp_path / "plain.mp4", definition, own, None)
    assert responder.asked == 1
    assert out.stat().st_size == plain.stat().st_size, "the answer takes the place of padding"
    found = read_credentials(out, anchors_pem=[own.root_pem])
    assert found.state is CredentialState.VALID
    assert found.trusted
    assert "signingCredential.ocsp.notRevoked" in found.codes, "c2pa reads it, too"
    assert found.revocation.startswith("not revoked")
    assert not read_credentials(plain, anchors_pem=[own.root_pem]).revocation


@pytest.mark.parametrize("suffix", [".png", ".jpg", ".wav"])
def test_other_formats(
    tmp_path: Path, definition: Json, own: Identity, responder: Responder, suffix: str
) -> None:
    import cv2
    import numpy as np

    source = tmp_path / f"source{suffix}"
    if suffix == ".wav":
        import wave

        with wave.open(str(source), "wb") as file:
            file.setparams((1, 2, 8000, 0, "NONE", ""))
            file.writeframes(b"\0\1" * 800)
    else:
        cv2.imwrite(str(source), np.zeros((32, 32, 3), np.uint8))
    mime = {".png": "image/png", ".jpg": "image/jpeg", ".wav": "audio/wav"}[suffix]
    out = sign(source, tmp_path / f"out{suffix}", {**definition, "format": mime}, own, responder.url)
    found = read_credentials(out, anchors_pem=[own.root_pem])
    assert found.trusted, found.failures
    assert found.revocation.startswith("not revoked")
    if suffix == ".png":
        assert cv2.imread(str(out)) is not None


def test_nothing_is_signed_with_a_revoked_certificate(
    video: Path, tmp_path: Path, definition: Json, own: Identity, responder: Responder
) -> None:
    responder.revoked_at = datetime.now(UTC) - timedelta(hours=1)
    with pytest.raises(SigningFailed, match="revoked on"):
        sign(video, tmp_path / "out.mp4", definition, own, responder.url)
    assert not (tmp_path / "out.mp4").exists()


@pytest.mark.parametrize("raw", [b"", b"garbage", b"stranger", b"old"])
def test_answers_that_do_not_count(
    video: Path,
    tmp_path: Path,
    definition: Json,
    own: Identity,
    stranger: Identity,
    responder: Responder,
    raw: bytes,
) -> None:
    other = Responder(stranger)
    responder.raw = {
        b"stranger": other.answer(leaf=own.leaf),
        b"old": responder.answer(age=timedelta(days=3)),
    }.get(raw, raw)
    with pytest.raises(SigningFailed, match="does not vouch"):
        sign(video, tmp_path / "out.mp4", definition, own, responder.url)
    assert not (tmp_path / "out.mp4").exists()


def test_no_responder_no_signature(video: Path, tmp_path: Path, definition: Json, own: Identity) -> None:
    with pytest.raises(SigningFailed, match="did not answer"):
        sign(video, tmp_path / "out.mp4", definition, own, "http://127.0.0.1:9/")
    with pytest.raises(UsageError, match="responder"):
        sign(video, tmp_path / "out.mp4", definition, own, "ftp://example.com/")


def test_a_stapled_revocation_counts(
    video: Path, tmp_path: Path, definition: Json, own: Identity, responder: Responder
) -> None:
    """Somebody who signs on with a revoked certificate and staples the truth: not tampered, not trusted."""
    from safegen.credentials.staple import staple_into

    out = tmp_path / "out.mp4"
    made = sign_file(video, out, definition, signer=own.signer())
    responder.revoked_at = datetime.now(UTC) - timedelta(hours=1)
    staple_into(out, made.manifest_bytes, made.manifest_id, responder.answer())
    found = read_credentials(out, anchors_pem=[own.root_pem])
    assert found.state is CredentialState.VALID
    assert found.revoked
    assert not found.trusted
    assert "revoked on" in found.revocation


def test_stapling_changes_the_unprotected_header_only(
    video: Path, tmp_path: Path, definition: Json, own: Identity, responder: Responder
) -> None:
    made = sign_file(video, tmp_path / "out.mp4", definition, signer=own.signer())
    old = signature_box(made.manifest_bytes, made.manifest_id)
    new = staple_sign1(old, responder.answer())
    assert len(new) == len(old)
    store = made.manifest_bytes.replace(old, new)
    signer = verify_claim_signature(store, made.manifest_id)
    assert len(signer.ocsp_responses) == 1
    again = staple_sign1(new, signer.ocsp_responses[0])
    assert len(verify_claim_signature(store.replace(new, again), made.manifest_id).ocsp_responses) == 1
    with pytest.raises(SigningFailed, match="no room"):
        staple_sign1(old, bytes(20_000))
    with pytest.raises(SigningFailed):
        staple_sign1(b"\x83abc", b"x")


def lists(own: Identity) -> list[bytes]:
    return list(own.crls)


def test_a_list_at_hand(video: Path, tmp_path: Path, definition: Json, own: Identity) -> None:
    out = sign(video, tmp_path / "out.mp4", definition, own, None)
    first = own.leaf.serial_number
    said: list[tuple[str, str]] = []
    fresh, serial = revoke(own, lambda *a: said.append(a), reason="keyCompromise")
    assert said == [(f"{first:x}", "keyCompromise")]
    assert serial == f"{first:x}"
    assert fresh.leaf.serial_number != first, "the certificate in use was replaced"
    assert revoked_serials(fresh) == (serial,)
    found = read_credentials(out, anchors_pem=[own.root_pem], crls=lists(fresh))
    assert (found.state, found.trusted, found.revoked) == (CredentialState.VALID, False, True)
    assert "keyCompromise" in found.revocation
    after = sign(video, tmp_path / "after.mp4", definition, fresh, None)
    good = read_credentials(after, anchors_pem=[own.root_pem], crls=lists(fresh))
    assert good.trusted
    assert good.revocation.startswith("not revoked")
    assert read_credentials(out, anchors_pem=[own.root_pem]).trusted, "who has no list cannot know"


def test_lists_of_others_say_nothing(
    video: Path, tmp_path: Path, definition: Json, own: Identity, stranger: Identity
) -> None:
    """A list in the issuer's name, but signed by somebody else's key, that names the certificate."""
    from cryptography.hazmat.primitives import hashes

    out = sign(video, tmp_path / "out.mp4", definition, own, None)
    now = datetime.now(UTC)
    entry = (
        x509.RevokedCertificateBuilder().serial_number(own.leaf.serial_number).revocation_date(now).build()
    )
    forged = (
        x509.CertificateRevocationListBuilder()
        .issuer_name(own.issuing.subject)
        .last_update(now)
        .next_update(now + timedelta(days=1))
        .add_revoked_certificate(entry)
        .sign(stranger.issuing_key(), hashes.SHA256())
    )
    found = read_credentials(out, anchors_pem=[own.root_pem], crls=[forged.public_bytes(Encoding.PEM)])
    assert found.trusted
    assert not found.revocation


def test_when_it_was_revoked(own: Identity) -> None:
    leaf, chain = own.leaf, [own.leaf, own.issuing]
    unsafe = datetime.now(UTC) - timedelta(days=30)
    fresh, _ = revoke(own, quiet, unsafe_since=unsafe)
    now = datetime.now(UTC)

    def status(proven: datetime | None) -> str:
        return check_revocation(chain, (), crls=lists(fresh), stamped_at=proven, at=now).status

    assert leaf.serial_number
    assert status(None) == "revoked"
    assert status(now) == "revoked"
    assert status(unsafe + timedelta(days=1)) == "revoked", "the key was unsafe already"
    assert status(unsafe - timedelta(days=1)) == "revoked", "a key on a list is never good again"


def test_an_old_list_says_nothing_good(own: Identity) -> None:
    past = own.leaf.serial_number
    fresh, _ = revoke(own, quiet)
    later = datetime.now(UTC) + timedelta(days=500)
    chain = [fresh.leaf, fresh.issuing]
    assert check_revocation(chain, (), crls=lists(fresh), at=later).status == "unknown"
    assert check_revocation(chain, (), crls=lists(fresh), at=datetime.now(UTC)).status == "good"
    again, _ = revoke(fresh, quiet, serial=past)
    assert revoked_serials(again) == (f"{past:x}",), "revoking twice changes nothing"


def test_a_damaged_list_is_no_pass(video: Path, tmp_path: Path, definition: Json, own: Identity) -> None:
    """It may be the one that names the certificate: the check could not run, so there is no answer."""
    out = sign(video, tmp_path / "out.mp4", definition, own, None)
    fresh, _ = revoke(own, quiet)
    (kept,) = lists(fresh)
    damaged = kept[:200] + b"!!!!" + kept[204:]
    with pytest.raises(CheckUnavailable, match="damaged"):
        read_credentials(out, anchors_pem=[own.root_pem], crls=[damaged])


def test_wrong_use(own: Identity) -> None:
    with pytest.raises(UsageError, match="issued no certificate"):
        revoke(own, quiet, serial=4711)
    with pytest.raises(UsageError, match="not a known reason"):
        revoke(own, quiet, reason="boredom")
    with pytest.raises(UsageError):
        read_crls(b"nothing")
    assert not own.crls


def test_a_failed_announcement_revokes_nothing(own: Identity) -> None:
    def fail(*_: str) -> None:
        raise UsageError("full")

    with pytest.raises(UsageError):
        revoke(own, fail)
    assert not Identity.load(own.folder).crls
