"""Whether a certificate was revoked: certificate lists (CRL) and OCSP answers, judged here and offline.

A certificate counts as revoked as soon as one list or answer by its own issuer says so; no newer or other
answer takes that back. A signature that a *trusted* time stamp proves to be older than the revocation (and
than the date from which the key is said to be unsafe) stays good, as C2PA 2.x section 15.9 has it.
Sources: RFC 5280 section 5 (lists), RFC 6960 (OCSP).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Literal, TypeVar

from safegen.errors import CheckUnavailable, UsageError
from safegen.keys.statements import RevocationStatement, crl_statements, ocsp_statements

if TYPE_CHECKING:
    from cryptography import x509

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


def check_revocation(
    chain: Sequence[x509.Certificate],
    anchors: Sequence[x509.Certificate],
    *,
    crls: Sequence[bytes] = (),
    ocsp_responses: Sequence[bytes] = (),
    stamped_at: datetime | None = None,
    at: datetime,
) -> RevocationResult:
    """What *crls* (PEM or DER) and OCSP *answers* (DER) say about *chain* (leaf first) at the time *at*.

    *proven*: when it signed, by a trusted time stamp (None: nobody knows). Only statements signed by the
    certificate's own issuer, found in the chain or the *anchors*, count. Damaged
    answers count for nothing; a damaged list raises CheckUnavailable, for it may have named the certificate.
    """
    lists = list(_lists(crls))
    pool = [*chain[1:], *anchors]
    good = ""
    for place, certificate in enumerate(chain):
        for said in _statements(certificate, pool, lists, ocsp_responses):
            if said.revoked_at is not None:
                if stamped_at is not None and stamped_at < said.revoked_at:
                    continue
                whose = "the signer's certificate" if place == 0 else "a certificate of the signer's issuer"
                reason = f"{whose} was revoked on {said.revoked_at:%Y-%m-%d} ({said.source})"
                return RevocationResult("revoked", reason)
            until = said.next_update
            if place == 0 and said.this_update - SKEW <= at and (until is None or at <= until + SKEW):
                good = f"not revoked, by {said.source} of {said.this_update:%Y-%m-%d}"
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
            yield from _heard(crl_statements, certificate, issuer, crl)
        for answer in answers:
            yield from _heard(ocsp_statements, certificate, issuer, answer)


def _heard(
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
