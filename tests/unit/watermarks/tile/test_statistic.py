import math

import numpy as np
import pytest

from safegen.watermarks.tile.statistic import correlation, log10_bound, needed_z


def test_bound_holds_for_random_signs_on_any_values():
    rng = np.random.default_rng(1)
    for values in (rng.standard_cauchy(300), np.ones(300), np.r_[np.zeros(250), rng.standard_normal(50)]):
        signs = rng.choice([-1.0, 1.0], (20000, 300))
        z = signs @ values / math.sqrt(np.sum(values**2))
        for x in (1.0, 2.0, 3.0):
            assert np.mean(z >= x) <= 10 ** log10_bound(x)


@pytest.mark.parametrize("count", [1, 2, 3, 10, 40, 300])
def test_bound_holds_exactly_for_equal_weights(count: int):
    """The tail of a sum of signs is a binomial's: known to the last digit."""
    tail = 0
    for agreeing in range(count, count // 2, -1):
        tail += math.comb(count, agreeing)
        z = (2 * agreeing - count) / math.sqrt(count)
        assert math.log10(tail) - count * math.log10(2) <= log10_bound(z) + 1e-12


def test_perfect_agreement_is_the_square_root_of_the_count():
    signs = np.random.default_rng(0).choice([-1.0, 1.0], 400)
    assert correlation(signs, signs * 3.5) == pytest.approx(20.0)


@pytest.mark.parametrize("values", [np.zeros(8), np.full(8, np.nan), np.full(8, np.inf)])
def test_no_energy_or_no_number_is_no_evidence(values: np.ndarray):
    assert correlation(np.ones(8), values) == 0.0


def test_bound_is_the_smaller_of_two_and_never_exceeds_one():
    hoeffding = -50 / math.log(10)
    assert hoeffding - 1 < log10_bound(10.0) < hoeffding - 0.8
    assert log10_bound(10.0, 3) == pytest.approx(log10_bound(10.0) + 3)
    assert log10_bound(1.0) == pytest.approx(-0.5 / math.log(10))
    assert log10_bound(0.5, 6) == 0.0 and log10_bound(-9.0) == 0.0 and log10_bound(float("nan")) == 0.0


@pytest.mark.parametrize("trials", [0.0, 2.3, 5.3, 19.3])
def test_needed_z_inverts_the_bound(trials: float):
    z = needed_z(-9, trials)
    assert log10_bound(z, trials) == pytest.approx(-9, abs=1e-6) and log10_bound(z, trials) <= -9
