"""The manifest store as its bytes stand in an MP4 or MOV, found without c2pa.

c2pa-rs hands out a store that it has written anew: labels of boxes that it did not insist on come out
as they should have been. A second look at the file's own bytes closes that gap (a claim or a signature
box under a wrong label, which other validators rightly reject).
Source: C2PA 2.x, embedding manifests into BMFF-based assets (the ``uuid`` box), ISO 14496-12 boxes.
"""

from __future__ import annotations

import struct
from pathlib import Path
from typing import BinaryIO

C2PA_UUID = bytes.fromhex("d8fec3d61b0e483c92975828877ec481")
PURPOSE = b"manifest\0"
MAX_STORE = 64 * 2**20
MAX_BOXES = 30_000
"""Boxes side by side that a file may have (a fragmented MP4 of four hours has about 20,000).

c2pa's own time grows with the square of their number: 30,000 cost seconds, a million an hour.
"""
CONTAINERS = {
    *(
        b"moov",
        b"trak",
        b"mdia",
        b"minf",
        b"stbl",
        b"dinf",
        b"edts",
        b"udta",
        b"mvex",
        b"moof",
        b"traf",
        b"mfra",
    ),
    *(b"meta", b"ilst", b"iprp", b"ipco", b"sinf", b"schi", b"tref", b"treg", b"meco", b"strk", b"strd"),
}


def exceeds_box_limit(path: Path) -> bool:
    """Whether the file has more than ``MAX_BOXES`` boxes side by side, at its top or within a container.

    Reads box headers only; a container too small for that many is not entered. Raises OSError.
    """
    with path.open("rb") as file:
        size = file.seek(0, 2)
        rows = [(0, size)]
        while rows:
            at, end = rows.pop()
            count = 0
            while at < end and (box := _box(file, at, end)) is not None:
                kind, body, at = box
                count += 1
                if count > MAX_BOXES:
                    return True
                if kind in CONTAINERS and at - body > 8 * MAX_BOXES:
                    rows.append((body + 4 * (kind == b"meta"), at))
    return False


def is_init_segment(path: Path) -> bool:
    """Whether the file is the initialisation part of a fragmented MP4 whose fragments are other files.

    It has a ``moov`` that announces fragments (``mvex``) and no media of its own. Raises OSError.
    """
    announced = False
    with path.open("rb") as file:
        size = file.seek(0, 2)
        at = 0
        for _ in range(MAX_BOXES):
            if (box := _box(file, at, size)) is None:
                break
            kind, body, at = box
            if kind in (b"mdat", b"moof"):
                return False
            if kind == b"moov" and at - body <= MAX_STORE:
                file.seek(body)
                announced = b"mvex" in file.read(at - body)
    return announced


def fragmented(path: Path) -> bool:
    """Whether the file holds fragments (``moof``), with or without its first part. Raises OSError."""
    with path.open("rb") as file:
        size = file.seek(0, 2)
        at = 0
        for _ in range(MAX_BOXES):
            if (box := _box(file, at, size)) is None:
                return False
            kind, _, at = box
            if kind == b"moof":
                return True
    return False


def find_embedded_store(path: Path) -> bytes | None:
    """The bytes of the one embedded manifest store (JUMBF); None where there is not exactly one.

    Reads box headers and the store only. Raises OSError.
    """
    found: bytes | None = None
    with path.open("rb") as file:
        size = file.seek(0, 2)
        at = 0
        for _ in range(MAX_BOXES):
            box = _box(file, at, size)
            if box is None:
                return found
            kind, body, end = box
            if kind == b"uuid" and end - body <= MAX_STORE:
                store = _store(file, body, end)
                if store is not None and found is not None:
                    return None
                found = found or store
            at = end
    return None


def _box(file: BinaryIO, at: int, size: int) -> tuple[bytes, int, int] | None:
    """Type, start of the content and end of the box at *at*; None at the end or where it is damaged."""
    file.seek(at)
    head = file.read(16)
    if len(head) < 8:
        return None
    length, kind = struct.unpack_from(">I4s", head)
    body = at + 8
    if length == 1 and len(head) == 16:
        (length,) = struct.unpack_from(">Q", head, 8)
        body = at + 16
    elif length == 0:
        length = size - at
    if at + length > size or at + length < body:
        return None
    return kind, body, at + length


def _store(file: BinaryIO, body: int, end: int) -> bytes | None:
    """The JUMBF in C2PA's ``uuid`` box: extended type, version and flags, purpose, offset, store, padding."""
    file.seek(body)
    data = file.read(end - body)
    head = 16 + 4 + len(PURPOSE) + 8
    if data[:16] != C2PA_UUID or data[20 : 20 + len(PURPOSE)] != PURPOSE or len(data) < head + 8:
        return None
    length, kind = struct.unpack_from(">I4s", data, head)
    if kind != b"jumb" or not 8 <= length <= len(data) - head:
        return None
    return data[head : head + length]
