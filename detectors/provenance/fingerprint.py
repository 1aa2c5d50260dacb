"""Codes of pictures for searching: 256 bits each, close in Hamming distance where two pictures look alike.

A code is the signs of the 256 lowest frequencies (DCT) of a picture's coarse luma, so brightness, contrast,
size, aspect and compression hardly change it. Of a release up to five pictures are indexed whole, and the
inner half of the middle one. A file is looked up whole and mirrored, then as a crop: the released inner half
has to lie somewhere in it. Codes only point; ``content.compare`` decides.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

import cv2
import numpy as np
from numpy.typing import NDArray

from safegen.detectors.provenance._thumbs import content_box
from safegen.detectors.provenance.content import Descriptors

__all__ = ["WORDS", "Code", "CodeQuery", "crop_queries", "inner_codes", "whole_codes", "whole_queries"]

Code = NDArray[np.uint64]
"""A code: uint64 (4,), the lowest frequencies in the first word."""
WORDS = 4
MOMENTS = (0.1, 0.3, 0.5, 0.7, 0.9)
_MIDDLE = 0.5
_INNER = 0.5
_SIDE = 32
_FLAT = 2.0
"""Standard deviation (grey levels) under which a picture has nothing to be found by."""
_SAME = 32
"""Bits under which two pictures of one clip need only one row."""
_FINE = 4
_CROPS = {0.95: 1, 0.9: 2, 0.85: 3, 0.8: 4, 0.75: 4, 0.7: 5}
"""Shares of the released sides that a crop is looked up at, and positions along each side; what lies between
is near enough to one of them."""


@dataclass(frozen=True)
class CodeQuery:
    """A code to look up, and whether the file's picture was mirrored for it."""

    code: Code
    mirrored: bool


@cache
def _frequencies() -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Rows and columns of the 256 lowest frequencies, constant left out, lowest first."""
    found = [(u + v, max(u, v), u, v) for u in range(_SIDE) for v in range(_SIDE) if u + v > 0]
    rows = np.array([(u, v) for _, _, u, v in sorted(found)[: 64 * WORDS]], dtype=np.intp)
    return rows[:, 0], rows[:, 1]


def picture_code(picture: NDArray[np.uint8]) -> Code | None:
    """Code of a luma picture, uint8 (h, w); None when it is flat."""
    small = cv2.resize(picture.astype(np.float32), (_SIDE, _SIDE), interpolation=cv2.INTER_AREA)
    if float(small.std()) < _FLAT:
        return None
    signs = cv2.dct(small)[_frequencies()] > 0
    return np.packbits(signs.reshape(WORDS, 64), axis=1, bitorder="little").view(np.uint64).ravel()


def whole_codes(described: Descriptors) -> list[Code]:
    """Codes of a clip's pictures at five moments, near-duplicates left out."""
    found: list[Code] = []
    for moment in MOMENTS:
        code = picture_code(_at(described, moment))
        if code is not None and all(int(np.bitwise_count(code ^ f).sum()) > _SAME for f in found):
            found.append(code)
    return found


def inner_codes(described: Descriptors) -> list[Code]:
    """Code of the inner half of the middle picture, if it shows anything."""
    edge = (1 - _INNER) / 2
    code = picture_code(_window(_at(described, _MIDDLE), edge, edge, _INNER))
    return [] if code is None else [code]


def whole_queries(described: Descriptors) -> list[CodeQuery]:
    """What to look up for a file that shows the whole released picture, upright or mirrored."""
    codes = (
        (code, mirrored) for mirrored in (False, True) for code in whole_codes(_mirror(described, mirrored))
    )
    return [CodeQuery(code, mirrored) for code, mirrored in codes]


def crop_queries(described: Descriptors) -> Iterator[CodeQuery]:
    """What to look up for a file that shows a part of the released picture, upright or mirrored."""
    for mirrored in (False, True):
        picture = _at(_mirror(described, mirrored), _MIDDLE)
        for share, places in _CROPS.items():
            size = _INNER / share
            # Where the released inner half starts in the file, for a crop from the far to the near edge.
            first, last = (_INNER / 2 - (1 - share)) / share, _INNER / 2 / share
            middles = (np.arange(places) + 0.5) / places
            starts = np.clip(first + (last - first) * middles, 0, 1 - size)
            for y in starts:
                for x in starts:
                    code = picture_code(_window(picture, float(y), float(x), size))
                    if code is not None:
                        yield CodeQuery(code, mirrored)


def _mirror(described: Descriptors, mirrored: bool) -> Descriptors:
    if not mirrored:
        return described
    return Descriptors(described.pictures[:, :, ::-1], described.times, described.seconds)


def _at(described: Descriptors, moment: float) -> NDArray[np.uint8]:
    """The picture at a share of the clip, without bars around its content."""
    rows, columns = content_box(described.pictures)
    picture = described.pictures[round(moment * (len(described.pictures) - 1))]
    return np.ascontiguousarray(picture[rows, columns])


def _window(picture: NDArray[np.uint8], y: float, x: float, size: float) -> NDArray[np.uint8]:
    """A part of *picture*: from (*y*, *x*), *size* of each side, all shares of the sides."""
    height, width = picture.shape
    fine = cv2.resize(picture, (width * _FINE, height * _FINE), interpolation=cv2.INTER_LINEAR)
    top, left = round(y * height * _FINE), round(x * width * _FINE)
    high, wide = max(1, round(size * height * _FINE)), max(1, round(size * width * _FINE))
    return np.asarray(fine[top : top + high, left : left + wide], dtype=np.uint8)
