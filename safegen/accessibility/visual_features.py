"""What can be measured in any clip: its colours and where they are, brightness and how it changes, how much
moves, where and which way, and where the cuts are.

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
_TREND = 15.0
"""Change of mean CIE lightness over a stretch from which it gets brighter or darker."""
_SHIFT, _SAME = 0.4, 0.8
"""Pixels by which the whole picture moves from one to the next, and the share of steps that have to agree."""
_SHARP = 0.3
"""Response of the phase correlation from which two pictures are the same one, moved."""
_THERE = 0.6
"""Share of all change from which it happens in one third of the picture."""
_SPREAD = 0.12
"""Share of all change that every third has to have where the whole picture is said to move."""
_EVEN = 1.0
"""Standard deviation of a picture's grey levels below which nothing in it can be followed."""


@dataclass(frozen=True)
class VisualFeatures:
    """``colours`` and brightness, ``movement``: each a few words."""

    colours: str
    movement: str


def measure_features(pictures: Thumbs) -> VisualFeatures:
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
    rows = few[:, ::2, ::2].shape[1]
    colours = _layers(nearest.reshape(len(few), rows, -1), names) or colours
    light = float(lab[:, 0].mean())
    dim = light < _DARK and not any("dark" in name or name == "black" for name in said)
    brightness = ", dark" if dim else ", bright" if light > _BRIGHT and "white" not in said else ""
    means = lab[:, 0].reshape(len(few), -1).mean(1)
    return VisualFeatures(
        f"{colours}{brightness}{_trend(float(means[0]), float(means[-1]))}", _describe_motion(pictures)
    )


def _layers(nearest: NDArray[np.intp], names: list[str]) -> str:
    """What is above and below, where each is mostly one colour and they differ; "" otherwise.

    *nearest*: number of the colour of every pixel, (pictures, height, width).
    """
    third = nearest.shape[1] // 3
    if third == 0:
        return ""
    said = []
    for part in (nearest[:, :third], nearest[:, -third:]):
        share = np.bincount(part.ravel(), minlength=len(names)) / part.size
        if share.max() < _COMMON:
            return ""
        said.append(names[int(share.argmax())])
    above, below = said
    return f"{above.capitalize()} above, {below} below" if above != below else ""


def _trend(first: float, last: float) -> str:
    """Whether it gets brighter or darker, by the mean CIE lightness of its first and last picture."""
    if abs(last - first) < _TREND:
        return ""
    return ", getting brighter" if last > first else ", getting darker"


def frame_differences(pictures: Thumbs) -> NDArray[np.float64]:
    """Mean change per pixel (0..255) from each picture to the next: (n - 1,)."""
    steps = [float(np.abs(a.astype(np.int16) - b).mean()) for a, b in pairwise(pictures)]
    return np.asarray(steps, np.float64)


def detect_cuts(pictures: Thumbs) -> list[int]:
    """Numbers of the pictures with which a new scene begins (never 0)."""
    steps = frame_differences(pictures)
    if not len(steps):
        return []
    usual = max(1.0, float(np.median(steps)))
    return [int(i) + 1 for i in np.flatnonzero((steps > _CUT) & (steps > _UNUSUAL * usual))]


def _describe_motion(pictures: Thumbs) -> str:
    """How much moves; which way where all of it does, else in which third of the picture."""
    steps = frame_differences(pictures)
    if not len(steps):
        return "a still picture"
    mean = float(np.median(steps))
    if mean < _STILL:
        return "hardly any movement"
    change = np.abs(np.diff(pictures.astype(np.int16), axis=0)).sum((0, 3)).astype(float)
    across, down = _thirds(change.sum(0)), _thirds(change.sum(1))
    everywhere = min(*across, *down) >= _SPREAD
    if everywhere and (way := _global_motion(pictures)):
        return f"the whole picture moves {way}"
    most = int(np.argmax(across))
    where = (" on the left", " in the middle", " on the right")[most] if across[most] >= _THERE else ""
    return f"{'much' if mean > _BUSY else 'some'} movement{where}"


def _thirds(change: NDArray[np.float64]) -> list[float]:
    """The share of all *change* in each third."""
    return [float(part.sum() / max(change.sum(), 1e-9)) for part in np.array_split(change, 3)]


def _global_motion(pictures: Thumbs) -> str:
    """Which way the picture as a whole moves (a camera that turns looks like this); "" where it does not."""
    import cv2

    grey = [p.mean(2).astype(np.float32) for p in pictures]
    if any(g.std() < _EVEN for g in grey):
        return ""
    window = cv2.createHanningWindow(grey[0].shape[::-1], cv2.CV_32F)
    found = [cv2.phaseCorrelate(a, b, window) for a, b in pairwise(grey)]
    moves = np.asarray([shift for shift, _ in found])
    if np.median([response for _, response in found]) < _SHARP:
        return ""
    axis = int(np.abs(np.median(moves, 0)).argmax())
    along = moves[:, axis]
    for sign, words in ((1, ("to the right", "down")), (-1, ("to the left", "up"))):
        if float(np.mean(sign * along > _SHIFT)) >= _SAME:
            return words[axis]
    return ""
