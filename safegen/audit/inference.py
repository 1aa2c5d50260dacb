"""How far observations may be from the truth: design effect, intervals, p-values, the least N.

Everything here treats prompts as the units that were drawn: clips of one prompt resemble each other, so *n*
clips count as *n / design effect* independent ones. The distribution of the total variation is simulated, not
approximated, with draws from a fixed seed: the same counts always give the same figures.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from safegen.audit import measures
from safegen.audit.measures import Shares
from safegen.errors import UsageError

DRAWS = 2000
TEST_DRAWS = 9999
_STEPS = 10
_TIE = 1e-9
_MARGIN = 0.04
"""Power planned for beyond what is wanted: the shape seen can be worse than the one planned with."""
_SEED = 20250707


def design_effect(counts: NDArray[np.float64]) -> float:
    """Variance of the shares over prompts, over what independent clips would give; at least 1.

    *counts*: (prompts, K). The variance is that of the bootstrap over prompts in its closed form (ratio
    estimator, J/(J-1)), pooled over the classes as in J. Rao and A. Scott's first correction (1984). With one
    prompt there is nothing to tell it from: 1.
    """
    sizes = counts.sum(1)
    rows = counts[sizes > 0]
    prompts, n = len(rows), float(sizes.sum())
    if prompts < 2 or n <= 0:
        return 1.0
    p = rows.sum(0) / n
    away = rows - rows.sum(1, keepdims=True) * p
    between = prompts / (prompts - 1) * (away**2).sum() / n**2
    independent = (p * (1 - p)).sum() / n
    return max(1.0, float(between / independent)) if independent > 0 else 1.0


def steadied(shares: Shares, target: Shares, n: int) -> Shares:
    """*shares* without what chance alone adds to their pattern; the total variation stays as it is.

    Differences from the target are drawn towards the mean of their side (over or under), by as much as
    sampling explains of their spread (method of moments). Without this the noise in the pattern counts twice.
    """
    away = shares - target
    out = shares.copy()
    for side in (away > 0, (away <= 0) & (target > 0)):
        size = int(side.sum())
        if size < 2 or target[side].sum() <= 0:
            continue
        mean = target[side] * (away[side].sum() / target[side].sum())
        spread = float(((away[side] - mean) ** 2).sum())
        noise = float((shares[side] * (1 - shares[side])).sum()) / n * (size - 1) / size
        keep = np.sqrt(max(0.0, 1 - noise / spread)) if spread > 0 else 0.0
        out[side] = target[side] + mean + keep * (away[side] - mean)
    return out


class Path:
    """Distributions from *target* (u = 0) through *shares* (u = 1) to its extreme (u = 2)."""

    def __init__(self, shares: Shares, target: Shares) -> None:
        """Both (K,), summing to 1."""
        distance = measures.total_variation(shares, target)
        if distance < _TIE:
            extreme = np.zeros_like(target)
            extreme[int(np.argmin(target))] = 1.0
        else:
            extreme = np.maximum(shares - target, 0) / distance
        self.shares, self.target, self.extreme = shares, target, extreme

    def at(self, u: float) -> Shares:
        """The distribution at *u*."""
        if u <= 1:
            return np.asarray(self.target + u * (self.shares - self.target))
        return np.asarray((2 - u) * self.shares + (u - 1) * self.extreme)

    def distance(self, u: float) -> float:
        """Its total variation from the target."""
        return measures.total_variation(self.at(u), self.target)

    def where(self, distance: float) -> float:
        """The first *u* with that distance from the target; 2 where there is none."""
        low, high = 0.0, 2.0
        for _ in range(40):
            middle = (low + high) / 2
            low, high = (low, middle) if self.distance(middle) >= distance else (middle, high)
        return high


def simulated(shares: Shares, target: Shares, n: int, draws: int) -> NDArray[np.float64]:
    """Total variations from *target* of *draws* samples of *n* from *shares*: (draws,)."""
    rng = np.random.default_rng(_SEED)
    p = np.maximum(shares, 0)
    counts = rng.multinomial(n, p / p.sum(), size=draws)
    return np.asarray(np.abs(counts / n - target).sum(1) / 2)


@dataclass(frozen=True)
class Interval:
    """Bounds of a total variation and its median-unbiased estimate (null-corrected)."""

    low: float
    estimate: float
    high: float


def interval(shares: Shares, target: Shares, n: int, *, level: float = 0.95, draws: int = DRAWS) -> Interval:
    """The total variations that do not contradict what was seen in *n* independent observations.

    Inversion of a simulated test along ``Path``, with mid-p for ties. The error is split between both sides
    by where one stands: all of it above at 0, half and half from the null's mean on (so that an interval may
    hold 0 and still keep its level). The estimate is the distance whose median is the one that was seen: 0
    for what chance alone would show.
    """
    test = _Test(shares, target, n, 1 - level, draws)
    low = _crossing(test.large_enough)
    middle = _crossing(lambda u: test.above(u) >= 0.5)
    high = _crossing(lambda u: not test.small_enough(u))
    return Interval(*(test.path.distance(u) for u in (low, middle, high)))


def holds(
    shares: Shares, target: Shares, n: int, distance: float, *, level: float = 0.95, draws: int = DRAWS
) -> bool:
    """Whether the ``interval`` of the same arguments holds *distance*: one test instead of all of them."""
    test = _Test(shares, target, n, 1 - level, draws)
    u = test.path.where(distance)
    return test.path.distance(u) >= distance - _TIE and test.large_enough(u) and test.small_enough(u)


class _Test:
    """Tests of distances along the path through what was seen."""

    def __init__(self, shares: Shares, target: Shares, n: int, error: float, draws: int) -> None:
        self.path = Path(steadied(shares, target, n), target)
        self._seen = measures.total_variation(shares, target)
        self._null = measures.null_total_variation(n, target)
        self._n, self._error, self._draws = n, error, draws
        self._known: dict[float, float] = {}

    def above(self, u: float) -> float:
        """Chance of seeing more than was seen, half of what is as much."""
        if u not in self._known:
            sample = simulated(self.path.at(u), self.path.target, self._n, self._draws)
            ties = np.abs(sample - self._seen) <= _TIE
            self._known[u] = float((sample > self._seen + _TIE).mean() + ties.mean() / 2)
        return self._known[u]

    def large_enough(self, u: float) -> bool:
        """The distance at *u* is not too small for what was seen."""
        return self.above(u) > self._error - self._share(u)

    def small_enough(self, u: float) -> bool:
        """The distance at *u* is not too large for what was seen."""
        return 1 - self.above(u) > self._share(u)

    def _share(self, u: float) -> float:
        """How much of the error lies on the side of distances that are too large."""
        return self._error / 2 * min(1.0, self.path.distance(u) / self._null) if self._null > 0 else 0.0


def _crossing(holds: Callable[[float], bool]) -> float:
    """The smallest u in [0, 2] from which *holds* (monotone) is true; 2 where it never is."""
    if holds(0.0):
        return 0.0
    low, high = 0.0, 2.0
    for _ in range(_STEPS):
        middle = (low + high) / 2
        low, high = (low, middle) if holds(middle) else (middle, high)
    return high


def gate_p(shares: Shares, target: Shares, n: int, *, limit: float, draws: int = TEST_DRAWS) -> float:
    """P-value of "the total variation is at most *limit*": simulated at *limit*, ties count against us."""
    seen = measures.total_variation(shares, target)
    if seen <= limit:
        return 1.0
    path = Path(shares, target)
    sample = simulated(path.at(path.where(limit)), target, n, draws)
    return float((1 + (sample >= seen - _TIE).sum()) / (draws + 1))


def gate_bound(shares: Shares, target: Shares, n: int, *, error: float, draws: int = TEST_DRAWS) -> float:
    """One-sided lower bound of the total variation at level 1 - *error*: what the gate compares."""
    seen = measures.total_variation(shares, target)
    path = Path(shares, target)

    def likely(u: float) -> bool:
        sample = simulated(path.at(u), target, n, draws)
        return bool((1 + (sample >= seen - _TIE).sum()) / (draws + 1) > error)

    return path.distance(_crossing(likely))


def exact_p(counts: Shares, target: Shares, *, effect: float = 1.0, draws: int = TEST_DRAWS) -> float:
    """Exact multinomial test of the target, by Monte Carlo: how often a draw is no likelier than *counts*.

    *effect*: the design effect, by which the counts are divided (then it is no longer exact, but honest).
    """
    from scipy.special import gammaln, xlogy

    n = max(1, round(float(counts.sum()) / effect))
    scaled = counts / counts.sum() * n
    if (scaled[target <= 0] > 0).any():
        return 1 / (draws + 1)

    def loglik(c: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.asarray((xlogy(c, target) - gammaln(c + 1)).sum(-1))

    sample = np.random.default_rng(_SEED).multinomial(n, target / target.sum(), size=draws)
    rare = loglik(sample.astype(float)) <= loglik(scaled) + 1e-7
    return float((1 + rare.sum()) / (draws + 1))


def benjamini_hochberg(p: list[float]) -> list[float]:
    """P-values adjusted for how many were looked at: those up to x have a false discovery rate of x."""
    m = len(p)
    order = sorted(range(m), key=lambda i: p[i], reverse=True)
    adjusted, least = [0.0] * m, 1.0
    for rank, i in zip(range(m, 0, -1), order, strict=True):
        least = min(least, p[i] * m / rank)
        adjusted[i] = least
    return adjusted


def power(target: Shares, n: int, *, limit: float, effect: float, error: float, draws: int = 4000) -> float:
    """Chance that the gate speaks up at a total variation of *effect*, in the worse of two shapes.

    One class over the others, and half of the classes over the other half where that gets so far.
    """
    found = []
    for extreme in shapes(target):
        path = Path(extreme, target)
        if path.distance(2) < effect:
            continue
        null = np.sort(simulated(path.at(path.where(limit)), target, n, draws))
        critical = null[min(draws - 1, int(np.ceil(draws * (1 - error))))]
        found.append(float((simulated(path.at(path.where(effect)), target, n, draws) > critical).mean()))
    return min(found)


def shapes(target: Shares) -> list[Shares]:
    """The two most different ways of straying from *target*: one class rules, or half of the classes do."""
    one = np.zeros_like(target)
    one[int(np.argmin(np.where(target > 0, target, np.inf)))] = 1.0
    order = np.argsort(-target, kind="stable")
    half = np.zeros_like(target)
    half[order[::2]] = target[order[::2]]
    return [one, half / half.sum()] if len(target) > 2 else [one]


@lru_cache(maxsize=256)
def least_n(
    target: tuple[float, ...], *, limit: float, effect: float = 0.2, error: float = 0.05, wanted: float = 0.8
) -> int:
    """How many independent observations give the power *wanted* at a total variation of *effect*.

    Planned for 2 points more: the plan is simulated, too, and power does not rise evenly with n.
    Raises UsageError when *effect* is not above *limit* or out of the target's reach.
    """
    q = np.asarray(target)
    if not limit < effect < 1 - float(q.min()):
        raise UsageError(
            f"a gate with the limit {limit:g} cannot be planned for a distance of {effect:g}",
            hint="gate.effect must be above gate.limit, and below what the target allows",
        )
    low, high = 1, 32
    while power(q, high, limit=limit, effect=effect, error=error) < wanted + _MARGIN:
        low, high = high, high * 2
        if high > 1 << 16:
            raise UsageError("this gate would need more than 65,536 clips", hint="raise gate.effect")
    while high - low > max(1, high // 50):
        middle = (low + high) // 2
        enough = power(q, middle, limit=limit, effect=effect, error=error) >= wanted + _MARGIN
        low, high = (low, middle) if enough else (middle, high)
    return high
