"""Compare two groups: do they differ in what they show?"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from safegen.audit import measures
from safegen.audit.inference import benjamini_hochberg
from safegen.audit.schema import OTHER, UNKNOWN

Rows: TypeAlias = Sequence[tuple[int | str, Mapping[str, float]]]
"""For each clip: its prompt (whatever tells prompts apart) and the probabilities over classes."""


def count_classes(names: Sequence[str], rows: Rows) -> tuple[list[str], NDArray[np.float64], int]:
    """Classes, counts by prompt (prompts, K), and how many clips were ``unknown``.

    A clip counts for its likeliest class. What is none of *names* is ``other``, which appears only if seen.
    """
    prompts: dict[int | str, Counter[str]] = {}
    unknown = 0
    for prompt, probabilities in rows:
        value = max(probabilities, key=lambda k: probabilities[k])
        if value == UNKNOWN:
            unknown += 1
            continue
        prompts.setdefault(prompt, Counter())[value if value in names else OTHER] += 1
    classes = [*names, *([OTHER] if any(c[OTHER] for c in prompts.values()) else [])]
    counts = np.array([[c[k] for k in classes] for c in prompts.values()], np.float64)
    return classes, counts.reshape(len(prompts), len(classes)), unknown


_DRAWS = 4999
_SEED = 20250708
Pair: TypeAlias = tuple[str, str, str, tuple[str, ...], Rows, Rows]


@dataclass(frozen=True)
class ContrastResult:
    """``tv`` between the groups' shares, ``null`` what shuffled prompts show on average, the p-value of that
    shuffle, adjusted for how many contrasts there are. ``effect_size``: d of the first class over the second
    (mean difference of P(first) - P(second) over its standard deviation; VEAT, after WEAT, A. Caliskan 2017).
    """

    a: str
    b: str
    attribute: str
    tv: float
    null: float
    p: float
    p_adjusted: float
    effect_size: float
    poles: tuple[str, str]
    prompts: tuple[int, int]
    why: str = ""


def compare_groups(pairs: Sequence[Pair]) -> tuple[ContrastResult, ...]:
    """Every contrast, p-values adjusted over all of them."""
    found = [_one(*p) for p in pairs]
    adjusted = benjamini_hochberg([b.p for b in found])
    return tuple(replace(b, p_adjusted=p) for b, p in zip(found, adjusted, strict=True))


def _one(
    a: str, b: str, attribute: str, classes: tuple[str, ...], first: Rows, second: Rows
) -> ContrastResult:
    tables = [_by_prompt(rows, classes) for rows in (first, second)]
    sizes = (len(tables[0]), len(tables[1]))
    poles = (classes[0], classes[1])
    empty = ContrastResult(a, b, attribute, 0.0, 0.0, 1.0, 1.0, 0.0, poles, sizes)
    if min(sizes) < 2:
        return replace(empty, why="each side needs at least two prompts with readable clips")
    both = np.concatenate(tables)
    seen = _distance(both, sizes[0])
    rng = np.random.default_rng(_SEED)
    shuffled = np.array([_distance(both[rng.permutation(len(both))], sizes[0]) for _ in range(_DRAWS)])
    p = float((1 + (shuffled >= seen - 1e-9).sum()) / (_DRAWS + 1))
    d = effect_size(_pole_difference(first, poles), _pole_difference(second, poles))
    return replace(empty, tv=seen, null=float(shuffled.mean()), p=p, effect_size=d)


def effect_size(first: NDArray[np.float64], second: NDArray[np.float64]) -> float:
    """Difference of the means over the standard deviation of both together; 0 where nothing varies."""
    both = np.concatenate([first, second])
    if not len(first) or not len(second) or len(both) < 3:
        return 0.0
    spread = float(both.std(ddof=1))
    return float((first.mean() - second.mean()) / spread) if spread > 1e-12 else 0.0


def _by_prompt(rows: Rows, classes: tuple[str, ...]) -> NDArray[np.float64]:
    """Counts (prompts, K), each clip in its likeliest class."""
    _, counts, _ = count_classes(classes, rows)
    return counts[:, : len(classes)]


def _distance(counts: NDArray[np.float64], first: int) -> float:
    a, b = counts[:first].sum(0), counts[first:].sum(0)
    if not a.sum() or not b.sum():
        return 0.0
    return measures.total_variation(a / a.sum(), b / b.sum())


def _pole_difference(rows: Rows, poles: tuple[str, str]) -> NDArray[np.float64]:
    """P(first) - P(second) of each clip that could be read."""
    known: list[Mapping[str, float]] = [p for _, p in rows if max(p, key=lambda k: p[k]) != UNKNOWN]
    return np.array([p.get(poles[0], 0.0) - p.get(poles[1], 0.0) for p in known])
