"""Which place a clip shows and what colour it has in every row of every frame, at day or dusk, whatever the
camera does."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
RGB = tuple[int, int, int]

BANDS: dict[str, tuple[RGB, RGB, RGB, RGB, float]] = {
    "grey": ((148, 150, 152), (148, 150, 152), (140, 142, 144), (140, 142, 144), 0.5),
    "grass": ((150, 200, 236), (190, 222, 240), (126, 188, 84), (104, 168, 66), 0.30),
    "sea": ((168, 206, 236), (206, 226, 240), (70, 150, 190), (48, 118, 168), 0.30),
    "desert": ((176, 206, 226), (226, 220, 200), (228, 200, 142), (214, 178, 112), 0.30),
    "night": ((12, 14, 40), (22, 26, 62), (22, 26, 62), (34, 38, 84), 0.7),
    "snow": ((166, 188, 212), (190, 206, 224), (228, 234, 242), (238, 242, 248), 0.30),
}
"""Of each place: sky at the top, sky at the horizon, ground at the horizon, ground at the bottom, height of
the horizon as a fraction."""

_DUSK_SKY = ((104, 84, 146), (250, 166, 104))
_DUSK_LIGHT = np.array([0.84, 0.72, 0.72], np.float32)
_NO_SUNSET = ("grey", "night")
_GRID = 64
_CAMERAS = ((1.0, 1.0), (1.15, 1.15), (1.0, 1.3), (1.3, 1.0))
"""Zoom at the first and the last frame: still, panning, zooming in, zooming out."""
_FAR = 60.0
"""Mean difference per channel beyond which a pixel says nothing about the place."""
_NEAR = 34.0
"""RGB distance (0..441) up to which a pixel can be the place's."""


@dataclass(frozen=True)
class BackgroundFit:
    """``gaps``: mean difference (0..60) from each place by name; ``rows`` (n, h, 3): colours of the place."""

    gaps: dict[str, float]
    rows: Floats


def _row(name: str, dusk: bool, shift: int, at: Floats) -> Floats:
    """Colours (len(at), 3) of a place at heights ``at`` in 0..63."""
    top, high, low, bottom, horizon = (np.asarray(v, np.float32) for v in BANDS[name])
    if dusk and name not in _NO_SUNSET:
        top, high = (np.asarray(v, np.float32) for v in _DUSK_SKY)
    elif dusk:
        top, high = top * _DUSK_LIGHT, high * _DUSK_LIGHT
    if dusk:
        low, bottom = low * _DUSK_LIGHT, bottom * _DUSK_LIGHT
    cut = round(float(horizon) * _GRID) + shift
    up = np.clip(at / (cut - 1), 0, 1)[:, None]
    down = np.clip((at - cut) / (_GRID - 1 - cut), 0, 1)[:, None]
    return np.where((at < cut - 0.5)[:, None], top + (high - top) * up, low + (bottom - low) * down)


@cache
def _models(height: int, frames: int) -> tuple[list[tuple[str, int]], Floats]:
    """Names with their camera's index, and rows (m, frames, height, 3) of every variant of every place."""
    names: list[tuple[str, int]] = []
    rows = []
    y = (np.arange(height, dtype=np.float32) + 0.5) / height - 0.5
    for name in BANDS:
        for dusk in (False, True):
            for shift in (-1, 0, 1):
                for camera, (first, last) in enumerate(_CAMERAS):
                    zooms = np.linspace(first, last, frames)
                    each = [
                        _row(name, dusk, shift, ((y / z + 0.5) * _GRID - 0.5).astype(np.float32))
                        for z in zooms
                    ]
                    names.append((name, camera))
                    rows.append(np.stack(each))
    return names, np.stack(rows).astype(np.float32)


def _refined(frames: Floats, rows: Floats, steady: bool) -> Floats:
    """Rows (n, h, 3) moved to what the frames show where nothing stands before the place."""
    away = frames - rows[:, :, None]
    near = (away**2).sum(3) < _NEAR**2
    if steady:
        away, near = away.transpose(1, 0, 2, 3)[None], near.transpose(1, 0, 2)[None]
    flat = away.reshape(*away.shape[:2], -1, 3)
    seen = near.reshape(*near.shape[:2], -1)
    masked = np.ma.masked_array(flat, np.repeat(~seen[..., None], 3, -1))
    mean = np.asarray(masked.mean(2).filled(0), np.float32)
    share = seen.mean(2)[..., None]
    whole = (mean * share).sum(1, keepdims=True) / np.maximum(share.sum(1, keepdims=True), 1e-6)
    trust = np.clip(share / 0.15, 0, 1)
    moved: Floats = (rows + mean * trust + whole * (1 - trust)).astype(np.float32)
    return moved


def fit_background(frames: Floats) -> BackgroundFit:
    """Fit every known place to ``frames`` (n, h, w, 3), n >= 1, RGB in 0..255."""
    n, h, w = frames.shape[:3]
    picked = np.unique(np.linspace(0, n - 1, 3).round().astype(int))
    names, rows = _models(h, n)
    sample = frames[picked][:, :, :: max(1, w // 16)]
    gap = np.abs(sample[None] - rows[:, picked][:, :, :, None]) @ np.full(3, 1 / 3, np.float32)
    cost = np.minimum(gap, _FAR).mean((1, 2, 3)) + np.array([0.0 if c == 0 else 0.4 for _, c in names])
    best = int(np.argmin(cost))
    gaps = {name: float(min(c for c, m in zip(cost, names, strict=True) if m[0] == name)) for name in BANDS}
    steady = names[best][1] < 2
    return BackgroundFit(gaps, _refined(frames, rows[best], steady))
