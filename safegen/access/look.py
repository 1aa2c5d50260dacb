"""What can be measured in any picture: its colours, how bright it is, how much moves, where it cuts.

These are measurements of pixels, not guesses about things; they are what is left to say about a clip that no
extractor knows.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Thumbs = NDArray[np.uint8]
    """Small pictures: (n, height, width, 3) uint8 RGB."""

_COLOURS = {
    "black": (20, 20, 22),
    "dark grey": (70, 70, 72),
    "grey": (130, 130, 130),
    "light grey": (190, 190, 190),
    "white": (245, 245, 245),
    "red": (190, 40, 40),
    "orange": (230, 130, 40),
    "yellow": (240, 220, 70),
    "green": (60, 140, 60),
    "light green": (150, 205, 120),
    "dark green": (25, 70, 35),
    "turquoise": (60, 180, 180),
    "light blue": (165, 205, 235),
    "blue": (50, 90, 200),
    "dark blue": (20, 30, 80),
    "purple": (120, 60, 160),
    "pink": (240, 150, 185),
    "brown": (115, 75, 45),
    "beige": (225, 200, 160),
}
"""Names and sRGB values; the nearest in CIELAB names a pixel."""
_COMMON, _SOME = 0.5, 0.2
"""Shares of the picture at which a colour is what it is mostly, or also named."""
_DARK, _BRIGHT = 22.0, 80.0
"""Mean CIE lightness (0..100) below and above which a picture is dark, bright."""
_STILL, _BUSY = 1.5, 12.0
"""Mean change per pixel (0..255) from one picture to the next, pictures 1/6 s apart."""
_CUT = 28.0
"""Mean change at which a new scene begins, where it is also this many times the usual change:"""
_UNUSUAL = 4.0


@dataclass(frozen=True)
class Look:
    """``colours`` and brightness, ``movement``: each a few words."""

    colours: str
    movement: str


def look(pictures: Thumbs) -> Look:
    """What *pictures* look like."""
    import cv2

    names = list(_COLOURS)
    table = cv2.cvtColor(np.asarray([list(_COLOURS.values())], np.float32) / 255, cv2.COLOR_RGB2LAB)[0]
    few = pictures[np.linspace(0, len(pictures) - 1, min(len(pictures), 5)).round().astype(int)]
    pixels = few[:, ::2, ::2].reshape(1, -1, 3).astype(np.float32) / 255
    lab = cv2.cvtColor(pixels, cv2.COLOR_RGB2LAB)[0]
    nearest = np.argmin(((lab[:, None] - table[None]) ** 2).sum(2), 1)
    share = np.bincount(nearest, minlength=len(names)) / len(nearest)
    order = [int(i) for i in np.argsort(-share)]
    said = [names[i] for i in order[:3] if share[i] >= _SOME]
    first = "Mostly" if share[order[0]] >= _COMMON else "Partly"
    colours = f"{first} {' and '.join(said)}" if said else "Of many colours"
    light = float(lab[:, 0].mean())
    dim = light < _DARK and not any("dark" in name or name == "black" for name in said)
    brightness = ", dark" if dim else ", bright" if light > _BRIGHT and "white" not in said else ""
    return Look(f"{colours}{brightness}", _movement(changes(pictures)))


def changes(pictures: Thumbs) -> NDArray[np.float64]:
    """Mean change per pixel (0..255) from each picture to the next: (n - 1,)."""
    steps = [float(np.abs(a.astype(np.int16) - b).mean()) for a, b in pairwise(pictures)]
    return np.asarray(steps, np.float64)


def cuts(pictures: Thumbs) -> list[int]:
    """Numbers of the pictures with which a new scene begins (never 0)."""
    steps = changes(pictures)
    if not len(steps):
        return []
    usual = max(1.0, float(np.median(steps)))
    return [int(i) + 1 for i in np.flatnonzero((steps > _CUT) & (steps > _UNUSUAL * usual))]


def _movement(steps: NDArray[np.float64]) -> str:
    if not len(steps):
        return "a still picture"
    mean = float(np.median(steps))
    return "hardly any movement" if mean < _STILL else "much movement" if mean > _BUSY else "some movement"
