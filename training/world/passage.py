"""Passages: how one scene becomes another, drawn for what a model has to know between two given ends.

The first five frames end a clip of the first scene, the last four begin one of the second. In between the
same thing glides to its new place, while different ones shrink away and grow in, and the light changes.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from training.world import backgrounds, motion
from training.world.render import Frames, camera, paint, painted, tracks
from training.world.spec import FRAMES, SIDE, Scene

_LEAVE, _ARRIVE = 4, 12
"""Last frame of the first scene, and the frame at which the second one stands as it begins."""


def _ease(i: int, start: int, end: int) -> float:
    """Smooth step from 0 at frame `start` to 1 at frame `end`."""
    t = min(1.0, max(0.0, (i - start) / (end - start)))
    return t * t * (3 - 2 * t)


def _between(
    a: motion.Path, ai: int, b: motion.Path, bi: int, t: float
) -> tuple[NDArray[np.float64], float, float]:
    centre = (1 - t) * a.centre[ai] + t * b.centre[bi]
    turned = (1 - t) * a.angle[ai] % (2 * np.pi) + t * b.angle[bi]
    return centre, float((1 - t) * a.scale[ai] + t * b.scale[bi]), float(turned)


def render(first: Scene, first_seed: int, second: Scene, second_seed: int) -> Frames:
    """Frames of the passage from `first` to `second`: (FRAMES, SIDE, SIDE, 3) uint8 RGB.

    Cameras stand still. Equal arguments give equal bytes.
    """
    side = SIDE * 2
    ends = []
    for scene, seed in ((first, first_seed), (second, second_seed)):
        rng = np.random.default_rng(seed)
        place = backgrounds.picture(scene.background, scene.daytime, rng)
        going = tracks(scene, rng, 0.0)
        ends.append((place, going, painted(scene, going, rng)))
    (place_a, going_a, parts_a), (place_b, going_b, parts_b) = ends
    same = [t for t, _ in going_a] == [t for t, _ in going_b]
    frames = np.empty((FRAMES, SIDE, SIDE, 3), np.uint8)
    for i in range(FRAMES):
        light = _ease(i, _LEAVE, _ARRIVE)
        place = ((1 - light) * place_a + light * place_b).astype(np.uint8)
        canvas = cv2.resize(place, (side, side), interpolation=cv2.INTER_NEAREST).astype(np.uint8)
        ai, bi = min(FRAMES - 1, FRAMES - 1 - _LEAVE + i), max(0, i - _ARRIVE)
        if same:
            for (_, a), (_, b), parts in zip(
                going_a, going_b, parts_b if light > 0.5 else parts_a, strict=True
            ):
                centre, scale, angle = _between(a, ai, b, bi, light)
                paint(canvas, parts, centre, scale, angle)
        else:
            for going, all_parts, at, size in (
                (going_a, parts_a, ai, 1 - _ease(i, _LEAVE, _ARRIVE - 2)),
                (going_b, parts_b, bi, _ease(i, _LEAVE + 2, _ARRIVE)),
            ):
                for (_, p), parts in zip(going, all_parts, strict=True):
                    if size > 0.02:
                        radius = float(p.scale[at]) * size
                        paint(canvas, parts, p.centre[at], radius, float(p.angle[at]))
        frames[i] = cv2.resize(camera(canvas, "static", 0.0), (SIDE, SIDE), interpolation=cv2.INTER_AREA)
    return frames
