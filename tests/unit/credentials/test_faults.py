"""What accuses and what does not: credentials wrong in every way, each under a signature that is right."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from hypothesis import given
from hypothesis import strategies as st

from safegen.credentials.explain import TEXTS, explain
from safegen.credentials.open_store import manifest_bytes
from safegen.credentials.read import read_credentials
from safegen.credentials.status_codes import (
    BOUND,
    CLAIM_MISMATCH,
    GENERAL,
    SIGNATURE_DISPUTED,
    SIGNATURE_UNREADABLE,
    UNSUPPORTED,
    WIDE,
    fault_of,
    is_conflict,
    judge,
)
from safegen.types import CredentialsEvidence, CredentialState
from tests.support import forge, signed
from tests.support.forge import NOW, encode, maker

VALID, INVALID, UNREADABLE = CredentialState.VALID, CredentialState.INVALID, CredentialState.UNREADABLE
Forged = Callable[..., CredentialsEvidence]


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return signed.make("jpg", tmp_path_factory.mktemp("faults"))


@pytest.fixture
def forged(source: Path, tmp_path: Path) -> Iterator[Forged]:
    """Reads the picture with its credentials forged, the forger's root pinned."""

    def read(by: forge.Maker | None = None, *, flip: bytes = b"", **changes: Any) -> CredentialsEvidence:
        store = manifest_bytes(source)
        assert store is not None
        who = by or maker()
        data = forge.put(source.read_bytes(), store, forge.forge(store, who, **changes))
        if flip:
            at = data.index(flip) + len(flip) + 4
            data = data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :]
        path = tmp_path / "forged.jpg"
        path.write_bytes(data)
        return read_credentials(path, anchors_pem=[who.root_pem])

    yield read


def oid(dotted: str) -> list[x509.ObjectIdentifier]:
    return [x509.ObjectIdentifier(dotted)]


def test_the_forge_makes_good_ones_too(forged: Forged) -> None:
    found = forged()
    assert (found.state, found.trusted, found.signer) == (VALID, True, "Forge (forge)")
    assert found.root_sha256 is not None and found.root_sha256 in str(found.trusted_root)


@pytest.mark.parametrize(
    "use",
    ["1.3.6.1.5.5.7.3.4", "1.3.6.1.5.5.7.3.36", "1.3.6.1.4.1.62558.2.1", "1.3.6.1.4.1.311.76.59.1.9"],
)
def test_purposes_that_sign_claims(forged: Forged, use: str) -> None:
    found = forged(maker(uses=oid(use)))
    assert (found.state, found.trusted) == (VALID, True)


@pytest.mark.parametrize("use", ["1.3.6.1.5.5.7.3.1", "1.3.6.1.5.5.7.3.8", "1.2.3.4"])
def test_other_purposes_change_no_bytes(forged: Forged, use: str) -> None:
    found = forged(maker(uses=oid(use)))
    assert (found.state, found.trusted, found.failures) == (VALID, False, ())
    assert "the signing certificate is" in found.reason and found.reason in found.notes


def test_a_certificate_that_is_not_valid_yet(forged: Forged) -> None:
    """Or a computer whose clock is days behind: nothing was changed."""
    found = forged(maker(start=NOW + timedelta(days=2)))
    assert (found.state, found.trusted, found.failures) == (VALID, False, ())
    assert found.not_yet_valid and not found.expired
    assert "signingCredential.expired" not in found.notes
    assert found.trusted_root is not None, "known, only early"


def test_a_certificate_that_is_over(forged: Forged) -> None:
    found = forged(maker(start=NOW - timedelta(days=9), end=NOW - timedelta(days=2)))
    assert (found.state, found.trusted, found.expired, found.not_yet_valid) == (VALID, False, True, False)
    assert "signingCredential.expired" in found.notes


def test_a_certificate_without_an_organisation(forged: Forged) -> None:
    found = forged(maker(organisation=None))
    assert (found.state, found.failures, found.signer) == (VALID, (), "forge")


@pytest.mark.parametrize(
    "changes",
    [
        {"alg": -9999},
        {"alg": -37},
        {"der": True},
        {"json_claim": True},
        {"claim": lambda c: c.update(alg="sha999")},
        {"assertions": {"c2pa.hash.data": lambda d: d.update(alg="sha999")}},
        {"assertions": {"c2pa.actions.v2": lambda d: d.update(actions=[{"action": "c2pa.opened"}])}},
        {"add": {"org.example.x": (b"cbor", b"\xff\xff")}},
        {"claim": lambda c: c.pop("signature")},
        {"claim": lambda c: c.update(created_assertions=c["created_assertions"][:1])},
    ],
    ids=["cose", "kind of key", "der", "prerelease", "claim", "hash", "action", "cbor", "field", "unbound"],
)
def test_what_cannot_be_checked_accuses_nobody(forged: Forged, changes: dict[str, Any]) -> None:
    found = forged(**changes)
    assert (found.state, found.trusted, found.failures) == (UNREADABLE, False, ())
    assert found.unreadable and found.reason and "changed after signing" not in found.reason


def test_what_was_computed_accuses(forged: Forged) -> None:
    assert forged(flip=b"instanceID").failures == (CLAIM_MISMATCH,)
    found = forged(flip=b"c2pa.created")
    assert (found.state, found.failures) == (INVALID, ("assertion.hashedURI.mismatch",))


def leave_out(source: Path, *extra: tuple[int, int]) -> forge.Edit:
    """Edit the data hash so that it leaves out the credentials and *extra* (start, length), and holds."""
    data = source.read_bytes()

    def edit(stated: dict[Any, Any]) -> None:
        own = stated["exclusions"][0]
        wider = [e for e in extra if e[0] <= own["start"] < e[0] + e[1]]
        ranges = sorted([*extra, *([] if wider else [(own["start"], own["length"])])])
        state, at = hashlib.sha256(), 0
        for start, length in ranges:
            state.update(data[at:start])
            at = start + length
        state.update(data[at:])
        stated["exclusions"] = [{"start": s, "length": n} for s, n in ranges]
        stated["hash"] = state.digest()

    return edit


def test_more_left_out_than_the_credentials(forged: Forged, source: Path) -> None:
    """A second range, over the EXIF say: the signer said so, and the recorded hash holds."""
    size = source.stat().st_size
    found = forged(assertions={"c2pa.hash.data": leave_out(source, (size - 100, 20))})
    assert (found.state, found.trusted, found.failures) == (VALID, True, ())
    assert WIDE in found.notes


def test_one_range_wider_than_the_credentials(forged: Forged, source: Path) -> None:
    """The hash holds, so nobody is accused; but anybody could have filled the gap, so nothing is proven."""
    size = source.stat().st_size
    for start, length in ((20, 12_740), (2, size - 2)):
        found = forged(assertions={"c2pa.hash.data": leave_out(source, (start, length))})
        assert (found.state, found.trusted, found.failures) == (UNREADABLE, False, ())
        assert found.unreadable == (WIDE,)


def test_credentials_made_shorter_leave_a_gap(source: Path, tmp_path: Path) -> None:
    """Without the signature's padding, which nothing covers, there is room for somebody else's segment."""
    data, store = source.read_bytes(), manifest_bytes(source)
    assert store is not None
    at = store.rindex(b"\x63pad")
    size = int.from_bytes(store[at + 5 : at + 7], "big")
    assert store[at + 4] == 0x59 and size > 1000
    short = _shorter(store, at, size, 1000)
    segment = data.index(b"\xff\xeb")
    length = int.from_bytes(data[segment + 2 : segment + 4], "big")
    own = b"\xff\xeb" + (length - 1000).to_bytes(2, "big") + data[segment + 4 : segment + 12] + short
    comment = b"\xff\xfe" + (998).to_bytes(2, "big") + b"x" * 996
    mutant = tmp_path / "gap.jpg"
    mutant.write_bytes(data[:segment] + own + comment + data[segment + 2 + length :])
    found = read_credentials(mutant, anchors_pem=[signed.root_pem(source.parent)])
    assert found.state is UNREADABLE and not found.trusted and found.unreadable == (WIDE,)


def _shorter(store: bytes, at: int, size: int, less: int) -> bytes:
    (top,) = forge.parse(store)
    content = top.children[-1].child("c2pa.signature").children[1]
    place = content.body.rindex(b"\x63pad")
    head = content.body[: place + 5] + (size - less).to_bytes(2, "big")
    content.body = head + content.body[place + 7 + less :]
    return top.raw()


def test_statements_that_nobody_signed(forged: Forged) -> None:
    extra = {"org.example.x": (b"cbor", encode({"a": 1}))}
    assert forged(add=extra).trusted, "declared and signed: nothing is wrong with it"
    loose = forged(add=extra, declare=False)
    assert loose.state is not VALID and not loose.trusted


def named(kind: str) -> dict[str, tuple[bytes, bytes]]:
    """An identity assertion whose signature is nobody's."""
    reference = {"url": "self#jumbf=c2pa.assertions/c2pa.hash.data", "hash": b"1" * 32}
    payload = {"referenced_assertions": [reference], "sig_type": kind}
    return {"cawg.identity": (b"cbor", encode({"signer_payload": payload, "signature": b"", "pad1": b""}))}


@pytest.mark.parametrize("kind", ["cawg.x509.cose", "cawg.identity_claims_aggregation", "org.example.new"])
def test_a_named_identity_never_decides_about_the_file(forged: Forged, kind: str) -> None:
    found = forged(add=named(kind))
    assert (found.state, found.trusted, found.failures, found.unreadable) == (VALID, True, (), ())
    (identity,) = found.identities
    assert identity.kind == kind and identity.state in ("mismatch", "unresolved")


@pytest.mark.parametrize("family", ["cawg.x.mismatch", "cawg.new.malformed", "cawg.ica.signature_mismatch"])
def test_the_whole_family_of_identity_codes(family: str) -> None:
    assert fault_of(family) == "identity" and not is_conflict(family)
    found = judge([family], BOUND, c2pa_says_no=True, signature="intact")
    assert not found.mismatches and not found.unreadable and "identity" in explain(family)


CODES = st.sampled_from([*TEXTS, "x.mismatch", "x.malformed", "future.code", "signingCredential.new"])


@given(st.lists(CODES, max_size=5), st.lists(CODES, max_size=5), st.booleans())
def test_no_code_is_passed_over(failures: list[str], successes: list[str], says_no: bool) -> None:
    """Another failure never makes a judgement better, and an unknown one is never a pass."""
    outcomes = []
    for signature in ("intact", "mismatch", "unreadable"):
        found = judge(failures, successes, c2pa_says_no=says_no, signature=signature)  # type: ignore[arg-type]
        clean = not found.mismatches and not found.unreadable
        outcomes.append(clean)
        wrong = [c for c in failures if fault_of(c) in ("mismatch", "unreadable") and c != CLAIM_MISMATCH]
        assert not (clean and wrong)
        assert not (clean and says_no and not (signature == "intact" and set(successes) & BOUND))
        more = judge([*failures, "future.code"], successes, c2pa_says_no=True, signature=signature)  # type: ignore[arg-type]
        assert set(more.mismatches) >= set(found.mismatches) and more.unreadable
    assert not outcomes[1], "a signature that does not verify here is never intact"


def test_two_checks_of_the_signature() -> None:
    """c2pa's word on the signature counts only together with our own."""
    codes = {
        s: judge([CLAIM_MISMATCH], BOUND, c2pa_says_no=True, signature=s)  # type: ignore[arg-type]
        for s in ("intact", "mismatch", "unreadable")
    }
    assert codes["mismatch"].mismatches == (CLAIM_MISMATCH,)
    assert codes["unreadable"].unreadable == (SIGNATURE_UNREADABLE,)
    assert codes["intact"].objections == (SIGNATURE_DISPUTED,) and not codes["intact"].unreadable
    assert judge([], BOUND, c2pa_says_no=False, signature="mismatch").unreadable == (GENERAL,)
    assert judge([], (), c2pa_says_no=True, signature="intact").unreadable == (GENERAL,)


def test_a_hash_that_nobody_computed() -> None:
    code = "assertion.dataHash.mismatch"
    found = judge([code], (), c2pa_says_no=True, signature="intact", uncomputed={code})
    assert (found.mismatches, found.unreadable) == ((), (UNSUPPORTED,))
    found = judge([code], (), c2pa_says_no=True, signature="unreadable", uncomputed={code})
    assert found.mismatches == (code,), "what the signature does not cover excuses nothing"


def test_every_failure_has_a_sentence_of_its_own() -> None:
    for code in TEXTS:
        if fault_of(code) == "unreadable" and not code.endswith((".match", "alidated", ".inaccessible")):
            assert "changed after signing" not in TEXTS[code], code
    assert all(len(text) < 100 for text in TEXTS.values())
