"""Signing: every algorithm, the user's own certificates, failing signers, what cannot be signed."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import av
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    pkcs12,
)

from safegen.credentials.embedded import fragmented, is_init_segment
from safegen.credentials.open_store import manifest_bytes
from safegen.credentials.read import manifest_json, read_credentials
from safegen.credentials.sign import Ingredient, sign_file
from safegen.errors import KeyUnavailable, SigningFailed, UnreadableInput, UsageError
from safegen.keys.certificates import C2PA_SIGNING, issue_hierarchy
from safegen.keys.identity import Identity
from safegen.keys.signers import CallbackSigner, KeySigner, from_callback, from_paths
from safegen.types import CredentialState, Json

KEYS: dict[str, Any] = {
    "es256": lambda: ec.generate_private_key(ec.SECP256R1()),
    "es384": lambda: ec.generate_private_key(ec.SECP384R1()),
    "es512": lambda: ec.generate_private_key(ec.SECP521R1()),
    "ps256": lambda: rsa.generate_private_key(65537, 2048),
    "ed25519": ed25519.Ed25519PrivateKey.generate,
}


def certificate(key: Any, **changes: Any) -> tuple[x509.Certificate, bytes]:
    """A leaf for *key* under a fresh hierarchy, and the root; *changes* break the profile."""
    made = issue_hierarchy("User", datetime.now(UTC))
    now = datetime.now(UTC)
    usage = changes.get("eku", [x509.ObjectIdentifier("1.3.6.1.5.5.7.3.4"), C2PA_SIGNING])
    builder = (
        x509.CertificateBuilder()
        .subject_name(made.leaf.subject)
        .issuer_name(made.issuing.subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(days=9))
        .add_extension(x509.BasicConstraints(False, None), True)
        .add_extension(x509.ExtendedKeyUsage(usage), False)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), False)
    )
    if changes.get("key_usage", True):
        flags = x509.KeyUsage(True, False, False, False, False, False, False, False, False)
        builder = builder.add_extension(flags, True)
    if changes.get("aki", True):
        aki = x509.AuthorityKeyIdentifier.from_issuer_public_key(made.issuing_key.public_key())
        builder = builder.add_extension(aki, False)
    leaf = builder.sign(made.issuing_key, hashes.SHA256())
    chain = leaf.public_bytes(Encoding.PEM) + made.issuing.public_bytes(Encoding.PEM)
    return made.root, chain


@pytest.mark.parametrize("alg", KEYS)
def test_every_algorithm_is_valid_and_trusted(
    alg: str, video: Path, definition: Json, tmp_path: Path
) -> None:
    key = KEYS[alg]()
    root, chain = certificate(key)
    files = {
        "chain.pem": chain,
        "key.pem": key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()),
    }
    for name, data in files.items():
        (tmp_path / name).write_bytes(data)
        (tmp_path / name).chmod(0o600)
    signer = from_paths(tmp_path / "chain.pem", tmp_path / "key.pem")
    assert signer.alg == alg
    made = sign_file(video, tmp_path / "out.mp4", definition, signer=signer)
    evidence = read_credentials(tmp_path / "out.mp4", anchors_pem=[root.public_bytes(Encoding.PEM)])
    assert evidence.state is CredentialState.VALID and evidence.trusted and not evidence.failures
    assert evidence.manifest_id == made.manifest_id
    assert not read_credentials(tmp_path / "out.mp4").trusted


def test_pkcs12(video: Path, definition: Json, tmp_path: Path) -> None:
    key = KEYS["es256"]()
    root, chain = certificate(key)
    leaf, issuing = x509.load_pem_x509_certificates(chain)
    lock = BestAvailableEncryption(b"secret")
    (tmp_path / "me.p12").write_bytes(
        pkcs12.serialize_key_and_certificates(b"me", key, leaf, [root, issuing], lock)
    )
    (tmp_path / "me.p12").chmod(0o600)
    signer = from_paths(tmp_path / "me.p12", passphrase=lambda: b"secret")
    sign_file(video, tmp_path / "out.mp4", definition, signer=signer)
    assert read_credentials(tmp_path / "out.mp4", anchors_pem=[root.public_bytes(Encoding.PEM)]).trusted
    with pytest.raises(KeyUnavailable, match="passphrase"):
        from_paths(tmp_path / "me.p12", passphrase=b"wrong")


@pytest.mark.parametrize(
    "broken",
    [
        {"eku": [x509.ObjectIdentifier("1.3.6.1.5.5.7.3.3")]},
        {"eku": [x509.ObjectIdentifier("2.5.29.37.0")]},
        {"key_usage": False},
    ],
    ids=["code signing", "any use", "no key usage"],
)
def test_certificates_that_are_not_for_signing_claims(
    broken: dict[str, Any], video: Path, definition: Json, tmp_path: Path
) -> None:
    key = KEYS["es256"]()
    root, chain = certificate(key, **broken)
    out = tmp_path / "out.mp4"
    try:
        sign_file(video, out, definition, signer=KeySigner("es256", chain, key))
    except SigningFailed as error:
        assert error.hint and not out.exists()
        return
    assert not read_credentials(out, anchors_pem=[root.public_bytes(Encoding.PEM)]).trusted


def test_a_missing_intermediate_is_valid_and_untrusted(video: Path, definition: Json, tmp_path: Path) -> None:
    key = KEYS["es256"]()
    root, chain = certificate(key)
    leaf = x509.load_pem_x509_certificates(chain)[0].public_bytes(Encoding.PEM)
    sign_file(video, tmp_path / "out.mp4", definition, signer=KeySigner("es256", leaf, key))
    evidence = read_credentials(tmp_path / "out.mp4", anchors_pem=[root.public_bytes(Encoding.PEM)])
    assert evidence.state is CredentialState.VALID and not evidence.trusted and evidence.reason


def test_what_a_callback_raises_is_told(
    identity: Identity, video: Path, definition: Json, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    def quota(_: bytes) -> bytes:
        raise RuntimeError("KMS quota exceeded, ticket 4711")

    signer = from_callback(quota, alg="es256", chain_pem=identity.chain_pem)
    with pytest.raises(SigningFailed, match="KMS quota exceeded, ticket 4711") as caught:
        sign_file(video, tmp_path / "out.mp4", definition, signer=signer)
    assert caught.value.hint and not (tmp_path / "out.mp4").exists()
    assert capfd.readouterr() == ("", "")


def test_a_callback_may_interrupt(identity: Identity, video: Path, definition: Json, tmp_path: Path) -> None:
    def stop(_: bytes) -> bytes:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        sign_file(
            video, tmp_path / "o.mp4", definition, signer=CallbackSigner("es256", identity.chain_pem, stop)
        )
    assert not (tmp_path / "o.mp4").exists()


def test_a_callback_may_answer_in_der(
    identity: Identity, video: Path, definition: Json, tmp_path: Path
) -> None:
    key: Any = identity.signer().key
    signer = from_callback(
        lambda data: key.sign(data, ec.ECDSA(hashes.SHA256())), alg="es256", chain_pem=identity.chain_pem
    )
    sign_file(video, tmp_path / "out.mp4", definition, signer=signer)
    assert read_credentials(tmp_path / "out.mp4", anchors_pem=[identity.root_pem]).trusted


@pytest.mark.parametrize("answer", [b"", b"\0" * 64], ids=["empty", "wrong"])
def test_a_wrong_signature_never_reads_as_valid(
    answer: bytes, identity: Identity, video: Path, definition: Json, tmp_path: Path
) -> None:
    signer = from_callback(lambda _: answer, alg="es256", chain_pem=identity.chain_pem)
    out = tmp_path / "out.mp4"
    try:
        sign_file(video, out, definition, signer=signer)
    except SigningFailed:
        assert not out.exists()
        return
    evidence = read_credentials(out, anchors_pem=[identity.root_pem])
    assert evidence.state is CredentialState.INVALID and not evidence.trusted


def test_nothing_is_overwritten(signed: Path, identity: Identity, video: Path, definition: Json) -> None:
    before = signed.read_bytes()
    with pytest.raises(UsageError, match="exists"):
        sign_file(video, signed, definition, signer=identity.signer())
    with pytest.raises(UsageError, match="exists"):
        sign_file(video, video, definition, signer=identity.signer())
    assert signed.read_bytes() == before


@pytest.mark.parametrize(
    ("head", "name"), [(b"\x1aE\xdf\xa3....webm", "webm"), (b"\x1aE\xdf\xa3", "mkv"), (b"hello", "unknown")]
)
def test_formats_that_cannot_be_signed(
    head: bytes, name: str, identity: Identity, definition: Json, tmp_path: Path
) -> None:
    source = tmp_path / "looks_like.mp4"
    source.write_bytes(head + b"\0" * 100)
    with pytest.raises(UsageError, match=name) as caught:
        sign_file(source, tmp_path / "out.mp4", definition, signer=identity.signer())
    assert "mp4" in caught.value.hint and not (tmp_path / "out.mp4").exists()


def test_not_a_file(identity: Identity, definition: Json, tmp_path: Path) -> None:
    (tmp_path / "empty.mp4").touch()
    for source in (tmp_path / "nothing.mp4", tmp_path / "empty.mp4", tmp_path):
        with pytest.raises(UnreadableInput):
            sign_file(source, tmp_path / "out.mp4", definition, signer=identity.signer())
        with pytest.raises(UnreadableInput):
            read_credentials(source)


def test_a_damaged_container_fails_and_leaves_nothing(
    video: Path, identity: Identity, definition: Json, tmp_path: Path
) -> None:
    data = video.read_bytes()
    for size in range(12, len(data), 97):
        (tmp_path / "half.mp4").write_bytes(data[:size])
        with pytest.raises((SigningFailed, UnreadableInput)):
            sign_file(tmp_path / "half.mp4", tmp_path / "out.mp4", definition, signer=identity.signer())
        assert not (tmp_path / "out.mp4").exists()


def test_the_content_decides_not_the_name(
    video: Path, identity: Identity, definition: Json, tmp_path: Path
) -> None:
    source = tmp_path / "video.jpg"
    source.write_bytes(video.read_bytes())
    sign_file(source, tmp_path / "out.png", definition, signer=identity.signer())
    assert read_credentials(tmp_path / "out.png", anchors_pem=[identity.root_pem]).trusted


@pytest.mark.parametrize("name", ["rs_c.mov", "rs_test.avi", "rs_sample1.m4a", "rs_video1_no_manifest.mp4"])
def test_containers_of_the_field(
    name: str, shared: Path, identity: Identity, definition: Json, tmp_path: Path
) -> None:
    out = tmp_path / name
    bare = {k: v for k, v in definition.items() if k != "format"}
    sign_file(shared / "data/c2pa" / name, out, bare, signer=identity.signer())
    assert read_credentials(out, anchors_pem=[identity.root_pem]).trusted
    out.write_bytes(out.read_bytes()[:-5] + b"XXXXX")
    assert read_credentials(out).state is not CredentialState.VALID


def test_fragmented_mp4(video: Path, identity: Identity, definition: Json, tmp_path: Path) -> None:
    source, out = tmp_path / "fragmented.mp4", tmp_path / "out.mp4"
    options = {"movflags": "frag_keyframe+empty_moov"}
    with av.open(str(video)) as plain, av.open(str(source), "w", options=options) as container:
        stream = container.add_stream_from_template(plain.streams.video[0])
        for packet in plain.demux(plain.streams.video[0]):
            if packet.dts is not None:
                packet.stream = stream
                container.mux(packet)
    assert fragmented(source) and not fragmented(video) and not is_init_segment(source)
    sign_file(source, out, definition, signer=identity.signer())
    assert b"moof" in out.read_bytes() and read_credentials(out, anchors_pem=[identity.root_pem]).trusted


def test_stored_manifest_can_be_shown_without_its_file(
    video: Path, identity: Identity, definition: Json, tmp_path: Path
) -> None:
    made = sign_file(video, tmp_path / "out.mp4", definition, signer=identity.signer())
    assert manifest_bytes(tmp_path / "out.mp4") == made.manifest_bytes
    shown = manifest_json(made.manifest_bytes)
    assert shown is not None and shown["label"] == made.manifest_id
    assert manifest_json(b"nonsense") is None
    other = read_credentials(video, manifest=made.manifest_bytes)
    assert other.state is CredentialState.INVALID, "it belongs to the file with the manifest inside"


def test_two_parents_are_refused(video: Path, identity: Identity, definition: Json, tmp_path: Path) -> None:
    parents = [Ingredient(video, "a", "parentOf", "a"), Ingredient(video, "b", "parentOf", "b")]
    with pytest.raises(UsageError, match="one parent"):
        sign_file(video, tmp_path / "o.mp4", definition, signer=identity.signer(), ingredients=parents)


def test_bad_time_stamp_address(video: Path, identity: Identity, definition: Json, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="http"):
        sign_file(video, tmp_path / "o.mp4", definition, signer=identity.signer(), tsa_url="file:///etc")
    with pytest.raises(SigningFailed) as caught:
        sign_file(
            video, tmp_path / "o.mp4", definition, signer=identity.signer(), tsa_url="http://127.0.0.1:9/"
        )
    assert "time stamp authority" in str(caught.value) and not (tmp_path / "o.mp4").exists()
    assert "tsa_required" in caught.value.hint
