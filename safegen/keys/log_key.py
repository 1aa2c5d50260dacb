"""Verifier keys of the log in the C2SP signed-note form: ``<origin>+<key id>+<key>``.

Source: c2sp.org/signed-note (Ed25519 is signature type 0x01) and c2sp.org/tlog-checkpoint.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
from typing import TYPE_CHECKING

from safegen.errors import UsageError

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

ED25519 = b"\x01"
ORIGIN = re.compile(r"[^\s+\x00-\x20\x7f]{1,256}")


def key_id(origin: str, public: bytes) -> bytes:
    """The four bytes by which a signed note names its key: SHA-256(origin, newline, type, key)[:4]."""
    return hashlib.sha256(origin.encode() + b"\n" + ED25519 + public).digest()[:4]


def encode_vkey(origin: str, key: Ed25519PublicKey) -> str:
    """The verifier key of *key* (Ed25519) under the name *origin*. Raises UsageError on a bad origin."""
    if not ORIGIN.fullmatch(origin):
        raise UsageError("a log origin has 1 to 256 characters, no spaces and no plus sign")
    public = key.public_bytes_raw()
    return f"{origin}+{key_id(origin, public).hex()}+{base64.b64encode(ED25519 + public).decode()}"


def decode_vkey(text: str) -> tuple[str, Ed25519PublicKey]:
    """The origin and the key of a verifier key. Raises UsageError when it is malformed or not Ed25519."""
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    parts = text.strip().split("+", 2)
    try:
        origin, identifier, body = parts
        raw = base64.b64decode(body, validate=True)
        if not ORIGIN.fullmatch(origin) or raw[:1] != ED25519 or len(raw) != 33:
            raise ValueError
        if bytes.fromhex(identifier) != key_id(origin, raw[1:]):
            raise ValueError
        return origin, Ed25519PublicKey.from_public_bytes(raw[1:])
    except (ValueError, binascii.Error) as error:
        raise UsageError(
            "not a log key of the form origin+id+key (C2SP signed note, Ed25519)",
            hint="export it again with `safegen keys export-trust`",
        ) from error
