"""Frames as small luma pictures in the coordinates of the released clip.

Pixel (i, j) of a thumbnail covers canonical pixels [i, i + 1) * 256 / 48 of the watermark's plane; one
watermark tile (64) is exactly 12 thumbnail pixels, so its ambiguity is a whole number of them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import cv2
import numpy as np
from numpy.typing import NDArray

from safegen.types import Geometry

if TYPE_CHECKING:
    from safegen.types import FrameSample

__all__ = [
    "SHORT",
    "TILE",
    "Plane",
    "colour_variants",
    "content_box",
    "frame_plane",
    "thumbnail_size",
    "thumbnails",
]

SHORT = 48
"""Short side of a released clip's thumbnail."""
CANONICAL = 256
TILE = 12
_FINE = 4
"""Pictures are warped at this multiple of the thumbnail's density, then averaged down."""
_MAX_LONG = 4 * SHORT
_LEAST_CONTENT = 0.3
_DARK = 28
"""Luma below which a pixel that never changes may be a bar or a corner, not content."""


@dataclass(frozen=True)
class Plane:
    """A file's frames on the thumbnail grid: float32 (n, h, w), and where there are any: bool (h, w).

    ``bars``: where they may be padding rather than content. ``x``, ``y``: where the plane's corner lies
    on the reference's grid, modulo TILE unless ``exact``.
    """

    pictures: NDArray[np.float32]
    mask: NDArray[np.bool_]
    bars: NDArray[np.bool_]
    x: int
    y: int
    exact: bool


def thumbnail_size(width: int, height: int) -> tuple[int, int]:
    """(width, height) of the thumbnail of a released clip of this size."""
    scale = SHORT / min(width, height)
    return min(_MAX_LONG, max(1, round(width * scale))), min(_MAX_LONG, max(1, round(height * scale)))


def thumbnails(sample: FrameSample, index: Iterable[int]) -> NDArray[np.uint8]:
    """Thumbnails of the frames *index* of an uncropped clip: uint8 (n, h, w)."""
    size = thumbnail_size(sample.width, sample.height)
    matrix = _to_grid(sample, Geometry(_identity(sample)))
    return np.stack([_warp(sample.frames[i], matrix, size)[0] for i in index]).round().astype(np.uint8)


def _identity(sample: FrameSample) -> tuple[float, float, float, float]:
    unit = CANONICAL / min(sample.width, sample.height)
    return (unit, 0.0, 0.0, unit)


def _to_grid(sample: FrameSample, geometry: Geometry) -> NDArray[np.float64]:
    """2x3 matrix from the sample's own pixels (corner origin) to thumbnail pixels."""
    height, width = sample.frames.shape[1:3]
    a = np.array(geometry.a, dtype=np.float64).reshape(2, 2)
    a = a @ np.diag([sample.width / width, sample.height / height])
    return np.column_stack([a, np.array(geometry.t)]) * (SHORT / CANONICAL)


def _warp(
    frame: NDArray[np.uint8], matrix: NDArray[np.float64], size: tuple[int, int]
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """One frame on the grid, averaged over each grid pixel, and how much of each pixel it covers."""
    grey = cv2.cvtColor(frame, cv2.COLOR_RGB2GRAY) if frame.ndim == 3 else frame
    shrink = _FINE * float(np.sqrt(abs(np.linalg.det(matrix[:, :2]))))
    if shrink < 0.75:
        small = cv2.resize(grey, None, fx=shrink, fy=shrink, interpolation=cv2.INTER_AREA)
    else:
        small = grey
    ratio = np.array([small.shape[1] / grey.shape[1], small.shape[0] / grey.shape[0]])
    fine = matrix.copy() * _FINE
    fine[:, :2] = fine[:, :2] / ratio
    # cv2 counts pixel centres at whole numbers; here they are at + 0.5.
    fine[:, 2] += fine[:, :2] @ np.array([0.5, 0.5]) - 0.5
    big = (size[0] * _FINE, size[1] * _FINE)
    drawn = cv2.warpAffine(small, fine, big, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    inside = cv2.warpAffine(np.full(small.shape, 255, np.uint8), fine, big, flags=cv2.INTER_NEAREST)
    area = cv2.INTER_AREA
    return (
        cv2.resize(drawn.astype(np.float32), size, interpolation=area),
        cv2.resize(inside.astype(np.float32) / 255, size, interpolation=area),
    )


_BT601, _BT709 = (0.299, 0.114), (0.2126, 0.0722)
"""Shares of red and blue in luma."""
_SHIFTED = 1.0
"""Mean difference (grey levels) from which another reading of the colours is worth comparing."""


def _to_ycc(red: float, blue: float) -> NDArray[np.float64]:
    """RGB to Y, Cb, Cr, each colour difference scaled to [-0.5, 0.5]."""
    luma = np.array([red, 1 - red - blue, blue])
    return np.stack([luma, (np.eye(3)[2] - luma) / (2 - 2 * blue), (np.eye(3)[0] - luma) / (2 - 2 * red)])


def colour_variants(sample: FrameSample) -> Iterator[FrameSample]:
    """*sample*, then its luma had its colours been read by another matrix than the release's.

    Files lose the tag that names their matrix (BT.601 or BT.709) when they are encoded again. Where the
    colours are such that this changes the luma, both mistakes are undone in turn.
    """
    yield sample
    old, new = _to_ycc(*_BT601), _to_ycc(*_BT709)
    luma = old[0]
    for decoded, meant in ((old, new), (new, old)):
        weights = luma @ np.linalg.inv(meant) @ decoded
        few = sample.frames[:: max(1, len(sample.frames) // 4)]
        if np.abs(few @ (weights - luma)).mean() < _SHIFTED:
            continue
        grey = [cv2.transform(f, weights[None].astype(np.float32)) for f in sample.frames]
        yield replace(sample, frames=np.stack(grey).reshape(sample.frames.shape[:3]))


def frame_plane(sample: FrameSample, geometry: Geometry | None, shape: tuple[int, ...]) -> Plane | None:
    """Every frame on the grid under *geometry* (``None``: uncropped), in a plane just large enough.

    *shape* (h, w) is the reference thumbnail's; ``None`` when the geometry is absurd for it.
    """
    exact = geometry is None or geometry.period == 0
    if geometry is not None and not np.isfinite([*geometry.a, *geometry.t]).all():
        return None
    matrix = _to_grid(sample, geometry or Geometry(_identity(sample)))
    height, width = sample.frames.shape[1:3]
    corners = matrix @ np.array(
        [[0, width, 0, width], [0, 0, height, height], [1, 1, 1, 1]], dtype=np.float64
    )
    if not np.isfinite(corners).all():
        return None
    low = np.floor(corners.min(axis=1) + 0.02)
    extent = np.ceil(corners.max(axis=1) - 0.02) - low
    limit = 4 * max(shape)
    if extent.max() > limit or extent.min() < 4:
        return None
    matrix[:, 2] -= low
    size = (int(extent[0]), int(extent[1]))
    warped = [_warp(np.ascontiguousarray(f), matrix, size) for f in sample.frames]
    pictures = np.stack([w[0] for w in warped])
    mask, bars = warped[0][1] > 0.9, _bars(pictures)
    if geometry is None and (mask & ~bars).any():
        return _fit(pictures, mask & ~bars, shape)
    return Plane(pictures, mask, bars, int(low[0]), int(low[1]), exact)


def _bars(pictures: NDArray[np.float32]) -> NDArray[np.bool_]:
    """Static dark areas that touch the border: letterbox bars, and the corners a rotation leaves."""
    dark = (pictures.max(axis=0) < _DARK) & (np.ptp(pictures, axis=0) < 6)
    ring = np.pad(dark.astype(np.uint8), 1, constant_values=1)
    labels = cv2.connectedComponents(ring, connectivity=4)[1]
    bars = (labels == labels[0, 0])[1:-1, 1:-1]
    if bars.mean() > 0.9:
        return np.zeros_like(bars)
    grown = cv2.dilate(bars.astype(np.uint8), np.ones((3, 3), np.uint8))
    return np.asarray(grown > 0)


def content_box(pictures: NDArray[np.uint8]) -> tuple[slice, slice]:
    """Rows and columns of *pictures*, (n, h, w), inside letterbox bars; everything where there are none."""
    inside = ~_bars(pictures.astype(np.float32))
    if inside.mean() < _LEAST_CONTENT:
        inside = np.ones_like(inside)
    rows, columns = np.flatnonzero(inside.any(axis=1)), np.flatnonzero(inside.any(axis=0))
    return slice(int(rows[0]), int(rows[-1]) + 1), slice(int(columns[0]), int(columns[-1]) + 1)


def _fit(pictures: NDArray[np.float32], mask: NDArray[np.bool_], shape: tuple[int, ...]) -> Plane:
    """Without geometry: what is inside the bars is taken to be the whole released picture."""
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    cut = pictures[:, rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    size = (shape[1], shape[0])
    laid = np.stack([cv2.resize(p, size, interpolation=cv2.INTER_LINEAR) for p in cut])
    everywhere = np.ones(laid.shape[1:], dtype=bool)
    return Plane(laid, everywhere, ~everywhere, 0, 0, True)
