"""Structured edits of whole files: parts duplicated, removed, moved, inserted, resized; stores swapped."""

from __future__ import annotations

import random
import struct
from collections.abc import Callable, Sequence
from itertools import pairwise

from benchmarks.conformance.mutants import boxes, placing, stores
from benchmarks.conformance.mutants.boxes import Part
from benchmarks.conformance.mutants.releases import Release

Edit = Callable[[random.Random, Release, Sequence[Release]], bytes | None]
BRANDS = (
    b"avif",
    b"heic",
    b"heix",
    b"mif1",
    b"avis",
    b"qt  ",
    b"M4A ",
    b"M4V ",
    b"isom",
    b"jp2 ",
    b"dash",
    b"c2pa",
)
COMPOUND = 0.35
"""Share of edits that are followed by a second, harmless-looking one."""
TRIES = 40


def mutant(seed: str, release: Release, others: Sequence[Release]) -> tuple[str, bytes]:
    """The mutant of *release* that *seed* gives, and the names of its edits; never the release itself."""
    rng = random.Random(seed)
    for _ in range(TRIES):
        name = rng.choice(sorted(EDITS))
        found = EDITS[name](rng, release, others)
        if found is not None and rng.random() < COMPOUND:
            second = rng.choice(sorted(AFTERWARDS))
            more = AFTERWARDS[second](rng, found)
            name, found = (name, found) if more is None else (f"{name} + {second}", more)
        if found is not None and found != release.data:
            return name, found
    return "trailing bytes", release.data + b"\0"


def _row(rng: random.Random, parts: list[Part]) -> list[Part]:
    """A list of brothers, the outermost as often as all others."""
    rows = [row for row in boxes.lists(parts) if row]
    return rows[0] if rng.random() < 0.5 else rng.choice(rows)


def _pieces(rng: random.Random, data: bytes) -> list[Part]:
    """*data* cut at a few places by chance, for files whose form is not known here."""
    cuts = sorted({0, len(data), *(rng.randrange(len(data)) for _ in range(4))})
    return [Part("raw", b"", data[a:b]) for a, b in pairwise(cuts)]


def _parsed(rng: random.Random, release: Release) -> list[Part]:
    parts = boxes.parse(release.container, release.data)
    return parts if len(parts) > 1 or parts[0].children else _pieces(rng, release.data)


def _duplicate(rng: random.Random, release: Release, others: Sequence[Release]) -> bytes | None:
    parts = _parsed(rng, release)
    row = _row(rng, parts)
    row.insert(rng.randrange(len(row) + 1), rng.choice(row))
    return boxes.written(parts)


def _remove(rng: random.Random, release: Release, others: Sequence[Release]) -> bytes | None:
    parts = _parsed(rng, release)
    row = _row(rng, parts)
    del row[rng.randrange(len(row))]
    return boxes.written(parts) or None


def _reorder(rng: random.Random, release: Release, others: Sequence[Release]) -> bytes | None:
    parts = _parsed(rng, release)
    row = _row(rng, parts)
    i, j = rng.randrange(len(row)), rng.randrange(len(row))
    row[i], row[j] = row[j], row[i]
    return boxes.written(parts)


def _insert(rng: random.Random, release: Release, others: Sequence[Release]) -> bytes | None:
    parts = _parsed(rng, release)
    row = _row(rng, parts)
    form = next((p.form for p in row if p.form != "raw"), "raw")
    kinds = {
        "box": [b"free", b"skip", b"uuid", b"mdat", b"mfra", b"udta", b"ftyp", b"wide", b"abcd"],
        "riff": [b"JUNK", b"LIST", b"C2PA", b"ICCP", b"EXIF", b"XMP ", b"idx1"],
        "png": [b"tEXt", b"iTXt", b"eXIf", b"gAMA", b"pHYs", b"caBX", b"caBY", b"IDAT", b"tIME"],
        "jpeg": [b"\xff\xfe", b"\xff\xe1", b"\xff\xe2", b"\xff\xeb", b"\xff\xdb", b"\xff\xee"],
        "raw": [b""],
    }[form]
    row.insert(rng.randrange(len(row) + 1), Part(form, rng.choice(kinds), rng.randbytes(rng.randrange(60))))
    return boxes.written(parts)


def _move_media(rng: random.Random, release: Release, others: Sequence[Release]) -> bytes | None:
    parts = _parsed(rng, release)
    row = parts[0].children if len(parts) == 1 and parts[0].children else parts
    media = [p for p in row if p.kind in (b"mdat", b"data", b"IDAT", b"VP8L", b"scan", b"movi", b"moof")]
    if not media:
        return None
    row.remove(media[0])
    row.insert(rng.randrange(len(row) + 1), media[0])
    return boxes.written(parts)


def _resize(rng: random.Random, release: Release, others: Sequence[Release]) -> bytes | None:
    """The length of one part is a lie."""
    parts = _parsed(rng, release)
    part = rng.choice(_row(rng, parts))
    raw = bytes(part)
    at = release.data.find(raw)
    if part.form == "raw" or at < 0:
        return None
    at += {"riff": 4, "jpeg": 0}.get(part.form, 0)
    change = rng.choice([1, -1, 8, -8, 16, 256, 2**16, -(2**8), 2**31])
    return placing.resized(release.data, at, change)


def _same_family(release: Release, others: Sequence[Release]) -> list[Release]:
    return [r for r in others if r.container != release.container]


def _swap_store(rng: random.Random, release: Release, others: Sequence[Release]) -> bytes | None:
    found = _same_family(release, others)
    return placing.with_store(release, rng.choice(found).store) if found else None


def _swap_media(rng: random.Random, release: Release, others: Sequence[Release]) -> bytes | None:
    """Another file's bytes, this one's credentials in the place of its own."""
    found = _same_family(release, others)
    return placing.with_store(rng.choice(found), release.store) if found else None


def _second_store(rng: random.Random, release: Release, others: Sequence[Release]) -> bytes | None:
    found = [release, *_same_family(release, others)]
    store = rng.choice(found).store if rng.random() < 0.6 else stores.edited(rng, release)
    return None if store is None else placing.beside(release, store, first=rng.random() < 0.5)


def _store(rng: random.Random, release: Release, others: Sequence[Release]) -> bytes | None:
    store = stores.edited(rng, release)
    return None if store is None else placing.with_store(release, store)


def _framing(rng: random.Random, release: Release, others: Sequence[Release]) -> bytes | None:
    """A byte within a few of the place where the store begins or ends."""
    at = release.data.find(release.store)
    if at < 0:
        return None
    place = rng.choice([at, at + len(release.store)]) + rng.randrange(-40, 40)
    if not 0 <= place < len(release.data):
        return None
    return _with_byte(rng, release.data, place)


def _with_byte(rng: random.Random, data: bytes, at: int) -> bytes:
    return data[:at] + bytes([data[at] ^ rng.randrange(1, 256)]) + data[at + 1 :]


def _brand(rng: random.Random, data: bytes) -> bytes | None:
    """Another brand, major or compatible, in ``ftyp``."""
    if data[4:8] != b"ftyp" or len(data) < 24:
        return None
    (size,) = struct.unpack_from(">I", data)
    places = [8, *range(16, min(size, 64), 4)]
    at = 8 if rng.random() < 0.7 else rng.choice(places)
    return data[:at] + rng.choice(BRANDS) + data[at + 4 :]


def _trailing(rng: random.Random, data: bytes) -> bytes | None:
    return data + rng.choice(
        [b"\0", b"\n", rng.randbytes(rng.randrange(1, 200)), data[:64], b"\0\0\0\x08free"]
    )


def _leading(rng: random.Random, data: bytes) -> bytes | None:
    return rng.choice([b"\0\0\0\x08free", b"\0", b"\xef\xbb\xbf", rng.randbytes(8)]) + data


def _truncated(rng: random.Random, data: bytes) -> bytes | None:
    return data[: rng.randrange(1, len(data))] if rng.random() < 0.6 else data[: -rng.randrange(1, 40)]


def _flip(rng: random.Random, data: bytes) -> bytes | None:
    return _with_byte(rng, data, rng.randrange(len(data)))


def _empty_box(rng: random.Random, data: bytes) -> bytes | None:
    """A box that means nothing after the first box, or at the end."""
    if data[4:8] != b"ftyp":
        return None
    (size,) = struct.unpack_from(">I", data)
    at = rng.choice([size, len(data)])
    kind = rng.choice([b"free", b"skip", b"wide", b"mfra", b"ftyp"])
    body = rng.randbytes(rng.randrange(32))
    return data[:at] + struct.pack(">I4s", 8 + len(body), kind) + body + data[at:]


AFTERWARDS: dict[str, Callable[[random.Random, bytes], bytes | None]] = {
    "brand changed": _brand,
    "trailing bytes": _trailing,
    "leading bytes": _leading,
    "truncated": _truncated,
    "byte changed": _flip,
    "empty box": _empty_box,
}


def _alone(edit: Callable[[random.Random, bytes], bytes | None]) -> Edit:
    return lambda rng, release, others: edit(rng, release.data)


EDITS: dict[str, Edit] = {
    **{name: _alone(edit) for name, edit in AFTERWARDS.items()},
    "part twice": _duplicate,
    "part removed": _remove,
    "parts swapped": _reorder,
    "part inserted": _insert,
    "media moved": _move_media,
    "length changed": _resize,
    "store of another file": _swap_store,
    "media of another file": _swap_media,
    "second store": _second_store,
    "store edited": _store,
    "store edited again": _store,
    "store edited once more": _store,
    "framing of the store": _framing,
}
"""Edits by name; those of the store come up three times as often as any other."""
