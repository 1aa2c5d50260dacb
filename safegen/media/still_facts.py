"""What a JPEG or PNG holds beside its pixels, told from its segments and chunks; nothing is decoded here."""

from __future__ import annotations

import re
from collections.abc import Iterator

_EOI, _SOS, _COM = 0xD9, 0xDA, 0xFE
_ALONE = frozenset({0x01, *range(0xD0, 0xD8)})
"""JPEG markers without a length (ITU-T T.81, B.1.1.3)."""
_FRAMES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
_METADATA = "camera and editing metadata (EXIF, XMP) is discarded; the orientation is applied"
_GAIN_MAP = "the gain map that makes it an HDR picture is not kept"
_CMYK = "CMYK colours are converted to RGB, without regard to a printer's profile"
_APP = (
    (b"Exif\0", _METADATA),
    (b"http://ns.adobe.com/xap/", _METADATA),
    (b"http://ns.adobe.com/xmp/extension/", _METADATA),
    (b"Photoshop 3.0\0", "captions and editing data (IPTC, Photoshop) are discarded"),
    (b"urn:iso:std:iso:ts:21496", _GAIN_MAP),
)
_PNG = {
    b"eXIf": _METADATA,
    b"gAMA": "its colour tags are not kept",
    b"cHRM": "its colour tags are not kept",
    b"cICP": "its colour tags are not kept",
    b"tEXt": "comments are discarded",
    b"zTXt": "comments are discarded",
}
_XMP = b"XML:com.adobe.xmp\0"
_FILM = re.compile(rb"\0\0\0[\x10-\x60]ftyp")
_ENTROPY_END = re.compile(rb"\xff[\x01-\xcf\xd8-\xfe]")
"""In coded data (where 0xFF is followed by 0 or a restart marker): the marker that ends it."""


def notes_on(data: bytes) -> tuple[str, ...]:
    """A sentence about each thing in the file that a release does not keep, none twice.

    *data* is the whole file. One that breaks off is told from what is there.
    """
    found = _of_png(data) if data.startswith(b"\x89PNG") else _of_jpeg(data)
    return tuple(dict.fromkeys(found))


def _of_png(data: bytes) -> Iterator[str]:
    at = 8
    while at + 8 <= len(data):
        length, kind = int.from_bytes(data[at : at + 4], "big"), data[at + 4 : at + 8]
        if kind == b"iTXt":
            yield _METADATA if data[at + 8 :].startswith(_XMP) else "comments are discarded"
        elif kind in _PNG:
            yield _PNG[kind]
        at += 12 + length
        if kind == b"IEND":
            break
    if data[at:].strip(b"\0"):
        yield _behind(data[at:])


def _of_jpeg(data: bytes) -> Iterator[str]:
    end = len(data)
    for marker, start, stop in _segments(data):
        body = data[start : min(stop, start + 64)]
        if marker in _FRAMES and len(body) > 5 and body[5] == 4:
            yield _CMYK
        if 0xE0 <= marker <= 0xEF:
            yield from (text for head, text in _APP if body.startswith(head))
            if b"hdrgm:" in data[start:stop] and body.startswith(b"http://ns.adobe.com/xap/"):
                yield _GAIN_MAP
        if marker == _COM:
            yield "comments are discarded"
        if marker == _EOI:
            end = stop
    if data[end:].strip(b"\0"):
        yield _behind(data[end:])


def _segments(data: bytes) -> Iterator[tuple[int, int, int]]:
    """(marker, start, end) of the first picture's segments, up to the end of image."""
    at = 2
    while at + 2 <= len(data):
        if data[at] != 0xFF:
            return
        marker = data[at + 1]
        if marker == 0xFF:  # fill bytes
            at += 1
            continue
        if marker == _EOI or marker in _ALONE:
            yield marker, at + 2, at + 2
            at += 2
            if marker == _EOI:
                return
            continue
        length = int.from_bytes(data[at + 2 : at + 4], "big")
        if length < 2:
            return
        yield marker, at + 4, at + 2 + length
        at += 2 + length
        if marker == _SOS:
            found = _ENTROPY_END.search(data, at)
            if found is None:
                return
            at = found.start()


def _behind(rest: bytes) -> str:
    """What follows a picture in the same file."""
    if _FILM.search(rest):
        return "the short film behind the picture (a Motion Photo) is not kept"
    if b"\xff\xd8\xff" in rest:
        return "further pictures behind the first (a second view, a gain map) are not kept"
    return f"{len(rest)} bytes behind the picture are not kept"


def fits(profile: bytes, channels: int) -> bool:
    """Whether an ICC profile (ICC.1, 7.2.6) is for pixels of so many colours: 1 grey, 3 RGB."""
    return profile[16:20] == {1: b"GRAY", 3: b"RGB "}[channels]
