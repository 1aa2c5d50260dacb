"""How much of the structure of two aligned clips agrees, flat areas not counting.

Local correlation (the structure term of SSIM, Wang et al. 2004) in small windows, where at least one
of the two pictures has something to see; then the same for what differs from each clip's own still
background, so that a shared horizon or ground cannot outvote a moving object.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

__all__ = ["structural_agreement"]

_WINDOW = (5, 5)
_NOISE = 4.0
"""Variance (grey levels squared) that compression and watermark leave in a flat window."""
_SALIENT = 30.0
_LEAST = 8.0
"""Total salience (windows) per picture below which a score says nothing."""


def structural_agreement(
    reference: NDArray[np.float32], sample: NDArray[np.float32], mask: NDArray[np.bool_]
) -> float:
    """Score in [-1, 1] of paired pictures (n, h, w) over *mask* (h, w)."""
    sample = _like(reference, sample, mask)
    still = _local(reference, sample, mask)
    scores = [still]
    if len(reference) > 2:
        scores.append(_local(_moving(reference), _moving(sample), mask))
    told = [s for s in scores if s is not None]
    return float(min(told)) if told else 0.0


def _moving(pictures: NDArray[np.float32]) -> NDArray[np.float32]:
    """What differs from the clip's own still background (its median over time)."""
    return np.asarray(pictures - np.median(pictures, axis=0), dtype=np.float32)


def _like(
    reference: NDArray[np.float32], sample: NDArray[np.float32], mask: NDArray[np.bool_]
) -> NDArray[np.float32]:
    """*sample* with its overall contrast brought to the reference's."""
    a, b = float(reference[:, mask].std()), float(sample[:, mask].std())
    return np.asarray(sample * min(4.0, max(0.25, a / max(b, 1.0))), dtype=np.float32)


def _local(
    reference: NDArray[np.float32], sample: NDArray[np.float32], mask: NDArray[np.bool_]
) -> float | None:
    weight = mask.astype(np.float32)
    under = cv2.blur(weight, _WINDOW) + 1e-6
    inner = (under > 0.6) & mask
    if not inner.any():
        return None
    total, agreed = 0.0, 0.0
    for r, s in zip(reference, sample, strict=True):
        mean_r, mean_s = (cv2.blur(v * weight, _WINDOW) / under for v in (r, s))
        var_r = np.maximum(cv2.blur(r * r * weight, _WINDOW) / under - mean_r**2, 0)[inner]
        var_s = np.maximum(cv2.blur(s * s * weight, _WINDOW) / under - mean_s**2, 0)[inner]
        cov = (cv2.blur(r * s * weight, _WINDOW) / under - mean_r * mean_s)[inner]
        loud = np.maximum(var_r, var_s)
        # Shrunk where either window is mostly noise; the last factor makes equal pictures give 1.
        like = cov / np.sqrt((var_r + _NOISE) * (var_s + _NOISE)) * (loud + _NOISE) / (loud + 1e-6)
        like = np.clip(like, -1, 1)
        salience = loud / (loud + _SALIENT)
        salience[loud < 2 * _NOISE] = 0
        total += float(salience.sum())
        agreed += float((salience * like).sum())
    if total < _LEAST * len(reference):
        return None
    return agreed / total
