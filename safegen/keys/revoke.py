"""Revoking a certificate of the local identity: the issuing CA's list of them (RFC 5280 section 5)."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from safegen.errors import UsageError
from safegen.keys.files import locked_folder, write_private
from safegen.keys.identity_files import CRL
from safegen.keys.renewal import rotate_leaf

if TYPE_CHECKING:
    from cryptography import x509

    from safegen.keys.identity import Identity

REASONS = ("unspecified", "keyCompromise", "affiliationChanged", "superseded", "cessationOfOperation")
CURRENT = timedelta(days=365)
"""For how long a list says that the other certificates are good; a revocation in it counts for ever."""


def revoke(
    identity: Identity,
    announce: Callable[[str, str], object],
    *,
    serial: int | None = None,
    reason: str = "unspecified",
    unsafe_since: datetime | None = None,
) -> tuple[Identity, str]:
    """Revoke the certificate *serial* (default: the one in use); the identity, and the serial in hex.

    The certificate in use is replaced first, so that no key with a revoked certificate is left to sign.
    *unsafe_since* (aware): since when the key is unsafe, where it was stolen some time ago; it stands in the
    list for programs that ask for it (safegen believes no signature of the key). *announce* is called with
    serial and reason before the list is written. Revoking again changes nothing but the list's date. Raises
    UsageError (unknown serial or reason), KeyUnavailable.
    """
    if reason not in REASONS:
        raise UsageError(f"{reason!r} is not a known reason", hint=f"use one of: {', '.join(REASONS)}")
    current = identity.leaf.serial_number
    target = current if serial is None else serial
    if target not in {current, *(c.serial_number for c in _past(identity))}:
        raise UsageError(
            f"this identity issued no certificate {target:x}", hint="list them with `safegen keys show`"
        )
    fresh = rotate_leaf(identity) if target == current else identity
    announce(f"{target:x}", reason)
    with locked_folder(fresh.folder):
        write_private(fresh.folder / CRL, _crl(fresh, target, reason, unsafe_since))
    return fresh, f"{target:x}"


def serial_number(text: str) -> int:
    """The serial number written as hexadecimal *text*. Raises UsageError."""
    try:
        return int(text.replace(":", ""), 16)
    except ValueError as error:
        raise UsageError(f"{text!r} is not a serial number", hint="see `safegen keys show`") from error


def revoked_serials(identity: Identity) -> tuple[str, ...]:
    """Serial numbers (hex) of the revoked certificates, in the list's order. Raises KeyUnavailable."""
    return tuple(f"{entry.serial_number:x}" for entry in _entries(identity))


def earlier_serials(identity: Identity) -> tuple[str, ...]:
    """Serial numbers (hex) of the certificates of the past, oldest first."""
    return tuple(f"{certificate.serial_number:x}" for certificate in _past(identity))


def _past(identity: Identity) -> list[x509.Certificate]:
    from cryptography import x509

    return [c for pem in identity.history for c in x509.load_pem_x509_certificates(pem)]


def _entries(identity: Identity) -> list[x509.RevokedCertificate]:
    from cryptography import x509

    return [entry for pem in identity.crls for entry in x509.load_pem_x509_crl(pem)]


def _crl(identity: Identity, serial: int, reason: str, unsafe_since: datetime | None) -> bytes:
    """The list with one more entry, signed; its number counts the entries."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.serialization import Encoding

    now, key = identity.clock(), identity.issuing_key()
    known = _entries(identity)
    if serial not in {entry.serial_number for entry in known}:
        made = x509.RevokedCertificateBuilder().serial_number(serial).revocation_date(now)
        if reason != "unspecified":  # RFC 5280 5.3.1: left out instead
            made = made.add_extension(x509.CRLReason(x509.ReasonFlags(reason)), critical=False)
        if unsafe_since is not None:
            made = made.add_extension(x509.InvalidityDate(unsafe_since), critical=False)
        known.append(made.build())
    builder = (
        x509.CertificateRevocationListBuilder()
        .issuer_name(identity.issuing.subject)
        .last_update(now)
        .next_update(now + CURRENT)
        .add_extension(x509.CRLNumber(len(known)), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(key.public_key()), critical=False)
    )
    for entry in known:
        builder = builder.add_revoked_certificate(entry)
    return builder.sign(key, hashes.SHA256()).public_bytes(Encoding.PEM)
