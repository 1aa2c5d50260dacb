"""Small exact statistics: intervals of shares, McNemar's test, calibration. No distribution is assumed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import comb

import numpy as np
from numpy.typing import NDArray

Flags = NDArray[np.bool_]
Z = 1.959963984540054
"""Of a two-sided 95% interval."""


def wilson(hits: int, n: int) -> tuple[float, float]:
    """95% score interval (E. B. Wilson, 1927) of a share, *hits* of *n*; (0, 1) when nothing was seen."""
    if n == 0:
        return 0.0, 1.0
    p, zz = hits / n, Z * Z
    centre = p + zz / (2 * n)
    half = Z * (p * (1 - p) / n + zz / (4 * n * n)) ** 0.5
    return max(0.0, (centre - half) / (1 + zz / n)), min(1.0, (centre + half) / (1 + zz / n))


def mcnemar(only_a: int, only_b: int) -> float:
    """Exact two-sided p-value (Q. McNemar, 1947): *only_a* and *only_b*: pairs that differ each way."""
    n = only_a + only_b
    tail = sum(comb(n, k) for k in range(min(only_a, only_b) + 1))
    return float(min(1.0, 2 * tail / 2**n))


def holm(p_values: Sequence[float]) -> list[float]:
    """*p_values* corrected for their number (S. Holm, 1979), in the same order."""
    order = sorted(range(len(p_values)), key=p_values.__getitem__)
    out, worst = [0.0] * len(p_values), 0.0
    for rank, i in enumerate(order):
        worst = max(worst, min(1.0, (len(p_values) - rank) * p_values[i]))
        out[i] = worst
    return out


def gap_interval(flags: Flags, *, draws: int = 2000, seed: int = 0) -> tuple[float, float]:
    """95% percentile interval of the largest difference between rows' shares; *flags* (terms, sentences).

    Sentences are drawn anew, all terms with them: each decision is about the same sentence. The largest of
    many shares is larger than the truth by chance; the interval does not take that away.
    """
    rng = np.random.default_rng(seed)
    n = flags.shape[1]
    picks = rng.integers(0, n, (draws, n))
    shares = flags[:, picks].mean(axis=2)
    gaps = shares.max(axis=0) - shares.min(axis=0)
    low, high = np.percentile(gaps, (2.5, 97.5))
    return float(low), float(high)


@dataclass(frozen=True)
class Bin:
    """Prompts whose probability lies in [low, high): how many, their mean probability, the share unsafe."""

    low: float
    high: float
    count: int
    predicted: float
    observed: float
    interval: tuple[float, float]


def reliability(scores: NDArray[np.float64], unsafe: Flags, bins: int = 10) -> list[Bin]:
    """Calibration in *bins* of equal width; empty ones are left out."""
    place = np.minimum((scores * bins).astype(int), bins - 1)
    out = []
    for i in range(bins):
        here = place == i
        n = int(here.sum())
        if n:
            hits = int(unsafe[here].sum())
            mean = float(scores[here].mean())
            out.append(Bin(i / bins, (i + 1) / bins, n, mean, hits / n, wilson(hits, n)))
    return out


def calibration_error(bins: Sequence[Bin]) -> float:
    """Mean distance in [0, 1] of predicted and observed shares, weighted by the bins' counts."""
    total = sum(b.count for b in bins)
    return sum(b.count * abs(b.predicted - b.observed) for b in bins) / total if total else 0.0
