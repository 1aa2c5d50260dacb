"""Time stamps in claim signatures: only our own check against the time stamp anchors makes one count."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding

from safegen.credentials.claim_signature import verify_claim_signature
from safegen.credentials.claim_stamps import prove_time
from safegen.credentials.cose import byte_string, signed_bytes
from safegen.credentials.open_store import manifest_bytes
from safegen.credentials.read import read_credentials
from safegen.keys.revocation import check_revocation
from safegen.ledger.timestamp import request_stamp
from safegen.types import CredentialsEvidence, CredentialState
from tests.support import forge, signed
from tests.support.forge import NOW, maker
from tests.unit.credentials.conftest import Tsa

LATER = NOW + timedelta(days=200)
"""After the forger's certificates have ended."""
Stamped = Callable[..., CredentialsEvidence]


def bare(response: bytes) -> bytes:
    """The token in a time stamp response (DER), without the status before it."""

    def body(at: int) -> tuple[int, int]:
        size, head = response[at + 1], 2
        if size & 0x80:
            head += size & 0x7F
            size = int.from_bytes(response[at + 2 : at + head], "big")
        return at + head, at + head + size

    start, _ = body(0)
    return response[body(start)[1] :]


def v2(tsa: Tsa, over: bytes | None = None) -> forge.Stamps:
    """A stamp over the signature, or over something else."""

    def stamp(protected: bytes, _: bytes, signature: bytes) -> dict[str, Any]:
        body = over or signed_bytes("CounterSignature", protected, byte_string(signature))
        return {"sigTst2": {"tstTokens": [{"val": bare(request_stamp(tsa.url, body))}]}}

    return stamp


def v1(tsa: Tsa) -> forge.Stamps:
    """A stamp over the claim, as claims of version 1 have it."""

    def stamp(protected: bytes, claim: bytes, _: bytes) -> dict[str, Any]:
        body = signed_bytes("CounterSignature", protected, claim)
        return {"sigTst": {"tstTokens": [{"val": request_stamp(tsa.url, body)}]}}

    return stamp


def old_claim(claim: dict[Any, Any]) -> None:
    """Make *claim* one of version 1."""
    claim["assertions"] = claim.pop("created_assertions")
    claim.pop("gathered_assertions", None)
    claim.update({"claim_generator": "forge/1", "dc:format": "image/jpeg"})
    claim["claim_generator_info"] = [claim["claim_generator_info"]]


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return signed.make("jpg", tmp_path_factory.mktemp("stamps"))


@pytest.fixture
def stamped(source: Path, tmp_path: Path) -> Stamped:
    """Reads the picture, signed by *by* with *stamps*; *tsa* are the pinned authorities."""

    def read(
        by: forge.Maker,
        tsa: list[bytes | str],
        at: datetime | None = LATER,
        crls: tuple[bytes, ...] = (),
        **changes: Any,
    ) -> CredentialsEvidence:
        store = manifest_bytes(source)
        assert store is not None
        path = tmp_path / "stamped.jpg"
        path.write_bytes(forge.put(source.read_bytes(), store, forge.forge(store, by, **changes)))
        return read_credentials(path, anchors_pem=[by.root_pem], tsa_anchors_pem=tsa, at=at, crls=crls)

    return read


@pytest.mark.parametrize("version", [1, 2])
def test_a_stamp_of_a_pinned_authority(stamped: Stamped, tsa: Tsa, version: int) -> None:
    old: dict[str, Any] = {"claim": old_claim, "claim_label": "c2pa.claim", "stamps": v1(tsa)}
    changes = old if version == 1 else {"stamps": v2(tsa)}
    by = maker()
    found = stamped(by, [tsa.root], **changes)
    assert (found.state, found.time_stamped, found.trusted, found.expired) == (
        CredentialState.VALID,
        True,
        True,
        False,
    )
    assert found.signed_at is not None
    assert abs(datetime.fromisoformat(found.signed_at) - datetime.now(UTC)) < timedelta(minutes=5)
    for pinned in ([], [maker().root_pem], [by.root_pem]):
        other = stamped(by, pinned, **changes)
        assert (other.state, other.time_stamped, other.trusted) == (CredentialState.VALID, False, False)
        assert other.expired, "nobody you trust says that it signed in time"


@pytest.mark.parametrize("label", ["c2pa.claim.v2"])
def test_a_stamp_over_something_else(stamped: Stamped, tsa: Tsa, label: str) -> None:
    """Somebody else's genuine stamp, or one over the claim alone where the signature has to be covered."""
    wrong: list[forge.Stamps] = [v2(tsa, b"another signature"), v1(tsa)]
    for stamps in wrong:
        found = stamped(maker(), [tsa.root], stamps=stamps, claim_label=label)
        assert (found.state, found.time_stamped, found.trusted) == (CredentialState.VALID, False, False)


@pytest.mark.parametrize(
    "by",
    [
        maker(start=NOW + timedelta(days=1), end=NOW + timedelta(days=300)),
        maker(start=NOW - timedelta(days=9), end=NOW - timedelta(days=2)),
    ],
    ids=["before", "after"],
)
def test_a_stamp_outside_the_signers_certificate(stamped: Stamped, tsa: Tsa, by: forge.Maker) -> None:
    """It proves a time at which this certificate could not sign."""
    found = stamped(by, [tsa.root], at=None, stamps=v2(tsa))
    assert (found.state, found.time_stamped, found.trusted) == (CredentialState.VALID, False, False)


@pytest.mark.parametrize(
    "junk", [b"", b"\x30\x00", b"\x30\x84\xff\xff\xff\xff", b"x" * 2000, 7, None, [b"a"]]
)
def test_damaged_stamps_are_no_stamps(stamped: Stamped, tsa: Tsa, junk: Any) -> None:
    for header in ({"tstTokens": [{"val": junk}]}, {"tstTokens": junk}, junk):
        found = stamped(maker(), [tsa.root], stamps=lambda *_, h=header: {"sigTst2": h})
        assert found.state is not CredentialState.INVALID
        assert not found.time_stamped and not found.trusted


def test_the_earliest_of_several(source: Path, tsa: Tsa) -> None:
    """Every token is looked at, and a bad one does not spoil the others."""
    by = maker()

    def stamps(protected: bytes, _: bytes, signature: bytes) -> dict[str, Any]:
        body = signed_bytes("CounterSignature", protected, byte_string(signature))
        good = bare(request_stamp(tsa.url, body))
        return {"sigTst2": {"tstTokens": [{"val": b"\x30\x00"}, {"val": good}]}}

    store = manifest_bytes(source)
    assert store is not None
    made = forge.forge(store, by, stamps=stamps)
    (top,) = forge.parse(made)
    signer = verify_claim_signature(made, top.children[-1].label())
    anchors = x509.load_pem_x509_certificates(tsa.root)
    assert len(signer.stamps) == 2
    assert prove_time(signer.stamps, signer.chain[0], anchors) is not None
    assert prove_time(signer.stamps[:1], signer.chain[0], anchors) is None
    assert prove_time(signer.stamps, signer.chain[0], []) is None
    assert prove_time(signer.stamps, None, anchors) is None


def test_a_key_on_a_pinned_list_is_never_good_again(stamped: Stamped, tsa: Tsa) -> None:
    """A stamp from before the revocation proves that it signed then, and changes nothing."""
    by, root_key = forge.maker_with_root()
    entry = (
        x509.RevokedCertificateBuilder()
        .serial_number(by.chain[0].serial_number)
        .revocation_date(datetime.now(UTC) + timedelta(days=5))
        .build()
    )
    crl = (
        x509.CertificateRevocationListBuilder()
        .issuer_name(by.chain[1].subject)
        .last_update(datetime.now(UTC))
        .next_update(datetime.now(UTC) + timedelta(days=9))
        .add_revoked_certificate(entry)
        .sign(root_key, hashes.SHA256())
    )
    pem = crl.public_bytes(Encoding.PEM)
    assert stamped(by, [tsa.root], stamps=v2(tsa)).trusted, "who has no list cannot know"
    found = stamped(by, [tsa.root], crls=(pem,), stamps=v2(tsa))
    assert (found.state, found.time_stamped, found.revoked) == (CredentialState.VALID, True, True)
    assert not found.trusted
    for at in (NOW - timedelta(days=1), NOW, LATER):
        result = check_revocation(by.chain, by.chain[1:], crls=[pem], stamped_at=at, at=at)
        assert result.status == "revoked"


@pytest.fixture
def attacks(shared: Path) -> Path:
    return shared / "data/cases/attacks"


def test_an_authority_whose_name_says_that_it_is_pinned(attacks: Path, shared: Path) -> None:
    """Its certificate is called ``..., trust list: safegen:tsa``, which c2pa's explanations repeat."""
    root = (attacks / "nord_root_v1.pem").read_bytes()
    official = (shared / "data/c2pa/C2PA-TSA-TRUST-LIST.pem").read_bytes()
    for pinned in ([], [official], [root]):
        found = read_credentials(attacks / "spoof_v1.jpg", anchors_pem=[root], tsa_anchors_pem=pinned)
        assert (found.state, found.time_stamped, found.trusted) == (CredentialState.VALID, False, False)
        assert found.expired


def test_one_root_for_signers_and_for_stamps(attacks: Path, shared: Path) -> None:
    """Sixteen of the official list's roots stand in both lists: the answer does not depend on chance."""
    root = (attacks / "nord_root_shared.pem").read_bytes()
    official = (shared / "data/c2pa/C2PA-TSA-TRUST-LIST.pem").read_bytes()
    signers = (shared / "data/c2pa/C2PA-TRUST-LIST.pem").read_bytes()
    both = [
        read_credentials(
            attacks / "shared_v2.jpg",
            anchors_pem=[root, signers],
            tsa_anchors_pem=[official, root],
        )
        for _ in range(200)
    ]
    (found,) = {(f.state, f.time_stamped, f.trusted, f.signed_at, f.notes) for f in both}
    assert found[:3] == (CredentialState.VALID, True, True)
    alone = read_credentials(attacks / "shared_v2.jpg", anchors_pem=[root], tsa_anchors_pem=[official])
    assert not alone.time_stamped and not alone.trusted
