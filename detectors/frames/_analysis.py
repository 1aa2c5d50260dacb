"""From frames to tracked things: what stands before which place, taken apart and followed through the clip.

Made for small rendered worlds: one to three things, alike in motion, before a place whose rows are roughly
uniform. On anything else the coherence is low, and the readers of it say ``unknown``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from safegen.detectors.frames import _backgrounds, _fit, _foreground

if TYPE_CHECKING:
    from safegen.types import Clip

Floats = NDArray[np.float32]
Path = NDArray[np.float64]

SHORT_SIDE = 64
MAX_FRAMES = 17
_MAX_AREA = 0.6
"""Share of the picture that things may cover."""


@dataclass(frozen=True)
class Body:
    """One thing through the clip: ``centre`` (n, 2) in short sides, ``area`` (n,) in squares of it, both NaN
    where it is not seen, and its crop in every frame."""

    centre: Path
    area: Path
    crops: tuple[_fit.Patch | None, ...]


@dataclass(frozen=True)
class Track:
    """What a clip shows.

    ``gaps``: mean difference from each place; ``costs``: what 1, 2 and 3 things leave unexplained;
    ``bodies``: the things, left to right (``axis`` 0) or top to bottom (1); ``coherence``: 0..1, how well the
    clip is of this world; ``aspect``: width by height.
    """

    gaps: dict[str, float]
    costs: dict[int, float]
    bodies: tuple[Body, ...]
    axis: int
    frames: int
    coherence: float
    aspect: float


def thumbnails(clip: Clip) -> Floats:
    """Up to MAX_FRAMES evenly spaced frames, short side SHORT_SIDE: (n, h, w, 3) float32 RGB in 0..255."""
    import cv2

    wanted = set(
        np.linspace(0, max(clip.count - 1, 0), min(MAX_FRAMES, max(clip.count, 1))).round().astype(int)
    )
    out: list[Floats] = []
    for index, frame in enumerate(clip):
        if index not in wanted:
            continue
        h, w = frame.shape[:2]
        scale = SHORT_SIDE / max(1, min(h, w))
        size = (min(256, max(8, round(w * scale))), min(256, max(8, round(h * scale))))
        method = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
        small = frame if (w, h) == size else cv2.resize(frame, size, interpolation=method)
        out.append(small.astype(np.float32))
    return np.stack(out) if out else np.zeros((0, SHORT_SIDE, SHORT_SIDE, 3), np.float32)


def _body(crops: list[_fit.Patch | None], unit: int) -> Body:
    centre = np.full((len(crops), 2), np.nan)
    area = np.full(len(crops), np.nan)
    for i, crop in enumerate(crops):
        total = 0.0 if crop is None else float(crop.alpha.sum())
        if crop is None or total < 6:
            continue
        ys, xs = np.mgrid[0 : crop.alpha.shape[0], 0 : crop.alpha.shape[1]]
        x = float((xs * crop.alpha).sum() / total) + crop.corner[0] + 0.5
        y = float((ys * crop.alpha).sum() / total) + crop.corner[1] + 0.5
        centre[i], area[i] = (x / unit, y / unit), total / unit**2
    return Body(centre, area, tuple(crops))


def _bodies(fronts: list[_foreground.Foreground], number: int, axis: int, unit: int) -> tuple[Body, ...]:
    each: list[list[_fit.Patch | None]] = [[] for _ in range(number)]
    for f in fronts:
        crops = _foreground.patches(f, number, axis)
        for i in range(number):
            each[i].append(crops[i] if len(crops) == number else None)
    return tuple(_body(crops, unit) for crops in each)


def track_bodies(frames: Floats) -> Track:
    """Follow the things in ``frames`` (n, h, w, 3) float32 RGB in 0..255."""
    n, h, w = frames.shape[:3]
    nothing = Track({}, {}, (), 0, n, 0.0, w / h)
    if n == 0:
        return nothing
    found = _backgrounds.fit_background(frames)
    fronts = [
        _foreground.segment_foreground(frame, rows) for frame, rows in zip(frames, found.rows, strict=True)
    ]
    covered = float(np.mean([(f.alpha > 0.3).mean() for f in fronts]))
    calm = [np.abs(f.frame - f.rows[:, None])[f.alpha == 0] for f in fronts]
    rough = float(np.mean(np.concatenate([c.ravel() for c in calm]))) if any(c.size for c in calm) else 99.0
    across = float(np.mean([((f.alpha > 0.3).mean(1) > 0.97).mean() for f in fronts]))
    coherence = (
        ramp_down(across, 0.02, 0.1) * ramp_down(covered, _MAX_AREA, 0.75) * ramp_down(rough, 6.0, 10.0)
    )
    there = [f for f in fronts if (f.alpha > 0.3).mean() > 0.004]
    if coherence <= 0 or len(there) < max(1, n // 2):
        return Track(found.gaps, {}, (), 0, n, coherence, w / h)
    axis = _foreground.layout_axis(there)
    costs = _foreground.costs([there[0], there[len(there) // 2], there[max(0, len(there) - 2)]], axis)
    number = min(costs, key=lambda k: costs[k])
    left = costs[number] - _foreground.PENALTY * (number - 1)
    coherence *= ramp_down(left, 0.45, 0.7)
    return Track(found.gaps, costs, _bodies(fronts, number, axis, min(h, w)), axis, n, coherence, w / h)


def ramp_down(value: float, good: float, bad: float) -> float:
    """1 up to ``good``, 0 from ``bad`` on, linear between."""
    return float(np.clip((bad - value) / (bad - good), 0, 1))
