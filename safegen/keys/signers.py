"""Signers: PEM keys, PKCS#12 files, and callbacks (an HSM, a KMS, anything that signs bytes).

All satisfy ``safegen.protocols.Signer``. Algorithms: C2PA 2.x section 13.2 (COSE ES256/384/512,
PS256, EdDSA with Ed25519).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from safegen.errors import KeyUnavailable, SigningFailed
from safegen.keys.passphrase import HINT, SIGNING_HINT, Passphrase, resolve_passphrase

if TYPE_CHECKING:
    from datetime import datetime

    from cryptography import x509

    from safegen.protocols import Signer

ALGORITHMS = ("es256", "es384", "es512", "ps256", "ed25519")
CURVES = {"secp256r1": "es256", "secp384r1": "es384", "secp521r1": "es512"}


@dataclass(frozen=True)
class KeySigner:
    """Signs with a private key held in memory (``key``: a key object of ``cryptography``)."""

    alg: str
    chain_pem: bytes
    key: Any = field(repr=False)

    def sign(self, data: bytes) -> bytes:
        """Signature over *data*: r||s for ECDSA, RSASSA-PSS, or Ed25519. Raises SigningFailed."""
        try:
            return _sign(self.key, self.alg, data)
        except Exception as error:
            raise SigningFailed(f"the key failed to sign: {error}", hint="check the signing key") from error


@dataclass(frozen=True)
class CallbackSigner:
    """Signs by calling *callback* with the bytes; what it raises is kept word for word."""

    alg: str
    chain_pem: bytes
    callback: Callable[[bytes], bytes] = field(repr=False)

    def sign(self, data: bytes) -> bytes:
        """Signature over *data* (ECDSA: r||s or DER). Raises SigningFailed with the callback's own text."""
        try:
            signature = self.callback(data)
        except Exception as error:
            text = str(error) or type(error).__name__
            raise SigningFailed(
                f"the signing service failed: {text}", hint="check the HSM or KMS behind the signer"
            ) from error
        if not isinstance(signature, bytes) or not signature:
            raise SigningFailed(
                "the signing service returned no signature", hint="the callback must return non-empty bytes"
            )
        return signature


def from_callback(callback: Callable[[bytes], bytes], *, alg: str, chain_pem: bytes) -> CallbackSigner:
    """A signer around *callback*; *chain_pem* is leaf first. Raises KeyUnavailable on a bad chain or alg."""
    chain = load_chain(chain_pem)
    if alg not in ALGORITHMS:
        raise KeyUnavailable(f"unknown signing algorithm {alg!r}", hint=f"use one of {', '.join(ALGORITHMS)}")
    found = algorithm_of(chain[0].public_key())
    if found != alg:
        raise KeyUnavailable(f"the certificate is for {found}, not {alg}", hint=f"use alg={found!r}")
    return CallbackSigner(alg, chain_pem, callback)


def from_pem(key_pem: bytes, chain_pem: bytes, passphrase: Passphrase = None) -> KeySigner:
    """A signer from a PEM private key and its certificates (leaf first).

    *passphrase* is asked for only when the key is encrypted. Raises KeyUnavailable: wrong or missing
    passphrase, unreadable key or certificates, an unsupported key, a key of another certificate.
    """
    return signer_for(load_private_key(key_pem, passphrase, hint=SIGNING_HINT), chain_pem)


def from_pkcs12(data: bytes, passphrase: Passphrase = None) -> KeySigner:
    """A signer from a PKCS#12 file (.p12, .pfx) with key, leaf and CA certificates. Raises KeyUnavailable."""
    from cryptography.hazmat.primitives.serialization import Encoding

    key, leaf, others = _open_pkcs12(data, passphrase)
    certificates = order_chain(leaf, others)
    return signer_for(key, b"".join(c.public_bytes(Encoding.PEM) for c in certificates))


def pkcs12_certificates(data: bytes, passphrase: Passphrase = None) -> list[x509.Certificate]:
    """Every certificate in a PKCS#12 file, that of its key first. Raises KeyUnavailable."""
    _, leaf, others = _open_pkcs12(data, passphrase)
    return [leaf, *others]


def _open_pkcs12(data: bytes, passphrase: Passphrase) -> tuple[Any, x509.Certificate, list[x509.Certificate]]:
    """Key, its certificate, and the others. *passphrase* is asked for only when the file needs one."""
    from cryptography.hazmat.primitives.serialization import pkcs12

    try:
        try:
            bundle = pkcs12.load_pkcs12(data, None)
        except ValueError:
            bundle = pkcs12.load_pkcs12(data, resolve_passphrase(passphrase))
    except ValueError as error:
        raise KeyUnavailable(
            "cannot open the PKCS#12 file: wrong passphrase or damaged", hint=SIGNING_HINT
        ) from error
    if bundle.key is None or bundle.cert is None:
        raise KeyUnavailable("the PKCS#12 file lacks a key or its certificate", hint="export both")
    return bundle.key, bundle.cert.certificate, [c.certificate for c in bundle.additional_certs]


def from_paths(
    certificates: Path | None, key: Path | None = None, *, passphrase: Passphrase = None
) -> KeySigner:
    """The user's own certificate: a chain file and a key file, or one PKCS#12 file (as either of them).

    *key* may be PEM or PKCS#12; the chain file then wins over the certificates in the latter. Raises
    KeyUnavailable; also when the key file can be read by others.
    """
    from safegen.keys.files import read_private

    if key is None or certificates is None:
        if (only := certificates or key) is None:
            raise KeyUnavailable("no certificate was given", hint="give a chain and a key, or a PKCS#12 file")
        return from_pkcs12(read_private(only), passphrase)
    data = read_private(key)
    try:
        chain_pem = certificates.read_bytes()
    except OSError as error:
        raise KeyUnavailable(
            f"cannot read the certificates {certificates.name}: {error.strerror}", hint="check the path"
        ) from error
    if b"-----BEGIN" not in data:
        return signer_for(from_pkcs12(data, passphrase).key, chain_pem)
    return from_pem(data, chain_pem, passphrase)


def require_valid_certificate(signer: Signer, now: datetime) -> None:
    """Refuse a signer whose certificate is not valid *now* (aware): before hours of work, not after.

    Raises KeyUnavailable.
    """
    leaf = load_chain(signer.chain_pem)[0]
    if now >= leaf.not_valid_after_utc:
        raise KeyUnavailable(
            f"the signing certificate expired on {leaf.not_valid_after_utc:%Y-%m-%d}",
            hint="renew it with its CA; without [signing] in safegen.toml the local identity signs, "
            "which `safegen keys rotate` renews",
        )
    if now < leaf.not_valid_before_utc:
        raise KeyUnavailable(
            f"the signing certificate is not valid before {leaf.not_valid_before_utc:%Y-%m-%d}",
            hint="check the clock or the certificate",
        )


def load_private_key(key_pem: bytes, passphrase: Passphrase = None, *, hint: str = HINT) -> Any:
    """The private key in *key_pem*, decrypted when it has to be.

    Raises KeyUnavailable; *hint* says where the passphrase comes from.
    """
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    encrypted = b"ENCRYPTED" in key_pem
    secret = resolve_passphrase(passphrase) if encrypted else None
    if encrypted and secret is None:
        raise KeyUnavailable("the key is locked and no passphrase was given", hint=hint)
    try:
        return load_pem_private_key(key_pem, secret)
    except (ValueError, TypeError) as error:
        text = "cannot open the key: wrong passphrase or damaged" if encrypted else "the key file is damaged"
        raise KeyUnavailable(text, hint=hint if encrypted else "restore it from a backup") from error
    except Exception as error:
        raise KeyUnavailable(f"unsupported key: {error}", hint="use EC, RSA or Ed25519") from error


def load_chain(chain_pem: bytes) -> list[x509.Certificate]:
    """The certificates in *chain_pem*, in file order (leaf first). Raises KeyUnavailable."""
    from cryptography import x509

    try:
        return x509.load_pem_x509_certificates(chain_pem)
    except ValueError as error:
        raise KeyUnavailable(
            "no readable certificates", hint="give a PEM file with the leaf first, then its CAs"
        ) from error


def order_chain(leaf: x509.Certificate, others: list[x509.Certificate]) -> list[x509.Certificate]:
    """*leaf*, then its issuers in order as far as *others* has them; self-signed ones are left out."""
    chain, current = [leaf], leaf
    pool = [c for c in others if c.issuer != c.subject]
    while found := next((c for c in pool if c.subject == current.issuer), None):
        pool.remove(found)
        chain.append(found)
        current = found
    return chain


def signer_for(key: Any, chain_pem: bytes) -> KeySigner:
    """A signer for *key*, once it is sure that the first certificate is its own. Raises KeyUnavailable."""
    leaf, public = load_chain(chain_pem)[0], key.public_key()
    if leaf.public_key() != public:
        raise KeyUnavailable(
            "the first certificate does not belong to the key", hint="put the leaf certificate first"
        )
    return KeySigner(algorithm_of(public), chain_pem, key)


def algorithm_of(public: Any) -> str:
    """The C2PA algorithm for a public key. Raises KeyUnavailable when there is none."""
    from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

    if isinstance(public, ec.EllipticCurvePublicKey) and public.curve.name in CURVES:
        return CURVES[public.curve.name]
    if isinstance(public, rsa.RSAPublicKey) and public.key_size >= 2048:
        return "ps256"
    if isinstance(public, ed25519.Ed25519PublicKey):
        return "ed25519"
    raise KeyUnavailable(
        "this kind of key cannot sign C2PA manifests",
        hint="use P-256, P-384, P-521, RSA of at least 2048 bits, or Ed25519",
    )


def _sign(key: Any, alg: str, data: bytes) -> bytes:
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric import ec, padding, utils

    if alg == "ed25519":
        return bytes(key.sign(data))
    if alg == "ps256":
        digest = hashes.SHA256()
        pss = padding.PSS(mgf=padding.MGF1(digest), salt_length=digest.digest_size)
        return bytes(key.sign(data, pss, digest))
    hashed: hashes.HashAlgorithm = hashes.SHA256()
    if alg != "es256":
        hashed = hashes.SHA384() if alg == "es384" else hashes.SHA512()
    r, s = utils.decode_dss_signature(key.sign(data, ec.ECDSA(hashed)))
    size = (key.curve.key_size + 7) // 8
    return r.to_bytes(size, "big") + s.to_bytes(size, "big")
