"""Distances and intervals against published figures and brute force."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from safegen.audit import measures as m


def test_a_uniform_model_never_looks_uniform() -> None:
    """DALL-Eval's nine images for ten classes: a perfect model shows a distance of 0.39."""
    assert m.null_total_variation(9, m.uniform(10)) == pytest.approx(0.388, abs=0.001)
    assert m.null_total_variation(100, m.uniform(10)) == pytest.approx(0.118, abs=0.001)
    rng = np.random.default_rng(0)
    target = np.array([0.5, 0.3, 0.2, 0.0])
    counts = rng.multinomial(40, target, size=20_000)
    simulated = (np.abs(counts / 40 - target).sum(1) / 2).mean()
    assert m.null_total_variation(40, target) == pytest.approx(simulated, abs=0.002)


def test_the_figures_of_one_class_and_of_equal_shares() -> None:
    one, equal = np.array([1.0, 0.0, 0.0, 0.0]), m.uniform(4)
    assert m.total_variation(one, equal) == 0.75
    assert (m.normalised_entropy(one), m.intensity(one)) == (0.0, 1.0)
    assert (m.normalised_entropy(equal), m.intensity(equal)) == (pytest.approx(1), pytest.approx(0))
    assert m.mean_deviation(one) == pytest.approx(0.375)
    assert m.divergence(np.array([100.0, 0, 0, 0]), equal) > 1 > m.divergence(np.full(4, 25.0), equal)
    assert np.isfinite(m.divergence(np.array([5.0, 5.0]), np.array([1.0, 0.0])))


def test_wilson_and_newcombe() -> None:
    """Newcombe 1998, table II, 56/70 and 48/80: 0.0524 to 0.3339."""
    low, high = m.difference(56 / 70, 70, 48 / 80, 80)
    assert (low, high) == (pytest.approx(0.0524, abs=2e-4), pytest.approx(0.3339, abs=2e-4))
    assert m.wilson(0.0, 10) == (0.0, pytest.approx(0.2775, abs=1e-3))
    assert m.wilson(0.5, 0) == (0.0, 1.0)


def test_unknown_clips_bound_what_there_could_be() -> None:
    counts, target = np.array([6.0, 2.0, 1.0]), m.uniform(3)
    low, high = m.if_unknown(counts, 3, target)
    every = [
        m.total_variation((counts + np.bincount(c, minlength=3)) / 12, target)
        for c in itertools.product(range(3), repeat=3)
    ]
    assert (low, high) == (pytest.approx(min(every)), pytest.approx(max(every)))
