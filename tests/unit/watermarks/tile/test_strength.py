import itertools

import numpy as np
import pytest

from safegen.watermarks.tile import TileWatermark, carrier
from safegen.watermarks.tile.strength import HOLD, PEAK, PEAK_FIRST, Strength


def texture(seed: int = 0, size: int = 256, contrast: float = 12.0) -> np.ndarray:
    rng = np.random.default_rng(seed)
    coarse = rng.normal(0, contrast, (size // 4, size // 4)).repeat(4, 0).repeat(4, 1)
    return np.clip(120 + coarse, 0, 255).astype(np.uint8)


def settled(frames: list[np.ndarray]) -> np.ndarray:
    strength, level = Strength(), None
    for frame in frames:
        new = strength.follow(frame)
        level = level if new is None else new
    assert level is not None
    return level


def test_one_map_serves_some_frames():
    strength = Strength()
    given = [strength.follow(texture()) is not None for _ in range(3 * HOLD)]
    assert given[0] and sum(given) == 3


def test_shape_type_and_limits():
    for frame in (texture(), np.zeros((1, 1), np.uint8), np.full((31, 97), 255, np.uint8)):
        strength, levels = Strength(), []
        for _ in range(2 * HOLD):
            level = strength.follow(frame)
            if level is not None:
                assert level.shape == frame.shape and level.dtype == np.float32 and level.min() > 0
                levels.append(level)
        assert levels[0].max() <= PEAK_FIRST and max(v.max() for v in levels[1:]) <= PEAK


def test_the_map_is_written_where_it_is_wanted():
    into = np.zeros((256, 256), np.float32)
    level = Strength().follow(texture(), into)
    assert level is not None and np.shares_memory(level, into)


def test_plain_pictures_lean_to_low_frequencies_and_busy_ones_do_not():
    plain, busy = Strength(), Strength()
    plain.follow(np.full((256, 256), 120, np.uint8))
    busy.follow(texture(contrast=40.0))
    assert plain.low > 0.5 and busy.low == 0.0


def test_moving_parts_get_less_than_resting_ones():
    still, big = texture(), texture(1, 512)
    frames = []
    for n in range(20):
        frame = still.copy()
        frame[:, 128:] = big[:256, 5 * n : 5 * n + 128]
        frames.append(frame)
    level = settled(frames)
    assert level[:, 160:].mean() < 0.5 * level[:, :96].mean()


def test_pictures_shown_twice_do_not_count_as_rest():
    big = texture(1, 512)
    moving = [big[:256, 5 * n : 5 * n + 256] for n in range(12)]
    once, twice = settled(moving), settled([f for f in moving for _ in range(2)])
    assert twice.mean() < 1.6 * once.mean()


def test_a_scene_begins_at_full_strength():
    big = texture(1, 512, 40.0)
    moving = [big[:256, 5 * n : 5 * n + 256] for n in range(12)]
    strength = Strength()
    for frame in moving:
        strength.follow(frame)
    before = settled(moving)
    after = strength.follow(255 - moving[-1] // 2)
    assert after is not None and after.mean() > 1.5 * before.mean()


def test_fast_motion_is_not_taken_for_one_cut_after_the_other():
    big = texture(1, 512, 40.0)
    moving = [big[:256, 5 * n : 5 * n + 256] for n in range(20)]
    strength = Strength()
    assert sum(strength.follow(f) is not None for f in moving) < 14


def test_a_still_that_began_strong_calms_down_and_stays():
    strength = Strength()
    levels = [strength.follow(texture()) for _ in range(80)]
    means = [float(v.mean()) for v in levels if v is not None]
    assert means[0] > means[-1] and all(b <= a + 1e-6 for a, b in itertools.pairwise(means))
    assert abs(means[-1] - means[-2]) < 0.01 * means[-1]


def test_a_new_scene_leans_anew(monkeypatch: pytest.MonkeyPatch):
    made: list[float] = []
    real = carrier.pattern

    def counted(*given):
        made.append(given[4])
        return real(*given)

    monkeypatch.setattr(carrier, "pattern", counted)
    scenes = [np.full((96, 96), 90, np.uint8)] * 6 + [texture(size=96, contrast=60.0)] * 6
    frames = (np.repeat(f[..., None], 3, 2) for f in scenes)
    assert len(list(TileWatermark().embed(frames, payload=1, key=b"k"))) == 12
    assert len(made) == 2 and made[0] > made[1] == 0.0


@pytest.mark.parametrize("depth", [8, 10])
def test_luma_planes_get_what_pictures_get(depth: int):
    grey = texture()
    key, payload = b"k", 77
    marked = next(TileWatermark().embed(iter([np.repeat(grey[..., None], 3, 2)]), payload=payload, key=key))
    plane = grey.astype(np.uint8 if depth == 8 else np.uint16) << (depth - 8)
    (luma,) = TileWatermark().embed_luma(
        iter([plane.copy()]), payload=payload, key=key, depth=depth, full_range=True
    )
    assert np.abs(luma / 2.0 ** (depth - 8) - marked[..., 0]).max() <= 0.5
