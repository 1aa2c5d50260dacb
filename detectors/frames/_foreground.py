"""Takes apart what stands before the place: one thing, two or three, by trying each and drawing it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from safegen.detectors.frames import _fit

Floats = NDArray[np.float32]
Mask = NDArray[np.bool_]

_FAINT, _SOLID = 20.0, 34.0
"""RGB distance (0..441) from the place where a thing may begin and where it certainly has."""
_PART = 0.055
"""Smallest area of a thing next to another, as a share of it."""
PENALTY = 0.05
"""Share of what is seen that one more thing has to explain to be believed."""

NUMBERS = (1, 2, 3)
_HOPELESS = 2.0
_ENOUGH = 0.12
"""What one thing may leave unexplained before two or three are tried."""


@dataclass(frozen=True)
class Foreground:
    """What stands before the place in one frame: ``alpha`` (h, w) in 0..1, 0 where it is the place."""

    frame: Floats
    rows: Floats
    alpha: Floats


def segment_foreground(frame: Floats, rows: Floats) -> Foreground:
    """Separate ``frame`` (h, w, 3) from the place's row colours (h, 3); thin detail of it vanishes."""
    import cv2

    away = np.sqrt(((frame - rows[:, None]) ** 2).sum(2))
    solid = (away > _SOLID).astype(np.uint8)
    core = cv2.morphologyEx(solid, cv2.MORPH_OPEN, np.ones((3, 3), np.uint8))
    count, labels, stats, _ = cv2.connectedComponentsWithStats(core, connectivity=8)
    for i in range(1, count):
        if stats[i, cv2.CC_STAT_AREA] < 9:
            core[labels == i] = 0
    near = cv2.dilate(core, np.ones((5, 5), np.uint8)) > 0
    level = np.clip((away - _FAINT) / (_SOLID * 1.6 - _FAINT), 0, 1)
    return Foreground(frame, rows, np.where(near, level, 0).astype(np.float32))


def layout_axis(fronts: list[Foreground]) -> int:
    """Along which axis things stand: 0 side by side, 1 one above the other."""
    spreads = []
    for f in fronts:
        ys, xs = np.nonzero(f.alpha > 0.3)
        if len(ys):
            spreads.append((float(np.ptp(xs)), float(np.ptp(ys))))
    wide, high = np.mean(spreads, axis=0) if spreads else (0.0, 0.0)
    return int(high > wide)


def split(alpha: Floats, count: int, axis: int) -> list[Mask]:
    """The covered pixels shared out among ``count`` things along an axis: masks (h, w)."""
    ys, xs = np.nonzero(alpha > 0.3)
    if count == 1 or len(ys) < 4 * count:
        return [np.ones(alpha.shape, bool)]
    points = np.stack([xs, ys], 1).astype(np.float64)
    low, high = points[:, axis].min(), points[:, axis].max()
    centres = np.repeat(points.mean(0)[None], count, 0)
    centres[:, axis] = low + (high - low) * (np.arange(count) + 0.5) / count
    for _ in range(6):
        nearest = np.argmin([(points - c) ** 2 @ (1.0, 1.0) for c in centres], axis=0)
        for i in range(count):
            if (nearest == i).any():
                centres[i] = points[nearest == i].mean(0)
    x, y = np.arange(alpha.shape[1])[None], np.arange(alpha.shape[0])[:, None]
    label = np.argmin([(x - cx) ** 2 + (y - cy) ** 2 for cx, cy in centres], axis=0)
    return [label == i for i in range(count)]


def patches(seen: Foreground, count: int, axis: int) -> list[_fit.Patch]:
    """Crops round each of ``count`` things, left to right or top to bottom; fewer when it cannot be split."""
    masks = split(seen.alpha, count, axis)
    out = []
    for mask in masks:
        others = ~mask & (seen.alpha > 0.05)
        out.append(_fit.patch(seen.frame, seen.rows, np.where(mask, seen.alpha, 0), others))
    return out


def _unexplained(seen: Foreground, count: int, axis: int) -> float:
    """Share of what stands before the place that ``count`` things, each the best there is, leave over."""
    crops = patches(seen, count, axis)
    areas = [float(c.alpha.sum()) for c in crops]
    if len(crops) < count or min(areas) < _PART * max(areas) or min(areas) < 6:
        return _HOPELESS
    total = left = 0.0
    for crop in crops:
        looks = np.argsort(-_fit.overlaps(crop.alpha))[:3]
        best = min((_fit.initial_pose(int(i), crop) for i in looks), key=lambda p: p.error)
        best = _fit.refine_pose(best, crop, (0.7,))
        left += best.error * crop.energy
        total += crop.energy
    return left / max(total, 1.0)


def costs(fronts: list[Foreground], axis: int) -> dict[int, float]:
    """How much one, two and three things leave unexplained, the penalty for more of them included.

    Frames that some number of things explains well count most: things that turn are upright in few.
    """
    each = [_costs(f, axis) for f in fronts]
    weights = np.exp(-np.array([min(c) for c in each]) / 0.04)
    mean = np.average(each, axis=0, weights=weights + 1e-9)
    return {n: float(mean[n - 1]) for n in NUMBERS}


def _costs(seen: Foreground, axis: int) -> list[float]:
    out: list[float] = []
    for n in NUMBERS:
        enough = n > 1 and out[0] < _ENOUGH
        out.append(_HOPELESS if enough else _unexplained(seen, n, axis) + PENALTY * (n - 1))
    return out
