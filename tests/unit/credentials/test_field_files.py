"""Every file of the field's own test suites gives the result that c2pa's own verdict maps to."""

from __future__ import annotations

from pathlib import Path

import pytest

from safegen.credentials.open_store import carries_credentials, manifest_bytes
from safegen.credentials.read import read_credentials
from safegen.credentials.sign import sign_file
from safegen.errors import UsageError
from safegen.keys.identity import Identity
from safegen.types import CredentialsEvidence, CredentialState, Json

UNTRUSTED = "signingCredential.untrusted"
ANCHORS = ("c2pa_0.91.3_test_anchors", "no_anchors", "official_trust_list")


@pytest.fixture(scope="module")
def anchors(shared: Path, field_anchors: str) -> dict[str, list[bytes | str]]:
    official = (shared / "data/c2pa/C2PA-TRUST-LIST.pem").read_bytes()
    return dict(zip(ANCHORS, ([field_anchors], [], [official]), strict=True))


def expected_state(result: str, codes: list[str]) -> CredentialState:
    """Our state for what c2pa says: the mapping, written a second time."""
    if result in ("Valid", "Trusted"):
        return CredentialState.VALID
    if result == "Invalid":
        own = [c for c in codes if not c.startswith("ingr:") and c != UNTRUSTED]
        return CredentialState.INVALID if own else CredentialState.VALID
    if "ManifestNotFound" in result:
        return CredentialState.ABSENT
    return CredentialState.REMOTE_NOT_FETCHED if "Remote" in codes[0] else CredentialState.UNSUPPORTED


def compare(row: Json, which: str, evidence: CredentialsEvidence) -> None:
    result, codes = row[which]
    assert evidence.state is expected_state(result, codes), row["file"]
    if result.startswith("EXC"):
        assert evidence.reason and not evidence.trusted and evidence.manifest_id is None
        return
    own = {c for c in codes if not c.startswith("ingr:")}
    assert evidence.trusted == (UNTRUSTED not in own and evidence.state is CredentialState.VALID)
    assert (evidence.trusted_root is not None) == evidence.trusted
    unknown = {UNTRUSTED, "cawg.x509.credential.untrusted"}
    assert set(evidence.failures) == own - unknown
    assert own & unknown <= set(evidence.notes)
    below = {c.removeprefix("ingr:") for c in codes if c.startswith("ingr:")}
    assert set(evidence.ingredient_failures) == below - unknown
    assert (f"ingredient:{UNTRUSTED}" in evidence.notes) == (UNTRUSTED in below)
    assert own <= set(evidence.codes)


@pytest.mark.parametrize("which", ANCHORS)
def test_rows(which: str, rows: list[Json], anchors: dict[str, list[bytes | str]], shared: Path) -> None:
    assert len(rows) == 23
    for row in rows:
        path = shared / "data/c2pa" / row["file"]
        compare(row, which, read_credentials(path, anchors_pem=anchors[which]))


def test_details_of_a_remix(shared: Path, field_anchors: str) -> None:
    evidence = read_credentials(shared / "data/c2pa/rs_video1.mp4", anchors_pem=[field_anchors])
    assert evidence.signer == "C2PA Test Signing Cert (C2PA Signer)"
    assert evidence.signed_at == "2023-12-02T16:34:19+00:00"
    assert not evidence.time_stamped, "no time stamp authority was pinned"
    assert evidence.ancestors == ("urn:uuid:54281c07-ad34-430e-bea5-112a18facf0b",)


def test_stored_manifest_is_the_raw_store(shared: Path) -> None:
    raw = manifest_bytes(shared / "data/c2pa/rs_video1.mp4")
    assert raw is not None and raw[4:8] == b"jumb"
    assert raw in (shared / "data/c2pa/rs_video1.mp4").read_bytes()
    assert manifest_bytes(shared / "data/c2pa/rs_c.mov") is None


def test_which_files_carry_credentials(rows: list[Json], shared: Path) -> None:
    without = (CredentialState.ABSENT, CredentialState.UNSUPPORTED)
    for row in rows:
        path = shared / "data/c2pa" / row["file"]
        assert carries_credentials(path) == (read_credentials(path).state not in without), row["file"]


def test_remote_manifest_says_where_and_is_not_fetched(shared: Path) -> None:
    path = shared / "data/c2pa/py_cloud.jpg"
    evidence = read_credentials(path)
    assert evidence.state is CredentialState.REMOTE_NOT_FETCHED and "https://" in evidence.reason
    elsewhere = read_credentials(path, fetch_remote=True, allowed_hosts=["localhost"])
    assert elsewhere.state is CredentialState.REMOTE_NOT_FETCHED and "not permitted" in elsewhere.reason
    nowhere = read_credentials(path, fetch_remote=True)
    assert nowhere.state is CredentialState.REMOTE_NOT_FETCHED


def test_a_fragmented_mp4_in_several_files_is_refused(
    shared: Path, tmp_path: Path, identity: Identity, definition: Json
) -> None:
    """c2pa-python signs no fragments: a signature over the first part alone would be a false comfort."""
    for name, word in (("rs_dashinit.mp4", "initialisation segment"), ("rs_dash1.m4s", "fragment of an MP4")):
        with pytest.raises(UsageError, match=word):
            sign_file(shared / "data/c2pa" / name, tmp_path / "x.mp4", definition, signer=identity.signer())
        assert not (tmp_path / "x.mp4").exists()
