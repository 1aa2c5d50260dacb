"""Which part of which released picture lies under which frame: tile multiples, speed and start."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import cv2
import numpy as np
from numpy.typing import NDArray

from safegen.detectors.provenance._between import best_between
from safegen.detectors.provenance._structure import moving_parts
from safegen.detectors.provenance._thumbs import TILE, Plane
from safegen.detectors.provenance._timing import TimeMap, find_time_maps

if TYPE_CHECKING:
    from safegen.types import FrameSample

__all__ = ["Alignment", "alignments"]

_OUTSIDE = 0.04
"""Share of a file's content that may lie outside the released picture: an honest crop has none."""
_INSET = 0.96
"""Share of the released picture that must lie inside a file that shows it among other things."""
_KEEP = 3
_PLACES = 4
"""Placements, the likeliest first, for which speed and start are searched."""
_LIKELY = 0.3
"""Mean correlation of pictures with their likeliest partners that every match exceeds by far."""
_SIGMA = 2.5


@dataclass(frozen=True)
class Alignment:
    """Pairs of pictures of one place and time: float32 (n, h, w) each, and where both are content.

    ``before`` and ``after``: the file's own pictures around each moment, from which ``sample`` was chosen
    or interpolated. ``overlap``: how much of the released picture is compared; ``share``: how much of the
    file's, 1 unless the file shows the release among other things (a window on a desktop); ``inside``: how
    much of the file's time. ``usual``: whether the file is the whole release at another speed, or a part
    of it at its own. ``anywhen``: the mean likeness of the file's moving parts with the likeliest recorded
    ones, whatever their order.
    """

    reference: NDArray[np.float32]
    sample: NDArray[np.float32]
    before: NDArray[np.float32]
    after: NDArray[np.float32]
    mask: NDArray[np.bool_]
    overlap: float
    share: float
    inside: float
    usual: bool
    anywhen: float


@dataclass(frozen=True)
class _Placement:
    window: tuple[slice, slice]
    source: tuple[slice, slice]
    mask: NDArray[np.bool_]
    overlap: float
    share: float


def alignments(
    pictures: NDArray[np.uint8],
    times: tuple[float, ...],
    seconds: float,
    plane: Plane,
    sample: FrameSample,
    *,
    likely: bool = False,
) -> Iterator[Alignment]:
    """The few most promising alignments, judged by the correlation of high-passed pictures.

    *likely*: none where the pictures do not resemble the recorded ones in any order.
    """
    recorded = _high(pictures.astype(np.float32), np.ones(pictures.shape[1:], dtype=bool))
    shown = _high(plane.pictures, plane.mask)
    rough = []
    for place in _placements(pictures.shape[1:], plane):
        whole = _likeness(recorded, shown, place)
        resemblance = max(float(whole.max(axis=axis).mean()) for axis in (0, 1))
        if not likely or resemblance >= _LIKELY:
            rough.append((resemblance, place, whole))
    rough.sort(key=lambda entry: -entry[0])
    ours, theirs = np.array(times, dtype=float), np.array(sample.times, dtype=float)
    moving = (moving_parts(recorded), moving_parts(shown))
    ranked: list[tuple[TimeMap, _Placement, float]] = []
    for _, place, whole in rough[:_PLACES]:
        motion = _likeness(*moving, place)
        anywhen = float(motion.max(axis=0).mean())
        maps = find_time_maps(0.5 * (whole + motion), ours, theirs, seconds, most=_KEEP)
        ranked += [(m, place, anywhen) for m in maps]
    ranked.sort(key=lambda entry: -entry[0].value)
    plain = [entry for entry in ranked[_KEEP:] if entry[0].plain][:1]
    for found, place, anywhen in ranked[:_KEEP] + plain:
        usual = found.usual(seconds, theirs)
        yield _aligned(pictures, plane, place, found, ours, theirs, usual, anywhen)


def _likeness(
    recorded: NDArray[np.float32], shown: NDArray[np.float32], place: _Placement
) -> NDArray[np.float32]:
    """Correlation of every recorded picture with every one of the file's: (n, m)."""
    r = _unit(recorded[:, place.window[0], place.window[1]][:, place.mask])
    s = _unit(shown[:, place.source[0], place.source[1]][:, place.mask])
    return np.asarray(r @ s.T, dtype=np.float32)


def _aligned(
    pictures: NDArray[np.uint8],
    plane: Plane,
    place: _Placement,
    found: TimeMap,
    ours: NDArray[np.float64],
    theirs: NDArray[np.float64],
    usual: bool,
    anywhen: float,
) -> Alignment:
    """The pairs of one placement and time map; each of the file's pictures the best around its moment."""
    index, positions = found.positions(ours, theirs)
    if len(index) == 0:  # a short passage between two recorded pictures
        moments = found.rate * theirs + found.offset
        gap = np.abs(ours[:, None] - moments[None])
        i, j = divmod(int(gap.argmin()), len(theirs))
        index, positions = np.array([i]), np.array([float(j)])
    reference = pictures[index][:, place.window[0], place.window[1]].astype(np.float32)
    shown = plane.pictures[:, place.source[0], place.source[1]]
    low = np.floor(positions).astype(int)
    before, after = shown[low], shown[np.minimum(low + 1, len(shown) - 1)]
    sample = best_between(reference, before, after, positions - low, place.mask)
    return Alignment(
        reference, sample, before, after, place.mask, place.overlap, place.share, found.inside, usual, anywhen
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
