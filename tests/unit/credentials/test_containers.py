"""Every container that c2pa reads: signed files of our own, altered twins, and a second store in them."""

from __future__ import annotations

import base64
import struct
import zlib
from collections.abc import Callable
from pathlib import Path

import c2pa
import pytest

from safegen.credentials import formats
from safegen.credentials.embedded_stores import find_embedded_stores
from safegen.credentials.open_store import carries_credentials, manifest_bytes
from safegen.credentials.read import read_credentials
from safegen.credentials.status_codes import SEVERAL_STORES
from safegen.errors import UsageError
from safegen.types import CredentialState
from tests.support import signed
from tests.support.tiny_files import MAKERS

KINDS = {
    "video": {"mp4", "fragmented", "mov", "m4v", "avi"},
    "sound": {"m4a", "wav", "mp3", "flac"},
    "picture": {"png", "jpg", "webp", "gif", "tiff", "dng", "svg", "jxl", "avif", "heic"},
    "document": {"epub", "pdf"},
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """All of them, signed by one maker."""
    made = tmp_path_factory.mktemp("containers")
    for name in signed.containers():
        signed.make(name, made)
    return made


@pytest.fixture(params=signed.containers())
def file(request: pytest.FixtureRequest, folder: Path) -> Path:
    return folder / f"{request.param}.{MAKERS[request.param][0]}"


def test_there_are_enough_of_them() -> None:
    known = set(c2pa.Reader.get_supported_mime_types())
    assert len(signed.containers()) >= 18
    assert {mime for _, mime, _ in MAKERS.values()} <= known
    assert sum(map(len, KINDS.values())) == len(signed.containers())


def test_intact_and_altered(file: Path, folder: Path) -> None:
    roots = [signed.root_pem(folder)]
    found = read_credentials(file, anchors_pem=roots)
    assert (found.state, found.trusted, found.store_seen) == (CredentialState.VALID, True, True)
    assert not found.failures and not found.unreadable and not found.reason
    altered = read_credentials(signed.alter(file), anchors_pem=roots)
    assert altered.state is CredentialState.INVALID and not altered.trusted
    assert all(code.endswith(".mismatch") for code in altered.failures) and altered.failures


def test_the_store_in_the_bytes_is_the_one_that_was_read(file: Path) -> None:
    assert find_embedded_stores(file) == (manifest_bytes(file),)
    plain = file.with_name(
        f"unsigned-{file.name}" if file.stem != "fragmented" else "unsigned-fragmented.mp4"
    )
    assert find_embedded_stores(plain) == () and not carries_credentials(plain)


def test_what_a_person_calls_it(file: Path) -> None:
    (expected,) = (kind for kind, names in KINDS.items() if file.stem in names)
    assert formats.kind_of(file) == expected
    assert formats.kind_of(formats.detect(file)) == expected


@pytest.mark.parametrize("label", [b"c2pa.claim.v2", b"c2pa.signature", b"c2pa.assertions"])
def test_a_label_that_c2pa_does_not_insist_on(file: Path, label: bytes) -> None:
    """c2pa-rs writes the store anew and mends such labels; other validators reject them."""
    data, store = file.read_bytes(), manifest_bytes(file)
    assert store is not None
    at = store.index(label + b"\0")
    changed = store[: at + 3] + b"X" + store[at + 4 :]
    if file.suffix == ".svg":
        data = data.replace(base64.b64encode(store), base64.b64encode(changed))
    elif file.suffix == ".gif":
        data = data.replace(_sub_blocks(store), _sub_blocks(changed))
    else:
        assert data.count(store) == 1
        data = data.replace(store, changed)
    mutant = file.with_name(f"mutant{file.suffix}")
    mutant.write_bytes(data)
    found = read_credentials(mutant, anchors_pem=[signed.root_pem(file.parent)])
    assert found.state is not CredentialState.VALID and not found.trusted and found.reason


def _sub_blocks(data: bytes) -> bytes:
    parts = (data[at : at + 255] for at in range(0, len(data), 255))
    return b"".join(bytes([len(part)]) + part for part in parts) + b"\0"


def _png(data: bytes, store: bytes) -> bytes:
    body = b"caBX" + store
    chunk = struct.pack(">I", len(store)) + body + struct.pack(">I", zlib.crc32(body))
    return data[:33] + chunk + data[33:]


def _riff(data: bytes, store: bytes) -> bytes:
    chunk = b"C2PA" + struct.pack("<I", len(store)) + store + b"\0" * (len(store) & 1)
    return data[:4] + struct.pack("<I", len(data) - 8 + len(chunk)) + data[8:] + chunk


def _jpg(data: bytes, store: bytes) -> bytes:
    body = b"JP" + b"\x77\x77" + b"\0\0\0\1" + store
    return data[:2] + b"\xff\xeb" + struct.pack(">H", 2 + len(body)) + body + data[2:]


def _gif(data: bytes, store: bytes) -> bytes:
    return data[:-1] + b"\x21\xff\x0bC2PA_GIF\x01\0\0" + _sub_blocks(store) + b";"


def _svg(data: bytes, store: bytes) -> bytes:
    extra = b"<g><c2pa:manifest>" + base64.b64encode(store) + b"</c2pa:manifest></g></svg>"
    return data.replace(b"</svg>", extra)


def _jxl(data: bytes, store: bytes) -> bytes:
    return data + store


def _bmff(data: bytes, store: bytes) -> bytes:
    at = data.index(b"uuid") - 4
    (size,) = struct.unpack_from(">I", data, at)
    return data + data[at : at + size]


SECOND: dict[str, Callable[[bytes, bytes], bytes]] = {
    **dict.fromkeys(("mp4", "mov", "m4a", "avif", "heic"), _bmff),
    **dict.fromkeys(("wav", "avi", "webp"), _riff),
    "png": _png,
    "jpg": _jpg,
    "gif": _gif,
    "svg": _svg,
    "jxl": _jxl,
}


@pytest.mark.parametrize("name", SECOND)
def test_a_second_store(name: str, folder: Path) -> None:
    """Whatever c2pa makes of it, a file with two sets of credentials is not an intact one."""
    path = folder / f"{name}.{MAKERS[name][0]}"
    store = manifest_bytes(path)
    assert store is not None
    twice = path.with_name(f"twice-{path.name}")
    twice.write_bytes(SECOND[name](path.read_bytes(), store))
    found = read_credentials(twice, anchors_pem=[signed.root_pem(folder)])
    assert len(find_embedded_stores(twice)) == 2
    assert found.state in (CredentialState.INVALID, CredentialState.UNREADABLE) and not found.trusted
    assert not found.store_seen
    if found.manifest is not None:
        assert SEVERAL_STORES in found.unreadable


@pytest.mark.parametrize("brand", [b"avif", b"heic", b"mif1", b"isom", b"M4A ", b"qt  "])
def test_the_brand_of_an_mp4_decides_nothing(brand: bytes, folder: Path) -> None:
    """C2PA leaves ``ftyp`` out of the hash: anybody can write any brand there."""
    data = (folder / "mp4.mp4").read_bytes()
    store = manifest_bytes(folder / "mp4.mp4")
    assert store is not None
    branded = folder / "branded.mp4"
    branded.write_bytes(data[:8] + brand + data[12:])
    assert find_embedded_stores(branded) == (store,)
    changed = store.replace(b"c2pa.claim.v2\0", b"c2pX.claim.v2\0", 1)
    branded.write_bytes((data[:8] + brand + data[12:]).replace(store, changed))
    assert read_credentials(branded).state is not CredentialState.VALID


def test_damaged_files_never_raise(file: Path) -> None:
    data = file.read_bytes()
    mutant = file.with_name(f"cut{file.suffix}")
    for size in (1, 7, 12, 20, 40, 64, 200, len(data) // 2, len(data) - 3):
        mutant.write_bytes(data[:size])
        assert isinstance(find_embedded_stores(mutant), tuple)
        assert read_credentials(mutant).state is not CredentialState.VALID


def test_what_can_be_read_is_not_all_that_can_be_signed(folder: Path) -> None:
    with pytest.raises(UsageError, match="cannot carry"):
        formats.require_signable(folder / "svg.svg")


@pytest.mark.parametrize(
    ("head", "kind"),
    [
        (b"PK\x03\x04" + bytes(26) + b"photos/one.jpg", "file"),
        (b"PK\x03\x04" + bytes(26) + b"[Content_Types].xml", "document"),
        (b"\xff\xfb\x90\x00", "sound"),
        (b"\xff\xf1\x50\x80", "file"),
        (b'\xef\xbb\xbf<?xml version="1.0"?><!-- <a> --><!DOCTYPE svg [<!ENTITY a "b">]>\n<svg>', "picture"),
        (b"<svgx>", "file"),
        (b"<html><svg>", "file"),
        (b"<!--" * 1000, "file"),
        (b"\x1aE\xdf\xa3....webm", "video"),
        (b"OggS", "sound"),
    ],
)
def test_heads(head: bytes, kind: str) -> None:
    assert formats.kind_of(formats.sniff(head)) == kind


@pytest.mark.parametrize("label", [b"c2pa\0", b"urn:c2pa:", b"c2pa.claim.v2\0", b"c2pa.actions.v2\0"])
@pytest.mark.parametrize(("before", "bit"), [(1, 0x40), (3, 0x01)], ids=["flags", "type"])
def test_types_and_flags_that_c2pa_writes_anew(folder: Path, label: bytes, before: int, bit: int) -> None:
    data, store = (folder / "jpg.jpg").read_bytes(), manifest_bytes(folder / "jpg.jpg")
    assert store is not None
    changed = bytearray(store)
    changed[store.index(label) - before] ^= bit
    mutant = folder / "types.jpg"
    mutant.write_bytes(data.replace(store, bytes(changed)))
    found = read_credentials(mutant, anchors_pem=[signed.root_pem(folder)])
    assert found.state is not CredentialState.VALID and not found.trusted
