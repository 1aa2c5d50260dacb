"""The index of codes: which releases have a picture like this one? Exact, by counting bits in numpy.

The nearest rows are found by brute force: the first word of every code is compared, the rest only of the
few rows that pass. That loses a row within the radius only where its errors crowd into the first word, and
needs no tree, no graph and no library. A crop is looked up by a hundred codes and more: for these a large
table is sorted into buckets once, in memory. The file is a cache of what the ledger holds: it is thrown away
whenever it is damaged or of another ledger, and nothing it says is believed unchecked.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from safegen.detectors.provenance._buckets import Buckets, filter_by_distance
from safegen.detectors.provenance.content import Descriptors
from safegen.detectors.provenance.fingerprint import WORDS, Code, CodeQuery, inner_codes, whole_codes

__all__ = ["RADIUS", "Index", "IndexedRange", "NearRelease", "Table"]

RADIUS = 88
"""Bits of 256 up to which a row is near; unrelated pictures differ in about 128."""
FIRST = 24
"""Bits of the first 64 up to which a row is looked at further."""
LARGE = 50_000
"""Rows from which crops are looked up in buckets: below, reading them all is as quick and misses nothing."""
_BLOCK = 1 << 15
_MAGIC = b"safegen fingerprints 1\n"


@dataclass(frozen=True)
class IndexedRange:
    """What of a ledger is indexed: the first *size* entries of *origin*; *leaf*: the last SHA-256 (hex)."""

    origin: str = ""
    size: int = 0
    leaf: str = ""


@dataclass(frozen=True)
class NearRelease:
    """A release (its index in the ledger) with a row near a query."""

    index: int
    bits: int
    mirrored: bool


class Table:
    """Rows of codes, growing: (4, n) uint64 by word, and the release of each: int64 (n,)."""

    def __init__(self) -> None:
        """Start empty."""
        self._codes = np.empty((WORDS, 0), dtype=np.uint64)
        self._releases = np.empty(0, dtype=np.int64)
        self._new: list[tuple[int, Code]] = []
        self._buckets: Buckets | None = None

    def __len__(self) -> int:
        """Number of rows."""
        return len(self._releases) + len(self._new)

    def add(self, release: int, codes: Iterable[Code]) -> None:
        """Add rows of *release*."""
        self._new += [(release, code) for code in codes]

    @property
    def codes(self) -> NDArray[np.uint64]:
        """All codes, uint64 (4, n), each word in one piece of memory."""
        self._settle()
        return self._codes

    @property
    def releases(self) -> NDArray[np.int64]:
        """The release of each row, int64 (n,)."""
        self._settle()
        return self._releases

    def fill(self, codes: NDArray[np.uint64], releases: NDArray[np.int64]) -> None:
        """Take over whole arrays instead of what is there."""
        self._codes, self._releases, self._new = codes, releases, []
        self._buckets = None

    def _settle(self) -> None:
        if self._new:
            fresh = np.stack([code for _, code in self._new], axis=1)
            self._codes = np.ascontiguousarray(np.concatenate([self._codes, fresh], axis=1))
            numbers = np.array([release for release, _ in self._new], dtype=np.int64)
            self._releases = np.concatenate([self._releases, numbers])
            self._new = []
            self._buckets = None

    def nearest_rows(
        self, query: CodeQuery, *, radius: int = RADIUS, most: int = 256, quick: bool = False
    ) -> list[NearRelease]:
        """The rows within *radius* bits of the query (see FIRST), the nearest *most* of them, in no order.

        *quick*: by buckets where there are LARGE rows, which pays for many queries (see ``_buckets``).
        """
        if quick and len(self) >= LARGE:
            if self._buckets is None or self._new:
                self._buckets = Buckets(self.codes)
            rows, bits = self._buckets.near(query.code, FIRST, radius)
        else:
            rows, bits = self._read_all(query.code, radius)
        if len(rows) > most:
            nearest = np.argpartition(bits, most)[:most]
            rows, bits = rows[nearest], bits[nearest]
        return [
            NearRelease(int(release), int(count), query.mirrored)
            for release, count in zip(self.releases[rows], bits, strict=True)
        ]

    def _read_all(self, code: Code, radius: int) -> tuple[NDArray[np.intp], NDArray[np.int64]]:
        """Rows within *radius* bits of *code* by a look at every first word, and their bits."""
        first, word = self.codes[0], code[0]
        differing = np.empty(min(_BLOCK, len(first)), dtype=np.uint64)
        counts = np.empty(len(differing), dtype=np.uint8)
        rows: list[NDArray[np.intp]] = [np.empty(0, dtype=np.intp)]
        bits: list[NDArray[np.uint8]] = [np.empty(0, dtype=np.uint8)]
        for start in range(0, len(first), _BLOCK):
            part = first[start : start + _BLOCK]
            n = len(part)
            np.bitwise_xor(part, word, out=differing[:n])
            np.bitwise_count(differing[:n], out=counts[:n])
            passed = np.flatnonzero(counts[:n] <= FIRST)
            rows.append(passed + start)
            bits.append(counts[passed])
        return filter_by_distance(self.codes, np.concatenate(rows), np.concatenate(bits), code, radius)


@dataclass
class Index:
    """Whole pictures and inner halves of releases, and what of the ledger they cover."""

    upto: IndexedRange = IndexedRange()
    whole: Table = field(default_factory=Table)
    inner: Table = field(default_factory=Table)

    def add(self, release: int, packed: bytes) -> None:
        """Index a release by its packed descriptors. Raises UnreadableInput when they are damaged."""
        if packed:
            described = Descriptors.from_bytes(packed)
            self.whole.add(release, whole_codes(described))
            self.inner.add(release, inner_codes(described))

    def nearest_releases(
        self, queries: Iterable[CodeQuery], *, cropped: bool, limit: int
    ) -> list[NearRelease]:
        """The *limit* nearest releases over all *queries*, nearest first; *cropped*: among inner halves."""
        table = self.inner if cropped else self.whole
        best: dict[tuple[int, bool], NearRelease] = {}
        for query in queries:
            for found in table.nearest_rows(query, quick=cropped):
                key = (found.index, found.mirrored)
                if key not in best or found.bits < best[key].bits:
                    best[key] = found
        return sorted(best.values(), key=lambda n: (n.bits, -n.index))[:limit]

    def to_bytes(self) -> bytes:
        """The file: a magic line, a line of JSON, then the arrays, little-endian."""
        tables = (self.whole, self.inner)
        body = b"".join(t.codes.astype("<u8").tobytes() + t.releases.astype("<i8").tobytes() for t in tables)
        head = {**vars(self.upto), "rows": [len(t) for t in tables], "crc32": zlib.crc32(body)}
        return _MAGIC + json.dumps(head).encode() + b"\n" + body

    @classmethod
    def from_bytes(cls, data: bytes) -> Index | None:
        """Read what ``to_bytes`` wrote; None for anything else: the index is then built anew."""
        end = data.find(b"\n", len(_MAGIC))
        if not data.startswith(_MAGIC) or end < 0:
            return None
        try:
            head = json.loads(data[len(_MAGIC) : end])
            upto = IndexedRange(str(head["origin"]), int(head["size"]), str(head["leaf"]))
            rows, crc = [int(n) for n in head["rows"]], int(head["crc32"])
        except (ValueError, TypeError, KeyError, RecursionError):
            return None
        body = memoryview(data)[end + 1 :]
        size = 8 * (WORDS + 1)
        if len(rows) != 2 or min(rows) < 0 or len(body) != size * sum(rows) or zlib.crc32(body) != crc:
            return None
        found = cls(upto)
        _fill((found.whole, found.inner), rows, body)
        return found


def _fill(tables: Sequence[Table], rows: Sequence[int], body: memoryview) -> None:
    """Hand out the arrays of a file's body."""
    start = 0
    for table, n in zip(tables, rows, strict=True):
        codes = np.frombuffer(body, dtype="<u8", count=WORDS * n, offset=start).reshape(WORDS, n)
        start += 8 * WORDS * n
        table.fill(codes, np.frombuffer(body, dtype="<i8", count=n, offset=start))
        start += 8 * n
