"""What the active manifest states, walked safely, and who is named in it; certificates for signing claims."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from safegen.credentials.manifest_store import ManifestStore
from safegen.credentials.read import read_credentials
from safegen.credentials.sign import sign_file
from safegen.credentials.statements import MOST_ACTIONS, claim_generator, list_actions, list_identities
from safegen.keys.chain import SIGNING_PURPOSES
from safegen.keys.signers import from_pem
from safegen.types import CredentialState, Json, StatedAction, StatedIdentity
from tests.support import signed
from tests.support.forge import maker

NOW = datetime.now(UTC)
X509 = "cawg.x509.cose"


def test_of_a_file_of_our_own(tmp_path: Path) -> None:
    found = read_credentials(signed.make("png", tmp_path))
    assert found.claim_generator == "safegen tests 1"
    assert found.actions == (StatedAction("c2pa.created", signed.CREATED, "tiny"),)
    assert found.identities == ()


def test_of_a_file_with_a_named_identity(shared: Path) -> None:
    """Its certificate is a test one: intact, and nobody you trust vouches for it."""
    found = read_credentials(shared / "data/c2pa/py_C_with_CAWG_data.jpg")
    assert found.claim_generator == "c2pa cawg test 0.58.0"
    captured = "http://cv.iptc.org/newscodes/digitalsourcetype/digitalCapture"
    assert found.actions == (StatedAction("c2pa.created", captured),)
    assert found.identities == (StatedIdentity("C2PA Signer", X509, "intact"),)
    assert found.state is CredentialState.VALID
    assert found.to_dict()["identities"] == [{"name": "C2PA Signer", "kind": X509, "state": "intact"}]


def test_time_stamp_roots_vouch_for_nobody_who_is_named(shared: Path, field_anchors: str) -> None:
    path = shared / "data/c2pa/py_C_with_CAWG_data.jpg"
    as_stamps = read_credentials(path, tsa_anchors_pem=[field_anchors])
    assert [i.state for i in as_stamps.identities] == ["intact"]


def store_of(codes: dict[str, list[str]], data: Json) -> ManifestStore:
    results = {k: [{"code": c, "url": "self#jumbf=a/cawg.identity"} for c in v] for k, v in codes.items()}
    active = {"assertions": [{"label": "cawg.identity", "data": data}]}
    return ManifestStore(
        {
            "active_manifest": "a",
            "manifests": {"a": active},
            "validation_results": {"activeManifest": results},
        }
    )


@pytest.mark.parametrize(
    ("codes", "state"),
    [
        ({"failure": ["cawg.x509.signature.mismatch"]}, "mismatch"),
        ({"failure": ["cawg.ica.signature_mismatch"]}, "mismatch"),
        (
            {"success": ["cawg.x509.signature.validated"], "failure": ["cawg.identity.assertion.mismatch"]},
            "mismatch",
        ),
        ({"failure": ["cawg.ica.did_unavailable"]}, "unresolved"),
        ({"failure": ["cawg.identity.sig_type.unknown"]}, "unresolved"),
        ({}, "unresolved"),
        ({"success": ["cawg.identity.well-formed"]}, "unresolved"),
        ({"success": ["cawg.ica.credential_valid"]}, "intact"),
        ({"success": ["cawg.x509.signature.validated"]}, "intact"),
        ({"success": ["cawg.x509.signature.validated", "cawg.x509.credential.trusted"]}, "intact"),
        ({"success": ["cawg.x509.credential.trusted"]}, "unresolved"),
    ],
)
def test_states_of_an_identity(codes: dict[str, list[str]], state: str) -> None:
    """The library's word alone makes nobody trusted: these have no certificate that leads to an anchor."""
    (found,) = list_identities(store_of(codes, {"signer_payload": {"sig_type": X509}}), b"", [], NOW)
    assert (found.state, found.kind, found.name) == (state, X509, "an unnamed identity")


@pytest.mark.parametrize(
    ("data", "name"),
    [
        ({"signature_info": {"common_name": "Ada", "issuer": "Org"}}, "Ada"),
        ({"signature_info": {"issuer": "Org"}}, "Org"),
        ({"verifiedIdentities": [{"username": "ada", "type": "cawg.social_media"}]}, "ada"),
        ({"verifiedIdentities": [5, {"name": "Ada"}]}, "Ada"),
        ({"verifiedIdentities": "x", "signature_info": 7}, "an unnamed identity"),
    ],
)
def test_names_of_an_identity(data: Json, name: str) -> None:
    assert list_identities(store_of({}, data), b"", [], NOW)[0].name == name


def test_odd_actions_are_walked_safely() -> None:
    action = {
        "action": "c2pa.edited",
        "softwareAgent": {"name": "Pen", "version": "2"},
        "when": " 2026-01-01 ",
    }
    many = [action, 5, {"action": 7}, {}, *[{"action": "c2pa.cropped", "softwareAgent": "Old 1"}] * 99]
    manifest = {
        "assertions": [5, {"label": "c2pa.actions", "data": {"actions": many}}, {"label": "c2pa.actions.v2"}],
        "claim_generator_info": [3, {"version": "1"}],
        "claim_generator": "Old/1",
    }
    found = list_actions(manifest)
    assert len(found) == MOST_ACTIONS
    assert found[0] == StatedAction("c2pa.edited", None, "Pen 2", "2026-01-01")
    assert found[1].agent == "Old 1"
    assert claim_generator(manifest) == "Old/1"
    assert (list_actions({"assertions": 1}), claim_generator({})) == ((), None)
    long = claim_generator({"claim_generator": "x" * 9000})
    assert long is not None and len(long) == 300


@pytest.mark.parametrize("purpose", SIGNING_PURPOSES)
def test_signing_with_every_purpose(purpose: str, video: Path, tmp_path: Path, definition: Json) -> None:
    """One list for our chain check and for the library: what may sign can sign, and is read as trusted."""
    by = maker(uses=[x509.ObjectIdentifier(purpose)])
    key = by.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    chain = b"".join(c.public_bytes(Encoding.PEM) for c in by.chain)
    out = tmp_path / "out.mp4"
    sign_file(video, out, definition, signer=from_pem(key, chain))
    found = read_credentials(out, anchors_pem=[by.root_pem])
    assert (found.state, found.trusted) == (CredentialState.VALID, True)


def test_the_picture_of_a_large_maker(shared: Path) -> None:
    """Signed with C2PA's own purpose: intact, and trusted where its root is pinned."""
    path = shared / "data/cases/signed_claim_eku.jpg"
    root = (shared / "data/cases/signed_claim_eku.root.pem").read_bytes()
    at = datetime(2026, 12, 1, tzinfo=UTC)
    assert (shown := read_credentials(path, at=at)).state is CredentialState.VALID and not shown.trusted
    known = read_credentials(path, anchors_pem=[root], at=at)
    assert (known.state, known.trusted, known.failures) == (CredentialState.VALID, True, ())
