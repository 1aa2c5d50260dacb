import numpy as np

from safegen.watermarks.tile.mask import brightness, expected, reduced, texture


def test_bounds_on_any_picture():
    rng = np.random.default_rng(0)
    for picture in (rng.integers(0, 256, (90, 120)), np.zeros((90, 120)), np.full((90, 120), 255)):
        small = reduced(picture.astype(np.uint8))
        level = texture(small) * brightness(small)
        assert level.shape == (45, 60) and level.dtype == np.float32
        assert level.min() > 0.03 and level.max() < 5


def test_texture_takes_more_than_flat_and_dark_takes_less():
    rng = np.random.default_rng(0)
    flat = np.full((128, 128), 120, np.uint8)
    busy = np.clip(flat + rng.normal(0, 25, flat.shape), 0, 255).astype(np.uint8)
    assert texture(busy).mean() > 2 * texture(flat).mean()
    assert brightness(np.full_like(flat, 8)).mean() < 0.5 * brightness(flat).mean()


def test_an_edge_does_not_license_noise_beside_it():
    step = np.full((64, 64), 60, np.uint8)
    step[:, 32:] = 200
    level = texture(step)
    assert level[:, 20].max() < 1.1 * level[:, 10].max()


def test_detectors_expect_more_in_the_light_and_in_texture():
    dark, light = np.full((8, 8), 8, np.uint8), np.full((8, 8), 120, np.uint8)
    still, busy = np.zeros((8, 8), np.float32), np.full((8, 8), 6, np.float32)
    assert expected(light, busy).min() > 2 * expected(light, still).max()
    assert expected(dark, still).max() < 0.5 * expected(light, still).min()


def test_large_pictures_are_masked_at_a_quarter():
    assert reduced(np.zeros((720, 1280), np.uint8)).shape == (180, 320)
