"""Boxes of MP4, MOV, M4A, AVIF, HEIC (all ISO BMFF): how many there are, fragments, the manifest stores.

Source: C2PA 2.x annex A.5, embedding manifests into BMFF-based assets (the ``uuid`` box), ISO 14496-12.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
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


def bmff_stores(file: BinaryIO) -> Iterator[bytes]:
    """What C2PA's ``uuid`` boxes at the top of the file hold: each begins with a manifest store.

    Reads box headers and the stores only. Raises OSError.
    """
    size = file.seek(0, 2)
    at = 0
    for _ in range(MAX_BOXES):
        box = _box(file, at, size)
        if box is None:
            return
        kind, body, at = box
        if kind == b"uuid" and at - body <= MAX_STORE:
            file.seek(body)
            yield _store(file.read(at - body))


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


def _store(data: bytes) -> bytes:
    """What follows in C2PA's ``uuid`` box: extended type, version and flags, purpose, offset, store, padding.

    Empty for another box. Update manifests (purposes ``original`` and ``update``) are put together by c2pa
    and have no bytes of their own to compare with.
    """
    head = 16 + 4 + len(PURPOSE) + 8
    if data[:16] != C2PA_UUID or data[20 : 20 + len(PURPOSE)] != PURPOSE:
        return b""
    return data[head:]
