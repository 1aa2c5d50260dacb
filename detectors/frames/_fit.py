"""Fits drawn things to a piece of a picture: what kind of thing explains the pixels best, where and how big.

Analysis by synthesis: every kind is drawn over the place as the renderer would draw it, in the colour found
where its body lies, and moved and scaled until it differs least from what is seen.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cache, cached_property, lru_cache

import numpy as np
from numpy.typing import NDArray

from safegen.detectors.frames import _outlines

Floats = NDArray[np.float32]

FACING = ("car", "boat", "bird")
OUTLINE_VARIANTS: tuple[tuple[str, bool], ...] = tuple(
    (kind, mirrored)
    for kind in _outlines.KINDS
    for mirrored in ((False, True) if kind in FACING else (False,))
)
"""Kinds, those with a front in both directions."""

_MAP = 32
_REACH = 1.3
"""Half the side of a normalised map, in units of the square root of the area."""
_BODY = (201, 3, 57)
_SHIFT = 4
_MARGIN = 4
_BLURS = (0.8, 1.3)
"""Softness of generated outlines that is forgiven, in pixels."""


@dataclass(frozen=True)
class Patch:
    """A crop round one thing: ``pixels`` (h, w, 3), the place behind it (h, 3), how much each pixel counts
    (h, w), how much of it is not the place (h, w), and the crop's corner (x, y) in the picture."""

    pixels: Floats
    rows: Floats
    weight: Floats
    alpha: Floats
    corner: tuple[int, int]

    @cached_property
    def canvas(self) -> NDArray[np.uint8]:
        """The place alone at twice the size: (2h, 2w, 3)."""
        rows = np.repeat(self.rows.clip(0, 255).astype(np.uint8), 2, 0)
        return np.repeat(rows[:, None], 2 * self.weight.shape[1], 1)

    @cached_property
    def weights(self) -> Floats:
        """The weight of every channel: (h, w, 3)."""
        return np.repeat(self.weight[..., None], 3, 2)

    @cached_property
    def energy(self) -> float:
        """What is to be explained: weighted absolute difference between picture and place."""
        import cv2

        return max(1.0, cv2.norm((self.pixels - self.rows[:, None]) * self.weights, cv2.NORM_L1))


@dataclass(frozen=True)
class Pose:
    """A drawn thing: its look, centre and radius in pixels of the picture, turn in radians, body colour, and
    the share (0 is perfect) of what is seen that it leaves unexplained."""

    kind: str
    mirrored: bool
    x: float
    y: float
    radius: float
    angle: float
    colour: tuple[float, float, float]
    error: float


def patch(frame: Floats, rows: Floats, alpha: Floats, others: NDArray[np.bool_]) -> Patch:
    """The crop of ``frame`` (h, w, 3) round ``alpha`` (h, w); pixels of ``others`` (h, w) do not count."""
    ys, xs = np.nonzero(alpha > 0.3)
    h, w = alpha.shape
    if not len(ys):
        ys = xs = np.array([0, 2])
    top, bottom = max(0, int(ys.min()) - _MARGIN), min(h, int(ys.max()) + _MARGIN + 1)
    left, right = max(0, int(xs.min()) - _MARGIN), min(w, int(xs.max()) + _MARGIN + 1)
    box = np.s_[top:bottom, left:right]
    return Patch(frame[box], rows[top:bottom], (~others[box]).astype(np.float32), alpha[box], (left, top))


@cache
def _points(kind: str, mirrored: bool) -> tuple[NDArray[np.float64], list[int], list[int]]:
    """All corners of a look (n, 2), where each polygon but the first begins, and which polygons are the body
    in its own colour."""
    painted = _outlines.parts(kind, _BODY, mirrored=mirrored)
    starts = np.cumsum([len(p) for p, _ in painted])[:-1]
    bodies = [i for i, (_, c) in enumerate(painted) if c == _BODY]
    return np.concatenate([p for p, _ in painted]), [int(i) for i in starts], bodies


@lru_cache(maxsize=512)
def _paints(kind: str, colour: tuple[int, int, int]) -> tuple[tuple[int, int, int], ...]:
    return tuple(paint for _, paint in _outlines.parts(kind, colour))


def _polygons(pose: Pose, corner: tuple[int, int], scale: int) -> list[NDArray[np.int32]]:
    """Corners of every polygon of the drawn thing, fixed point, in a crop's pixels times ``scale``."""
    points, starts, _ = _points(pose.kind, pose.mirrored)
    if pose.angle:
        c, s = np.cos(pose.angle), np.sin(pose.angle)
        points = points @ np.array([[c, s], [-s, c]])
    unit = scale * (1 << _SHIFT)
    centre = ((pose.x - corner[0]) * unit + 0.5, (pose.y - corner[1]) * unit + 0.5)
    fixed = np.floor(points * (pose.radius * unit) + centre).astype(np.int32)
    return np.split(fixed, starts)


def _body(pose: Pose, seen: Patch) -> tuple[float, float, float]:
    """Median colour where the body of the drawn thing would be."""
    import cv2

    bodies = _points(pose.kind, pose.mirrored)[2]
    label = np.zeros(seen.weight.shape, np.uint8)
    middle = replace(pose, x=pose.x - 0.5, y=pose.y - 0.5)  # a pixel's corner to its centre
    for i, points in enumerate(_polygons(middle, seen.corner, 1)):
        cv2.fillPoly(label, [points], 1 if i in bodies else 0, cv2.LINE_8, _SHIFT)
    inner = cv2.erode(label, np.ones((3, 3), np.uint8)) > 0
    where = inner if inner.sum() >= 5 else label > 0
    if not where.any():
        where = seen.alpha >= seen.alpha.max()
    r, g, b = np.median(seen.pixels[where], axis=0)
    return float(r), float(g), float(b)


def pose_error(pose: Pose, seen: Patch, blur: float = 0.0) -> float:
    """Share of the difference between picture and place that the drawn thing, blurred by ``blur`` pixels,
    leaves over."""
    import cv2

    canvas = seen.canvas.copy()
    r, g, b = (int(min(255, max(0, c))) for c in pose.colour)
    paints = _paints(pose.kind, (r, g, b))
    for points, paint in zip(_polygons(pose, seen.corner, 2), paints, strict=True):
        cv2.fillPoly(canvas, [points], paint, cv2.LINE_AA, _SHIFT)
    h, w = seen.weight.shape
    drawn = cv2.resize(canvas, (w, h), interpolation=cv2.INTER_AREA).astype(np.float32)
    if blur:
        drawn = np.asarray(cv2.GaussianBlur(drawn, (0, 0), blur), np.float32)
    soft = cv2.GaussianBlur(drawn - seen.pixels, (3, 3), 0.6)
    return float(cv2.norm(soft * seen.weights, cv2.NORM_L1)) / seen.energy


@cache
def _stamps() -> tuple[Floats, Floats]:
    """Normalised coverage maps (looks, _MAP * _MAP) and, per look, radius per root of the area and the
    centroid's offset in radii (looks, 3)."""
    import cv2

    maps, measures = [], []
    for kind, mirrored in OUTLINE_VARIANTS:
        canvas = np.zeros((160, 160), np.uint8)
        for points in _polygons(Pose(kind, mirrored, 80, 80, 50, 0, (0, 0, 0), 1), (0, 0), 1):
            cv2.fillPoly(canvas, [points], 255, cv2.LINE_AA, _SHIFT)
        soft = cv2.GaussianBlur(canvas.astype(np.float32) / 255, (0, 0), 2.0)
        total = soft.sum()
        ys, xs = np.mgrid[0:160, 0:160]
        cx, cy = float((xs * soft).sum() / total), float((ys * soft).sum() / total)
        measures.append((50 / np.sqrt(total), (cx - 80) / 50, (cy - 80) / 50))
        maps.append(normalised(soft).ravel())
    return np.stack(maps), np.asarray(measures, np.float32)


def normalised(alpha: Floats) -> Floats:
    """The map (h, w) moved to the centre of a (_MAP, _MAP) one and scaled to a common area."""
    import cv2

    total = max(float(alpha.sum()), 1e-6)
    xs, ys = np.arange(alpha.shape[1]), np.arange(alpha.shape[0])
    cx, cy = float((alpha.sum(0) * xs).sum() / total), float((alpha.sum(1) * ys).sum() / total)
    scale = _MAP / (2 * _REACH * np.sqrt(total))
    half = (_MAP - 1) / 2
    matrix = np.array([[scale, 0, half - scale * cx], [0, scale, half - scale * cy]], np.float32)
    out = cv2.warpAffine(alpha, matrix, (_MAP, _MAP), flags=cv2.INTER_LINEAR)
    return np.clip(np.asarray(out, np.float32), 0, 1)


def overlaps(alpha: Floats) -> Floats:
    """Soft intersection over union (0..1) of a coverage map with every look: (looks,)."""
    seen = normalised(alpha).ravel()[None]
    maps = _stamps()[0]
    both: Floats = np.minimum(seen, maps).sum(1) / np.maximum(seen, maps).sum(1)
    return both


def initial_pose(look: int, seen: Patch) -> Pose:
    """The look placed so that area and centroid agree with what is seen."""
    kind, mirrored = OUTLINE_VARIANTS[look]
    per_area, dx, dy = (float(v) for v in _stamps()[1][look])
    total = max(float(seen.alpha.sum()), 1.0)
    xs, ys = np.arange(seen.alpha.shape[1]) + 0.5, np.arange(seen.alpha.shape[0]) + 0.5
    radius = float(np.sqrt(total)) * per_area
    x = float((seen.alpha.sum(0) * xs).sum() / total) + seen.corner[0] - dx * radius
    y = float((seen.alpha.sum(1) * ys).sum() / total) + seen.corner[1] - dy * radius
    pose = Pose(kind, mirrored, x, y, radius, 0.0, (0.0, 0.0, 0.0), 1.0)
    pose = replace(pose, colour=_body(pose, seen))
    return replace(pose, error=pose_error(pose, seen))


def fit_colour(pose: Pose, seen: Patch) -> Pose:
    """The pose in whichever colour, the one found or a known one, explains most: where a body is narrow what
    is found there is mixed with its surroundings."""
    tried = [replace(pose, colour=c) for name, c in _outlines.COLOURS.items() if name != "grey"]
    tried = [replace(p, error=pose_error(p, seen)) for p in tried]
    return min((pose, *tried), key=lambda p: p.error)


def fit_blur(pose: Pose, seen: Patch) -> Pose:
    """The pose with the error of whichever sharpness explains most: models draw softer than the renderer."""
    smaller = replace(pose, radius=pose.radius * 0.93)
    tries = [(p, pose_error(p, seen, blur)) for p in (pose, smaller) for blur in _BLURS]
    best, left = min(((pose, pose.error), *tries), key=lambda t: t[1])
    return replace(best, error=left)


def refine_pose(pose: Pose, seen: Patch, steps: tuple[float, ...] = (1.0, 0.5, 0.25)) -> Pose:
    """The pose after a coordinate search in place and size, with steps in pixels."""
    for step in steps:
        for _ in range(2):
            before = pose.error
            for axis in ("x", "y", "radius"):
                for sign in (1, -1):
                    value = getattr(pose, axis) + sign * step
                    if axis == "radius" and value < 2:
                        continue
                    moved = replace(pose, **{axis: value})
                    moved = replace(moved, error=pose_error(moved, seen))
                    if moved.error < pose.error:
                        pose = moved
                        break
            if pose.error == before:
                break
        painted = replace(pose, colour=_body(pose, seen))
        painted = replace(painted, error=pose_error(painted, seen))
        pose = min(pose, painted, key=lambda p: p.error)
    return pose


def offset(look: int) -> tuple[float, float]:
    """Where a look's centroid lies from its centre, in radii (x, y)."""
    _, dx, dy = _stamps()[1][look]
    return float(dx), float(dy)
