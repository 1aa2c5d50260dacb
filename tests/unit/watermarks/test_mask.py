import numpy as np

from safegen.watermarks.tile.mask import amplitude, expected


def test_bounds_on_any_picture():
    rng = np.random.default_rng(0)
    for picture in (rng.integers(0, 256, (90, 120)), np.zeros((90, 120)), np.full((90, 120), 255)):
        level = amplitude(picture.astype(np.uint8))
        assert level.shape == (90, 120) and level.dtype == np.float32
        assert level.min() > 0.05 and level.max() < 5


def test_texture_takes_more_than_flat_and_dark_takes_less():
    rng = np.random.default_rng(0)
    flat = np.full((128, 128), 120, np.uint8)
    busy = np.clip(flat + rng.normal(0, 25, flat.shape), 0, 255).astype(np.uint8)
    assert amplitude(busy).mean() > 2 * amplitude(flat).mean()
    assert amplitude(np.full_like(flat, 8)).mean() < 0.5 * amplitude(flat).mean()


def test_an_edge_does_not_license_noise_beside_it():
    step = np.full((128, 128), 60, np.uint8)
    step[:, 64:] = 200
    level = amplitude(step)
    assert level[:, 40].max() < 1.1 * level[:, 20].max()


def test_detector_uses_the_same_law():
    luma = np.full((8, 8), 120, np.uint8)
    assert np.allclose(expected(luma, np.zeros((8, 8), np.float32)), amplitude(luma).mean(), atol=0.02)
