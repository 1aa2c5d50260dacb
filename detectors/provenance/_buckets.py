"""Rows by their code's first 16 bits, so that a lookup reads one row in a hundred.

The first bits of a code are its lowest frequencies, which edits change least: of pictures that match at all,
one or two of these 16 differ. A query reads the rows whose first 16 bits differ from its own in up to
``REACH`` (697 of 65,536 values): multi-index hashing (Norouzi, Punjani & Fleet 2012, CVPR) with one table.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["REACH", "Buckets", "filter_by_distance"]

REACH = 3
"""Bits of the first 16 up to which a row is looked at."""
_VALUES = 1 << 16
_NEAR = np.flatnonzero(np.bitwise_count(np.arange(_VALUES, dtype=np.uint16)) <= REACH).astype(np.uint16)


class Buckets:
    """An order of the rows of *codes* (uint64 (words, n)) by their first 16 bits; *codes* is not copied."""

    def __init__(self, codes: NDArray[np.uint64]) -> None:
        """Sort them: about 30 ms a million rows."""
        self._codes = codes
        keys = (codes[0] & np.uint64(_VALUES - 1)).astype(np.uint16)
        self._order = np.argsort(keys, kind="stable").astype(np.int32)
        self._starts = np.concatenate([[0], np.cumsum(np.bincount(keys, minlength=_VALUES))])
        self._first = codes[0][self._order]

    def near(
        self, code: NDArray[np.uint64], first: int, radius: int
    ) -> tuple[NDArray[np.intp], NDArray[np.int64]]:
        """Rows within *radius* bits of *code* (*first* in the first word) and REACH of it, and their bits."""
        keys = (_NEAR ^ np.uint16(code[0] & np.uint64(_VALUES - 1))).astype(np.intp)
        starts = self._starts[keys]
        counts = self._starts[keys + 1] - starts
        ends = np.cumsum(counts)
        places = np.arange(ends[-1])
        places += np.repeat(starts - ends + counts, counts)
        bits = np.bitwise_count(np.take(self._first, places, mode="clip") ^ code[0])
        kept = np.flatnonzero(bits <= first)
        return filter_by_distance(
            self._codes, self._order[places[kept]].astype(np.intp), bits[kept], code, radius
        )


def filter_by_distance(
    codes: NDArray[np.uint64],
    rows: NDArray[np.intp],
    bits: NDArray[np.uint8],
    code: NDArray[np.uint64],
    radius: int,
) -> tuple[NDArray[np.intp], NDArray[np.int64]]:
    """Those of *rows* that are within *radius* bits of *code*, and how many; *bits*: of the first words.

    Word by word: unrelated rows are over the radius before the last.
    """
    total = bits.astype(np.int64)
    for word, wanted in zip(codes[1:], code[1:], strict=True):
        total += np.bitwise_count(word[rows] ^ wanted)
        kept = total <= radius
        rows, total = rows[kept], total[kept]
    return rows, total
