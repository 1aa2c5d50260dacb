"""What an issuer's revocation list, or an OCSP answer, says about one certificate: read and verified.

Sources: RFC 5280 section 5 (lists), RFC 6960 (OCSP).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cryptography import x509
    from cryptography.x509 import ocsp


@dataclass(frozen=True)
class RevocationStatement:
    """One statement by an issuer: when the certificate was revoked (None: it was not)."""

    revoked_at: datetime | None
    this_update: datetime
    next_update: datetime | None
    source: str


def crl_statements(
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
    yield RevocationStatement(min(moments), crl.last_update_utc, crl.next_update_utc, source)


def ocsp_statements(
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
        if one.serial_number != certificate.serial_number or not _names(one, issuer):
            continue
        begun, until = one.this_update_utc, one.next_update_utc
        if one.certificate_status is ocsp.OCSPCertStatus.REVOKED:
            yield RevocationStatement(one.revocation_time_utc or begun, begun, until, "an OCSP answer")
        elif one.certificate_status is ocsp.OCSPCertStatus.GOOD:
            yield RevocationStatement(None, begun, until, "an OCSP answer")


def _names(one: ocsp.OCSPSingleResponse, issuer: x509.Certificate) -> bool:
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
