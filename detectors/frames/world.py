"""Reads what a clip of the small world shows: colour, shape (what kind of thing), size, count, position,
motion, background; of two different things also the second's colour and shape, and how they stand.

The bias audit counts these attributes over releases, and the embedded model is judged by them. numpy and
OpenCV only. It works at the native 64 pixels and on upscaled, watermarked, re-encoded releases. On pictures
that are not of that world it says ``unknown``; it never raises on any picture.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike, NDArray

from safegen.detectors.frames import _motion, _outlines
from safegen.detectors.frames._analysis import SHORT_SIDE, Track, thumbnails, track_bodies
from safegen.detectors.frames._backgrounds import BANDS
from safegen.detectors.frames._kinds import KindFit, fit_kind, rotation_gain
from safegen.types import Attribute, CheckRun

if TYPE_CHECKING:
    from safegen.protocols import AttributeExtractor, Questions
    from safegen.types import Clip

NAME = "world"
VERSION = "3"
UNKNOWN = "unknown"
NONE = "none"

COLOURS = _outlines.COLOURS
KINDS = _outlines.KINDS
RELATIONS = ("left_of", "above")
"""How the first of two things stands to the second."""
_SPREAD, _EARLY, _LATE = (2, 8, 14), (0, 1), (4, 6, 9, 12, 16)
"""Frames that are looked at closely: of moving things, of those that stay in place, to see if they turn."""
_TURNED = 0.3
"""Share that turning must explain of what an upright thing leaves over."""
_RADII = {
    1: {"small": 0.40, "medium": 0.52, "large": 0.64},
    2: {"small": 0.38, "medium": 0.42, "large": 0.46},
    3: {"small": 0.27, "medium": 0.29, "large": 0.31},
}
"""Radius by the number of things and the size word, in halves of the picture's side."""
_SIZES = tuple(_RADII[1])
_LARGEST = 1.15
"""Scale at which growing ends and shrinking begins."""


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


def _all_unknown(names: Sequence[str]) -> dict[str, float]:
    return {**dict.fromkeys(names, 0.0), UNKNOWN: 1.0}


def _colour(reading: KindFit | None, trust: float) -> dict[str, float]:
    if reading is None:
        return _all_unknown(tuple(COLOURS))
    gaps = np.linalg.norm(_lab(list(COLOURS.values())) - _lab([reading.colour]), axis=1)
    return _softmax(dict(zip(COLOURS, map(float, gaps), strict=True)), 5.0, 42.0, trust)


def _shape(reading: KindFit | None, trust: float) -> dict[str, float]:
    if reading is None:
        return _all_unknown(KINDS)
    return _softmax(reading.errors, 0.02, 0.55, trust)


def _size(seen: Track, reading: KindFit | None, moving: str) -> dict[str, float]:
    if reading is None:
        return _all_unknown(_SIZES)
    radii = [p.radius / SHORT_SIDE * 2 for p in reading.poses]
    radius = max(radii) / _LARGEST if moving in ("grow", "shrink") else float(np.median(radii))
    known = _RADII[len(seen.bodies)]
    return _softmax({n: abs(radius - r) for n, r in known.items()}, 0.02, 0.25, seen.coherence)


def _count(seen: Track) -> dict[str, float]:
    names = ("1", "2", "3")
    if not seen.bodies:
        return _all_unknown(names)
    return _softmax({str(n): cost for n, cost in seen.costs.items()}, 0.02, 0.7, seen.coherence)


def _position(seen: Track) -> dict[str, float]:
    names = ("left", "centre", "right", "top", "bottom")
    if not seen.bodies:
        return _all_unknown(names)
    places = np.concatenate([b.centre[np.isfinite(b.area)] for b in seen.bodies])
    x = float(places[:, 0].mean()) / max(1.0, seen.aspect) * 2 - 1
    y = float(places[:, 1].mean()) * min(1.0, seen.aspect) * 2 - 1
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
    if not seen.gaps:
        return _all_unknown(tuple(BANDS))
    return _softmax(seen.gaps, 2.0, 45.0, seen.coherence)


def _certain(names: Sequence[str], name: str, certainty: float) -> dict[str, float]:
    out = {**dict.fromkeys(names, 0.0), UNKNOWN: 0.0}
    out[name] += certainty
    out[UNKNOWN] += 1 - certainty
    return out


def _likeliest(probabilities: Mapping[str, float]) -> str:
    return max(probabilities, key=lambda k: probabilities[k])


def _readings(seen: Track) -> tuple[list[KindFit | None], bool]:
    """What every thing is, and whether they turn in place (then only the first frames show them upright)."""
    if _motion.stays(seen):
        upright = [fit_kind(b, _EARLY) for b in seen.bodies]
        turned = [
            rotation_gain(b, r, _LATE) for b, r in zip(seen.bodies, upright, strict=True) if r is not None
        ]
        if turned and float(np.mean(turned)) > _TURNED:
            return upright, True
    return [fit_kind(b, _SPREAD) for b in seen.bodies], False


def _table(seen: Track) -> dict[str, dict[str, float]]:
    name, sure = _motion.travel(seen)
    readings, turned = _readings(seen)
    if turned:
        name, sure = "spin", 0.9
    first = readings[0] if readings else None
    trust = seen.coherence
    table = {
        "colour": _colour(first, trust),
        "shape": _shape(first, trust),
        "size": _size(seen, first, name),
        "count": _count(seen),
        "position": _position(seen),
        "motion": _certain(_motion.MOTIONS, name, sure * trust),
        "background": _background(seen),
    }
    return {**table, **_second(seen, readings, table)}


def _second(
    seen: Track, readings: Sequence[KindFit | None], first: Mapping[str, Mapping[str, float]]
) -> dict[str, dict[str, float]]:
    """Colour and shape of a second, different thing and where the first stands; ``none`` without one."""
    trust = seen.coherence if seen.bodies else 0.0
    names = {"second_colour": tuple(COLOURS), "second_shape": KINDS, "relation": RELATIONS}
    if len(seen.bodies) == 2:
        colour, shape = _colour(readings[1], trust), _shape(readings[1], trust)
        if _likeliest(colour) != _likeliest(first["colour"]) or _likeliest(shape) != _likeliest(
            first["shape"]
        ):
            there = _certain((NONE, *RELATIONS), RELATIONS[seen.axis], trust)
            return {
                "second_colour": {NONE: 0.0, **colour},
                "second_shape": {NONE: 0.0, **shape},
                "relation": there,
            }
    return {k: _certain((NONE, *v), NONE, trust) for k, v in names.items()}


def attributes(seen: Track) -> tuple[Attribute, ...]:
    """All attributes of a tracked clip, in a fixed order. With two different things ``colour``, ``shape`` and
    ``size`` are those of the left or upper one, and ``relation`` says which of the two it is."""
    extractor = f"{NAME}/{VERSION}"
    return tuple(Attribute(name, p, extractor, max(p.values())) for name, p in _table(seen).items())


class WorldExtractor:
    """Attribute extractor for clips of the small world (see the module)."""

    name = NAME

    def prepare(self, questions: Questions) -> WorldExtractor:
        """Itself: it needs no texts and loads nothing."""
        return self

    def run(self, clip: Clip) -> tuple[Sequence[Attribute], CheckRun]:
        """Extract the attributes of ``clip`` that the module names.

        Never raises on pictures, whatever they show; what cannot be told is ``unknown``.
        """
        return attributes(track_bodies(thumbnails(clip))), CheckRun(NAME, VERSION)


def create() -> AttributeExtractor:
    """The plug-in."""
    return WorldExtractor()
