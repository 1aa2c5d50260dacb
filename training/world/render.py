"""From a scene to frames: polygons over a place, anti-aliased by drawing at twice the size."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from training.world import backgrounds, motion, shapes
from training.world.spec import FRAMES, SIDE, SIZES, Scene, Thing

Frames = NDArray[np.uint8]
_OVER = 2
_SHIFT = 4  # fixed-point bits of cv2's polygon coordinates


def _paint(
    canvas: Frames, parts: list[shapes.Part], centre: NDArray[np.float64], radius: float, angle: float
) -> None:
    turn = np.asarray([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    unit = SIDE * _OVER / 2
    for points, colour in parts:
        xy = (points @ turn.T * radius + centre + 1) * unit
        cv2.fillPoly(canvas, [np.round(xy * (1 << _SHIFT)).astype(np.int32)], colour, cv2.LINE_AA, _SHIFT)


def _jittered(colour: tuple[int, int, int], rng: np.random.Generator) -> tuple[int, int, int]:
    r, g, b = (int(np.clip(c + rng.uniform(-7, 7), 0, 255)) for c in colour)
    return r, g, b


def _tracks(scene: Scene, rng: np.random.Generator) -> list[tuple[Thing, motion.Path]]:
    """Every thing with its path; copies and second things stand clear of the first."""
    main = scene.things[0]
    shrink = 0.62 if scene.count > 1 or len(scene.things) > 1 else 1.0
    radius = SIZES[main.size] * shrink
    first = motion.path(scene.motion, scene.speed, radius, rng)
    out = [(main, first)]
    for copy in range(1, scene.count):
        offset = np.asarray([0.0, 0.62]) if scene.motion in ("left", "right") else np.asarray([0.62, 0.0])
        sign = 1 if copy == 1 else -1
        out.append((main, motion.Path(first.centre + sign * offset, first.scale, first.angle)))
    if len(scene.things) > 1:
        place = {"left_of": (0.6, 0), "right_of": (-0.6, 0), "above": (0, 0.6), "below": (0, -0.6)}
        at = np.asarray(place[scene.relation or "left_of"], float)
        rest = np.repeat((first.centre[:1] * 0.3 + at).clip(-0.7, 0.7), FRAMES, 0)
        out.insert(0, (scene.things[1], motion.Path(rest, np.ones(FRAMES), np.zeros(FRAMES))))
    return [(thing, motion.Path(p.centre, p.scale * shrink, p.angle)) for thing, p in out]


def _camera(frame: Frames, camera: str, t: float) -> Frames:
    if camera == "static":
        return frame
    side = SIDE * _OVER
    zoom, dx = 1.15, 0.0
    if camera.startswith("pan"):
        dx = (t - 0.5) * 0.13 * side * (1 if camera == "pan_left" else -1)
    else:
        zoom = 1 + 0.3 * (t if camera == "zoom_in" else 1 - t)
    matrix = np.asarray([[zoom, 0, side / 2 * (1 - zoom) + dx], [0, zoom, side / 2 * (1 - zoom)]], np.float32)
    return np.asarray(cv2.warpAffine(frame, matrix, (side, side), borderMode=cv2.BORDER_REPLICATE), np.uint8)


def _differs(a: Frames, b: Frames) -> NDArray[np.bool_]:
    other: NDArray[np.bool_] = (
        a != b
    )  # reducing three planes by hand: numpy is ten times slower on a short axis
    return other[..., 0] | other[..., 1] | other[..., 2]


def render(scene: Scene, seed: int) -> tuple[Frames, NDArray[np.bool_]]:
    """Frames of a scene: (FRAMES, SIDE, SIDE, 3) uint8 RGB, and where things are: (FRAMES, SIDE, SIDE) bool.

    Equal scene and seed give equal bytes. Raises KeyError or ValueError for names that are not in `spec`.
    """
    rng = np.random.default_rng(seed)
    place = backgrounds.picture(scene.background, scene.daytime, rng)
    side = SIDE * _OVER
    base = cv2.resize(place.astype(np.uint8), (side, side), interpolation=cv2.INTER_NEAREST)
    tracks = _tracks(scene, rng)
    painted = [shapes.parts(t.kind, _jittered(shapes.named(t.colour), rng)) for t, _ in tracks]
    frames = np.empty((FRAMES, SIDE, SIDE, 3), np.uint8)
    masks = np.empty((FRAMES, SIDE, SIDE), np.bool_)
    for i in range(FRAMES):
        canvas = base.copy()
        for (thing, p), parts in zip(tracks, painted, strict=True):
            _paint(canvas, parts, p.centre[i], SIZES[thing.size] * float(p.scale[i]), float(p.angle[i]))
        moved = _differs(canvas, base)
        out = _camera(canvas, scene.camera, i / (FRAMES - 1))
        frames[i] = cv2.resize(out, (SIDE, SIDE), interpolation=cv2.INTER_AREA)
        mask = _camera(moved.astype(np.uint8), scene.camera, i / (FRAMES - 1))
        masks[i] = (mask[::2, ::2] | mask[1::2, ::2] | mask[::2, 1::2] | mask[1::2, 1::2]) > 0
    return frames, masks
