"""The presence statistic and its bound.

Let a_i be any real numbers taken from a picture and s_i independent fair signs from the key. Then
``z = sum(s_i a_i) / sqrt(sum(a_i^2))`` satisfies ``P(z >= x) <= exp(-x^2 / 2)`` (Hoeffding 1963,
theorem 2), whatever the picture, as long as the picture was not made with knowledge of the key. The
a_i may be weighted, clipped or chosen in any way that does not look at those signs. Looking several
times multiplies the bound by the number of looks (union bound); ``log10_trials`` carries that.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

__all__ = ["correlation", "log10_bound", "needed_z"]


def correlation(signs: NDArray[np.float64], values: NDArray[np.float64]) -> float:
    """z of *values* against +-1 *signs* (same shape); 0 where there is no energy at all."""
    norm = math.sqrt(float(np.sum(values * values)))
    if not norm > 0 or not math.isfinite(norm):
        return 0.0
    return float(np.sum(signs * values)) / norm


def log10_bound(z: float, log10_trials: float = 0.0) -> float:
    """log10 of ``trials * exp(-z^2/2)``, at most 0; 0 for z <= 0 or z that is not a number."""
    if not z > 0:
        return 0.0
    return min(0.0, log10_trials - z * z / (2 * math.log(10)))


def needed_z(log10_p: float, log10_trials: float = 0.0) -> float:
    """The z at which ``log10_bound`` reaches *log10_p* (negative)."""
    return math.sqrt(2 * math.log(10) * (log10_trials - log10_p))
