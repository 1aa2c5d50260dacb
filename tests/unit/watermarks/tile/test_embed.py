import itertools

import numpy as np
import pytest

from safegen.errors import MarkingFailed, UsageError
from safegen.watermarks.tile import TileWatermark

KEY = b"k"


def psnr(a: np.ndarray, b: np.ndarray) -> float:
    weights = np.array([0.299, 0.587, 0.114])
    return 10 * np.log10(255**2 / np.mean(((a.astype(float) - b) @ weights) ** 2))


def test_is_lazy_and_one_in_one_out(clean: np.ndarray):
    pulled = []

    def feed():
        for n, frame in enumerate(clean):
            pulled.append(n)
            yield frame

    out = TileWatermark().embed(feed(), payload=1, key=KEY)
    assert pulled == []
    first = next(out)
    assert pulled == [0] and first.shape == clean[0].shape and first.dtype == np.uint8
    assert 1 + sum(1 for _ in out) == len(clean)


def test_quality_and_luma_only(clean: np.ndarray, marked: np.ndarray):
    assert 44 < psnr(clean, marked) < 52
    moved = marked.astype(int) - clean
    inside = ((clean > 20) & (clean < 235)).all(axis=-1)
    assert (np.ptp(moved, axis=-1)[inside] == 0).all()


def test_input_is_not_written_to(clean: np.ndarray):
    copy = clean[:1].copy()
    next(TileWatermark().embed(iter(copy), payload=3, key=KEY))
    assert (copy == clean[:1]).all()


def test_little_changes_on_a_still(clean: np.ndarray):
    out = list(TileWatermark().embed(iter([clean[0]] * 40), payload=1, key=KEY))
    steps = [np.abs(a.astype(int) - b).mean() for a, b in itertools.pairwise(out)]
    assert max(steps) < 0.25 and steps[-1] < 0.01


@pytest.mark.parametrize("level", [0, 255])
def test_saturates_instead_of_wrapping(level: int):
    frame = np.full((64, 64, 3), level, np.uint8)
    out = next(TileWatermark().embed(iter([frame]), payload=1, key=KEY))
    assert np.abs(out.astype(int) - level).max() < 14


@pytest.mark.parametrize("payload", [-1, 1 << 64])
def test_payload_range(payload: int):
    with pytest.raises(UsageError):
        TileWatermark().embed(iter([]), payload=payload, key=KEY)


def test_changing_size_and_wrong_type_are_refused():
    small, large = np.zeros((32, 32, 3), np.uint8), np.zeros((48, 32, 3), np.uint8)
    with pytest.raises(MarkingFailed):
        list(TileWatermark().embed(iter([small, large]), payload=1, key=KEY))
    with pytest.raises(MarkingFailed):
        list(TileWatermark().embed(iter([small.astype(float)]), payload=1, key=KEY))


def test_empty_clip_gives_nothing():
    assert list(TileWatermark().embed(iter([]), payload=1, key=KEY)) == []
