"""Where a thing is in every frame."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from training.world.spec import FRAMES, SPEEDS

Track = NDArray[np.float64]

_BOUNCES: dict[str, float] = {"slow": 0.75, "normal": 1.0, "fast": 1.5}
"""How often a bouncing thing touches the ground in one clip."""


@dataclass(frozen=True, slots=True)
class Path:
    """Centre (FRAMES, 2) in picture units, size (FRAMES,): a factor, or the radius once
    a thing is known (`render.tracks`), and rotation (FRAMES,) in radians."""

    centre: Track
    scale: Track
    angle: Track


def _straight(axis: int, sign: int, reach: Track, half: Track, off: Track, t: Track) -> Track:
    """A straight run along one axis, `off` away from the middle on the other one."""
    run = min(float(half[axis]), float(reach[axis]))
    out = np.repeat(off[None], FRAMES, 0)
    out[:, axis] = sign * run * (2 * t - 1)
    return out


def path(
    motion: str, speed: str, reach: tuple[float, float], rng: np.random.Generator, begin: float = 0.0
) -> Path:
    """Path of a thing, or of the middle of a formation, that may go `reach` away from the centre (x, y).

    `begin` in clip lengths: 1 shows what happens after the usual clip (what runs straight leaves it).
    Raises KeyError for an unknown speed and ValueError for an unknown motion.
    """
    t = np.linspace(0, 1, FRAMES) + begin
    room = np.asarray(reach)
    half = room * SPEEDS[speed] * rng.uniform(0.88, 1.1)
    off = rng.uniform(-0.55, 0.75) * np.minimum(room, 0.6)
    rest = rng.uniform(-0.6, 0.6, 2) * room
    scale, angle = np.ones(FRAMES), np.full(FRAMES, rng.uniform(-0.05, 0.05))
    centre = np.repeat(rest[None], FRAMES, 0)
    if motion in ("left", "right"):
        centre = _straight(0, 1 if motion == "right" else -1, room, half, off, t)
    elif motion in ("up", "down"):
        centre = _straight(1, 1 if motion == "down" else -1, room, half, off, t)
    elif motion == "bounce":
        height = np.abs(np.cos(np.pi * t * _BOUNCES[speed]))
        centre = np.stack([np.full(FRAMES, off[0]), room[1] - 2 * room[1] * 0.7 * height], 1)
    elif motion == "zigzag":
        side = 2 * np.abs(2 * ((t * 1.5 + 0.25) % 1) - 1) - 1
        centre = np.stack([half[0].clip(max=room[0]) * (2 * t - 1), 0.6 * room[1] * side], 1)
    elif motion == "orbit":
        a = 2 * np.pi * t * SPEEDS[speed] + rng.uniform(0, 2 * np.pi)
        centre = 0.75 * room * np.stack([np.cos(a), np.sin(a)], 1)
    elif motion == "spin":
        angle = angle + 2 * np.pi * t * 0.6 * SPEEDS[speed]
    elif motion in ("grow", "shrink"):
        scale = np.interp(t, (0, 1), (0.5, 1.15) if motion == "grow" else (1.15, 0.5))
    elif motion != "still":
        raise ValueError(f"unknown motion {motion!r}")
    return Path(centre, scale, angle)
