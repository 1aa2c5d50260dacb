"""The certificates of a local identity: root -> issuing CA -> leaf.

Profile: C2PA 2.x "Certificate profile" and RFC 5280 section 4.2. Pure but for key generation and
serial numbers; the time is passed in.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey, EllipticCurvePublicKey

C2PA_SIGNING = x509.ObjectIdentifier("1.3.6.1.4.1.62558.2.1")
"""c2pa-kp-claimSigning."""
LOCAL = "not verified by anyone"
ROOT_YEARS = 10
LEAF_DAYS = 365
SKEW = timedelta(hours=1)
"""Certificates start this much in the past: clocks of verifiers differ."""


@dataclass(frozen=True)
class Hierarchy:
    """The three certificates and their keys, fresh."""

    root: x509.Certificate
    root_key: EllipticCurvePrivateKey
    issuing: x509.Certificate
    issuing_key: EllipticCurvePrivateKey
    leaf: x509.Certificate
    leaf_key: EllipticCurvePrivateKey


def issue_hierarchy(organisation: str, now: datetime) -> Hierarchy:
    """A new root, issuing CA and leaf (all P-256) for *organisation*, valid from *now* (aware)."""
    root_key, issuing_key = _key(), _key()
    root_name = _name("safegen local root", organisation)
    until = now + timedelta(days=ROOT_YEARS * 365)
    root = _authority(root_name, root_name, root_key.public_key(), root_key, 1, now, until)
    issuing_name = _name("safegen local issuing CA", organisation)
    issuing = _authority(issuing_name, root_name, issuing_key.public_key(), root_key, 0, now, until)
    leaf, leaf_key = issue_leaf(organisation, issuing, issuing_key, now)
    return Hierarchy(root, root_key, issuing, issuing_key, leaf, leaf_key)


def issue_leaf(
    organisation: str, issuing: x509.Certificate, issuing_key: EllipticCurvePrivateKey, now: datetime
) -> tuple[x509.Certificate, EllipticCurvePrivateKey]:
    """A new claim-signing certificate and its key (ES256), valid for a year from *now* (aware).

    It never outlives *issuing*: the shorter of the two ends counts.
    """
    key = _key()
    return certify_leaf(organisation, key.public_key(), issuing, issuing_key, now), key


def certify_leaf(
    organisation: str,
    key: EllipticCurvePublicKey,
    issuing: x509.Certificate,
    issuing_key: EllipticCurvePrivateKey,
    now: datetime,
) -> x509.Certificate:
    """A claim-signing certificate for the public *key*, such as a token's; valid as in ``make_leaf``."""
    until = min(now + timedelta(days=LEAF_DAYS), issuing.not_valid_after_utc)
    builder = _base(_name("safegen local identity", organisation), issuing.subject, key, now, until)
    usages = [ExtendedKeyUsageOID.EMAIL_PROTECTION, C2PA_SIGNING]
    builder = (
        builder.add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_usage(signature=True, certificates=False), critical=True)
        .add_extension(x509.ExtendedKeyUsage(usages), critical=False)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(issuing_key.public_key()), critical=False
        )
    )
    return builder.sign(issuing_key, hashes.SHA256())


def _authority(
    subject: x509.Name,
    issuer: x509.Name,
    key: EllipticCurvePublicKey,
    signing_key: EllipticCurvePrivateKey,
    path_length: int,
    now: datetime,
    until: datetime,
) -> x509.Certificate:
    builder = (
        _base(subject, issuer, key, now, until)
        .add_extension(x509.BasicConstraints(ca=True, path_length=path_length), critical=True)
        .add_extension(_usage(signature=False, certificates=True), critical=True)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(signing_key.public_key()), critical=False
        )
    )
    return builder.sign(signing_key, hashes.SHA256())


def _base(
    subject: x509.Name, issuer: x509.Name, key: EllipticCurvePublicKey, now: datetime, until: datetime
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - SKEW)
        .not_valid_after(until)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)
    )


def _usage(*, signature: bool, certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=signature,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=certificates,
        crl_sign=certificates,
        encipher_only=False,
        decipher_only=False,
    )


def _name(role: str, organisation: str) -> x509.Name:
    return x509.Name(
        [
            x509.NameAttribute(NameOID.COMMON_NAME, f"{role}, {LOCAL}"),
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, organisation),
        ]
    )


def _key() -> EllipticCurvePrivateKey:
    return ec.generate_private_key(ec.SECP256R1())
