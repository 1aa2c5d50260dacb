"""From a scene to frames: polygons over a place, anti-aliased by drawing at twice the size."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from training.world import backgrounds, motion, shapes
from training.world.spec import FACING, FRAMES, RADII, SIDE, Scene, Thing

Frames = NDArray[np.uint8]
_OVER = 2
_SHIFT = 4  # fixed-point bits of cv2's polygon coordinates


def paint(
    canvas: Frames, parts: list[shapes.Part], centre: NDArray[np.float64], radius: float, angle: float
) -> None:
    """Draw a thing's polygons onto a canvas of twice the side, `centre` and `radius` in picture units."""
    turn = np.asarray([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    unit = SIDE * _OVER / 2
    for points, colour in parts:
        xy = (points @ turn.T * radius + centre + 1) * unit
        cv2.fillPoly(canvas, [np.round(xy * (1 << _SHIFT)).astype(np.int32)], colour, cv2.LINE_AA, _SHIFT)


def _jittered(colour: tuple[int, int, int], rng: np.random.Generator) -> tuple[int, int, int]:
    r, g, b = (int(np.clip(c + rng.uniform(-7, 7), 0, 255)) for c in colour)
    return r, g, b


_SPACING = {1: (0.0,), 2: (0.48, -0.48), 3: (0.0, 0.64, -0.64)}
"""Where the things of a group stand along their common line, in picture units."""


def _formation(scene: Scene) -> NDArray[np.float64]:
    """Offset of every thing from the middle of the group: (n, 2). Where nobody says how two things stand, the
    one named first is on the left, or on top."""
    line = np.asarray(_SPACING[scene.number])
    out = np.zeros((scene.number, 2))
    out[:, int(scene.stacked)] = line if len(scene.things) == 1 or scene.swapped else -line
    return out


def tracks(scene: Scene, rng: np.random.Generator, begin: float) -> list[tuple[Thing, motion.Path]]:
    """Every thing with its path, in formation: clear of one another and inside the picture."""
    offsets = _formation(scene)
    things = scene.things if len(scene.things) > 1 else scene.things * scene.count
    radii = [RADII[len(things)][t.size] for t in things]
    spread = np.abs(offsets).max(0) + max(radii)
    room = np.maximum(0.97 - spread, 0.02)
    middle = motion.path(scene.motion, scene.speed, (float(room[0]), float(room[1])), rng, begin)
    return [
        (thing, motion.Path(middle.centre + at, middle.scale * radius, middle.angle))
        for thing, at, radius in zip(things, offsets, radii, strict=True)
    ]


def camera(frame: Frames, move: str, t: float) -> Frames:
    """The frame as the camera sees it at `t` in 0..1 of its move."""
    if move == "static":
        return frame
    side = SIDE * _OVER
    zoom, dx = 1.15, 0.0
    if move.startswith("pan"):
        dx = (t - 0.5) * 0.13 * side * (1 if move == "pan_left" else -1)
    else:
        zoom = 1 + 0.3 * (t if move == "zoom_in" else 1 - t)
    matrix = np.asarray([[zoom, 0, side / 2 * (1 - zoom) + dx], [0, zoom, side / 2 * (1 - zoom)]], np.float32)
    return np.asarray(cv2.warpAffine(frame, matrix, (side, side), borderMode=cv2.BORDER_REPLICATE), np.uint8)


def _differs(a: Frames, b: Frames) -> NDArray[np.bool_]:
    other: NDArray[np.bool_] = (
        a != b
    )  # reducing three planes by hand: numpy is ten times slower on a short axis
    return other[..., 0] | other[..., 1] | other[..., 2]


def painted(
    scene: Scene, going: list[tuple[Thing, motion.Path]], rng: np.random.Generator
) -> list[list[shapes.Part]]:
    """The polygons of every thing, in colours that vary a little."""
    mirrored = scene.motion == "left"
    return [
        shapes.parts(t.kind, _jittered(shapes.named(t.colour), rng), mirrored=mirrored and t.kind in FACING)
        for t, _ in going
    ]


def render(scene: Scene, seed: int, begin: float = 0.0) -> tuple[Frames, NDArray[np.bool_]]:
    """Frames of a scene: (FRAMES, SIDE, SIDE, 3) uint8 RGB, and where things are: (FRAMES, SIDE, SIDE) bool.

    `begin` starts later, in clip lengths (see `motion.path`). Equal arguments give equal bytes. Raises
    KeyError or ValueError for names that are not in `spec`.
    """
    rng = np.random.default_rng(seed)
    place = backgrounds.picture(scene.background, scene.daytime, rng)
    side = SIDE * _OVER
    base = cv2.resize(place.astype(np.uint8), (side, side), interpolation=cv2.INTER_NEAREST)
    going = tracks(scene, rng, begin)
    things = painted(scene, going, rng)
    frames = np.empty((FRAMES, SIDE, SIDE, 3), np.uint8)
    masks = np.empty((FRAMES, SIDE, SIDE), np.bool_)
    for i in range(FRAMES):
        canvas = base.copy()
        for (_, p), parts in zip(going, things, strict=True):
            paint(canvas, parts, p.centre[i], float(p.scale[i]), float(p.angle[i]))
        moved = _differs(canvas, base)
        out = camera(canvas, scene.camera, i / (FRAMES - 1))
        frames[i] = cv2.resize(out, (SIDE, SIDE), interpolation=cv2.INTER_AREA)
        mask = camera(moved.astype(np.uint8), scene.camera, i / (FRAMES - 1))
        masks[i] = (mask[::2, ::2] | mask[1::2, ::2] | mask[::2, 1::2] | mask[1::2, 1::2]) > 0
    return frames, masks
