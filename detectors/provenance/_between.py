"""Pictures between two pictures of a file: what it would show at a moment that was not sampled.

A recorded moment lies between two of the file's sampled pictures. What moves has then gone part of the way,
so the two are moved towards each other along their own optical flow: only motion that the file itself shows
can bring them nearer to a recorded picture.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from safegen.detectors.provenance._structure import Pictures, moving_parts

__all__ = ["best_between"]

_ENDS = 0.05
"""Share of the way below which a moment is that of a picture itself."""
_CHANGED = 1.0
"""Mean difference (grey levels) under which two pictures are one."""


def best_between(
    reference: Pictures,
    before: Pictures,
    after: Pictures,
    shares: NDArray[np.float64],
    mask: NDArray[np.bool_],
) -> Pictures:
    """For each recorded picture the likeliest of: the one before, the one after, what lies between.

    All (n, h, w); *shares* (n,): how far each moment is from the picture before to the one after.
    """
    flow = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_ULTRAFAST)
    between = np.stack(
        [_between(a, b, float(s), flow) for a, b, s in zip(before, after, shares, strict=True)]
    )
    candidates = np.stack([between, before, after])
    still = between - moving_parts(between) if len(between) > 2 else np.zeros_like(between)
    ours = moving_parts(reference)
    values = [_alike(ours[:, mask], (c - still)[:, mask]) for c in candidates]
    chosen = np.argmax(np.stack(values), axis=0)
    chosen[(shares <= _ENDS) | (shares >= 1 - _ENDS)] = 0  # that very picture was sampled
    return np.asarray(candidates[chosen, np.arange(len(reference))], dtype=np.float32)


def _alike(ours: NDArray[np.floating], theirs: NDArray[np.floating]) -> NDArray[np.float32]:
    """Correlation of rows."""
    a = ours - ours.mean(axis=1, keepdims=True)
    b = theirs - theirs.mean(axis=1, keepdims=True)
    under = np.linalg.norm(a, axis=1) * np.linalg.norm(b, axis=1) + 1e-3
    return np.asarray((a * b).sum(axis=1) / under, dtype=np.float32)


def _between(before: Pictures, after: Pictures, share: float, flow: cv2.DISOpticalFlow) -> Pictures:
    """The picture at *share* of the way between two, moved along their flow and blended."""
    if share <= _ENDS or share >= 1 - _ENDS:
        return before if share < 0.5 else after
    if float(np.abs(before - after).mean()) < _CHANGED or min(before.shape) < 12:
        return np.asarray((1 - share) * before + share * after, dtype=np.float32)
    first, second = (np.clip(p, 0, 255).astype(np.uint8) for p in (before, after))
    way = flow.calc(first, second, np.zeros((*first.shape, 2), np.float32))
    y, x = np.mgrid[: before.shape[0], : before.shape[1]].astype(np.float32)
    there = cv2.remap(before, x - share * way[..., 0], y - share * way[..., 1], cv2.INTER_LINEAR)
    back = cv2.remap(after, x + (1 - share) * way[..., 0], y + (1 - share) * way[..., 1], cv2.INTER_LINEAR)
    return np.asarray((1 - share) * there + share * back, dtype=np.float32)
