"""The manifest stores as their bytes stand in pictures: JPEG, PNG, GIF, TIFF (and raw formats), JPEG XL.

Sources: C2PA 2.x annex A (embedding), ISO 10918-1 and 19566-5 (APP11 segments), PNG, GIF89a, TIFF 6.0,
ISO 18181-2 (boxes of JPEG XL). Every walk ends after ``MAX_PARTS`` steps; a file with more yields nothing.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import BinaryIO

MAX_STORE = 64 * 2**20
MAX_PARTS = 200_000
APP11, SOS, EOI = 0xEB, 0xDA, 0xD9
ALONE = {0x01, *range(0xD0, 0xD9)}
"""JPEG markers without a length: TEM, RST0 to RST7, SOI."""
TIFF_TAG = 0xCD41
MAX_IFDS = 1000


class TooManyParts(ValueError):
    """The file has more parts than are looked at."""


def jpeg_stores(file: BinaryIO) -> Iterator[bytes]:
    """Boxes of JUMBF that APP11 segments carry, put together by box instance and sequence number."""
    boxes: dict[bytes, dict[int, bytes]] = {}
    for data in _jpeg_segments(file):
        if len(data) < 16 or data[:2] != b"JP":
            continue
        instance, number = data[2:4], int.from_bytes(data[4:8], "big")
        parts = boxes.setdefault(instance, {})
        if number in parts:  # a second box under the same number: a set of its own
            yield _joined(parts)
            parts.clear()
        parts[number] = data[8:]
    for parts in boxes.values():
        yield _joined(parts)


def _joined(parts: dict[int, bytes]) -> bytes:
    """One box: every part but the first repeats its length and type."""
    head = 16 if next(iter(sorted(parts.items())))[1][:4] == b"\0\0\0\1" else 8
    ordered = [parts[n] for n in sorted(parts)]
    return ordered[0] + b"".join(part[head:] for part in ordered[1:])


def _jpeg_segments(file: BinaryIO) -> Iterator[bytes]:
    """The content of every APP11 segment, those between scans included."""
    file.seek(2)
    for _ in range(MAX_PARTS):
        head = file.read(2)
        if len(head) < 2:
            return
        if head[0] != 0xFF:
            if not _skip_scan(file):
                return
            continue
        kind = head[1]
        if kind == 0xFF:
            file.seek(-1, 1)
        elif kind == EOI:
            return
        elif kind not in ALONE and kind != 0:
            size = int.from_bytes(file.read(2), "big") - 2
            if size < 0:
                return
            if kind == APP11:
                yield file.read(size)
            else:
                file.seek(size, 1)
            if kind == SOS and not _skip_scan(file):
                return
    raise TooManyParts


def _skip_scan(file: BinaryIO) -> bool:
    """Go on to the next marker after entropy-coded data; whether there is one."""
    while chunk := file.read(1 << 16):
        at = chunk.find(b"\xff")
        while 0 <= at < len(chunk) - 1:
            if chunk[at + 1] not in (0, *ALONE):
                file.seek(at - len(chunk), 1)
                return True
            at = chunk.find(b"\xff", at + 2)
        if at >= 0:
            file.seek(-1, 1)
            if len(chunk) == 1:
                return False
    return False


def png_stores(file: BinaryIO) -> Iterator[bytes]:
    """The content of the ``caBX`` chunks."""
    file.seek(8)
    for _ in range(MAX_PARTS):
        head = file.read(8)
        if len(head) < 8:
            return
        size, kind = struct.unpack(">I4s", head)
        if kind == b"caBX" and size <= MAX_STORE:
            yield file.read(size)
            size = 0
        file.seek(size + 4, 1)
    raise TooManyParts


def gif_stores(file: BinaryIO) -> Iterator[bytes]:
    """The content of the application extensions called ``C2PA_GIF``."""
    file.seek(0)
    head = file.read(13)
    if len(head) < 13:
        return
    _skip_colours(file, head[10])
    for _ in range(MAX_PARTS):
        kind = file.read(1)
        if kind == b",":
            image = file.read(9)
            if len(image) < 9:
                return
            _skip_colours(file, image[8])
            file.seek(1, 1)
            _sub_blocks(file, keep=False)
        elif kind == b"!":
            label = file.read(1)
            name = file.read(file.read(1)[0]) if label == b"\xff" else b""
            found = _sub_blocks(file, keep=name == b"C2PA_GIF\x01\0\0")
            if found:
                yield found
        else:
            return
    raise TooManyParts


def _skip_colours(file: BinaryIO, flags: int) -> None:
    if flags & 0x80:
        file.seek(3 << ((flags & 7) + 1), 1)


def _sub_blocks(file: BinaryIO, *, keep: bool) -> bytes:
    kept = bytearray()
    for _ in range(MAX_PARTS * 10):
        size = file.read(1)
        if not size or size == b"\0":
            return bytes(kept)
        if keep:
            kept += file.read(size[0])
        else:
            file.seek(size[0], 1)
    raise TooManyParts


def tiff_stores(file: BinaryIO) -> Iterator[bytes]:
    """The values of C2PA's tag in every directory of a TIFF or BigTIFF, in either byte order."""
    file.seek(0)
    head = file.read(16)
    order = "<" if head[:2] == b"II" else ">"
    big = struct.unpack_from(f"{order}H", head, 2)[0] == 43
    entry, word = (20, "Q") if big else (12, "I")
    (at,) = struct.unpack_from(f"{order}{word}", head, 8 if big else 4)
    seen: set[int] = set()
    while at and at not in seen:
        seen.add(at)
        if len(seen) > MAX_IFDS:
            raise TooManyParts
        file.seek(at)
        count_size = 8 if big else 2
        raw = file.read(count_size)
        if len(raw) < count_size:
            return
        (count,) = struct.unpack(f"{order}{'Q' if big else 'H'}", raw)
        if count > MAX_PARTS:
            raise TooManyParts
        table = file.read(count * entry)
        following = file.read(8 if big else 4)
        for place in range(0, len(table) - entry + 1, entry):
            tag, _, size = struct.unpack_from(f"{order}HH{word}", table, place)
            if tag == TIFF_TAG and size <= MAX_STORE:
                (offset,) = struct.unpack_from(f"{order}{word}", table, place + entry - struct.calcsize(word))
                file.seek(offset)
                yield file.read(size)
        if len(following) < (8 if big else 4):
            return
        (at,) = struct.unpack(f"{order}{word}", following)


def jxl_stores(file: BinaryIO) -> Iterator[bytes]:
    """The ``jumb`` boxes at the top of a JPEG XL file in boxes."""
    size = file.seek(0, 2)
    at = 0
    for _ in range(MAX_PARTS):
        file.seek(at)
        head = file.read(16)
        if len(head) < 8:
            return
        length, kind = struct.unpack_from(">I4s", head)
        if length == 1 and len(head) == 16:
            (length,) = struct.unpack_from(">Q", head, 8)
        elif length == 0:
            length = size - at
        if length < 8 or at + length > size:
            return
        if kind == b"jumb" and length <= MAX_STORE:
            file.seek(at)
            yield file.read(length)
        at += length
    raise TooManyParts
