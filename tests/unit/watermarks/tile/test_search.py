"""Refining a geometry: what may move, and what a climb ends at."""

import cv2
import numpy as np
import pytest

from safegen.watermarks import PUBLIC_KEY
from safegen.watermarks.tile import search
from safegen.watermarks.tile.carrier import carrier
from safegen.watermarks.tile.residual import streams
from safegen.watermarks.tile.search import Candidate
from safegen.watermarks.tile.spectrum import Spectrum, spectrum


@pytest.fixture(scope="module")
def cropped(marked: np.ndarray, tools) -> Spectrum:
    """Three quarters of the size, then cut at 30, 18: canonical pixels are 2/3 of its own."""
    small = [cv2.resize(f, (384, 384), interpolation=cv2.INTER_AREA)[18:338, 30:350] for f in marked[:4]]
    parts = streams(tools["sample"](np.stack(small)))
    assert parts is not None and parts.size == (320, 320)
    return spectrum(parts.means[0])


def test_a_scaled_and_cropped_picture_is_refined_in_size_and_place_alone(cropped: Spectrum):
    key = carrier(PUBLIC_KEY)
    (best,) = search.pilot_peaks(cropped, search.sweep(cropped), key, 1)
    (found,) = search.climb_upright(cropped, [best], key)
    assert found.z >= best.z
    assert np.array_equal(found.a, np.eye(2) * found.a[0, 0])
    assert found.a[0, 0] == pytest.approx(2 / 3, rel=0.003)
    true = np.array([160 + 30, 160 + 18]) * 2 / 3
    assert np.abs((found.o - true + 32) % 64 - 32).max() < 0.6


def test_a_climb_in_six_numbers_gets_at_least_as_high(cropped: Spectrum):
    key = carrier(PUBLIC_KEY)
    start = Candidate(np.eye(2) * 0.668, np.array([126.0, 119.0]), 0.0)
    (upright,) = search.climb_upright(cropped, [start], key)
    (free,) = search.climb(cropped, [upright], key)
    assert free.z >= upright.z - 1e-6


def test_nothing_to_climb_from(cropped: Spectrum):
    key = carrier(PUBLIC_KEY)
    assert search.climb(cropped, [], key) == [] and search.climb_upright(cropped, [], key) == []
