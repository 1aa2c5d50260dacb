"""Whether a certificate was revoked: certificate lists (CRL) and OCSP answers, judged here and offline.

A certificate counts as revoked as soon as one list or answer by its own issuer says so; no newer or other
answer takes that back. A certificate on a *list* is never good again: whoever pinned the list does not want
the key, and a time stamp does not change that. Of a stapled OCSP answer alone, C2PA 2.x section 15.9 holds: a
signature that a trusted time stamp proves to be older than the revocation stays good.
Sources: RFC 5280 section 5 (lists), RFC 6960 (OCSP).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Literal, TypeVar

from safegen.errors import CheckUnavailable, UsageError

if TYPE_CHECKING:
    from cryptography import x509
    from cryptography.x509 import ocsp

S = TypeVar("S")
SKEW = timedelta(hours=1)
MAX_LISTS = 100
HINT = "give a revocation list (CRL) as PEM or DER"
_PEM = b"-----BEGIN X509 CRL-----"
_END = b"-----END X509 CRL-----"


@dataclass(frozen=True)
class RevocationResult:
    """What lists and answers say about a chain.

    ``unknown``: nothing at hand is about it. ``good``: a list or an answer that was current at the time asked
    about knows of no revocation of the leaf. ``revoked``: with ``reason`` for people.
    """

    status: Literal["unknown", "good", "revoked"]
    reason: str = ""


@dataclass(frozen=True)
class RevocationStatement:
    """One statement by an issuer: when the certificate was revoked (None: it was not)."""

    revoked_at: datetime | None
    this_update: datetime
    next_update: datetime | None
    source: str
    for_ever: bool = False
    """No time stamp makes a signature with it good."""


def check_revocation(
    chain: Sequence[x509.Certificate],
    anchors: Sequence[x509.Certificate],
    *,
    crls: Sequence[bytes] = (),
    ocsp_responses: Sequence[bytes] = (),
    stamped_at: datetime | None = None,
    at: datetime,
) -> RevocationResult:
    """What *crls* (PEM or DER) and *ocsp_responses* (DER) say about *chain* (leaf first) at the time *at*.

    *stamped_at*: when it signed, by a trusted time stamp (None: nobody knows), which matters for answers
    only. Only statements signed by the
    certificate's own issuer, found in the chain or the *anchors*, count. Damaged
    answers count for nothing; a damaged list raises CheckUnavailable, for it may have named the certificate.
    """
    lists = list(_lists(crls))
    pool = [*chain[1:], *anchors]
    good = ""
    for place, certificate in enumerate(chain):
        for statement in _statements(certificate, pool, lists, ocsp_responses):
            if statement.revoked_at is not None:
                in_time = stamped_at is not None and stamped_at < statement.revoked_at
                if in_time and not statement.for_ever:
                    continue
                subject = "the signer's certificate" if place == 0 else "a certificate of the signer's issuer"
                reason = f"{subject} was revoked on {statement.revoked_at:%Y-%m-%d} ({statement.source})"
                return RevocationResult("revoked", reason)
            next_update = statement.next_update
            if (
                place == 0
                and statement.this_update - SKEW <= at
                and (next_update is None or at <= next_update + SKEW)
            ):
                good = f"not revoked, by {statement.source} of {statement.this_update:%Y-%m-%d}"
    return RevocationResult("good", good) if good else RevocationResult("unknown")


def read_crls(data: bytes) -> tuple[bytes, ...]:
    """The revocation lists in *data* (PEM, or one DER) as PEM, each decoded once. Raises UsageError."""
    from cryptography import x509
    from cryptography.hazmat.primitives.serialization import Encoding

    blocks = [_PEM + part.split(_END)[0] + _END + b"\n" for part in data.split(_PEM)[1:] if _END in part]
    try:
        found = [x509.load_pem_x509_crl(b) for b in blocks] or [x509.load_der_x509_crl(data)]
        for crl in found:
            crl.issuer.rfc4514_string()
            len(crl)
    except ValueError as error:
        raise UsageError("no revocation list could be read", hint=HINT) from error
    if len(found) > MAX_LISTS:
        raise UsageError(f"more than {MAX_LISTS} revocation lists", hint=HINT)
    return tuple(dict.fromkeys(crl.public_bytes(Encoding.PEM) for crl in found))


def looks_like_crl(data: bytes) -> bool:
    """Whether *data* is a revocation list rather than certificates."""
    from cryptography import x509

    if _PEM in data:
        return True
    try:
        x509.load_der_x509_crl(data)
    except ValueError:
        return False
    return True


def _lists(crls: Sequence[bytes]) -> Iterator[x509.CertificateRevocationList]:
    from cryptography import x509

    for data in crls:
        try:
            for pem in read_crls(data):
                yield x509.load_pem_x509_crl(pem)
        except UsageError as error:  # passed over, it would let a revoked certificate through
            raise CheckUnavailable(
                "a revocation list you trust is damaged",
                hint="fetch it again and run `safegen trust add FILE`",
            ) from error


def _statements(
    certificate: x509.Certificate,
    pool: Sequence[x509.Certificate],
    lists: Sequence[x509.CertificateRevocationList],
    answers: Sequence[bytes],
) -> Iterator[RevocationStatement]:
    """What the issuers of *certificate* said about it."""
    from safegen.keys.chain import issuers_of

    for issuer in issuers_of(certificate, pool):
        for crl in lists:
            yield from _read_statements(_crl_statements, certificate, issuer, crl)
        for answer in answers:
            yield from _read_statements(_ocsp_statements, certificate, issuer, answer)


def _read_statements(
    read: Callable[[x509.Certificate, x509.Certificate, S], Iterator[RevocationStatement]],
    certificate: x509.Certificate,
    issuer: x509.Certificate,
    source: S,
) -> list[RevocationStatement]:
    """What *source* says; parsing is lazy in `cryptography`, and a damaged one says nothing."""
    try:
        return list(read(certificate, issuer, source))
    except Exception:  # it then says neither good nor revoked
        return []


def _crl_statements(
    certificate: x509.Certificate, issuer: x509.Certificate, crl: x509.CertificateRevocationList
) -> Iterator[RevocationStatement]:
    """What *crl* says about *certificate*, if *issuer* signed it. Raises what decoding raises."""
    from cryptography import x509

    public = issuer.public_key()
    if crl.issuer != certificate.issuer or not crl.is_signature_valid(public):  # type: ignore[arg-type]
        return
    entry = crl.get_revoked_certificate_by_serial_number(certificate.serial_number)
    source = "a revocation list"
    if entry is None:
        yield RevocationStatement(None, crl.last_update_utc, crl.next_update_utc, source)
        return
    moments = [entry.revocation_date_utc]
    for extension in entry.extensions:
        if isinstance(extension.value, x509.InvalidityDate):
            moments.append(extension.value.invalidity_date_utc)
        if isinstance(extension.value, x509.CRLReason):
            if extension.value.reason is x509.ReasonFlags.remove_from_crl:
                return
            source = f"a revocation list: {extension.value.reason.value}"
    yield RevocationStatement(min(moments), crl.last_update_utc, crl.next_update_utc, source, for_ever=True)


def _ocsp_statements(
    certificate: x509.Certificate, issuer: x509.Certificate, answer: bytes
) -> Iterator[RevocationStatement]:
    """What the OCSP *answer* (DER) says about *certificate*, if *issuer* or its responder signed it.

    Raises what decoding raises.
    """
    from cryptography.x509 import ocsp

    found = ocsp.load_der_ocsp_response(answer)
    if found.response_status is not ocsp.OCSPResponseStatus.SUCCESSFUL or not _signed(found, issuer):
        return
    for one in found.responses:
        if one.serial_number != certificate.serial_number or not _is_about_issuer(one, issuer):
            continue
        this_update, next_update = one.this_update_utc, one.next_update_utc
        if one.certificate_status is ocsp.OCSPCertStatus.REVOKED:
            yield RevocationStatement(
                one.revocation_time_utc or this_update, this_update, next_update, "an OCSP answer"
            )
        elif one.certificate_status is ocsp.OCSPCertStatus.GOOD:
            yield RevocationStatement(None, this_update, next_update, "an OCSP answer")


def _is_about_issuer(one: ocsp.OCSPSingleResponse, issuer: x509.Certificate) -> bool:
    """Whether the answer is about a certificate of this issuer (RFC 6960 4.1.1: hashes of name and key)."""
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
    from cryptography.x509 import SubjectKeyIdentifier

    def digest(data: bytes) -> bytes:
        state = hashes.Hash(one.hash_algorithm)
        state.update(data)
        return state.finalize()

    key = issuer.public_key()
    same_name = digest(issuer.subject.public_bytes()) == one.issuer_name_hash
    if isinstance(one.hash_algorithm, hashes.SHA1):
        return same_name and SubjectKeyIdentifier.from_public_key(key).digest == one.issuer_key_hash
    bits = key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return same_name and digest(_bit_string(bits)) == one.issuer_key_hash


def _bit_string(public: bytes) -> bytes:
    """The key inside a SubjectPublicKeyInfo (DER): what follows its algorithm, less tag, length, padding."""

    def item(data: bytes, at: int) -> tuple[int, int]:
        """Start of the content and end of the DER item at *at*."""
        length, head = data[at + 1], 2
        if length & 0x80:
            count = length & 0x7F
            length, head = int.from_bytes(data[at + 2 : at + 2 + count], "big"), 2 + count
        return at + head, at + head + length

    inside, _ = item(public, 0)
    _, after = item(public, inside)
    start, end = item(public, after)
    return public[start + 1 : end]


def _signed(found: ocsp.OCSPResponse, issuer: x509.Certificate) -> bool:
    """Whether *issuer*, or a responder that it certified for OCSP (RFC 6960 4.2.2.2), signed the answer."""
    from cryptography import x509
    from cryptography.x509.oid import ExtendedKeyUsageOID

    if _verifies(found, issuer):
        return True
    from safegen.keys.chain import issuers_of

    for delegate in found.certificates:
        if next(issuers_of(delegate, [issuer]), None) is None:
            continue
        uses = delegate.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
        valid = delegate.not_valid_before_utc <= found.produced_at_utc <= delegate.not_valid_after_utc
        if ExtendedKeyUsageOID.OCSP_SIGNING in uses and valid and _verifies(found, delegate):
            return True
    return False


def _verifies(found: ocsp.OCSPResponse, signer: x509.Certificate) -> bool:
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa

    key, digest = signer.public_key(), found.signature_hash_algorithm
    try:
        if isinstance(key, ec.EllipticCurvePublicKey) and digest is not None:
            key.verify(found.signature, found.tbs_response_bytes, ec.ECDSA(digest))
        elif isinstance(key, rsa.RSAPublicKey) and digest is not None:
            key.verify(found.signature, found.tbs_response_bytes, padding.PKCS1v15(), digest)
        elif isinstance(key, ed25519.Ed25519PublicKey):
            key.verify(found.signature, found.tbs_response_bytes)
        else:
            return False
    except InvalidSignature:
        return False
    return True
