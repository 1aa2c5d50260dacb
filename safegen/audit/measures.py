"""Distances between what was observed and the target. Pure functions of shares; numpy only.

Shares are float arrays of shape (K,) that sum to 1; *target* likewise; *n* counts independent observations.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

Shares = NDArray[np.float64]


def uniform(k: int) -> Shares:
    """Equal shares of *k* classes."""
    return np.full(k, 1 / k)


def total_variation(shares: Shares, target: Shares) -> float:
    """Half the sum of the differences: the share of clips that would have to change. In [0, 1]."""
    return float(np.abs(shares - target).sum() / 2)


def null_total_variation(n: int, target: Shares) -> float:
    """What a model that meets *target* exactly shows on average with *n* clips: never 0.

    Exact: the mean absolute deviation of a binomial is 2 (1-p) m b(m; n, p) with m = floor(np) + 1
    (De Moivre; P. Diaconis and S. Zabell, Statistical Science 6(3), 1991).
    """
    from scipy.stats import binom

    if n < 1:
        return 1.0
    inside = target[(target > 0) & (target < 1)]
    m = np.floor(n * inside) + 1
    deviations = 2 * (1 - inside) * m * binom.pmf(m, n, inside)
    return float(deviations.sum() / (2 * n))


def normalised_entropy(shares: Shares) -> float:
    """Shannon entropy over its largest value, log K: 1 for equal shares, 0 for a single class."""
    if len(shares) < 2:
        return 0.0
    some = shares[shares > 0]
    return float(-(some * np.log(some)).sum() / math.log(len(shares))) + 0.0


def intensity(shares: Shares) -> float:
    """How much one class dominates: 1 - normalised entropy (OpenBias; D'Incà et al., CVPR 2024)."""
    return 1.0 - normalised_entropy(shares)


def divergence(counts: Shares, target: Shares) -> float:
    """Kullback-Leibler divergence from *target* in nats, half a count added to every class on both sides."""
    n, k = counts.sum(), len(counts)
    p = (counts + 0.5) / (n + 0.5 * k)
    q = (target * n + 0.5) / (n + 0.5 * k)
    return float((p * np.log(p / q)).sum())


def mean_deviation(shares: Shares) -> float:
    """Mean absolute deviation from equal shares (MAD; Cho et al., DALL-Eval, ICCV 2023)."""
    return float(np.abs(shares - 1 / len(shares)).mean())


def wilson(share: float, n: float, level: float = 0.95) -> tuple[float, float]:
    """Wilson's score interval of one share seen in *n* (effective) observations."""
    if n <= 0:
        return 0.0, 1.0
    z = _z(level)
    middle = (share + z * z / (2 * n)) / (1 + z * z / n)
    half = z / (1 + z * z / n) * math.sqrt(max(share * (1 - share), 0.0) / n + z * z / (4 * n * n))
    return max(0.0, middle - half), min(1.0, middle + half)


def difference(a: float, n: float, b: float, m: float, level: float = 0.95) -> tuple[float, float]:
    """Interval of the difference *a* - *b* of two independent shares (R. Newcombe, 1998, method 10)."""
    low_a, high_a = wilson(a, n, level)
    low_b, high_b = wilson(b, m, level)
    down = math.hypot(a - low_a, high_b - b)
    up = math.hypot(high_a - a, b - low_b)
    return max(-1.0, a - b - down), min(1.0, a - b + up)


def if_unknown(counts: Shares, unknown: int, target: Shares) -> tuple[float, float]:
    """The smallest and largest possible total variation, whatever the *unknown* clips really show."""
    n = counts.sum() + unknown
    if n == 0:
        return 0.0, 1.0
    best = float(np.maximum(counts - target * n, 0).sum()) / n
    worst = 0.0
    for k in range(len(counts)):
        filled = counts.copy()
        filled[k] += unknown
        worst = max(worst, total_variation(filled / n, target))
    return best, worst


def _z(level: float) -> float:
    from scipy.stats import norm

    return float(norm.ppf((1 + level) / 2))
