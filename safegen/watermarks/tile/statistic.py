"""The presence statistic and its bound.

Let a_i be any real numbers taken from a picture and s_i independent fair signs from the key. Then
``z = sum(s_i a_i) / sqrt(sum(a_i^2))`` satisfies ``P(z >= x) <= exp(-x^2 / 2)`` (Hoeffding 1963,
theorem 2) and ``P(z >= x) <= c P(N >= x)`` with N standard normal and ``c = 1 / (4 P(N >= sqrt 2))``
(Bentkus & Dzindzalieta 2015, Bernoulli 21(2), theorem 1.1), whatever the picture, as long as the picture
was not made with knowledge of the key. The normal tail is at most ``exp(-x^2 / 2) / (x sqrt(2 pi))``, so the
second is the smaller one from x = 1.27. The a_i may be weighted, clipped or chosen in any way that does not
look at those signs. Looking several times multiplies the bound by the number of looks (union bound);
``log10_trials`` carries that.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

__all__ = ["correlation", "log10_bound", "needed_z"]

_CONSTANT = 3.1788
"""1 / (4 P(N >= sqrt 2)), rounded up."""


def correlation(signs: NDArray[np.float64], values: NDArray[np.float64]) -> float:
    """z of *values* against +-1 *signs* (same shape); 0 where there is no energy at all."""
    norm = math.sqrt(float(np.sum(values * values)))
    if not norm > 0 or not math.isfinite(norm):
        return 0.0
    return float(np.sum(signs * values)) / norm


def log10_bound(z: float, log10_trials: float = 0.0) -> float:
    """log10 of the trials times the smaller of the two bounds, at most 0; 0 for z <= 0 or not a number."""
    if not z > 0:
        return 0.0
    return min(0.0, log10_trials + _tighter(z) - z * z / (2 * math.log(10)))


def needed_z(log10_p: float, log10_trials: float = 0.0) -> float:
    """The z from which ``log10_bound`` is at most *log10_p* (negative)."""
    z = math.sqrt(2 * math.log(10) * (log10_trials - log10_p))
    for _ in range(30):
        z = math.sqrt(2 * math.log(10) * max(0.0, log10_trials + _tighter(z) - log10_p))
    return z + 1e-9


def _tighter(z: float) -> float:
    """log10 of what the second bound takes off the first."""
    return min(0.0, math.log10(_CONSTANT / (math.sqrt(2 * math.pi) * z))) if z > 0 else 0.0
