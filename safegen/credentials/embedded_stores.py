"""The manifest stores as their bytes stand in a file of any container that c2pa reads, found without c2pa.

c2pa-rs hands out a store that it has written anew: labels of boxes that it did not insist on come out as they
should have been, and a second store is passed over. A second look at the file's own bytes closes that gap.
The container is told from the bytes alone; the brand of an MP4 (``avif``, ``heic``, ...) decides nothing.
Sources: C2PA 2.x annex A (embedding), RIFF, ID3v2, PKZIP, PDF 2.0 section 14.13 (associated files).
"""

from __future__ import annotations

import base64
import binascii
import re
import struct
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import BinaryIO

from safegen.credentials import formats
from safegen.credentials.embedded import bmff_stores
from safegen.credentials.embedded_pictures import (
    MAX_PARTS,
    MAX_STORE,
    TooManyParts,
    gif_stores,
    jpeg_stores,
    jxl_stores,
    png_stores,
    tiff_stores,
)

UUID = bytes.fromhex("6332706100110010800000aa00389b71")
"""The type of a manifest store among JUMBF boxes."""
PDF = "application/pdf"
ZIPPED = "META-INF/content_credential.c2pa"
MEDIA_TYPES = {b"application/c2pa", b"application/x-c2pa-manifest-store"}
MAX_DOCUMENT = 256 * 2**20
"""Bytes of an SVG or a PDF that are searched."""


def find_embedded_stores(path: Path) -> tuple[bytes, ...]:
    """Every manifest store (JUMBF) embedded in the file at *path*, in order; empty where none is found.

    Empty as well for a file that is damaged or has too many parts to be looked at. Raises OSError.
    """
    return tuple(store for data in _walked(path) if (store := _store(data)) is not None)


def has_place_for_store(path: Path) -> bool:
    """Whether the file has something where a manifest store belongs, damaged or not. Raises OSError."""
    return any(_walked(path))


def _walked(path: Path) -> list[bytes]:
    """What lies where manifest stores belong; nothing where the file cannot be walked to its end."""
    with path.open("rb") as file:
        walk = _walk_of(file.read(formats.HEAD))
        try:
            return [] if walk is None else list(walk(file))
        except (TooManyParts, struct.error, IndexError, zipfile.BadZipFile, NotImplementedError, ValueError):
            return []


def _walk_of(head: bytes) -> Callable[[BinaryIO], Iterator[bytes]] | None:
    """What finds stores in a file that begins with *head*."""
    if head[4:8] == b"ftyp" or head[4:8] in formats.OLD_QUICKTIME:
        return bmff_stores
    if head.startswith(b"RIFF"):
        return _riff_stores
    walks: dict[str | None, Callable[[BinaryIO], Iterator[bytes]]] = {
        "image/jpeg": jpeg_stores,
        "image/png": png_stores,
        "image/gif": gif_stores,
        "image/tiff": tiff_stores,
        formats.JXL: jxl_stores,
        formats.SVG: _svg_stores,
        formats.ZIP: _zip_stores,
        "audio/mpeg": _id3_stores,
        "audio/flac": _id3_stores,
        PDF: _pdf_stores,
    }
    return walks.get(formats.sniff(head).mime)


def _store(data: bytes) -> bytes | None:
    """The manifest store at the beginning of *data*, without what pads it; None for anything else."""
    if len(data) < 32 or data[4:8] != b"jumb" or data[12:16] != b"jumd" or data[16:32] != UUID:
        return None
    (length,) = struct.unpack_from(">I", data)
    return data[:length] if 32 <= length <= len(data) else None


def _riff_stores(file: BinaryIO) -> Iterator[bytes]:
    """The ``C2PA`` chunks of every RIFF list at the top (an AVI over a gigabyte has several)."""
    size = file.seek(0, 2)
    steps = at = 0
    while at + 12 <= size:
        file.seek(at)
        kind, length = struct.unpack("<4sI", file.read(8))
        end = min(size, at + 8 + length)
        inner = at + 12
        while kind == b"RIFF" and inner + 8 <= end:
            steps += 1
            if steps > MAX_PARTS:
                raise TooManyParts
            file.seek(inner)
            name, count = struct.unpack("<4sI", file.read(8))
            if name == b"C2PA" and count <= MAX_STORE:
                yield file.read(count)
            inner += 8 + count + (count & 1)
        at += 8 + length + (length & 1)
        steps += 1
        if steps > MAX_PARTS:
            raise TooManyParts


def _id3_stores(file: BinaryIO) -> Iterator[bytes]:
    """The objects (GEOB) of C2PA's type in the ID3v2 tag at the beginning."""
    file.seek(0)
    head = file.read(10)
    if head[:3] != b"ID3" or head[3] not in (2, 3, 4):
        return
    version, flags = head[3], head[5]
    tag = file.read(min(_syncsafe(head[6:10]), MAX_STORE))
    if flags & 0x80 and version < 4:
        tag = tag.replace(b"\xff\0", b"\xff")
    at = 0
    if flags & 0x40 and version > 2:
        at = _syncsafe(tag[:4]) if version == 4 else 4 + int.from_bytes(tag[:4], "big")
    name, width = (3, 3) if version == 2 else (4, 4)
    header = 6 if version == 2 else 10
    while at + header <= len(tag) and tag[at] != 0:
        raw = tag[at + name : at + name + width]
        length = _syncsafe(raw) if version == 4 else int.from_bytes(raw, "big")
        body = tag[at + header : at + header + length]
        if tag[at : at + name] in (b"GEOB", b"GEO"):
            if version == 4 and tag[at + 9] & 2:
                body = body.replace(b"\xff\0", b"\xff")
            if version == 4 and tag[at + 9] & 1:
                body = body[4:]
            yield from _object(body)
        at += header + length


def _syncsafe(raw: bytes) -> int:
    """Seven bits of each byte (ID3v2.4 section 6.2)."""
    value = 0
    for byte in raw:
        value = value << 7 | byte & 0x7F
    return value


def _object(body: bytes) -> Iterator[bytes]:
    """The data of a general encapsulated object: encoding, media type, file name, description, data."""
    kind, _, rest = body[1:].partition(b"\0")
    if kind not in MEDIA_TYPES:
        return
    for _ in range(2):
        rest = _after_text(rest, wide=body[0] in (1, 2))
    yield rest


def _after_text(data: bytes, *, wide: bool) -> bytes:
    if not wide:
        return data.partition(b"\0")[2]
    at = 0
    while at + 1 < len(data) and data[at : at + 2] != b"\0\0":
        at += 2
    return data[at + 2 :]


def _svg_stores(file: BinaryIO) -> Iterator[bytes]:
    """The ``c2pa:manifest`` elements, wherever they stand: more of them than one are not passed over."""
    file.seek(0)
    text = file.read(MAX_DOCUMENT)
    for found in re.finditer(rb"<c2pa:manifest(?:\s[^<>]*)?>([^<]*)<", text):
        try:
            yield base64.b64decode(b"".join(found[1].split()), validate=True)
        except binascii.Error:
            yield found[1]


def _pdf_stores(file: BinaryIO) -> Iterator[bytes]:
    """The streams that begin with a manifest store. Those inside compressed objects are not found."""
    file.seek(0)
    data = file.read(MAX_DOCUMENT)
    for found in re.finditer(rb"stream\r?\n(?=....jumb....jumd" + re.escape(UUID) + rb")", data, re.DOTALL):
        yield data[found.end() : found.end() + MAX_STORE]


def _zip_stores(file: BinaryIO) -> Iterator[bytes]:
    """The entries of the archive that are named as C2PA says, stored as they are. Raises BadZipFile."""
    try:
        with zipfile.ZipFile(file) as archive:
            entries = archive.infolist()
            if min((info.header_offset for info in entries), default=0):
                return  # something stands before the archive, which some readers would open instead
            for info in entries:
                stored = info.compress_type == zipfile.ZIP_STORED and info.file_size <= MAX_STORE
                if info.filename == ZIPPED and stored:
                    try:
                        yield archive.read(info)
                    except zipfile.BadZipFile:  # its checksum does not match
                        yield ZIPPED.encode()
    except (OSError, RuntimeError, EOFError) as error:  # places outside the file, a claimed encryption
        raise zipfile.BadZipFile(str(error)) from error
