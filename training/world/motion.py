"""Where a thing is in every frame."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from training.world.spec import FRAMES, SPEEDS

Track = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Path:
    """Centre (FRAMES, 2) in picture units, scale (FRAMES,) and rotation (FRAMES,) in radians."""

    centre: Track
    scale: Track
    angle: Track


def _line(start: tuple[float, float], end: tuple[float, float], t: Track) -> Track:
    a, b = np.asarray(start), np.asarray(end)
    return a + (b - a) * t[:, None]


def _straight(axis: int, sign: int, reach: float, off: float, half: float, t: Track) -> Track:
    """A straight run of half-length `half` along one axis, `off` away from the middle on the other one."""
    half = min(half, reach)
    ends = [[off, off], [off, off]]
    ends[0][axis], ends[1][axis] = -sign * half, sign * half
    return _line((ends[0][0], ends[0][1]), (ends[1][0], ends[1][1]), t)


def path(motion: str, speed: str, radius: float, rng: np.random.Generator) -> Path:
    """Path of a thing of circumscribed `radius` that stays inside the picture.

    Raises KeyError for an unknown speed and ValueError for an unknown motion.
    """
    t = np.linspace(0, 1, FRAMES)
    reach = 0.97 - radius
    half = reach * SPEEDS[speed] * rng.uniform(0.88, 1.1)
    off = rng.uniform(-0.55, 0.75) * min(reach, 0.6)
    rest = rng.uniform(-0.6, 0.6, 2) * reach
    scale, angle = np.ones(FRAMES), np.full(FRAMES, rng.uniform(-0.05, 0.05))
    centre = np.repeat(rest[None], FRAMES, 0)
    if motion in ("left", "right"):
        centre = _straight(0, 1 if motion == "right" else -1, reach, off, half, t)
    elif motion in ("up", "down"):
        centre = _straight(1, 1 if motion == "down" else -1, reach, off, half, t)
    elif motion == "bounce":
        height = np.abs(np.cos(2 * np.pi * t * (1.5 if speed == "fast" else 1.0)))
        centre = np.stack([np.full(FRAMES, off), reach - 2 * reach * 0.8 * height], 1)
    elif motion == "zigzag":
        side = 2 * np.abs(2 * ((t * 1.5 + 0.25) % 1) - 1) - 1
        centre = np.stack([half * (2 * t - 1), 0.6 * reach * side], 1)
    elif motion == "orbit":
        a = 2 * np.pi * t * SPEEDS[speed] + rng.uniform(0, 2 * np.pi)
        centre = reach * 0.75 * np.stack([np.cos(a), np.sin(a)], 1)
    elif motion == "spin":
        angle = angle + 2 * np.pi * t * 0.6 * SPEEDS[speed]
    elif motion in ("grow", "shrink"):
        scale = np.linspace(0.5, 1.15, FRAMES)[:: 1 if motion == "grow" else -1]
    elif motion != "still":
        raise ValueError(f"unknown motion {motion!r}")
    return Path(centre, scale, angle)
