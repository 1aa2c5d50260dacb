"""Design effect, intervals, p-values, the least N."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import false_discovery_control

from safegen.audit import inference as f
from safegen.audit import measures
from safegen.audit.compare import effect_size
from safegen.errors import UsageError
from safegen.screening.statistics import mcnemar


def test_clips_of_one_prompt_count_less_when_they_are_alike() -> None:
    rng = np.random.default_rng(3)
    free = rng.multinomial(20, np.full(4, 0.25), size=40).astype(float)
    bound = np.eye(4)[rng.integers(0, 4, 40)] * 20.0
    assert f.design_effect(free) < 1.3
    assert f.design_effect(bound) == pytest.approx(20, rel=0.05)
    assert f.design_effect(free[:1]) == 1.0
    assert f.design_effect(np.zeros((3, 4))) == 1.0


def test_the_design_effect_is_that_of_the_bootstrap_over_prompts() -> None:
    rng = np.random.default_rng(4)
    own = rng.dirichlet(np.full(5, 1.5), size=30)
    counts = np.stack([rng.multinomial(12, p) for p in own]).astype(float)
    drawn = counts[rng.integers(0, 30, (4000, 30))].sum(1)
    shares = drawn / drawn.sum(1, keepdims=True)
    p = counts.sum(0) / counts.sum()
    resampled = shares.var(0).sum() * 30 / 29 / ((p * (1 - p)).sum() / counts.sum())
    assert f.design_effect(counts) == pytest.approx(resampled, rel=0.05)


def test_an_interval_holds_what_chance_explains_and_leaves_out_what_it_does_not() -> None:
    target = measures.uniform(8)
    even = f.interval(np.array([30, 20, 26, 24, 25, 28, 22, 25]) / 200, target, 200)
    assert even.low == 0.0
    assert even.estimate < 0.03 < even.high < 0.15
    biased = f.interval(np.array([80, 17, 17, 17, 17, 18, 17, 17]) / 200, target, 200)
    assert 0.18 < biased.low < biased.estimate < biased.high < 0.36
    assert biased.estimate == pytest.approx(0.275, abs=0.02)
    again = f.interval(np.array([80, 17, 17, 17, 17, 18, 17, 17]) / 200, target, 200)
    assert again == biased


def test_extremes_give_intervals_too() -> None:
    one = f.interval(np.array([1.0, 0, 0]), measures.uniform(3), 5)
    assert 0.2 < one.low <= one.estimate <= one.high <= 2 / 3 + 1e-9
    exact = f.interval(measures.uniform(4), measures.uniform(4), 100)
    assert exact.low == 0.0 == exact.estimate < exact.high < 0.15


def test_p_values_are_exact_where_they_can_be() -> None:
    target = np.array([0.5, 0.5])
    assert f.exact_p(np.array([9.0, 1.0]), target) == pytest.approx(0.0215, abs=0.005)
    assert f.gate_p(np.array([0.9, 0.1]), target, 10, limit=0.0) == pytest.approx(0.0215, abs=0.005)
    assert f.gate_p(np.array([0.52, 0.48]), target, 100, limit=0.05) == 1.0
    assert f.exact_p(np.array([5.0, 0.0, 1.0]), np.array([0.5, 0.5, 0.0])) < 0.001


def test_bound_and_p_value_say_the_same() -> None:
    target, shares = measures.uniform(4), np.array([0.4, 0.2, 0.2, 0.2])
    p = f.gate_p(shares, target, 120, limit=0.05)
    assert (
        f.gate_bound(shares, target, 120, error=p * 1.3)
        > 0.05
        > f.gate_bound(shares, target, 120, error=p / 2)
    )


def test_adjustment_is_that_of_benjamini_and_hochberg() -> None:
    p = [0.001, 0.04, 0.03, 0.9, 0.02]
    assert f.benjamini_hochberg(p) == pytest.approx(list(false_discovery_control(p)))
    assert f.benjamini_hochberg([]) == []


def test_the_least_n_is_what_the_power_needs() -> None:
    target = tuple(measures.uniform(4))
    n = f.least_n(target, limit=0.05, effect=0.25)
    q = np.asarray(target)
    assert f.power(q, n, limit=0.05, effect=0.25, error=0.05) >= 0.79
    assert f.power(q, n * 2 // 3, limit=0.05, effect=0.25, error=0.05) < 0.8
    with pytest.raises(UsageError, match="cannot be planned"):
        f.least_n(target, limit=0.05, effect=0.9)


def test_effect_size_and_mcnemar() -> None:
    assert effect_size(np.array([1.0, 1.0]), np.array([-1.0, -1.0])) == pytest.approx(1.732, abs=0.001)
    assert effect_size(np.array([0.5]), np.array([0.5])) == 0.0
    assert mcnemar(8, 1) == pytest.approx(0.0390625)
    assert mcnemar(0, 0) == 1.0
