"""Our own certificate chain check: does this leaf lead to an anchor that may vouch for signers?

c2pa-rs treats an anchor marked for time stamps as good for signers too, so its ``trusted`` is not
enough. Source: RFC 5280 section 6.1, the C2PA 2.x certificate profile for leaves. Revocation is
looked at elsewhere (``revocation``); names constraints and other critical extensions that are not
evaluated here make the chain untrusted rather than being skipped.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from cryptography import x509

T = TypeVar("T", bound="x509.ExtensionType")
SIGNING_PURPOSES = {
    "1.3.6.1.5.5.7.3.4": "e-mail protection",
    "1.3.6.1.5.5.7.3.36": "document signing",
    "1.3.6.1.4.1.62558.2.1": "C2PA claim signing",
    "1.3.6.1.4.1.311.76.59.1.9": "Microsoft's C2PA signing",
}
"""Extended key usages with which a certificate may sign claims: for this check and for the C2PA library."""
ANY_USAGE = "2.5.29.37.0"
FOREIGN_USAGES = {
    ANY_USAGE: "any use",
    "1.3.6.1.5.5.7.3.8": "time stamps",
    "1.3.6.1.5.5.7.3.9": "OCSP answers",
}
"""Never together with claim signing (C2PA 2.x: certificate profile, extended key usage)."""
UNDERSTOOD = {
    "2.5.29.14",  # subject key identifier
    "2.5.29.15",  # key usage
    "2.5.29.19",  # basic constraints
    "2.5.29.32",  # certificate policies
    "2.5.29.35",  # authority key identifier
    "2.5.29.37",  # extended key usage
}
MAX_CHAIN = 8


@dataclass(frozen=True)
class ChainResult:
    """Outcome: ``anchor`` as ``subject (SHA-256 hex)``, or ``None`` and the ``reason``.

    ``outside`` is set when nothing but the time is wrong: the anchor is then named all the same.
    """

    anchor: str | None
    reason: str = ""
    outside_validity: bool = False
    anchor_sha256: str | None = None
    """SHA-256 (hex) of the anchor's DER form, where there is one."""

    @property
    def trusted(self) -> bool:
        """Whether the chain leads to an anchor and is valid at the time asked about."""
        return self.anchor is not None and not self.outside_validity


def fingerprint(certificate: x509.Certificate) -> str:
    """SHA-256 (hex) over the DER certificate."""
    from cryptography.hazmat.primitives.serialization import Encoding

    return hashlib.sha256(certificate.public_bytes(Encoding.DER)).hexdigest()


def check_chain(
    chain: Sequence[x509.Certificate], anchors: Sequence[x509.Certificate], *, at: datetime
) -> ChainResult:
    """Whether *chain* (leaf first, others in any order) leads to one of *anchors* at the time *at* (aware).

    *anchors* MUST be signer anchors only, the preferred ones first: of several above the leaf the first one
    that is valid is named. An anchor may be an intermediate (the C2PA trust list has such); a leaf is never
    one. Never raises on hostile certificates: gives the reason instead.
    """
    if not chain:
        return ChainResult(None, "the signature contains no certificate")
    if len(chain) > MAX_CHAIN:
        return ChainResult(None, f"more than {MAX_CHAIN} certificates in the signature")
    try:
        return _walk(list(chain), list(anchors), at)
    except Exception as error:  # parsing is lazy in `cryptography`: any field may turn out malformed
        return ChainResult(None, f"a certificate cannot be read: {error}")


def _walk(chain: list[x509.Certificate], anchors: list[x509.Certificate], at: datetime) -> ChainResult:
    if reason := _leaf_reason(chain[0]):
        return ChainResult(None, reason)
    found: list[tuple[bool, int]] = []
    refused = ""
    try:
        for anchor, late, reason in _way_up(chain, anchors, at):
            if anchor is not None and not reason:
                found.append((late, anchors.index(anchor)))
            refused = refused or reason
    except Exception:
        if not found:  # what is above an anchor takes nothing from it
            raise
    if not found:
        return ChainResult(None, refused)
    late, index = min(found)
    anchor = anchors[index]
    name = f"{anchor.subject.rfc4514_string()} ({fingerprint(anchor)})"
    reason = "it is outside its validity period" if late else ""
    return ChainResult(name, reason, outside_validity=late, anchor_sha256=fingerprint(anchor))


def _way_up(
    chain: list[x509.Certificate], anchors: list[x509.Certificate], at: datetime
) -> Iterator[tuple[x509.Certificate | None, bool, str]]:
    """Each anchor above the leaf with whether it is too late for it and why it may not vouch; why it ends."""
    current, pool, below = chain[0], chain[1:], 0
    late = not _valid_at(current, at)
    while True:
        for anchor in issuers_of(current, anchors):
            reason = _authority_reason(anchor, below)
            refused = f"the anchor cannot vouch for it: {reason}" if reason else ""
            yield anchor, late or not _valid_at(anchor, at), refused
        issuer = _issuer_of(current, pool)
        if issuer is None:
            yield None, late, f"no anchor for {current.issuer.rfc4514_string()}"
            return
        if reason := _authority_reason(issuer, below):
            yield None, late, reason
            return
        pool.remove(issuer)
        late = late or not _valid_at(issuer, at)
        below += issuer.subject != issuer.issuer
        current = issuer


def _issuer_of(
    certificate: x509.Certificate, candidates: Sequence[x509.Certificate]
) -> x509.Certificate | None:
    return next(issuers_of(certificate, candidates), None)


def issuers_of(
    certificate: x509.Certificate, candidates: Sequence[x509.Certificate]
) -> Iterator[x509.Certificate]:
    """Those of *candidates* that signed *certificate*, by name and key."""
    from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm

    for candidate in candidates:
        if candidate.subject != certificate.issuer:
            continue
        try:
            certificate.verify_directly_issued_by(candidate)
        except (ValueError, TypeError, InvalidSignature, UnsupportedAlgorithm):
            continue  # a signature that does not verify only rules this candidate out
        yield candidate


def _leaf_reason(leaf: x509.Certificate) -> str:
    from cryptography import x509

    if reason := _unknown_critical(leaf):
        return reason
    basic = _extension(leaf, x509.BasicConstraints)
    if basic is not None and basic.ca:
        return "the signing certificate is a CA"
    usage = _extension(leaf, x509.KeyUsage)
    if usage is None or not usage.digital_signature or usage.key_cert_sign:
        return "the signing certificate's key usage is not digitalSignature alone"
    extended = {e.dotted_string for e in _extension(leaf, x509.ExtendedKeyUsage) or ()}
    for oid, use in FOREIGN_USAGES.items():
        if oid in extended:
            return f"the signing certificate is also valid for {use}"
    if not extended & SIGNING_PURPOSES.keys():
        return "the signing certificate is not valid for signing claims (extended key usage)"
    return ""


def _authority_reason(certificate: x509.Certificate, below: int) -> str:
    """Why *certificate* may not issue, with *below* intermediates under it (RFC 5280 6.1.4)."""
    from cryptography import x509

    if reason := _unknown_critical(certificate):
        return reason
    subject = certificate.subject.rfc4514_string()
    basic = _extension(certificate, x509.BasicConstraints)
    if basic is None or not basic.ca:
        return f"{subject} is not a CA"
    if basic.path_length is not None and below > basic.path_length:
        return f"{subject} does not allow a CA that far below it"
    usage = _extension(certificate, x509.KeyUsage)
    if usage is not None and not usage.key_cert_sign:
        return f"{subject} may not sign certificates"
    extended = {e.dotted_string for e in _extension(certificate, x509.ExtendedKeyUsage) or ()}
    if extended and not extended & {*SIGNING_PURPOSES, ANY_USAGE}:
        return f"{subject} issues certificates for other uses"
    return ""


def _unknown_critical(certificate: x509.Certificate) -> str:
    for extension in certificate.extensions:
        if extension.critical and extension.oid.dotted_string not in UNDERSTOOD:
            return f"critical extension {extension.oid.dotted_string} is not supported"
    return ""


def _extension(certificate: x509.Certificate, kind: type[T]) -> T | None:
    from cryptography import x509

    try:
        return certificate.extensions.get_extension_for_class(kind).value
    except x509.ExtensionNotFound:
        return None


def _valid_at(certificate: x509.Certificate, at: datetime) -> bool:
    return certificate.not_valid_before_utc <= at <= certificate.not_valid_after_utc
