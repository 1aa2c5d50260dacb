"""How the tracked things move: straight, bouncing, circling, turning, growing or not at all."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from safegen.detectors.frames._analysis import Track

MOTIONS = (
    "left",
    "right",
    "up",
    "down",
    "still",
    "bounce",
    "spin",
    "grow",
    "shrink",
    "orbit",
    "zigzag",
)
UNKNOWN = "unknown"

_STILL = 0.045
"""Range of the centre, in short sides, below which a thing stays where it is."""
_WOBBLE = 0.2
"""The same for the centroid of a lopsided thing that turns."""
_GROWTH = 0.7
"""Natural logarithm of the change in area that counts as growing."""

Path = NDArray[np.float64]


def _reversals(values: Path) -> int:
    """How often a coordinate turns round, wobbles below a fifth of its range ignored."""
    reach = float(np.ptp(values))
    turns, sign, last = 0, 0, float(values[0])
    for value in values:
        step = float(value) - last
        if abs(step) < 0.2 * reach:
            continue
        now = 1 if step > 0 else -1
        turns += int(sign not in (0, now))
        sign, last = now, float(value)
    return turns


def _travel(path: Path) -> tuple[str, float]:
    """Name and certainty (0..1) of a motion that changes place."""
    span = np.ptp(path, axis=0)
    ends = np.median(path[-3:], axis=0) - np.median(path[:3], axis=0)
    turns_x, turns_y = _reversals(path[:, 0]), _reversals(path[:, 1])
    along = float(span.max())
    minor = float(span.min()) / along
    certainty = float(np.clip((along / _STILL - 1) * 2, 0.5, 1))
    if minor > 0.45 and turns_x >= 1 and turns_y >= 1:
        return "orbit", certainty
    if minor > 0.3 and turns_x == 0 and turns_y >= 1:
        return "zigzag", certainty
    if span[1] >= span[0]:
        if turns_y >= 1 and abs(ends[1]) < 0.8 * along:
            return "bounce", certainty
        return ("down" if ends[1] > 0 else "up"), certainty * (1 - 0.5 * minor)
    if turns_x >= 1 and abs(ends[0]) < 0.4 * along:
        return UNKNOWN, certainty
    return ("right" if ends[0] > 0 else "left"), certainty * (1 - 0.5 * minor)


def _path(seen: Track) -> tuple[Path, Path]:
    """Middle of the things (n, 2) and mean logarithm of their areas (n,), in frames where all are seen."""
    centre = np.mean([b.centre for b in seen.bodies], axis=0)
    area = np.mean([np.log(np.maximum(b.area, 1e-6)) for b in seen.bodies], axis=0)
    there = np.isfinite(area)
    return centre[there], area[there]


def stays(seen: Track) -> bool:
    """Whether things keep roughly their place and size, so that they may be turning: what is lopsided wobbles
    when it turns."""
    if not seen.bodies:
        return False
    path, areas = _path(seen)
    if len(path) < max(4, seen.frames // 2):
        return False
    return bool(np.ptp(path, axis=0).max() < _WOBBLE and np.ptp(areas) < _GROWTH)


def travel(seen: Track) -> tuple[str, float]:
    """Motion and certainty of it, from places and sizes alone, blind to turning."""
    if not seen.bodies:
        return UNKNOWN, 1.0
    path, areas = _path(seen)
    if len(path) < max(4, seen.frames // 2):
        return UNKNOWN, 1.0
    growth = float(np.median(areas[-3:]) - np.median(areas[:3]))
    reach = float(np.ptp(path, axis=0).max())
    if abs(growth) > _GROWTH and reach < 0.2:
        return ("grow" if growth > 0 else "shrink"), 0.95
    if reach < _STILL:
        return "still", float(np.clip(0.5 + (1 - reach / _STILL), 0.5, 1))
    return _travel(path)
