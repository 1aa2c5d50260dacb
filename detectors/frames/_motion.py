"""How the tracked thing moves: straight, bouncing, circling, turning, growing or not at all."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from safegen.detectors.frames import _shapes
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

_STILL = 0.075
"""Range of the centre, in short sides, below which a thing stays where it is."""
_GROWTH = 0.7
"""Natural logarithm of the change in area that counts as growing."""
_TURN = 0.86
"""Likeness of the outline with its first one below which it turns."""

Path = NDArray[np.float64]


def _reversals(values: Path) -> int:
    """How often a coordinate turns round, wobbles below a tenth of its range ignored."""
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


def _in_place(seen: Track) -> tuple[str, float]:
    first = seen.spots[0].alpha
    likeness = float(np.mean([_shapes.likeness(first, s.alpha) for s in seen.spots[1::2]]))
    if likeness < _TURN:
        return "spin", float(np.clip(0.5 + (_TURN - likeness) * 5, 0.5, 1))
    return "still", float(np.clip(0.5 + (likeness - _TURN) * 8, 0.5, 1))


def motion(seen: Track) -> dict[str, float]:
    """Probabilities of MOTIONS and ``unknown``: all the latter when the thing is not seen in most frames."""
    out = dict.fromkeys((*MOTIONS, UNKNOWN), 0.0)
    if len(seen.spots) < max(4, seen.frames // 2):
        out[UNKNOWN] = 1.0
        return out
    path = np.array([s.centre for s in seen.spots], np.float64)
    areas = np.log([max(s.area, 1e-6) for s in seen.spots])
    growth = float(np.median(areas[-3:]) - np.median(areas[:3]))
    if abs(growth) > _GROWTH and float(np.ptp(path, axis=0).max()) < 0.2:
        name, certainty = ("grow" if growth > 0 else "shrink"), 0.95
    elif float(np.ptp(path, axis=0).max()) < _STILL:
        name, certainty = _in_place(seen)
    else:
        name, certainty = _travel(path)
    certainty *= seen.coherence
    out[name] += certainty
    out[UNKNOWN] += 1 - certainty
    return out
