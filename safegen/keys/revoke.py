"""Revoking a certificate of the local identity: the issuing CA's list of them (RFC 5280 section 5)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from safegen.errors import KeyUnavailable, UsageError
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
    signing: x509.Certificate | None = None,
    serial: int | None = None,
    reason: str = "unspecified",
    unsafe_since: datetime | None = None,
) -> tuple[Identity, str]:
    """Revoke the certificate *serial* (default: the one that signs); the identity, and the serial in hex.

    *signing* is the certificate that signs instead of the identity's own (``[signing]``), if there is one.
    Only what the identity's CA issued can be revoked here.

    The identity's certificate in use is replaced first, so that none of its keys with a revoked certificate
    is left to sign. *unsafe_since* (aware): since when the key is unsafe, where it was stolen some time ago;
    it stands in the list for programs that ask for it (safegen believes no signature of the key). *announce*
    is called with serial and reason before the list is written. Revoking again changes nothing but the
    list's date. Raises UsageError (unknown serial or reason, a certificate of another issuer),
    KeyUnavailable.
    """
    if reason not in REASONS:
        raise UsageError(f"{reason!r} is not a known reason", hint=f"use one of: {', '.join(REASONS)}")
    current = identity.leaf.serial_number
    target = revocable_serial(identity, serial, signing=signing)
    fresh = rotate_leaf(identity) if target == current else identity
    announce(f"{target:x}", reason)
    with locked_folder(fresh.folder):
        write_private(fresh.folder / CRL, _crl(fresh, target, reason, unsafe_since))
    return fresh, f"{target:x}"


def revocable_serial(
    identity: Identity, serial: int | None = None, *, signing: x509.Certificate | None = None
) -> int:
    """Which certificate ``revoke`` would revoke; *serial* and *signing* as there.

    Raises UsageError for one that the identity's CA did not issue.
    """
    signs = identity.leaf if signing is None else signing
    target = signs.serial_number if serial is None else serial
    if target in {c.serial_number for c in (identity.leaf, *_past(identity))}:
        return target
    if signing is None or target != signing.serial_number:
        raise UsageError(
            f"this identity issued no certificate {target:x}", hint="list them with `safegen keys show`"
        )
    _require_issued_here(identity, signing)
    return target


def _require_issued_here(identity: Identity, signing: x509.Certificate) -> None:
    from safegen.keys.chain import issuers_of

    if any(issuers_of(signing, [identity.issuing])):
        return
    raise UsageError(
        "only its issuer can revoke the certificate under [signing] in safegen.toml: "
        f"{signing.issuer.rfc4514_string()}, serial {signing.serial_number:x}; nothing was revoked",
        hint="ask the issuer to revoke it, and remove key and chain under [signing]: the local identity then "
        "signs. Pin the issuer's revocation list with `safegen trust add FILE`: nothing is signed with the "
        "certificate any more, and `safegen keys export-trust` gives the list to others. `--local` revokes "
        "the certificate of the local identity",
    )


def require_not_revoked(
    identity: Identity,
    chain_pem: bytes,
    *,
    now: datetime,
    anchors: Sequence[bytes] = (),
    crls: Sequence[bytes] = (),
) -> None:
    """Refuse to sign with the chain *chain_pem* (leaf first) where a list says that it was revoked.

    The lists are *identity*'s own and *crls*; issuers are looked for in the chain, in *anchors* (PEM) and in
    *identity*. Raises KeyUnavailable; CheckUnavailable for a damaged list.
    """
    from safegen.keys.revocation import check_revocation
    from safegen.keys.signers import load_chain

    lists = [*identity.crls, *crls]
    if not lists:
        return
    known = [c for pem in (*anchors, identity.root_pem) for c in load_chain(pem)]
    found = check_revocation(load_chain(chain_pem), [*known, identity.issuing], crls=lists, at=now)
    if found.status == "revoked":
        raise KeyUnavailable(
            f"nothing is signed: {found.reason}",
            hint="put a new certificate under [signing] in safegen.toml, or remove that section's key and "
            "chain: the local identity then signs; its own is renewed by `safegen keys rotate`",
        )


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
