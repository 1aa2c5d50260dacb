"""Signed files of our own, one in each container that c2pa can sign, each with an altered twin.

``make`` signs with a local identity in ``folder/keys``, whose root ``root_pem`` returns; ``alter`` changes
one bit of the content (not of the credentials) and leaves the file's structure alone.
"""

from __future__ import annotations

import io
import struct
import zlib
from pathlib import Path

import c2pa

from safegen.credentials import library
from safegen.keys.identity import Identity
from tests.support.tiny_files import MAKERS, MARKER

CREATED = "http://cv.iptc.org/newscodes/digitalsourcetype/trainedAlgorithmicMedia"
PIXELS = bytes([8, 0, 0, 16, 0, 0, 24, 0, 0])
"""The beginning of the first row of a picture that is stored as it is."""


def containers() -> tuple[str, ...]:
    """The names that ``make`` knows, such as ``mp4``, ``fragmented`` or ``svg``."""
    return tuple(MAKERS)


def make(name: str, folder: Path) -> Path:
    """A signed file ``folder/NAME.EXT`` in the container called *name*; made anew each time."""
    extension, mime, write = MAKERS[name]
    plain, path = folder / f"unsigned-{name}.{extension}", folder / f"{name}.{extension}"
    folder.mkdir(parents=True, exist_ok=True)
    write(plain)
    path.write_bytes(sign(plain.read_bytes(), mime, identity(folder)))
    return path


def sign(data: bytes, mime: str, maker: Identity) -> bytes:
    """*data* signed by *maker* as made by a model. Raises c2pa.C2paError."""
    action = {"action": "c2pa.created", "digitalSourceType": CREATED, "softwareAgent": {"name": "tiny"}}
    definition = {
        "claim_generator_info": [{"name": "safegen tests", "version": "1"}],
        "title": "tiny",
        "format": mime,
        "assertions": [{"label": "c2pa.actions.v2", "data": {"actions": [action]}}],
    }
    signer = maker.signer()
    algorithm = getattr(c2pa.C2paSigningAlg, signer.alg.upper())
    builder = c2pa.Builder(definition, context=library.context(created_labels=["c2pa.actions"]))
    made = io.BytesIO()
    with c2pa.Signer.from_callback(signer.sign, algorithm, signer.chain_pem.decode(), None) as native:
        builder.sign(native, mime, io.BytesIO(data), made)
    return made.getvalue()


def identity(folder: Path) -> Identity:
    """Who signs the files in *folder*."""
    return Identity.load_or_create(folder / "keys", name="Tiny Films")


def root_pem(folder: Path) -> bytes:
    """The root certificate under which the files in *folder* are trusted."""
    return identity(folder).root_pem


def alter(path: Path) -> Path:
    """A twin ``NAME.altered.EXT`` of the signed file at *path* with one bit of its content changed."""
    data = bytearray(path.read_bytes())
    at = _place(path.stem, data)
    data[at] ^= 1
    if path.suffix == ".png":
        _repair_checksum(data)
    twin = path.with_name(f"{path.stem}.altered{path.suffix}")
    twin.write_bytes(data)
    return twin


def _place(name: str, data: bytearray) -> int:
    """Where a byte of the content of the file called *name* lies."""
    if name in {"mp4", "fragmented", "mov", "m4v", "m4a", "avif", "heic"}:
        return _media_box(data) + 12
    return {
        "avi": lambda: data.index(b"movi") + 60,
        "wav": lambda: data.index(b"data") + 40,
        "webp": lambda: data.index(b"VP8L") + 20,
        "png": lambda: data.rindex(b"IDAT") + 20,
        "jpg": lambda: data.rindex(b"\xff\xda") + 20,
        "gif": lambda: 13 + 3,
        "tiff": lambda: data.index(PIXELS),
        "dng": lambda: data.index(PIXELS),
        "mp3": lambda: len(data) - 20,
        "flac": lambda: len(data) - 20,
        "svg": lambda: data.index(MARKER),
        "jxl": lambda: data.index(MARKER),
        "pdf": lambda: data.index(MARKER),
        "epub": lambda: data.index(MARKER),
    }[name]()


def _media_box(data: bytearray) -> int:
    at = 0
    while data[at + 4 : at + 8] != b"mdat":
        at += int(struct.unpack_from(">I", data, at)[0])
    return at


def _repair_checksum(data: bytearray) -> None:
    """Make the last picture chunk of the PNG *data* agree with its checksum again."""
    kind = data.rindex(b"IDAT")
    (size,) = struct.unpack_from(">I", data, kind - 4)
    struct.pack_into(">I", data, kind + 4 + size, zlib.crc32(data[kind : kind + 4 + size]))
