"""What the tracked things are: the kind, colour and radius that explain each best, and whether they turn."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from safegen.detectors.frames import _fit
from safegen.detectors.frames._analysis import Body

_TRIED = 4
"""Looks fitted closely, out of those whose outlines are nearest."""
_UNSEEN = 0.95
_OUTLINE = 0.5
"""Weight of the outline's overlap beside what the drawn colours leave over: tiny things need it."""


@dataclass(frozen=True)
class KindFit:
    """Of one thing: what each kind leaves unexplained (0 is perfect), the best one's body colour (RGB) and
    radius in pixels by frame, and the frames looked at."""

    errors: dict[str, float]
    poses: tuple[_fit.Pose, ...]

    @property
    def kind(self) -> str:
        """The kind that explains most."""
        return min(self.errors, key=lambda k: self.errors[k])

    @property
    def colour(self) -> tuple[float, float, float]:
        """Median body colour, RGB in 0..255."""
        r, g, b = np.median([p.colour for p in self.poses], axis=0)
        return float(r), float(g), float(b)


def chosen(body: Body, wanted: Sequence[int]) -> list[int]:
    """The wanted frames in which the thing is seen, or the nearest others."""
    there = [i for i, c in enumerate(body.crops) if c is not None and np.isfinite(body.area[i])]
    picked = {min(there, key=lambda j: abs(j - i)) for i in wanted} if there else set()
    return sorted(picked)


def fit_kind(body: Body, wanted: Sequence[int]) -> KindFit | None:
    """Fit every likely kind in the wanted frames; None when the thing is in none of them."""
    crops = [c for i in chosen(body, wanted) if (c := body.crops[i]) is not None]
    if not crops:
        return None
    likely = np.mean([_fit.overlaps(c.alpha) for c in crops], axis=0)
    fitted: dict[str, list[_fit.Pose]] = {}
    errors = {kind: _UNSEEN for kind, _ in _fit.OUTLINE_VARIANTS}
    for look in np.argsort(-likely)[:_TRIED]:
        poses = [_fitted(int(look), c) for c in crops]
        kind, mean = poses[0].kind, float(np.mean([p.error for p in poses]))
        mean += _OUTLINE * (1 - float(likely[look]))
        if mean < errors[kind]:
            errors[kind], fitted[kind] = mean, poses
    best = min(errors, key=lambda k: errors[k])
    if best not in fitted:
        return None
    return KindFit(errors, tuple(fitted[best]))


def _fitted(look: int, crop: _fit.Patch) -> _fit.Pose:
    guess = _fit.fit_colour(_fit.initial_pose(look, crop), crop)
    return _fit.fit_blur(_fit.refine_pose(guess, crop), crop)


def rotation_gain(body: Body, reading: KindFit, wanted: Sequence[int]) -> float:
    """How much better the thing is explained when it may turn: 0 not at all, 1 entirely."""
    base = reading.poses[0]
    upright, free = 0.0, 0.0
    for i in chosen(body, wanted):
        crop = body.crops[i]
        if crop is None:
            continue
        errors = [_angled(base, crop, a) for a in np.deg2rad(np.arange(0, 360, 15))]
        upright += errors[0]
        free += min(errors)
    return 1 - free / upright if upright else 0.0


def _angled(base: _fit.Pose, crop: _fit.Patch, angle: float) -> float:
    total = max(float(crop.alpha.sum()), 1.0)
    look = _fit.OUTLINE_VARIANTS.index((base.kind, base.mirrored))
    dx, dy = _fit.offset(look)
    c, s = np.cos(angle), np.sin(angle)
    xs, ys = np.arange(crop.alpha.shape[1]) + 0.5, np.arange(crop.alpha.shape[0]) + 0.5
    x = float((crop.alpha.sum(0) * xs).sum() / total) + crop.corner[0] - (c * dx - s * dy) * base.radius
    y = float((crop.alpha.sum(1) * ys).sum() / total) + crop.corner[1] - (s * dx + c * dy) * base.radius
    return _fit.pose_error(replace(base, x=x, y=y, angle=float(angle)), crop)
