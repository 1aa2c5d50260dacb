"""Who signed a manifest: the certificates from its claim signature, once that signature verifies.

c2pa-rs does not hand out the certificates, and its own trust decision is not enough (see
``safegen.keys.chain``). So the claim signature is found in the manifest store (JUMBF, ISO 19566-5)
and verified here against the leaf it carries: what the chain check then looks at is exactly what signed.
Source: C2PA 2.x sections 11.1 (JUMBF boxes) and 13.2 (COSE_Sign1, detached payload), RFC 9052.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from safegen.credentials.cbor import CborError, decode

if TYPE_CHECKING:
    from cryptography import x509

ALG, X5CHAIN = 1, 33
"""COSE header labels (RFC 9052, RFC 9360)."""
CLAIMS = ("c2pa.claim.v2", "c2pa.claim")
HASHES = {-7: "SHA256", -35: "SHA384", -36: "SHA512", -37: "SHA256", -38: "SHA384", -39: "SHA512"}


class SignatureUnreadable(ValueError):
    """No claim signature can be read and verified; the text says why."""


@dataclass(frozen=True)
class ClaimSigner:
    """``chain``: leaf first, as the signature carries it; the leaf's key verified the claim."""

    chain: tuple[x509.Certificate, ...]
    ocsp_responses: tuple[bytes, ...] = ()
    """Stapled OCSP answers (DER), as they stand there."""


def verify_claim_signature(store: bytes, label: str) -> ClaimSigner:
    """Who signed the manifest called *label* in the manifest store *store* (raw JUMBF).

    Raises SignatureUnreadable: not found, found more than once, malformed, or it does not verify.
    """
    from cryptography import x509

    try:
        manifest = _only(_superboxes(_payload(store, b"jumb")), label)
        boxes = list(_superboxes(manifest))
        claim = [_payload(body, b"cbor") for name, body in boxes if name in CLAIMS]
        if len(claim) != 1:
            raise SignatureUnreadable("the manifest does not have exactly one claim")
        protected, unprotected, _, signature = _sign1(_payload(_only(iter(boxes), "c2pa.signature"), b"cbor"))
        headers = decode(protected) if protected else {}
        raw = headers.get(X5CHAIN, headers.get("x5chain")) or unprotected.get(
            X5CHAIN, unprotected.get("x5chain")
        )
        chain = tuple(x509.load_der_x509_certificate(der) for der in _as_list(raw))
        if not chain:
            raise SignatureUnreadable("the claim signature has no certificate")
        message = _sig_structure(protected, claim[0])
        _verify(chain[0].public_key(), headers.get(ALG), signature, message)
        return ClaimSigner(chain, _answers(unprotected))
    except SignatureUnreadable:
        raise
    except Exception as error:  # hostile input: whatever goes wrong, there is no signer
        raise SignatureUnreadable(f"the claim signature does not verify ({type(error).__name__})") from error


def signature_box(store: bytes, label: str) -> bytes:
    """The COSE_Sign1 message of the manifest called *label* in *store*. Raises SignatureUnreadable."""
    manifest = _only(_superboxes(_payload(store, b"jumb")), label)
    return _payload(_only(_superboxes(manifest), "c2pa.signature"), b"cbor")


def _answers(unprotected: dict[Any, Any]) -> tuple[bytes, ...]:
    """The OCSP answers in the header ``rVals`` (C2PA 2.x section 13.2.5)."""
    values = unprotected.get("rVals")
    return tuple(_as_list(values.get("ocspVals"))) if isinstance(values, dict) else ()


def structure_failures(store: bytes, label: str) -> tuple[str, ...]:
    """C2PA codes for what the manifest *label* in *store* lacks: its claim, its signature, or itself.

    For bytes as they stand in a file (C2PA 2.x sections 15.6 and 15.7): c2pa-rs is lenient about labels.
    """
    try:
        found = [body for name, body in _superboxes(_payload(store, b"jumb")) if name == label]
        if len(found) != 1:
            return ("claim.missing",)
        names = [name for name, _ in _superboxes(found[0])]
    except (SignatureUnreadable, struct.error):
        return ("claim.malformed",)
    claims = sum(name in CLAIMS for name in names)
    failures = [] if claims == 1 else ["claim.multiple" if claims else "claim.missing"]
    if names.count("c2pa.signature") != 1:
        failures.append("claimSignature.missing")
    if names.count("c2pa.assertions") != 1:
        failures.append("claim.malformed")
    return tuple(failures)


def active_label(store: bytes) -> str:
    """The id of the active manifest, the last one in *store* (C2PA 2.x section 11.1.4).

    Raises SignatureUnreadable when there is none.
    """
    labels = [label for label, _ in _superboxes(_payload(store, b"jumb"))]
    if not labels:
        raise SignatureUnreadable("the manifest store is empty")
    return labels[-1]


def _payload(data: bytes, kind: bytes) -> bytes:
    """Content of the first box of type *kind*."""
    for found, body in _boxes(data):
        if found == kind:
            return body
    raise SignatureUnreadable(f"no {kind.decode()} box")


def _boxes(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    at = 0
    while at + 8 <= len(data):
        size, kind = struct.unpack_from(">I4s", data, at)
        head = 8
        if size == 1:
            (size,) = struct.unpack_from(">Q", data, at + 8)
            head = 16
        elif size == 0:
            size = len(data) - at
        if size < head or at + size > len(data):
            raise SignatureUnreadable("a box in the manifest store has the wrong size")
        yield kind, data[at + head : at + size]
        at += size


def _superboxes(data: bytes) -> Iterator[tuple[str, bytes]]:
    """Label and content of the superboxes (``jumb``) directly inside *data*."""
    for kind, body in _boxes(data):
        if kind == b"jumb":
            yield _label(_payload(body, b"jumd")), body


def _label(description: bytes) -> str:
    # UUID (16), toggles (1; bit 1: a label follows), label ended by a zero byte.
    if len(description) < 18 or not description[16] & 2:
        return ""
    return description[17:].split(b"\0", 1)[0].decode("utf-8", "replace")


def _only(boxes: Iterator[tuple[str, bytes]], label: str) -> bytes:
    """The box called *label*; two of them would let one be validated and another be shown."""
    found = [body for name, body in boxes if name == label]
    if len(found) != 1:
        raise SignatureUnreadable(f"{len(found)} boxes called {label}")
    return found[0]


def _sign1(data: bytes) -> tuple[bytes, dict[Any, Any], Any, bytes]:
    # The signature box is padded after its content in no version; the padding sits in the header.
    message = decode(data)
    if not (isinstance(message, list) and len(message) == 4):
        raise CborError("not a COSE_Sign1")
    protected, unprotected, payload, signature = message
    if not (isinstance(protected, bytes) and isinstance(unprotected, dict) and isinstance(signature, bytes)):
        raise CborError("not a COSE_Sign1")
    return protected, unprotected, payload, signature


def _as_list(value: Any) -> list[bytes]:
    items = value if isinstance(value, list) else [value]
    return [item for item in items if isinstance(item, bytes)]


def _sig_structure(protected: bytes, payload: bytes) -> bytes:
    """The bytes that were signed: ["Signature1", protected, no external data, payload] (RFC 9052 4.4)."""
    return b"\x84\x6aSignature1" + _bstr(protected) + b"\x40" + _bstr(payload)


def _bstr(data: bytes) -> bytes:
    size = len(data)
    if size < 24:
        return bytes([0x40 | size]) + data
    for info, code, limit in ((24, ">B", 1 << 8), (25, ">H", 1 << 16), (26, ">I", 1 << 32)):
        if size < limit:
            return bytes([0x40 | info]) + struct.pack(code, size) + data
    raise SignatureUnreadable("the claim is too large")


def _verify(public: Any, alg: Any, signature: bytes, message: bytes) -> None:
    """Raise unless *signature* is one over *message* by *public* under the COSE algorithm *alg*."""
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric import ec, padding, utils

    if alg == -8:
        public.verify(signature, message)
        return
    digest = getattr(hashes, HASHES[alg])()
    if alg in (-37, -38, -39):
        pss = padding.PSS(mgf=padding.MGF1(digest), salt_length=digest.digest_size)
        public.verify(signature, message, pss, digest)
        return
    half = len(signature) // 2
    r, s = (int.from_bytes(part, "big") for part in (signature[:half], signature[half:]))
    public.verify(utils.encode_dss_signature(r, s), message, ec.ECDSA(digest))
