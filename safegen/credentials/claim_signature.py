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
from typing import TYPE_CHECKING

from safegen.credentials.claim_stamps import stamps_of
from safegen.credentials.cose import (
    ALG,
    Sign1,
    SignatureMismatch,
    SignatureUnreadable,
    as_list,
    parse_sign1,
    signed_bytes,
    verify_signature,
)

if TYPE_CHECKING:
    from cryptography import x509

__all__ = [
    "ClaimSigner",
    "SignatureMismatch",
    "SignatureUnreadable",
    "active_label",
    "assertion_box",
    "claim_box",
    "same_claim",
    "signature_box",
    "structure_failures",
    "verify_claim_signature",
]
CLAIMS = ("c2pa.claim.v2", "c2pa.claim")
MANIFEST = "the manifest"
TYPES = {
    "c2pa": (b"c2pa",),
    MANIFEST: (b"c2ma", b"c2um", b"c2cm"),
    "c2pa.claim": (b"c2cl",),
    "c2pa.signature": (b"c2cs",),
    "c2pa.assertions": (b"c2as",),
}
TYPE_END = bytes.fromhex("00110010800000aa00389b71")
LABELLED, DEFINED = 0x03, 0x1F
"""Flags of a description box (ISO 19566-5): requestable with a label; all that are defined."""


@dataclass(frozen=True)
class ClaimSigner:
    """``chain``: leaf first, as the signature carries it; the leaf's key verified the claim."""

    chain: tuple[x509.Certificate, ...]
    ocsp_responses: tuple[bytes, ...] = ()
    """Stapled OCSP answers (DER), as they stand there."""
    stamps: tuple[tuple[bytes, bytes], ...] = ()
    """Time stamps (DER responses), nobody's word yet, each with the bytes that it has to cover."""


def verify_claim_signature(store: bytes, label: str) -> ClaimSigner:
    """Who signed the manifest called *label* in the manifest store *store* (raw JUMBF).

    Raises SignatureMismatch where the signature is not one over this claim, and SignatureUnreadable where
    that cannot be told: not found, found more than once, malformed, of an unknown kind.
    """
    try:
        manifest = _only(_superboxes(_payload(store, b"jumb")), label)
        boxes = list(_superboxes(manifest))
        claims = [(name, _payload(body, b"cbor")) for name, body in boxes if name in CLAIMS]
        if len(claims) != 1:
            raise SignatureUnreadable("the manifest does not have exactly one claim")
        name, claim = claims[0]
        message = parse_sign1(_payload(_only(iter(boxes), "c2pa.signature"), b"cbor"))
        chain = message.certificates()
        if not chain:
            raise SignatureUnreadable("the claim signature has no certificate")
        signed = signed_bytes("Signature1", message.protected, claim)
        verify_signature(chain[0].public_key(), message.headers.get(ALG), message.signature, signed)
        stamps = stamps_of(message, claim, version=1 if name == "c2pa.claim" else 2)
        return ClaimSigner(chain, _answers(message), stamps)
    except SignatureUnreadable:
        raise
    except Exception as error:  # hostile input: whatever goes wrong, there is no signer
        raise SignatureUnreadable(f"the claim signature cannot be read ({type(error).__name__})") from error


def signature_box(store: bytes, label: str) -> bytes:
    """The COSE_Sign1 message of the manifest called *label* in *store*. Raises SignatureUnreadable."""
    manifest = _only(_superboxes(_payload(store, b"jumb")), label)
    return _payload(_only(_superboxes(manifest), "c2pa.signature"), b"cbor")


def claim_box(store: bytes, label: str) -> bytes:
    """The CBOR of the one claim of the manifest *label*. Raises SignatureUnreadable."""
    manifest = _only(_superboxes(_payload(store, b"jumb")), label)
    claims = [_payload(body, b"cbor") for name, body in _superboxes(manifest) if name in CLAIMS]
    if len(claims) != 1:
        raise SignatureUnreadable("the manifest does not have exactly one claim")
    return claims[0]


def assertion_box(store: bytes, label: str, assertion: str) -> bytes:
    """The CBOR of the assertion called *assertion* in the manifest *label*. Raises SignatureUnreadable."""
    manifest = _only(_superboxes(_payload(store, b"jumb")), label)
    assertions = _only(_superboxes(manifest), "c2pa.assertions")
    return _payload(_only(_superboxes(assertions), assertion), b"cbor")


def same_claim(one: bytes, other: bytes, label: str) -> bool:
    """Whether both stores hold the same claim and the same signature in their manifest called *label*."""

    def parts(store: bytes) -> list[bytes]:
        boxes = list(_superboxes(_only(_superboxes(_payload(store, b"jumb")), label)))
        claim = [body for name, body in boxes if name in CLAIMS]
        return [_payload(body, b"cbor") for body in (*claim, _only(iter(boxes), "c2pa.signature"))]

    try:
        return active_label(one) == active_label(other) and parts(one) == parts(other)
    except (SignatureUnreadable, struct.error):
        return False


def _answers(message: Sign1) -> tuple[bytes, ...]:
    """The OCSP answers in the header ``rVals`` (C2PA 2.x section 13.2.5)."""
    values = message.unprotected.get("rVals")
    return tuple(as_list(values.get("ocspVals"))) if isinstance(values, dict) else ()


def structure_failures(store: bytes, label: str) -> tuple[str, ...]:
    """C2PA codes for what the manifest *label* in *store* lacks: its claim, its signature, or itself.

    For bytes as they stand in a file (C2PA 2.x sections 15.6 and 15.7): c2pa-rs is lenient about labels.
    """
    try:
        top = _payload(store, b"jumb")
        found = [body for name, body in _superboxes(top) if name == label]
        if len(found) != 1:
            return ("claim.missing",)
        parts = list(_superboxes(found[0]))
        names = [name for name, _ in parts]
        held = [part for name, body in parts if name == "c2pa.assertions" for part in _superboxes(body)]
        boxes = [(_label(_payload(top, b"jumd")), top), (MANIFEST, found[0]), *parts]
        typed = boxes[0][0] == "c2pa" and all(_has_type(name, body) for name, body in boxes)
        if not typed or not all(_has_flags(body) for _, body in (*boxes, *held)):
            return ("claim.malformed",)
    except (SignatureUnreadable, struct.error, IndexError):
        return ("claim.malformed",)
    claims = sum(name in CLAIMS for name in names)
    failures = [] if claims == 1 else ["claim.multiple" if claims else "claim.missing"]
    if names.count("c2pa.signature") != 1:
        failures.append("claimSignature.missing")
    if names.count("c2pa.assertions") != 1:
        failures.append("claim.malformed")
    return tuple(failures)


def _has_type(name: str, body: bytes) -> bool:
    """Whether the superbox called *name* has the type that C2PA gives it."""
    described = _payload(body, b"jumd")
    types = next((types for label, types in TYPES.items() if name.split(".v")[0] == label), None)
    return types is None or (described[:4] in types and described[4:16] == TYPE_END)


def _has_flags(body: bytes) -> bool:
    """Whether the superbox says that it is requestable and labelled, and nothing that is not defined."""
    flags = _payload(body, b"jumd")[16]
    return flags & LABELLED == LABELLED and flags <= DEFINED


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
