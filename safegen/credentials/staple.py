"""Revocation information inside a signature: the issuer's OCSP answer, put where padding was.

C2PA 2.x section 13.2.5: the unprotected header of the COSE signature carries ``rVals`` with ``ocspVals``.
c2pa-python has no way to hand one over, but reserves ten kilobytes of padding in that header, which is not
signed: the answer takes as many of its bytes as it needs, so nothing else in the file moves.
"""

from __future__ import annotations

import struct
import zlib
from pathlib import Path
from typing import BinaryIO

from safegen.credentials.cbor import decode
from safegen.credentials.claim_signature import signature_box
from safegen.errors import SigningFailed

REPLACED = {b"\x63pad", b"\x64pad2", b"\x65rVals"}
_LEAST = 300
"""Bytes of padding that have to stay, so that the length of the rest is written with two bytes."""


def staple(store: bytes, label: str, answer: bytes) -> bytes:
    """The manifest *store* with the OCSP *answer* (DER) in the signature of manifest *label*.

    It keeps its length. Raises SigningFailed where there is no room.
    """
    old = signature_box(store, label)
    return store.replace(old, staple_sign1(old, answer), 1)


def staple_into(path: Path, store: bytes, label: str, answer: bytes) -> bytes:
    """The same, also in the file that *store* was embedded in. Raises SigningFailed.

    That includes a file that does not hold the signature in one piece.
    """
    old = signature_box(store, label)
    new = staple_sign1(old, answer)
    at = _find(path, old)
    if at < 0:
        raise SigningFailed("an OCSP response cannot be added to this kind of file", hint=_HINT)
    with path.open("r+b") as file:
        file.seek(at)
        file.write(new)
        file.seek(0)
        if file.read(8) == b"\x89PNG\r\n\x1a\n":
            _repair_png(file, at)
    return store.replace(old, new, 1)


def staple_sign1(sign1: bytes, answer: bytes) -> bytes:
    """The COSE_Sign1 message *sign1* with ``rVals`` instead of some of its padding; of the same length.

    Raises SigningFailed when there is too little padding.
    """
    head, entries, tail = _header(sign1)
    kept = [entry for key, entry in entries if key not in REPLACED]
    kept.append(_text("rVals") + b"\xa1" + _text("ocspVals") + b"\x81" + _bytes(answer))
    prefix = head + bytes([0xA0 | (len(kept) + 1)]) + b"".join(kept) + _text("pad")
    room = len(sign1) - len(prefix) - len(tail) - 3
    if len(kept) + 1 > 23 or not _LEAST <= room < 1 << 16:
        raise SigningFailed("the signature has no room for an OCSP response", hint=_HINT)
    made = prefix + b"\x59" + struct.pack(">H", room) + bytes(room) + tail
    if len(made) != len(sign1) or decode(made)[1]["rVals"] != {"ocspVals": [answer]}:
        raise SigningFailed("the OCSP response could not be added to the signature", hint=_HINT)
    return made


def _header(sign1: bytes) -> tuple[bytes, list[tuple[bytes, bytes]], bytes]:
    """What stands before the unprotected header, its entries (raw key; raw key and value), what follows."""
    at = 1 if sign1[0] >> 5 == 6 else 0
    if sign1[at] != 0x84:
        raise SigningFailed("the signature is not a COSE_Sign1 message", hint=_HINT)
    start = _end(sign1, at + 1)
    if sign1[start] >> 5 != 5 or sign1[start] & 31 > 22:
        raise SigningFailed("the signature's header has an unexpected form", hint=_HINT)
    entries: list[tuple[bytes, bytes]] = []
    at = start + 1
    for _ in range(sign1[start] & 31):
        value = _end(sign1, at)
        end = _end(sign1, value)
        entries.append((sign1[at:value], sign1[at:end]))
        at = end
    return sign1[:start], entries, sign1[at:]


def _end(data: bytes, at: int) -> int:
    """Where the CBOR item that starts at *at* ends (definite lengths only)."""
    kind, info = data[at] >> 5, data[at] & 31
    size = 1 << (info - 24) if 24 <= info <= 27 else 0
    argument = info if info < 24 else int.from_bytes(data[at + 1 : at + 1 + size], "big")
    at += 1 + size
    if kind in (2, 3):
        return at + argument
    if kind in (4, 5, 6):
        for _ in range({4: argument, 5: 2 * argument, 6: 1}[kind]):
            at = _end(data, at)
    return at


def _text(text: str) -> bytes:
    return bytes([0x60 | len(text)]) + text.encode()


def _bytes(data: bytes) -> bytes:
    return b"\x59" + struct.pack(">H", len(data)) + data


def _find(path: Path, wanted: bytes) -> int:
    """Where *wanted* begins in a large file, or -1; a window of a few megabytes at a time."""
    with path.open("rb") as file:
        base, window = 0, b""
        while chunk := file.read(1 << 22):
            window += chunk
            if (found := window.find(wanted)) >= 0:
                return base + found
            keep = min(len(window), len(wanted))
            base += len(window) - keep
            window = window[-keep:]
    return -1


def _repair_png(stream: BinaryIO, at: int) -> None:
    """Recompute the checksum of the PNG chunk that holds the byte at *at*."""
    start = 8
    while True:
        stream.seek(start)
        size, kind = struct.unpack(">I4s", stream.read(8))
        if start <= at < start + 12 + size:
            crc = zlib.crc32(kind + stream.read(size))
            stream.seek(start + 8 + size)
            stream.write(struct.pack(">I", crc))
            return
        start += 12 + size


_HINT = "sign without signing.ocsp_url, or sign an MP4"
