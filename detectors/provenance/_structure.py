"""How much of the structure of two aligned clips agrees, flat areas not counting.

Local correlation (the structure term of SSIM, Wang et al. 2004) in small windows, where at least one
of the two pictures has something to see; then the same for what differs from each clip's own still
background, so that a shared horizon or ground cannot outvote a moving object.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

__all__ = ["Agreement", "moving_parts", "same_contrast", "structural_agreement"]

Pictures = NDArray[np.float32]
_WINDOW = (5, 5)
_NOISE = 4.0
"""Variance (grey levels squared) that compression and watermark leave in a flat window."""
_SALIENT = 30.0
_LEAST = 8.0
"""Total salience (windows) per picture below which a score says nothing."""


@dataclass(frozen=True)
class Agreement:
    """Agreement in [-1, 1] over the windows in which either side, the release, or the file shows something.

    None where that is too little to say.
    """

    either: float | None
    ours: float | None
    theirs: float | None


def moving_parts(pictures: Pictures) -> Pictures:
    """What differs from the clip's own still background (its median over time); of one or two, themselves."""
    if len(pictures) <= 2:
        return pictures
    return np.asarray(pictures - np.median(pictures, axis=0), dtype=np.float32)


def same_contrast(reference: Pictures, sample: Pictures, mask: NDArray[np.bool_]) -> Pictures:
    """*sample* with its overall contrast brought to the reference's."""
    a, b = float(reference[:, mask].std()), float(sample[:, mask].std())
    return np.asarray(sample * min(4.0, max(0.25, a / max(b, 1.0))), dtype=np.float32)


def structural_agreement(reference: Pictures, sample: Pictures, mask: NDArray[np.bool_]) -> Agreement:
    """Agreement of paired pictures (n, h, w) over *mask* (h, w)."""
    weight = mask.astype(np.float32)
    under = cv2.blur(weight, _WINDOW) + 1e-6
    inner = (under > 0.6) & mask
    nothing = Agreement(None, None, None)
    if not inner.any():
        return nothing
    r, s = (np.ascontiguousarray(np.moveaxis(v, 0, 2)) for v in (reference, sample))
    weight, under = weight[..., None], under[..., None]

    def local(pictures: Pictures) -> Pictures:
        """Means of the windows, of all pictures at once: (h, w, n)."""
        return np.asarray(cv2.blur(pictures * weight, _WINDOW).reshape(r.shape) / under, dtype=np.float32)

    mean_r, mean_s = local(r), local(s)
    var_r = np.maximum(local(r * r) - mean_r**2, 0)[inner]
    var_s = np.maximum(local(s * s) - mean_s**2, 0)[inner]
    cov = (local(r * s) - mean_r * mean_s)[inner]
    loud = np.maximum(var_r, var_s)
    # Shrunk where either window is mostly noise; the last factor makes equal pictures give 1.
    like = cov / np.sqrt((var_r + _NOISE) * (var_s + _NOISE)) * (loud + _NOISE) / (loud + 1e-6)
    like = np.clip(like, -1, 1)
    sums = []
    for variance in (loud, var_r, var_s):
        salience = np.where(variance < 2 * _NOISE, 0, variance / (variance + _SALIENT))
        sums.append((float(salience.sum()), float((salience * like).sum())))
    least = _LEAST * len(reference)
    either, ours, theirs = (None if n < least else a / n for n, a in sums)
    return Agreement(either, ours, theirs)
