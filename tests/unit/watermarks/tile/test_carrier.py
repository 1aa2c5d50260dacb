import hashlib

import numpy as np
import pytest

from safegen.watermarks import PUBLIC_KEY
from safegen.watermarks.tile import carrier, code


def test_public_key_is_fixed():
    assert hashlib.sha256(PUBLIC_KEY).hexdigest()[:16] == "13757c5233bd6c15"


def test_carrier_is_the_same_everywhere():
    c = carrier.carrier(PUBLIC_KEY)
    parts = (c.pilot_bins, c.pilot_signs, c.payload_bins, c.payload_signs, c.bit_of)
    digest = hashlib.sha256(b"".join(p.astype("<i8").tobytes() for p in parts)).hexdigest()
    assert digest == "70ffb518d88d3e37fa17625cb9745d4dfc103aff99e3f85af101bcbe355019fd"


def test_bins_are_in_the_band_and_disjoint():
    c = carrier.carrier(b"k")
    bins = np.concatenate([c.pilot_bins, c.payload_bins])
    radius = np.hypot(bins[:, 0], bins[:, 1])
    assert radius.min() >= carrier.R_MIN and radius.max() <= carrier.R_MAX
    both = {tuple(b) for b in bins} | {tuple(-b) for b in bins}
    assert len(both) == 2 * len(bins)


def test_every_coded_bit_is_carried_two_or_three_times():
    counts = np.bincount(carrier.carrier(b"k").bit_of.ravel(), minlength=code.CODED_BITS)
    assert set(counts) <= {2, 3}


def test_another_key_is_another_carrier():
    a, b = carrier.carrier(b"a"), carrier.carrier(b"b")
    n = min(len(a.payload_signs), len(b.payload_signs))
    assert abs(np.mean(a.payload_signs[:n] * b.payload_signs[:n])) < 0.15
    assert {tuple(k) for k in a.pilot_bins} != {tuple(k) for k in b.pilot_bins}


@pytest.mark.parametrize(("width", "height"), [(512, 512), (853, 480), (480, 853)])
def test_pattern_has_unit_rms_and_repeats_every_tile(width: int, height: int):
    plane = carrier.pattern(b"k", code.encode(5), width, height)
    assert plane.shape == (height, width) and plane.dtype == np.float32
    assert 0.9 < plane.std() < 1.05 and np.abs(plane).max() <= 2.5
    if width == height == 512:  # one tile is 128 pixels here
        assert np.allclose(plane[:128, :128], plane[128:256, 256:384], atol=1e-3)


@pytest.mark.parametrize("low", [0.0, 0.5, 1.0])
def test_a_leaning_pattern_keeps_its_strength_and_its_signs(low: float):
    even = carrier.pattern(b"k", code.encode(5), 512, 512)
    lean = carrier.pattern(b"k", code.encode(5), 512, 512, low)
    assert lean.std() == pytest.approx(even.std(), rel=0.02)
    a, b = (np.fft.fft2(p[:128, :128])[:21, :21] for p in (even, lean))
    inside = np.abs(a) > 0.5 * np.abs(a).max()
    assert np.all(np.real(a * np.conj(b))[inside] > 0)
    rings = np.abs(np.fft.fft2(lean[:128, :128]))
    assert low == 0.0 or rings[6, 0] > rings[19, 0]


def test_patterns_are_kept_until_the_lean_changes():
    patterns = carrier.Patterns(b"k", code.encode(5), (96, 128))
    first = patterns.at(0.3)
    assert patterns.at(0.3) is first and first.shape == (96, 128)
    assert patterns.at(0.0) is not first
