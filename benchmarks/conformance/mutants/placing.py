"""Putting another manifest store where the first one stands, with the container's lengths made to fit."""

from __future__ import annotations

import struct

from benchmarks.conformance.mutants import boxes
from benchmarks.conformance.mutants.boxes import Part
from benchmarks.conformance.mutants.releases import Release


def with_store(release: Release, store: bytes) -> bytes | None:
    """The release with *store* instead of its own; None where this container's form is not known here."""
    data, old = release.data, release.store
    at = data.find(old)
    if at >= 0 and len(store) == len(old):
        return data[:at] + store + data[at + len(old) :]
    if release.container == "jxl" and at >= 0:
        return data[:at] + store + data[at + len(old) :]
    parts = boxes.parse(release.container, data)
    for row in boxes.lists(parts):
        for part in row:
            if part.form != "raw" and part.children is None and old in part.body:
                part.body = _replaced(part, old, store)
                return boxes.written(parts)
    return None


def beside(release: Release, store: bytes, *, first: bool) -> bytes | None:
    """The release with a second box, chunk or segment that holds *store*, before or after its own."""
    parts = boxes.parse(release.container, release.data)
    for row in boxes.lists(parts):
        for at, part in enumerate(row):
            if part.form != "raw" and part.children is None and release.store in part.body:
                other = Part(part.form, part.kind, part.body.replace(release.store, store))
                row.insert(at if first else at + 1, other)
                return boxes.written(parts)
    return None


def _replaced(part: Part, old: bytes, new: bytes) -> bytes:
    """The part's body with *new* in it; in boxes what follows keeps its place where the padding allows."""
    at = part.body.find(old)
    head, tail = part.body[:at], part.body[at + len(old) :]
    if part.form == "box" and len(new) - len(old) <= len(tail):
        room = len(old) + len(tail)
        return head + new + b"\0" * (room - len(new))
    return head + new + tail


def resized(data: bytes, at: int, change: int) -> bytes:
    """*data* with the 32-bit number at *at* changed (big endian), nothing else."""
    (size,) = struct.unpack_from(">I", data, at)
    return data[:at] + struct.pack(">I", (size + change) % 2**32) + data[at + 4 :]
