"""Which of four outlines a coverage map has, by overlap with drawn templates at equal area and centre."""

from __future__ import annotations

from functools import cache

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]

SIDE = 40
_REACH = 1.25
"""Half the side of a normalised map, in units of the square root of the area."""
_STEP = 15
"""Degrees between rotated templates."""


def _polygons() -> dict[str, NDArray[np.float64]]:
    around = np.linspace(0, 2 * np.pi, 40, endpoint=False)
    arms = np.arange(10) * np.pi / 5 - np.pi / 2
    radius = np.where(np.arange(10) % 2 == 0, 1.0, 0.45)
    return {
        "ball": np.stack([np.cos(around), np.sin(around)], 1),
        "box": np.array([[-1.0, -1.0], [1.0, -1.0], [1.0, 1.0], [-1.0, 1.0]]),
        "triangle": np.array([[0.0, -0.95], [0.98, 0.75], [-0.98, 0.75]]),
        "star": np.stack([radius * np.cos(arms), radius * np.sin(arms)], 1),
    }


AREA_FACTOR = {"ball": 2.54, "box": 2.43, "triangle": 1.67, "star": 1.54}
"""Area of each outline in units of its nominal radius squared."""


def normalised(alpha: Floats) -> Floats:
    """The map (h, w) moved to the centre of a (SIDE, SIDE) one and scaled to a common area."""
    import cv2

    total = max(float(alpha.sum()), 1e-6)
    ys, xs = np.mgrid[0 : alpha.shape[0], 0 : alpha.shape[1]]
    cx, cy = float((xs * alpha).sum() / total), float((ys * alpha).sum() / total)
    scale = SIDE / (2 * _REACH * np.sqrt(total))
    half = (SIDE - 1) / 2
    matrix = np.array([[scale, 0, half - scale * cx], [0, scale, half - scale * cy]], np.float32)
    out = cv2.warpAffine(alpha, matrix, (SIDE, SIDE), flags=cv2.INTER_CUBIC)
    return np.clip(np.asarray(out, np.float32), 0, 1)


@cache
def _templates() -> dict[str, tuple[Floats, ...]]:
    """For each shape its upright map first, then rotated ones: (SIDE, SIDE) float32 each."""
    import cv2

    out: dict[str, tuple[Floats, ...]] = {}
    for name, points in _polygons().items():
        maps = []
        for degrees in range(0, 360 if name != "ball" else _STEP, _STEP):
            a = np.deg2rad(degrees)
            turned = points @ np.array([[np.cos(a), np.sin(a)], [-np.sin(a), np.cos(a)]])
            canvas = np.zeros((128, 128), np.uint8)
            cv2.fillPoly(canvas, [np.round((turned * 40 + 63.5) * 16).astype(np.int32)], 255, cv2.LINE_AA, 4)
            soft = cv2.GaussianBlur(canvas.astype(np.float32) / 255, (0, 0), 2.0)
            maps.append(normalised(soft))
        out[name] = tuple(maps)
    return out


def overlaps(alpha: Floats, turned: bool) -> dict[str, float]:
    """Soft intersection over union (0..1) with each shape, rotated templates included when ``turned``."""
    seen = normalised(alpha)
    out = {}
    for name, maps in _templates().items():
        tried = maps if turned else maps[:1]
        out[name] = max(float(np.minimum(seen, m).sum() / np.maximum(seen, m).sum()) for m in tried)
    return out


def likeness(a: Floats, b: Floats) -> float:
    """Soft intersection over union of two maps at equal area and centre."""
    x, y = normalised(a), normalised(b)
    return float(np.minimum(x, y).sum() / np.maximum(x, y).sum())
