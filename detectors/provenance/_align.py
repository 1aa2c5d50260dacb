"""Which part of which released picture lies under which frame: tile multiples and time offsets."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import cv2
import numpy as np
from numpy.typing import NDArray

from safegen.detectors.provenance._thumbs import TILE, Plane

if TYPE_CHECKING:
    from safegen.types import FrameSample

__all__ = ["Alignment", "alignments"]

_OUTSIDE = 0.04
"""Share of a file's content that may lie outside the released picture: an honest crop has none."""
_INSET = 0.96
"""Share of the released picture that must lie inside a file that shows it among other things."""
_KEEP = 3
_SIGMA = 2.5


@dataclass(frozen=True)
class Alignment:
    """Pairs of pictures of one place and time: float32 (n, h, w) each, and where both are content.

    ``overlap``: how much of the released picture that is; ``share``: how much of the file's, 1 unless the
    file shows the release among other things (a window on a desktop).
    """

    reference: NDArray[np.float32]
    sample: NDArray[np.float32]
    mask: NDArray[np.bool_]
    overlap: float
    share: float


@dataclass(frozen=True)
class _Placement:
    window: tuple[slice, slice]
    source: tuple[slice, slice]
    mask: NDArray[np.bool_]
    overlap: float
    share: float


def alignments(
    pictures: NDArray[np.uint8], times: tuple[float, ...], seconds: float, plane: Plane, sample: FrameSample
) -> Iterator[Alignment]:
    """The few most promising alignments, judged by the correlation of high-passed pictures."""
    ranked: list[tuple[float, _Placement, list[tuple[int, int]]]] = []
    high_reference = _high(pictures.astype(np.float32), np.ones(pictures.shape[1:], dtype=bool))
    high_sample = _high(plane.pictures, plane.mask)
    for place in _placements(pictures.shape[1:], plane):
        mask = place.mask
        r = _unit(high_reference[:, place.window[0], place.window[1]][:, mask])
        s = _unit(high_sample[:, place.source[0], place.source[1]][:, mask])
        likeness = r @ s.T
        for pairs in _pairings(times, seconds, sample):
            value = float(np.mean([likeness[i, j] for i, j in pairs]))
            ranked.append((value, place, pairs))
    ranked.sort(key=lambda entry: -entry[0])
    for _, place, pairs in ranked[:_KEEP]:
        i, j = (list(v) for v in zip(*pairs, strict=True))
        yield Alignment(
            pictures[i][:, place.window[0], place.window[1]].astype(np.float32),
            plane.pictures[j][:, place.source[0], place.source[1]],
            place.mask,
            place.overlap,
            place.share,
        )


def _high(pictures: NDArray[np.float32], mask: NDArray[np.bool_]) -> NDArray[np.float32]:
    """Local contrast: the picture less its surroundings, counting content only."""
    weight = mask.astype(np.float32)
    under = cv2.GaussianBlur(weight, (0, 0), _SIGMA) + 1e-3
    around = [cv2.GaussianBlur(p * weight, (0, 0), _SIGMA) / under for p in pictures]
    return np.asarray((pictures - np.stack(around)) * weight, dtype=np.float32)


def _unit(rows: NDArray[np.float32]) -> NDArray[np.float32]:
    rows = rows - rows.mean(axis=1, keepdims=True)
    return np.asarray(rows / (np.linalg.norm(rows, axis=1, keepdims=True) + 1e-3), dtype=np.float32)


def _placements(shape: tuple[int, ...], plane: Plane) -> list[_Placement]:
    """Positions of the plane on the reference at which its content lies inside the released picture.

    Where there are none, those at which the whole released picture lies inside the file.
    """
    content = plane.mask & ~plane.bars
    if content.sum() < 0.02 * plane.mask.sum():  # a night sky is dark and still too, but no padding
        content = plane.mask
    total = int(content.sum())
    if total == 0:
        return []
    places = [p for y, x in _spots(shape, plane) for p in _placement_at(shape, plane, y, x)]
    inside = [p for p in places if content[p.source].sum() >= (1 - _OUTSIDE) * total]
    if inside:
        return [replace(p, share=1.0) for p in inside]
    area = _INSET * shape[0] * shape[1]
    return [p for p in places if p.mask.size >= area]


def _spots(shape: tuple[int, ...], plane: Plane) -> list[tuple[int, int]]:
    """Rows and columns of the reference at which the plane's corner may lie."""
    if plane.exact:
        return [(plane.y, plane.x)]
    first_y, first_x = (
        v % TILE - ((n // TILE) + 1) * TILE for v, n in zip((plane.y, plane.x), plane.mask.shape, strict=True)
    )
    return [(y, x) for y in range(first_y, shape[0], TILE) for x in range(first_x, shape[1], TILE)]


def _placement_at(shape: tuple[int, ...], plane: Plane, y: int, x: int) -> Iterator[_Placement]:
    """The plane with its corner at row *y*, column *x* of the reference; nothing where too little meets."""
    height, width = plane.mask.shape
    top, left = max(0, y), max(0, x)
    bottom, right = min(shape[0], y + height), min(shape[1], x + width)
    if bottom - top < 4 or right - left < 4:
        return
    source = (slice(top - y, bottom - y), slice(left - x, right - x))
    mask = _inner(plane.mask[source], y < -1, x < -1, y + height > shape[0] + 1, x + width > shape[1] + 1)
    if mask.sum() < 16:
        return
    yield _Placement(
        (slice(top, bottom), slice(left, right)),
        source,
        mask,
        overlap=float(mask.sum()) / (shape[0] * shape[1]),
        share=min(1.0, mask.size / float(plane.mask.sum())),
    )


def _inner(mask: NDArray[np.bool_], top: bool, left: bool, bottom: bool, right: bool) -> NDArray[np.bool_]:
    """*mask* without a one-pixel rim where the file goes on beyond the release: there padding bleeds in."""
    out = mask.copy()
    out[: int(top)] = False
    out[:, : int(left)] = False
    out[len(out) - int(bottom) :] = False
    out[:, out.shape[1] - int(right) :] = False
    return out


def _pairings(times: tuple[float, ...], seconds: float, sample: FrameSample) -> list[list[tuple[int, int]]]:
    """Pairs (reference, sample) of frames for every time offset at which the file fits in the release."""
    ours, theirs = np.array(times), np.array(sample.times)
    step = max(float(np.median(np.diff(theirs))), 0.02) if len(theirs) > 1 else 0.02
    spacing = max(float(np.median(np.diff(ours))), 0.02) if len(ours) > 1 else step
    tolerance = 0.51 * max(step, spacing)
    latest = max(0.0, seconds - float(sample.seconds))
    offsets = np.unique(np.append(np.arange(0.0, latest + step, max(step / 2, latest / 200)), latest))
    found: list[list[tuple[int, int]]] = []
    for offset in (float(o) for o in offsets):
        if len(ours) <= len(theirs):
            nearest = np.abs(theirs[None] + offset - ours[:, None])
            j = nearest.argmin(axis=1)
            close = nearest.min(axis=1) <= 0.51 * step + 1e-3
            pairs = [(int(i), int(j[i])) for i in np.flatnonzero(close)]
        else:
            nearest = np.abs(ours[None] - theirs[:, None] - offset)
            i_of = nearest.argmin(axis=1)
            close = nearest.min(axis=1) <= tolerance + 1e-3
            pairs = [(int(i_of[j]), int(j)) for j in np.flatnonzero(close)]
        if pairs and pairs not in found:
            found.append(pairs)
    if not found:
        gap = np.abs(theirs[None] - ours[:, None])
        i, j = divmod(int(gap.argmin()), len(theirs))
        found.append([(i, j)])
    return found
