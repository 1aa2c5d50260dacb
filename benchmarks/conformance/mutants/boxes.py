"""Files as trees of parts that can be moved: boxes (MP4, JUMBF), RIFF and PNG chunks, JPEG segments.

Written for taking genuine files apart and putting them together wrongly; what cannot be parsed is one part.
"""

from __future__ import annotations

import copy
import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field

BOXED = {"mp4", "fragmented", "mov", "m4v", "m4a", "avif", "heic", "jxl"}
RIFF = {"avi", "wav", "webp"}
NESTED = {
    *(b"moov", b"trak", b"mdia", b"minf", b"stbl", b"dinf", b"edts", b"udta", b"mvex", b"moof", b"traf"),
    *(b"jumb", b"iprp", b"ipco"),
}
LISTS = {b"RIFF", b"LIST"}
PNG_START, JPEG_START = b"\x89PNG\r\n\x1a\n", b"\xff\xd8"


@dataclass
class Part:
    """A part of a file. ``form`` says how it is written: box, riff, png, jpeg, or raw (the body as it is)."""

    form: str
    kind: bytes
    body: bytes = b""
    children: list[Part] | None = None
    lead: bytes = field(default=b"")

    def content(self) -> bytes:
        """Everything after its header."""
        return self.body if self.children is None else self.lead + b"".join(map(bytes, self.children))

    def __bytes__(self) -> bytes:
        """The part as it stands in a file, its length and checksum made to fit."""
        body = self.content()
        if self.form == "box":
            return struct.pack(">I4s", 8 + len(body), self.kind) + body
        if self.form == "riff":
            return self.kind + struct.pack("<I", len(body)) + body + b"\0" * (len(body) % 2)
        if self.form == "png":
            whole = self.kind + body
            return struct.pack(">I", len(body)) + whole + struct.pack(">I", zlib.crc32(whole))
        if self.form == "jpeg":
            return self.kind + struct.pack(">H", (2 + len(body)) & 0xFFFF) + body
        return body

    def walk(self) -> Iterator[list[Part]]:
        """Every list of brothers below."""
        if self.children is not None:
            yield self.children
            for child in self.children:
                yield from child.walk()


def parse(container: str, data: bytes) -> list[Part]:
    """The parts of a whole file, in order."""
    if container in BOXED:
        return boxes(data)
    if container in RIFF:
        return chunks(data)
    if container == "png":
        return _png(data)
    if container == "jpg":
        return _jpeg(data)
    return [Part("raw", b"", data)]


def written(parts: list[Part]) -> bytes:
    """The file again."""
    return b"".join(map(bytes, parts))


def lists(parts: list[Part]) -> list[list[Part]]:
    """Every list of brothers, the outermost first."""
    return [parts, *(found for part in parts for found in part.walk())]


def copied(parts: list[Part]) -> list[Part]:
    """A copy that can be changed."""
    return copy.deepcopy(parts)


def boxes(data: bytes) -> list[Part]:
    """Boxes of MP4 and JUMBF, those that hold others taken apart."""
    found, at = [], 0
    while at + 8 <= len(data):
        size, kind = struct.unpack_from(">I4s", data, at)
        if size < 8 or at + size > len(data):
            break
        body = data[at + 8 : at + size]
        part = Part("box", kind, body)
        if kind in NESTED:
            part.children = boxes(body)
        found.append(part)
        at += size
    return found + ([Part("raw", b"", data[at:])] if at < len(data) else [])


def chunks(data: bytes) -> list[Part]:
    """RIFF chunks, lists taken apart."""
    found, at = [], 0
    while at + 8 <= len(data):
        kind, size = struct.unpack_from("<4sI", data, at)
        if at + 8 + size > len(data):
            break
        body = data[at + 8 : at + 8 + size]
        part = Part("riff", kind, body)
        if kind in LISTS and size >= 4:
            part.lead, part.children = body[:4], chunks(body[4:])
        found.append(part)
        at += 8 + size + size % 2
    return found + ([Part("raw", b"", data[at:])] if at < len(data) else [])


def _png(data: bytes) -> list[Part]:
    found, at = [Part("raw", b"start", PNG_START)], len(PNG_START)
    while at + 12 <= len(data):
        (size,) = struct.unpack_from(">I", data, at)
        found.append(Part("png", data[at + 4 : at + 8], data[at + 8 : at + 8 + size]))
        at += 12 + size
    return found


def _jpeg(data: bytes) -> list[Part]:
    found, at = [Part("raw", b"start", JPEG_START)], 2
    while data[at] == 0xFF and data[at + 1] != 0xDA:
        (size,) = struct.unpack_from(">H", data, at + 2)
        found.append(Part("jpeg", data[at : at + 2], data[at + 4 : at + 2 + size]))
        at += 2 + size
    return [*found, Part("raw", b"scan", data[at:])]
