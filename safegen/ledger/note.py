"""Signed notes with Ed25519 (c2sp.org/signed-note) and the log's signer.

Only signature type 0x01 is spoken; signatures of other keys are passed over, as the specification wants.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from safegen.errors import UsageError

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

MAX_NOTE = 64 * 1024
MAX_SIGNATURES = 64
_TYPE = b"\x01"
_NAME = re.compile(r"[^\s+\x00-\x20\x7f]{1,256}")
_SIGNATURE = re.compile(r"— ([^\s+]{1,256}) ([A-Za-z0-9+/]+={0,2})")
_CONTROL = re.compile(r"[\x00-\x09\x0b-\x1f]")


class NoteError(ValueError):
    """A note, checkpoint or proof is malformed, or not signed by the key it should be."""


def check_name(name: str) -> str:
    """*name* if it may name a log (1 to 256 characters, no spaces, no plus). Raises UsageError."""
    if not _NAME.fullmatch(name):
        raise UsageError("a log origin has 1 to 256 characters, no spaces and no plus sign")
    return name


def key_id(name: str, public: bytes) -> bytes:
    """``SHA-256(name || 0x0A || 0x01 || public)[:4]`` of an Ed25519 public key (32 bytes)."""
    return hashlib.sha256(name.encode() + b"\n" + _TYPE + public).digest()[:4]


def encode_vkey(name: str, key: Ed25519PublicKey) -> str:
    """The verifier key ``name+hexid+base64(0x01 || public key)``."""
    public = key.public_bytes_raw()
    return f"{check_name(name)}+{key_id(name, public).hex()}+{b64(_TYPE + public)}"


def decode_vkey(text: str) -> tuple[str, Ed25519PublicKey]:
    """Name and key of a verifier key. Raises NoteError when malformed, of another type or with a wrong id."""
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    parts = text.split("+", 2)
    if len(parts) != 3 or not _NAME.fullmatch(parts[0]):
        raise NoteError("not a verifier key")
    raw = unb64(parts[2])
    if len(raw) != 33 or raw[:1] != _TYPE:
        raise NoteError("not the verifier key of an Ed25519 log")
    if parts[1] != key_id(parts[0], raw[1:]).hex():
        raise NoteError("the verifier key's id does not match its name and key")
    return parts[0], Ed25519PublicKey.from_public_bytes(raw[1:])


@dataclass(frozen=True)
class LogSigner:
    """Signs for the log called ``origin``."""

    origin: str
    key: Ed25519PrivateKey

    def __post_init__(self) -> None:
        """Refuse names that signed notes cannot carry."""
        check_name(self.origin)

    @property
    def public_key(self) -> Ed25519PublicKey:
        """The key that verifiers pin."""
        return self.key.public_key()

    @property
    def vkey(self) -> str:
        """The verifier key string."""
        return encode_vkey(self.origin, self.public_key)

    def sign(self, text: str) -> str:
        """A signed note: *text* (ends in newline, no control characters), blank line, our signature."""
        if not text.endswith("\n") or _CONTROL.search(text):
            raise NoteError("this text cannot be a note")
        body = text.encode()
        identifier = key_id(self.origin, self.public_key.public_bytes_raw())
        return f"{text}\n— {self.origin} {b64(identifier + self.key.sign(body))}\n"


def split_note(note: str) -> tuple[str, tuple[tuple[str, bytes], ...]]:
    """Text and signatures (key name, 4 bytes key id + signature) of a note, none of them verified.

    Raises NoteError when malformed, over 64 KiB, or with more than 64 signatures.
    """
    if len(note) > MAX_NOTE or len(note.encode("utf-8", "replace")) > MAX_NOTE:
        raise NoteError(f"the note is longer than {MAX_NOTE} bytes")
    if _CONTROL.search(note):
        raise NoteError("the note contains control characters")
    at = note.rfind("\n\n")
    if at < 0 or not note.endswith("\n"):
        raise NoteError("not a signed note")
    lines = note[at + 2 : -1].split("\n")
    if len(lines) > MAX_SIGNATURES:
        raise NoteError("the note has too many signatures")
    signatures = []
    for line in lines:
        match = _SIGNATURE.fullmatch(line)
        if match is None:
            raise NoteError("the note has a malformed signature line")
        raw = unb64(match[2])
        if len(raw) < 5:
            raise NoteError("the note has a malformed signature line")
        signatures.append((match[1], raw))
    return note[: at + 1], tuple(signatures)


def verify_note(note: str, name: str, key: Ed25519PublicKey) -> str:
    """The text of *note* once the signature of *key* under *name* is verified.

    Raises NoteError when the note is malformed, when that key has not signed it, or when a signature
    under that name and key id does not verify.
    """
    from cryptography.exceptions import InvalidSignature

    text, signatures = split_note(note)
    wanted = key_id(name, key.public_bytes_raw())
    ours = [raw[4:] for signer, raw in signatures if signer == name and raw[:4] == wanted]
    if not ours:
        raise NoteError(f"not signed by the pinned key of {name}")
    for signature in ours:
        try:
            key.verify(signature, text.encode())
        except InvalidSignature as error:
            raise NoteError(f"the signature of {name} does not match") from error
    return text


def b64(data: bytes) -> str:
    """Standard base64 (RFC 4648 section 4)."""
    return base64.b64encode(data).decode()


def unb64(text: str) -> bytes:
    """Decode standard base64; raises NoteError unless encoding again gives the same text."""
    try:
        data = base64.b64decode(text.encode("ascii"), validate=True)
    except (ValueError, binascii.Error) as error:
        raise NoteError("malformed base64") from error
    if b64(data) != text:
        raise NoteError("malformed base64")
    return data
