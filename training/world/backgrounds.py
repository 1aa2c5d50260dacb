"""The places: static pictures a thing moves over."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from training.world.spec import SIDE

Picture = NDArray[np.float32]

# For each place: sky at the top, sky at the horizon, ground at the horizon, ground at the bottom, the
# horizon (fraction of the height).
_BANDS: dict[
    str, tuple[tuple[int, int, int], tuple[int, int, int], tuple[int, int, int], tuple[int, int, int], float]
] = {
    "grey": ((148, 150, 152), (148, 150, 152), (140, 142, 144), (140, 142, 144), 0.5),
    "grass": ((150, 200, 236), (190, 222, 240), (126, 188, 84), (104, 168, 66), 0.30),
    "sea": ((168, 206, 236), (206, 226, 240), (70, 150, 190), (48, 118, 168), 0.30),
    "desert": ((176, 206, 226), (226, 220, 200), (228, 200, 142), (214, 178, 112), 0.30),
    "night": ((12, 14, 40), (22, 26, 62), (22, 26, 62), (34, 38, 84), 0.7),
    "snow": ((166, 188, 212), (190, 206, 224), (228, 234, 242), (238, 242, 248), 0.30),
}

_DUSK_SKY = ((104, 84, 146), (250, 166, 104))
"""Sky at the top and at the horizon when the sun is down."""
_DUSK_LIGHT = np.asarray([0.84, 0.72, 0.72], np.float32)
"""What falls on the ground then."""
_NO_SUNSET = ("grey", "night")
_STAR_LAYOUTS = 6


def _bands(name: str, dusk: bool, jitter: int) -> Picture:
    top, high, low, bottom, horizon = _BANDS[name]
    cut = round(horizon * SIDE) + jitter
    rows = np.empty((SIDE, 3), np.float32)
    rows[:cut] = np.linspace(top, high, cut)
    rows[cut:] = np.linspace(low, bottom, SIDE - cut)
    if dusk:
        sky = np.linspace(*_DUSK_SKY, cut)
        rows[:cut] = sky if name not in _NO_SUNSET else rows[:cut] * _DUSK_LIGHT
        rows[cut:] *= _DUSK_LIGHT
    return np.repeat(rows[:, None], SIDE, 1)


def _waves(picture: Picture, rng: np.random.Generator) -> None:
    x = np.arange(SIDE)
    for y in range(26, SIDE, 8):
        crest = np.sin(x * 0.55 + rng.uniform(0, 6.3)) > 0.35
        picture[y, crest] += 26


def _tufts(picture: Picture, rng: np.random.Generator) -> None:
    for y in range(26, SIDE - 2, 9):
        at = rng.integers(2, SIDE - 2, 4)
        picture[y, at] -= 30
        picture[y + 1, at] -= 22


def _dunes(picture: Picture, rng: np.random.Generator) -> None:
    x = np.arange(SIDE)
    for y0 in (30, 46):
        y = (y0 + 3 * np.sin(x * 0.12 + rng.uniform(0, 6.3))).astype(int)
        picture[y, x] -= 22
        picture[y + 1, x] -= 14


def _stars(picture: Picture, rng: np.random.Generator) -> None:
    layout = np.random.default_rng(1000 + int(rng.integers(_STAR_LAYOUTS)))
    for y, x in zip(layout.integers(2, SIDE - 3, 14), layout.integers(2, SIDE - 3, 14), strict=True):
        picture[y, x] += 170
        picture[y, x + 1] += 50
        picture[y + 1, x] += 50


_DETAIL = {"grass": _tufts, "sea": _waves, "desert": _dunes, "night": _stars}


def picture(name: str, daytime: str, rng: np.random.Generator) -> Picture:
    """Picture of the place `name`: (SIDE, SIDE, 3) float32 RGB in 0..255, with small random variations.

    Raises KeyError for a place that is not in `spec.BACKGROUNDS`.
    """
    out = _bands(name, daytime == "dusk", int(rng.integers(-1, 2)))
    if name in _DETAIL:
        _DETAIL[name](out, rng)
    out += rng.uniform(-5, 5)
    return np.clip(out, 0, 255)
