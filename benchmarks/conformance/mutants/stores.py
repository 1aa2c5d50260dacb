"""Edits of the manifest store, and putting a store into a file in another one's place.

Most edits keep the length: what they add is taken out of the padding that the signature's unprotected header
carries, so that a hash which leaves out a range of bytes still leaves out the same range.
"""

from __future__ import annotations

import random
import re
import struct
from collections.abc import Callable

from benchmarks.conformance.mutants.boxes import Part, boxes, copied, lists, written
from benchmarks.conformance.mutants.releases import Release

PADDING = re.compile(rb"\x59(..)(\0{300,})", re.S)
"""A CBOR byte string of zeros: two bytes of length, and the zeros."""
LABELS = (
    b"c2pa.claim.v2",
    b"c2pa.claim",
    b"c2pa.signature",
    b"c2pa.assertions",
    b"c2pa.hash.data",
    b"c2pa.hash.bmff.v3",
    b"c2pa.actions.v2",
    b"c2pa.ingredient.v3",
)


def fitted(parts: list[Part], length: int) -> bytes | None:
    """The store *parts* with its padding cut or stretched to *length* bytes; None: it cannot be."""
    raw = written(parts)
    change = length - len(raw)
    if change == 0:
        return raw
    leaf = next(
        (p for row in reversed(lists(parts)) for p in row if p.children is None and PADDING.search(p.body)),
        None,
    )
    if leaf is None or (found := PADDING.search(leaf.body)) is None:
        return None
    (size,) = struct.unpack(">H", found[1])
    wanted = size + change
    if not 256 <= wanted < 65536 or size > len(found[2]) or wanted < 0:
        return None
    start, end = found.start(), found.start() + 3 + size
    leaf.body = leaf.body[:start] + b"\x59" + struct.pack(">H", wanted) + b"\0" * wanted + leaf.body[end:]
    raw = written(parts)
    return raw if len(raw) == length else None


def edited(rng: random.Random, release: Release) -> bytes | None:
    """The store of *release* with one edit, at its old length where that can be."""
    parts = boxes(release.store)
    kind = rng.choice(sorted(STORE_EDITS))
    found = STORE_EDITS[kind](rng, copied(parts))
    if found is None:
        return None
    return fitted(found, len(release.store)) or written(found)


def _manifests(parts: list[Part]) -> list[Part]:
    """The list in which the manifests stand, the description box first."""
    return parts[0].children if parts and parts[0].children else []


def _inner(parts: list[Part], rng: random.Random) -> list[Part] | None:
    """A list of brothers within the store, by chance."""
    found = [row for row in lists(parts) if len(row) > 2]
    return rng.choice(found) if found else None


def _duplicate(rng: random.Random, parts: list[Part]) -> list[Part] | None:
    if (row := _inner(parts, rng)) is None:
        return None
    at = rng.randrange(1, len(row))
    row.insert(rng.randrange(1, len(row) + 1), copied([row[at]])[0])
    return parts


def _remove(rng: random.Random, parts: list[Part]) -> list[Part] | None:
    if (row := _inner(parts, rng)) is None:
        return None
    del row[rng.randrange(1, len(row))]
    return parts


def _reorder(rng: random.Random, parts: list[Part]) -> list[Part] | None:
    if (row := _inner(parts, rng)) is None:
        return None
    tail = row[1:]
    rng.shuffle(tail)
    row[1:] = tail
    return parts


def _insert(rng: random.Random, parts: list[Part]) -> list[Part] | None:
    row = rng.choice(lists(parts))
    kind = rng.choice([b"free", b"json", b"cbor", b"uuid", b"bidb", b"jumb", b"skip", b"abcd"])
    row.insert(rng.randrange(len(row) + 1), Part("box", kind, rng.randbytes(rng.randrange(0, 40))))
    return parts


def _relabel(rng: random.Random, parts: list[Part]) -> list[Part] | None:
    """A label in a description box changed: a letter, its end, its flags, or to another one."""
    found = [p for row in lists(parts) for p in row if p.kind == b"jumd" and len(p.body) > 18]
    box = rng.choice(found)
    how = rng.randrange(4)
    label = box.body[17:].partition(b"\0")[0]
    if how == 0 and label:
        at = 17 + rng.randrange(len(label))
        box.body = box.body[:at] + bytes([box.body[at] ^ rng.choice([1, 2, 32])]) + box.body[at + 1 :]
    elif how == 1:
        box.body = box.body[:17] + rng.choice(LABELS) + b"\0"
    elif how == 2:
        box.body = box.body[:16] + bytes([box.body[16] ^ (1 << rng.randrange(5))]) + box.body[17:]
    else:
        at = rng.randrange(16)
        box.body = box.body[:at] + bytes([box.body[at] ^ 1]) + box.body[at + 1 :]
    return parts


def _swap_assertions(rng: random.Random, parts: list[Part]) -> list[Part] | None:
    """Assertions of two manifests (or of one, where there is one) change places."""
    rows = [row for row in lists(_manifests(parts)) if row and b"c2pa.assertions" in row[0].body]
    if not rows:
        return None
    one, two = rng.choice(rows), rng.choice(rows)
    if min(len(one), len(two)) < 3:
        return None
    i, j = rng.randrange(1, len(one)), rng.randrange(1, len(two))
    one[i], two[j] = two[j], one[i]
    return parts


def _two_claims(rng: random.Random, parts: list[Part]) -> list[Part] | None:
    """A second claim beside the first, under the same label or another, itself altered or not."""
    for row in lists(parts):
        for at, part in enumerate(row):
            if part.children and part.children[0].body[17:].startswith(b"c2pa.claim"):
                other = copied([part])[0]
                assert other.children is not None
                if rng.random() < 0.5:
                    body = other.children[-1].body
                    place = rng.randrange(len(body))
                    other.children[-1].body = body[:place] + bytes([body[place] ^ 1]) + body[place + 1 :]
                if rng.random() < 0.5:
                    other.children[0].body = other.children[0].body[:17] + rng.choice(LABELS[:2]) + b"\0"
                row.insert(at + rng.randrange(2), other)
                return parts
    return None


def _exclusions(rng: random.Random, parts: list[Part]) -> list[Part] | None:
    """Other numbers or names where a hash says what it leaves out."""
    found = [
        p
        for row in lists(parts)
        for p in row
        if p.children is None and (b"exclusions" in p.body) and b"hash" in p.body
    ]
    if not found:
        return None
    leaf = rng.choice(found)
    words = [
        m.end() for word in (b"start", b"length", b"xpath", b"offset") for m in re.finditer(word, leaf.body)
    ]
    if not words:
        return None
    at = min(rng.choice(words) + rng.randrange(3), len(leaf.body) - 1)
    leaf.body = (
        leaf.body[:at] + bytes([(leaf.body[at] + rng.choice([1, -1, 16])) % 256]) + leaf.body[at + 1 :]
    )
    return parts


def _bits(rng: random.Random, parts: list[Part]) -> list[Part] | None:
    """A byte of a leaf, by chance."""
    leaf = rng.choice([p for row in lists(parts) for p in row if p.children is None and p.body])
    at = rng.randrange(len(leaf.body))
    leaf.body = leaf.body[:at] + bytes([leaf.body[at] ^ rng.randrange(1, 256)]) + leaf.body[at + 1 :]
    return parts


def _manifest_order(rng: random.Random, parts: list[Part]) -> list[Part] | None:
    """The last manifest, which is the active one, is another."""
    row = _manifests(parts)
    if len(row) < 3:
        return None
    how = rng.randrange(3)
    if how == 0:
        row[-1], row[-2] = row[-2], row[-1]
    elif how == 1:
        row.append(copied([row[-2]])[0])
    else:
        del row[-2]
    return parts


STORE_EDITS: dict[str, Callable[[random.Random, list[Part]], list[Part] | None]] = {
    "part twice": _duplicate,
    "part removed": _remove,
    "parts reordered": _reorder,
    "part inserted": _insert,
    "label changed": _relabel,
    "assertions swapped": _swap_assertions,
    "two claims": _two_claims,
    "exclusions changed": _exclusions,
    "byte changed": _bits,
    "manifests reordered": _manifest_order,
}
