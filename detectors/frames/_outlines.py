"""Outlines of the things of the small world, as coloured polygons in their own frame (circumscribed radius 1,
y down). The renderer draws them, and the judge compares what it sees with them."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

Points = NDArray[np.float64]
Part = tuple[Points, tuple[int, int, int]]
RGB = tuple[int, int, int]

COLOURS: dict[str, tuple[int, int, int]] = {
    "red": (214, 32, 36),
    "orange": (244, 132, 22),
    "yellow": (248, 220, 40),
    "green": (12, 122, 44),
    "blue": (28, 62, 212),
    "purple": (134, 40, 172),
    "white": (250, 250, 250),
    "black": (16, 16, 18),
    "pink": (246, 128, 186),
    "brown": (112, 66, 32),
    "cyan": (44, 214, 222),
    "grey": (128, 128, 128),
}


def ellipse(cx: float, cy: float, rx: float, ry: float, n: int = 28) -> Points:
    """Polygon of an axis-aligned ellipse: (n, 2)."""
    a = np.linspace(0, 2 * np.pi, n, endpoint=False)
    return np.stack([cx + rx * np.cos(a), cy + ry * np.sin(a)], 1)


def polygon(*xy: float) -> Points:
    """Polygon from a flat list of coordinates."""
    return np.asarray(xy, np.float64).reshape(-1, 2)


def star_points(arms: int = 5, inner: float = 0.45) -> Points:
    """Star with one arm up: (2 * arms, 2)."""
    a = -np.pi / 2 + np.pi / arms * np.arange(2 * arms)
    r = np.where(np.arange(2 * arms) % 2 == 0, 1.0, inner)
    return np.stack([r * np.cos(a), r * np.sin(a)], 1)


def shade(colour: RGB, factor: float) -> RGB:
    """Darker (factor < 1) or lighter (factor > 1) variant of a colour."""
    if factor <= 1:
        r, g, b = (int(c * factor) for c in colour)
    else:
        r, g, b = (int(255 - (255 - c) / factor) for c in colour)
    return r, g, b


def _car(c: RGB) -> list[Part]:
    return [
        (polygon(-0.6, -0.1, -0.38, -0.62, 0.3, -0.62, 0.6, -0.1), shade(c, 0.75)),
        (polygon(-0.3, -0.14, -0.2, -0.5, 0.2, -0.5, 0.38, -0.14), (206, 226, 238)),
        (polygon(-1, -0.14, 0.85, -0.14, 1, 0.05, 1, 0.36, -1, 0.36), c),
        (ellipse(-0.52, 0.38, 0.3, 0.3, 16), (24, 24, 26)),
        (ellipse(0.52, 0.38, 0.3, 0.3, 16), (24, 24, 26)),
    ]


def _boat(c: RGB) -> list[Part]:
    return [
        (polygon(-0.06, -0.95, 0.06, -0.95, 0.06, 0.2, -0.06, 0.2), (96, 62, 36)),
        (polygon(0.1, -0.85, 0.75, 0.1, 0.1, 0.1), (244, 244, 240)),
        (polygon(-1, 0.2, 1, 0.2, 0.65, 0.7, -0.65, 0.7), c),
    ]


def _tree(c: RGB) -> list[Part]:
    return [
        (polygon(-0.14, 0.2, 0.14, 0.2, 0.14, 1, -0.14, 1), (96, 62, 36)),
        (ellipse(0, -0.3, 0.68, 0.7), c),
    ]


def _house(c: RGB) -> list[Part]:
    return [
        (polygon(-0.7, -0.15, 0.7, -0.15, 0.7, 0.8, -0.7, 0.8), c),
        (polygon(-0.9, -0.15, 0, -0.95, 0.9, -0.15), shade(c, 0.6)),
        (polygon(-0.15, 0.25, 0.2, 0.25, 0.2, 0.8, -0.15, 0.8), (70, 46, 30)),
    ]


def _bird(c: RGB) -> list[Part]:
    return [
        (polygon(-0.45, 0.0, -1.05, -0.2, -1.0, 0.4), c),
        (ellipse(0, 0.15, 0.62, 0.38), c),
        (ellipse(0.56, -0.22, 0.3, 0.3, 16), c),
        (polygon(0.78, -0.36, 1.2, -0.18, 0.78, -0.02), (240, 150, 20)),
        (polygon(-0.3, 0.12, 0.28, 0.02, -0.35, -0.98), shade(c, 0.7)),
        (ellipse(0.62, -0.28, 0.07, 0.07, 10), (20, 20, 22)),
    ]


def _sun(c: RGB) -> list[Part]:
    glow = shade(c, 0.62 if sum(c) > 120 else 1.7)
    rays: list[Part] = []
    for turn in np.arange(8) * np.pi / 4:
        s, k = float(np.sin(turn)), float(np.cos(turn))
        ray = polygon(0.45, -0.21, 1.16, 0.0, 0.45, 0.21) @ np.array([[k, s], [-s, k]])
        rays.append((ray, glow))
    return [*rays, (ellipse(0, 0, 0.6, 0.6), c)]


def _cloud(c: RGB) -> list[Part]:
    return [
        (ellipse(-0.55, 0.1, 0.45, 0.34), c),
        (ellipse(0.55, 0.12, 0.45, 0.32), c),
        (ellipse(-0.12, -0.22, 0.46, 0.44), c),
        (ellipse(0.34, -0.08, 0.4, 0.38), c),
        (polygon(-0.6, 0.1, 0.6, 0.1, 0.6, 0.44, -0.6, 0.44), c),
    ]


_SIMPLE: dict[str, Points] = {
    "ball": ellipse(0, 0, 0.9, 0.9),
    "box": polygon(-0.78, -0.78, 0.78, -0.78, 0.78, 0.78, -0.78, 0.78),
    "triangle": polygon(0, -0.95, 0.98, 0.75, -0.98, 0.75),
    "star": star_points(5, 0.5) * 1.12,
}

_COMPOUND: dict[str, Callable[[RGB], list[Part]]] = {
    "car": _car,
    "boat": _boat,
    "tree": _tree,
    "house": _house,
    "bird": _bird,
    "sun": _sun,
    "cloud": _cloud,
}


KINDS: tuple[str, ...] = (*_SIMPLE, *_COMPOUND)
"""Every kind of thing."""


def parts(kind: str, colour: RGB, *, mirrored: bool = False) -> list[Part]:
    """Polygons of a thing of `kind` painted in `colour` (RGB), back to front; `mirrored` faces left.

    Raises KeyError for a kind that is not in `KINDS`.
    """
    out = [(_SIMPLE[kind], colour)] if kind in _SIMPLE else _COMPOUND[kind](colour)
    if mirrored:
        return [(points * (-1.0, 1.0), paint) for points, paint in out]
    return out
