"""COSE signatures (RFC 9052) as C2PA uses them: one signer, a detached payload, certificates in a header."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from safegen.credentials.cbor import CborError, decode

if TYPE_CHECKING:
    from cryptography import x509

ALG, X5CHAIN = 1, 33
"""COSE header labels (RFC 9052, RFC 9360)."""
HASHES = {-7: "SHA256", -35: "SHA384", -36: "SHA512", -37: "SHA256", -38: "SHA384", -39: "SHA512"}


class SignatureUnreadable(ValueError):
    """No signature can be read and verified; the text says why. Nothing was computed that differs."""


class SignatureMismatch(SignatureUnreadable):
    """The signature was checked against the key it names, and is not one over these bytes."""


@dataclass(frozen=True)
class Sign1:
    """A COSE_Sign1 message; ``headers`` are the protected ones, decoded from ``protected``."""

    protected: bytes
    headers: dict[Any, Any]
    unprotected: dict[Any, Any]
    signature: bytes

    def certificates(self) -> tuple[x509.Certificate, ...]:
        """The signer's chain, leaf first, from either header. Raises ValueError for one that is damaged."""
        from cryptography import x509

        raw = next(
            (h[k] for h in (self.headers, self.unprotected) for k in (X5CHAIN, "x5chain") if k in h), None
        )
        return tuple(x509.load_der_x509_certificate(der) for der in as_list(raw))


def parse_sign1(data: bytes) -> Sign1:
    """The COSE_Sign1 message that fills *data*. Raises CborError."""
    message = decode(data)
    if not (isinstance(message, list) and len(message) == 4):
        raise CborError("not a COSE_Sign1")
    protected, unprotected, _, signature = message
    if not (isinstance(protected, bytes) and isinstance(unprotected, dict) and isinstance(signature, bytes)):
        raise CborError("not a COSE_Sign1")
    headers = decode(protected) if protected else {}
    if not isinstance(headers, dict):
        raise CborError("not a COSE_Sign1")
    return Sign1(protected, headers, unprotected, signature)


def as_list(value: Any) -> list[bytes]:
    """The byte strings in *value*, which may be one of them."""
    items = value if isinstance(value, list) else [value]
    return [item for item in items if isinstance(item, bytes)]


def signed_bytes(context: str, protected: bytes, payload: bytes) -> bytes:
    """The Sig_structure of *context*: [context, protected, no external data, payload] (RFC 9052 4.4)."""
    name = context.encode()
    return (
        b"\x84" + bytes([0x60 | len(name)]) + name + byte_string(protected) + b"\x40" + byte_string(payload)
    )


def byte_string(data: bytes) -> bytes:
    """*data* as a CBOR byte string. Raises SignatureUnreadable beyond 4 GB."""
    size = len(data)
    if size < 24:
        return bytes([0x40 | size]) + data
    for info, code, limit in ((24, ">B", 1 << 8), (25, ">H", 1 << 16), (26, ">I", 1 << 32)):
        if size < limit:
            return bytes([0x40 | info]) + struct.pack(code, size) + data
    raise SignatureUnreadable("the claim is too large")


def verify_signature(public: Any, alg: Any, signature: bytes, message: bytes) -> None:
    """Check that *signature* is one over *message* by *public* under the COSE algorithm *alg*.

    Raises SignatureMismatch where it is not, SignatureUnreadable where that cannot be computed: an
    algorithm that is not known, a key of another kind, a signature of another length.
    """
    from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm

    try:
        _verify(public, alg, signature, message)
    except InvalidSignature as error:
        raise SignatureMismatch("the claim signature does not verify") from error
    except (AttributeError, TypeError, UnsupportedAlgorithm) as error:
        raise SignatureUnreadable("the signature is of a kind that cannot be checked here") from error


def _verify(public: Any, alg: Any, signature: bytes, message: bytes) -> None:
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa, utils

    if alg == -8 and isinstance(public, ed25519.Ed25519PublicKey):
        _require_length(signature, 64)
        public.verify(signature, message)
        return
    if alg not in HASHES:
        raise SignatureUnreadable(f"the algorithm {alg!r:.20} of the signature is not known here")
    digest = getattr(hashes, HASHES[alg])()
    if alg in (-37, -38, -39) and isinstance(public, rsa.RSAPublicKey):
        _require_length(signature, (public.key_size + 7) // 8)
        pss = padding.PSS(mgf=padding.MGF1(digest), salt_length=digest.digest_size)
        public.verify(signature, message, pss, digest)
        return
    if alg in (-37, -38, -39) or not isinstance(public, ec.EllipticCurvePublicKey):
        raise SignatureUnreadable("the signer's key is not of the kind that the signature names")
    half = (public.curve.key_size + 7) // 8
    _require_length(signature, 2 * half)
    r, s = (int.from_bytes(part, "big") for part in (signature[:half], signature[half:]))
    public.verify(utils.encode_dss_signature(r, s), message, ec.ECDSA(digest))


def _require_length(signature: bytes, length: int) -> None:
    if len(signature) != length:
        raise SignatureUnreadable(f"the signature has {len(signature)} bytes instead of {length}")
