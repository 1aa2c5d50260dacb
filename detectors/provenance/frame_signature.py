"""MPEG-7 frame signatures (ISO/IEC 15938-3, video signature): 380 ternary values for one picture.

The picture's luma is averaged on a grid of 32 x 32 cells. 32 elements are means of regions less 128, the
other 348 differences of the means of two regions; each becomes 0, 1 or 2 (below, within, above a band
that takes in a third of its category). Which cells belong to which element is in
``frame_signature.npz``; ``benchmarks/frame_signature_table.py`` measures that table anew from an
independent implementation.
"""

from __future__ import annotations

from functools import cache
from importlib import resources

import numpy as np
from numpy.typing import NDArray

__all__ = ["ELEMENTS", "GRID", "frame_signature"]

GRID = 32
ELEMENTS = 380
CATEGORIES = (20, 12, 116, 25, 36, 30, 62, 9, 50, 20)
"""Sizes of the standard's ten categories, in order: two of averages, eight of differences."""
_GREY = 128.0
_MEANS = 32


@cache
def element_table() -> NDArray[np.int8]:
    """Membership of the cells: int8 (380, 1024), 1 in the first region, -1 in the second, 0 in none."""
    file = resources.files(__package__).joinpath("frame_signature.npz")
    with file.open("rb") as opened, np.load(opened, allow_pickle=False) as stored:
        return np.asarray(stored["cells"], dtype=np.int8)


@cache
def _weights() -> NDArray[np.float64]:
    cells = element_table().astype(np.float64)
    first, second = np.maximum(cells, 0), np.maximum(-cells, 0)
    sizes = [np.maximum(part.sum(axis=1, keepdims=True), 1) for part in (first, second)]
    return np.asarray(first / sizes[0] - second / sizes[1], dtype=np.float64)


def cell_means(luma: NDArray[np.uint8]) -> NDArray[np.float64]:
    """Means of the 32 x 32 cells, float64 (1024,), of *luma* (h, w), each side at least 32.

    Where 32 does not divide a side, cells differ by a row or a column.
    """
    sums = luma.astype(np.float64)
    for axis in (0, 1):
        length = luma.shape[axis]
        starts = -(-np.arange(GRID) * length // GRID)
        counts = np.diff(np.append(starts, length)).reshape((-1, 1) if axis == 0 else (1, -1))
        sums = np.add.reduceat(sums, starts, axis=axis) / counts
    return sums.ravel()


def frame_signature(luma: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """The signature, uint8 (380,) of values 0, 1, 2, of a picture's luma: uint8 (h, w).

    A picture smaller than 32 pixels a side is enlarged first.
    """
    height, width = luma.shape
    if min(height, width) < GRID:
        luma = np.repeat(np.repeat(luma, -(-GRID // height), axis=0), -(-GRID // width), axis=1)
    values = _weights() @ cell_means(luma)
    values[:_MEANS] -= _GREY
    values = values.round(9)  # equal regions differ by exactly nothing
    signature = np.ones(ELEMENTS, dtype=np.uint8)
    start = 0
    for size in CATEGORIES:
        part = values[start : start + size]
        band = np.sort(np.abs(part))[int(size * 0.333)]
        signature[start : start + size] += (part > band).astype(np.uint8)
        signature[start : start + size] -= (part < -band).astype(np.uint8)
        start += size
    return signature
