"""Reads what a clip of the small world shows: colour, shape, size, count, position, motion, background.

The bias audit counts these attributes over releases, and the embedded model is judged by them. numpy and
OpenCV only. It works at the native 64 pixels and on upscaled, watermarked, re-encoded releases. On pictures
that are not of that world it says ``unknown``; it never raises on any picture.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike, NDArray

from safegen.detectors.frames import _shapes
from safegen.detectors.frames._analysis import Spot, Track, thumbnails, track
from safegen.detectors.frames._motion import motion
from safegen.types import Attribute, CheckRun

if TYPE_CHECKING:
    from safegen.types import Clip

NAME = "world"
VERSION = "1"
UNKNOWN = "unknown"

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

_PLACES: dict[str, tuple[tuple[int, int, int], tuple[int, int, int]]] = {
    "grey": ((148, 150, 152), (140, 142, 144)),
    "grass": ((158, 206, 237), (112, 172, 72)),
    "sea": ((176, 210, 236), (54, 126, 174)),
    "desert": ((186, 208, 220), (218, 184, 120)),
    "night": ((14, 16, 44), (28, 33, 74)),
    "snow": ((172, 192, 214), (235, 240, 246)),
}
"""Colour near the top and near the bottom of each place."""

_SIZES = {"small": 0.28, "medium": 0.40, "large": 0.54}


def _lab(rgb: ArrayLike) -> NDArray[np.float32]:
    import cv2

    pixels = np.asarray(rgb, np.float32).reshape(1, -1, 3) / 255
    return np.asarray(cv2.cvtColor(pixels, cv2.COLOR_RGB2LAB)[0], np.float32)


def _softmax(distances: Mapping[str, float], scale: float, far: float, trust: float) -> dict[str, float]:
    """Probabilities from distances; ``unknown`` stands at distance ``far`` and takes what ``trust``
    leaves."""
    names = [*distances, UNKNOWN]
    logits = -np.array([*distances.values(), far], np.float64) / scale
    weights = np.exp(logits - logits.max())
    weights = weights / weights.sum() * trust
    weights[-1] += 1 - trust
    return {n: float(p) for n, p in zip(names, weights, strict=True)}


def _nowhere(names: Sequence[str]) -> dict[str, float]:
    return {**dict.fromkeys(names, 0.0), UNKNOWN: 1.0}


def _colour(seen: Track) -> dict[str, float]:
    if not seen.spots:
        return _nowhere(tuple(COLOURS))
    colour = np.median([s.colour for s in seen.spots], axis=0)
    gaps = np.linalg.norm(_lab(list(COLOURS.values())) - _lab([colour]), axis=1)
    return _softmax(dict(zip(COLOURS, map(float, gaps), strict=True)), 5.0, 42.0, seen.coherence)


def _usable(seen: Track) -> list[Spot]:
    """Spots fit for measuring an outline: whole ones, or all of them when there are none."""
    whole = [s for s in seen.spots if s.whole]
    return whole or list(seen.spots)


def _shape(seen: Track, turning: bool) -> dict[str, float]:
    names = tuple(_shapes.AREA_FACTOR)
    if not seen.spots:
        return _nowhere(names)
    each = [_shapes.overlaps(s.alpha, turning) for s in _usable(seen)]
    mean = {n: 1 - float(np.mean([o[n] for o in each])) for n in names}
    return _softmax(mean, 0.02, 0.20, seen.coherence)


def _size(seen: Track, shape: str) -> dict[str, float]:
    if not seen.spots:
        return _nowhere(tuple(_SIZES))
    area = float(np.median([s.area for s in _usable(seen)]))
    radius = 2 * (area / _shapes.AREA_FACTOR.get(shape, 2.0)) ** 0.5
    return _softmax({n: abs(radius - r) for n, r in _SIZES.items()}, 0.02, 0.25, seen.coherence)


def _count(seen: Track) -> dict[str, float]:
    names = ("1", "2", "3", "more")
    if not seen.spots:
        return _nowhere(names)
    votes = [min(s.others, 3) for s in seen.spots]
    shares = {n: votes.count(i) / len(votes) * seen.coherence for i, n in enumerate(names)}
    return {**shares, UNKNOWN: 1 - seen.coherence}


def _position(seen: Track) -> dict[str, float]:
    names = ("left", "centre", "right", "top", "bottom")
    if not seen.spots:
        return _nowhere(names)
    x = float(np.mean([s.centre[0] for s in seen.spots])) / max(1.0, seen.aspect) * 2 - 1
    y = float(np.mean([s.centre[1] for s in seen.spots])) * min(1.0, seen.aspect) * 2 - 1
    points = {
        "left": (-0.5, 0.0),
        "centre": (0.0, 0.0),
        "right": (0.5, 0.0),
        "top": (0.0, -0.5),
        "bottom": (0.0, 0.5),
    }
    gaps = {n: float(np.hypot(x - px, y - py)) for n, (px, py) in points.items()}
    return _softmax(gaps, 0.08, 1.0, seen.coherence)


def _background(seen: Track) -> dict[str, float]:
    if not seen.frames:
        return _nowhere(tuple(_PLACES))
    h = len(seen.rows)
    top, bottom = seen.rows[h // 10], seen.rows[(h * 17) // 20]
    here = _lab([top, bottom])
    gaps = {n: float(np.linalg.norm(_lab(place) - here, axis=1).mean()) for n, place in _PLACES.items()}
    return _softmax(gaps, 4.0, 26.0, max(seen.coherence, 0.0))


def attributes(seen: Track) -> tuple[Attribute, ...]:
    """All attributes of a tracked clip, in a fixed order."""
    moving = motion(seen)
    turning = moving.get("spin", 0.0) > 0.5
    shape = _shape(seen, turning)
    kind = max(shape, key=lambda k: shape[k])
    table = {
        "colour": _colour(seen),
        "shape": shape,
        "size": _size(seen, kind),
        "count": _count(seen),
        "position": _position(seen),
        "motion": moving,
        "background": _background(seen),
    }
    extractor = f"{NAME}/{VERSION}"
    return tuple(Attribute(name, p, extractor, max(p.values())) for name, p in table.items())


class WorldExtractor:
    """Attribute extractor for clips of the small world (see the module)."""

    name = NAME

    def run(self, clip: Clip) -> tuple[Sequence[Attribute], CheckRun]:
        """Extract colour, shape, size, count, position, motion and background of ``clip``.

        Never raises on pictures, whatever they show; what cannot be told is ``unknown``.
        """
        return attributes(track(thumbnails(clip))), CheckRun(NAME, VERSION)


def create() -> WorldExtractor:
    """The plug-in."""
    return WorldExtractor()
