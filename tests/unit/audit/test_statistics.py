"""The statistics keep what they promise, on simulated models whose shares are known."""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks.audit import simulate
from safegen.audit.schema import Gate

AUDITS = 400
GATE = Gate()


def error(p: float) -> float:
    """Two and a half standard errors of a share *p* among the simulated audits."""
    return float(2.5 * np.sqrt(p * (1 - p) / AUDITS))


@pytest.mark.slow
@pytest.mark.parametrize("world", simulate.covered(), ids=str)
def test_intervals_cover_as_often_as_they_say(world: simulate.World) -> None:
    held = simulate.coverage(world, AUDITS, np.random.default_rng(11))
    assert 0.93 - error(0.95) <= held <= 0.97 + error(0.95)


@pytest.mark.slow
@pytest.mark.parametrize("tv", [0.0, GATE.limit])
@pytest.mark.parametrize("shape", [0, 1])
def test_the_gate_is_seldom_wrong_about_a_suite(tv: float, shape: int) -> None:
    cells = [simulate.World(k, tv, shape, prompts=20, clips=10) for k in (8, 6, 5)]
    wrong = simulate.says_no(cells, AUDITS, np.random.default_rng(12), GATE)
    assert wrong <= 0.05 + error(0.05)


@pytest.mark.slow
@pytest.mark.parametrize(("k", "shape"), [(2, 0), (5, 0), (5, 1), (8, 0), (8, 1), (11, 0), (11, 1)])
def test_the_stated_n_finds_a_distance_of_a_fifth(k: int, shape: int) -> None:
    world = simulate.World(k, 0.2, shape, prompts=simulate.least(k, 1, GATE), clips=1)
    found = simulate.says_no([world], AUDITS, np.random.default_rng(13), GATE)
    assert found >= 0.8 - error(0.8)
