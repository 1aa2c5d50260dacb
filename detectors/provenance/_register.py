"""Where in a released picture does a cropped file lie? For files without a mark, whose geometry would say it.

The file's small pictures are slid over the recorded ones at many sizes (normalised correlation); the best
place becomes a geometry for ``content.compare``, which decides as it does for a mark's geometry.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import cv2
import numpy as np
from numpy.typing import NDArray

from safegen.detectors.provenance._thumbs import CANONICAL, SHORT
from safegen.types import Geometry

if TYPE_CHECKING:
    from safegen.detectors.provenance.content import Descriptors
    from safegen.types import FrameSample

__all__ = ["register_crop"]

_DENSE = 2
"""Recorded pictures are enlarged this much, so that a place is found to a fraction of their pixels."""
_SMALLEST = 0.45
"""Least share of the released picture's sides that a crop may show."""
_STEP = 0.98
_MOMENTS = (0.1, 0.3, 0.5, 0.7, 0.9)
_LEAST = 0.5
"""Correlation under which no place is worth comparing."""


@dataclass(frozen=True)
class _Spot:
    likeness: float
    scale: float
    x: float
    y: float


def register_crop(reference: Descriptors, sample: FrameSample) -> Geometry | None:
    """How an upright crop of a whole clip lies over the released picture; None when it lies nowhere.

    The sample's times are taken as the whole clip's: a file that was cut in time as well is not found.
    """
    ours = [_picked(reference.pictures, m) for m in _MOMENTS]
    theirs = [cv2.cvtColor(_picked(sample.frames, m), cv2.COLOR_RGB2GRAY) for m in _MOMENTS]
    height, width = ours[0].shape[0] * _DENSE, ours[0].shape[1] * _DENSE
    large = [cv2.resize(p, (width, height), interpolation=cv2.INTER_LINEAR) for p in ours]
    tall, wide = theirs[0].shape
    scale = min(height / tall, width / wide)
    least = scale * _SMALLEST
    best: _Spot | None = None
    while scale > least:
        size = (max(1, int(wide * scale)), max(1, int(tall * scale)))
        if min(size) >= 8:
            found = _best(large, [cv2.resize(p, size, interpolation=cv2.INTER_AREA) for p in theirs], scale)
            best = found if best is None or found.likeness > best.likeness else best
        scale *= _STEP
    if best is None or best.likeness < _LEAST:
        return None
    unit = CANONICAL / SHORT / _DENSE
    ratio = (wide / sample.width, tall / sample.height)
    a = (best.scale * ratio[0] * unit, 0.0, 0.0, best.scale * ratio[1] * unit)
    return Geometry(a, (best.x * unit, best.y * unit))


def _picked(pictures: NDArray[np.uint8], moment: float) -> NDArray[np.uint8]:
    return np.ascontiguousarray(pictures[round(moment * (len(pictures) - 1))])


def _best(large: list[NDArray[np.uint8]], small: list[NDArray[np.uint8]], scale: float) -> _Spot:
    """The place at which all pairs together agree best."""
    pairs = zip(large, small, strict=True)
    scores = np.mean([cv2.matchTemplate(r, s, cv2.TM_CCOEFF_NORMED) for r, s in pairs], axis=0)
    scores = np.nan_to_num(scores, nan=-1.0, posinf=-1.0, neginf=-1.0)
    y, x = divmod(int(scores.argmax()), scores.shape[1])
    return _Spot(float(scores[y, x]), scale, x + _peak(scores[y], x), y + _peak(scores[:, x], y))


def _peak(line: NDArray[np.float32], at: int) -> float:
    """Where between its neighbours the maximum of *line* lies: a parabola's top, within half a pixel."""
    if not 0 < at < len(line) - 1:
        return 0.0
    before, top, after = (float(v) for v in line[at - 1 : at + 2])
    bend = before - 2 * top + after
    return 0.0 if bend >= 0 else max(-0.5, min(0.5, 0.5 * (before - after) / bend))
