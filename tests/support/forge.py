"""Credentials that no signing tool would write: any claim, assertion, certificate and header, signed anew.

Works on the bytes of a manifest store (JUMBF) and keeps its length, so that it can be put back where it was.
"""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, utils
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from safegen.credentials.cbor import decode

NOW = datetime.now(UTC)
EMAIL = ExtendedKeyUsageOID.EMAIL_PROTECTION


def encode(value: Any) -> bytes:
    """*value* as CBOR: what ``safegen.credentials.cbor.decode`` gives, and nothing else."""
    if value is None or isinstance(value, bool):
        return {None: b"\xf6", True: b"\xf5", False: b"\xf4"}[value]
    if isinstance(value, int):
        return _head(0, value) if value >= 0 else _head(1, -1 - value)
    if isinstance(value, float):
        return b"\xfb" + struct.pack(">d", value)
    if isinstance(value, bytes):
        return _head(2, len(value)) + value
    if isinstance(value, str):
        return _head(3, len(value.encode())) + value.encode()
    if isinstance(value, list):
        return _head(4, len(value)) + b"".join(map(encode, value))
    return _head(5, len(value)) + b"".join(encode(k) + encode(v) for k, v in value.items())


def _head(kind: int, size: int) -> bytes:
    if size < 24:
        return bytes([kind << 5 | size])
    width = next(w for w in (0, 1, 2, 3) if size < 1 << (8 << w))
    return bytes([kind << 5 | 24 + width]) + size.to_bytes(1 << width, "big")


@dataclass
class Box:
    """A JUMBF box: children where it is a superbox, else its content."""

    kind: bytes
    body: bytes = b""
    children: list[Box] = field(default_factory=list)

    def raw(self) -> bytes:
        inside = b"".join(c.raw() for c in self.children) if self.kind == b"jumb" else self.body
        return struct.pack(">I4s", 8 + len(inside), self.kind) + inside

    def label(self) -> str:
        return self.children[0].body[17:].split(b"\0")[0].decode() if self.kind == b"jumb" else ""

    def child(self, label: str) -> Box:
        return next(c for c in self.children if c.label() == label)


def parse(data: bytes) -> list[Box]:
    found, at = [], 0
    while at < len(data):
        size, kind = struct.unpack_from(">I4s", data, at)
        inside = data[at + 8 : at + size]
        found.append(Box(kind, children=parse(inside)) if kind == b"jumb" else Box(kind, inside))
        at += size
    return found


@dataclass(frozen=True)
class Maker:
    """A key with a certificate chain of two, leaf first."""

    key: Any
    chain: tuple[x509.Certificate, ...]

    @property
    def root_pem(self) -> bytes:
        return self.chain[-1].public_bytes(Encoding.PEM)


def maker(
    *,
    start: datetime = NOW - timedelta(days=2),
    end: datetime = NOW + timedelta(days=100),
    uses: Sequence[x509.ObjectIdentifier] = (EMAIL,),
    organisation: str | None = "Forge",
) -> Maker:
    """A signer with a root of its own."""
    return maker_with_root(start=start, end=end, uses=uses, organisation=organisation)[0]


def maker_with_root(
    *,
    start: datetime = NOW - timedelta(days=2),
    end: datetime = NOW + timedelta(days=100),
    uses: Sequence[x509.ObjectIdentifier] = (EMAIL,),
    organisation: str | None = "Forge",
) -> tuple[Maker, Any]:
    """The same, with the root's key."""
    root_key, key = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    names = [x509.NameAttribute(NameOID.COMMON_NAME, "forge root")]
    parts = [x509.NameAttribute(NameOID.ORGANIZATION_NAME, organisation)] if organisation else []
    leaf_name = x509.Name([*parts, x509.NameAttribute(NameOID.COMMON_NAME, "forge")])

    def certificate(subject: x509.Name, public: Any, begin: datetime, ca: bool) -> x509.Certificate:
        usage = x509.KeyUsage(not ca, False, False, False, False, ca, ca, False, False)
        made = (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(x509.Name(names))
            .public_key(public)
            .serial_number(x509.random_serial_number())
            .not_valid_before(begin)
            .not_valid_after(end if not ca else NOW + timedelta(days=3000))
            .add_extension(x509.BasicConstraints(ca, None), True)
            .add_extension(usage, True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(public), False)
            .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(root_key.public_key()), False)
        )
        if not ca:
            made = made.add_extension(x509.ExtendedKeyUsage(uses), False)
        return made.sign(root_key, hashes.SHA256())

    root = certificate(x509.Name(names), root_key.public_key(), NOW - timedelta(days=3000), True)
    return Maker(key, (certificate(leaf_name, key.public_key(), start, False), root)), root_key


Edit = Callable[[dict[Any, Any]], None]
Stamps = Callable[[bytes, bytes, bytes], dict[str, Any]]
"""From the protected header, the claim and the signature: entries of the unprotected header."""


def forge(
    store: bytes,
    by: Maker,
    *,
    claim: Edit | None = None,
    assertions: dict[str, Edit] | None = None,
    add: dict[str, tuple[bytes, bytes]] | None = None,
    declare: bool = True,
    alg: int = -7,
    der: bool = False,
    json_claim: bool = False,
    claim_label: str = "",
    stamps: Stamps | None = None,
) -> bytes:
    """*store* with its active manifest edited and signed anew *by* somebody; of the same length.

    *assertions* edits those of the given labels, *add* adds some (type of the content box and content), which
    the claim lists unless *declare* is false.
    """
    (top,) = parse(store)
    manifest = top.children[-1]
    box = next(c for c in manifest.children if c.label() in ("c2pa.claim.v2", "c2pa.claim"))
    stated = decode(box.children[1].body)
    held = manifest.child("c2pa.assertions")
    listed = stated["created_assertions" if "created_assertions" in stated else "assertions"]
    for label, (kind, body) in (add or {}).items():
        held.children.append(_assertion(label, kind, body))
        if declare:
            listed.append({"url": f"self#jumbf=c2pa.assertions/{label}", "hash": b""})
    for label, edit in (assertions or {}).items():
        content = held.child(label).children[-1]
        data = decode(content.body)
        edit(data)
        content.body = encode(data)
    for entry in listed:
        one = held.child(entry["url"].rpartition("/")[2])
        entry["hash"] = hashlib.sha256(one.raw()[8:]).digest()
    if claim:
        claim(stated)
    if claim_label:
        described = box.children[0].body
        box.children[0].body = described[:17] + claim_label.encode() + b"\0"
    box.children[1].body = encode(stated)
    if json_claim:
        box.children[1] = Box(b"json", b"{}")
    signature = manifest.child("c2pa.signature").children[1]
    signature.body = b""
    room = len(store) - len(top.raw())
    signature.body = _sign1(box.children[1].body, by, room, alg, der, stamps)
    made = top.raw()
    assert len(made) == len(store), "the padding did not suffice"
    return made


def _assertion(label: str, kind: bytes, body: bytes) -> Box:
    uuid = bytes.fromhex({b"cbor": "63626f72", b"json": "6a736f6e"}[kind] + "00110010800000aa00389b71")
    described = Box(b"jumd", uuid + b"\x03" + label.encode() + b"\0")
    return Box(b"jumb", children=[described, Box(kind, body)])


def _sign1(claim: bytes, by: Maker, room: int, alg: int, der: bool, stamps: Stamps | None) -> bytes:
    protected = encode({1: alg, 33: [c.public_bytes(Encoding.DER) for c in by.chain[:1]]})
    message = encode(["Signature1", protected, b"", claim])
    signed = by.key.sign(message, ec.ECDSA(hashes.SHA256()))
    r, s = utils.decode_dss_signature(signed)
    signature = signed if der else r.to_bytes(32, "big") + s.to_bytes(32, "big")
    headers = stamps(protected, claim, signature) if stamps else {}
    bare = b"\xd2" + encode([protected, {**headers, "pad": bytes(300)}, None, signature])
    return b"\xd2" + encode([protected, {**headers, "pad": bytes(300 + room - len(bare))}, None, signature])


def put(data: bytes, old: bytes, new: bytes) -> bytes:
    """The file *data* with the manifest store *new* where *old* stood in one piece."""
    assert data.count(old) == 1
    return data.replace(old, new)
