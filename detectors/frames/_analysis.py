"""From frames to one tracked thing: where it is, what it covers and what it stands before.

Made for small rendered worlds: a few flat-coloured things over a place whose rows are roughly uniform.
On anything else the track comes out empty or incoherent, and the readers of it say ``unknown``.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from safegen.types import Clip

Floats = NDArray[np.float32]

SHORT_SIDE = 64
MAX_FRAMES = 17
_MIN_CONTRAST = 26.0
"""Smallest RGB distance (0..441) from the row's colour that can belong to a thing."""
_MIN_AREA = 0.0045
_MAX_AREA = 0.42
"""Share of the picture a thing may cover."""


@dataclass(frozen=True)
class Spot:
    """The main thing in one frame.

    ``alpha`` is its coverage (h, w) in 0..1, ``centre`` (x, y) and ``area`` in units of the short side,
    ``colour`` its median RGB, ``flat`` the spread of its inner colour, ``whole`` whether it is fully in view.
    """

    frame: int
    alpha: Floats
    centre: tuple[float, float]
    area: float
    colour: Floats
    flat: float
    whole: bool
    others: int


@dataclass(frozen=True)
class Track:
    """What a clip shows: row colours of the place (h, 3), the thing's spots by time, and a coherence in
    0..1."""

    rows: Floats
    spots: tuple[Spot, ...]
    frames: int
    coherence: float
    aspect: float


def thumbnails(clip: Clip) -> Floats:
    """Up to MAX_FRAMES evenly spaced frames, short side SHORT_SIDE: (n, h, w, 3) float32 RGB in 0..255."""
    import cv2

    wanted = set(
        np.linspace(0, max(clip.count - 1, 0), min(MAX_FRAMES, max(clip.count, 1))).round().astype(int)
    )
    out: list[Floats] = []
    for index, frame in enumerate(clip):
        if index not in wanted:
            continue
        h, w = frame.shape[:2]
        scale = SHORT_SIDE / max(1, min(h, w))
        size = (min(256, max(8, round(w * scale))), min(256, max(8, round(h * scale))))
        method = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
        small = frame if (w, h) == size else cv2.resize(frame, size, interpolation=method)
        out.append(small.astype(np.float32))
    return np.stack(out) if out else np.zeros((0, SHORT_SIDE, SHORT_SIDE, 3), np.float32)


def _components(mask: NDArray[np.bool_]) -> Iterator[NDArray[np.bool_]]:
    """Connected parts large enough to be things, biggest first."""
    import cv2

    count, labels, stats, _ = cv2.connectedComponentsWithStats(mask.astype(np.uint8), connectivity=8)
    areas = stats[1:count, cv2.CC_STAT_AREA]
    for index in np.argsort(-areas, kind="stable"):
        if areas[index] >= _MIN_AREA * mask.size:
            yield labels == index + 1


def _eroded(mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """The mask without its rim; thin detail of the place, such as a wave, vanishes."""
    import cv2

    thin: NDArray[np.bool_] = cv2.erode(mask.astype(np.uint8), np.ones((3, 3), np.uint8)) > 0
    return thin


def _spot(index: int, frame: Floats, rows: Floats) -> Spot | None:
    import cv2

    h, w = frame.shape[:2]
    away = frame - rows[:, None]
    distance = np.sqrt((away**2).sum(2))
    parts = list(_components(distance > _MIN_CONTRAST))
    if not parts:
        return None
    part = parts[0]
    inner = _eroded(part)
    core = inner if inner.sum() >= 6 else part
    colour = np.median(frame[core], axis=0)
    flat = float(np.abs(frame[core] - colour).mean())
    contrast = colour - rows[:, None]
    share = np.clip((away * contrast).sum(2) / np.maximum((contrast**2).sum(2), 1.0), 0, 1)
    # Faint detail of the place that touches the thing (a wave, a dune's edge) has little of its colour.
    part = next(_components(part & (share > 0.4)), part)
    near = cv2.dilate(part.astype(np.uint8), np.ones((3, 3), np.uint8)) > 0
    alpha = np.where(near, share, 0).astype(np.float32)
    total = float(alpha.sum())
    if total < 1:
        return None
    ys, xs = np.mgrid[0:h, 0:w]
    unit = min(h, w)
    centre = (float((xs * alpha).sum() / total / unit), float((ys * alpha).sum() / total / unit))
    border = np.concatenate([part[0], part[-1], part[:, 0], part[:, -1]])
    solid = _eroded(part).sum()
    others = sum(int(_eroded(p).sum() >= max(4, 0.4 * solid)) for p in parts[1:])
    return Spot(
        index, alpha, centre, total / unit**2, colour.astype(np.float32), flat, not border.any(), others
    )


def track(frames: Floats) -> Track:
    """Follow the biggest thing through ``frames`` (n, h, w, 3) float32 RGB in 0..255."""
    n, h, w = frames.shape[:3]
    if n == 0:
        return Track(np.zeros((h, 3), np.float32), (), 0, 0.0, w / h)
    rows = np.median(frames.transpose(1, 0, 2, 3).reshape(h, -1, 3), axis=1).astype(np.float32)
    spots = [s for s in (_spot(i, frame, rows) for i, frame in enumerate(frames)) if s is not None]
    away = np.sqrt(((frames - rows[None, :, None]) ** 2).sum(3)) > _MIN_CONTRAST
    covered = float(away.mean())
    usual = float(np.median([s.area for s in spots])) * min(h, w) ** 2 / (h * w) if spots else 0.0
    stray = max(0.0, covered - usual * (1 + (max((s.others for s in spots), default=0))))
    flat = float(np.median([s.flat for s in spots])) if spots else 99.0
    coherence = _fall(covered, _MAX_AREA, 0.6) * _fall(stray, 0.08, 0.2) * _fall(flat, 26.0, 45.0)
    calm = np.sqrt(((frames - rows[None, :, None]) ** 2).sum(3))[~away]
    rough = float(calm.mean()) if calm.size else 99.0
    coherence *= _fall(_jumps(spots), 0.05, 0.25) * _fall(rough, 4.5, 7.0)
    return Track(rows, tuple(spots), n, coherence, w / h)


def _jumps(spots: list[Spot]) -> float:
    """Share of steps in which the biggest thing is suddenly elsewhere: then it is not one thing."""
    if len(spots) < 2:
        return 0.0
    path = np.array([s.centre for s in spots])
    return float((np.hypot(*np.diff(path, axis=0).T) > 0.25).mean())


def _fall(value: float, good: float, bad: float) -> float:
    """1 up to ``good``, 0 from ``bad`` on, linear between."""
    return float(np.clip((bad - value) / (bad - good), 0, 1))
