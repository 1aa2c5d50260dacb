"""Flashes: test patterns on both sides of every limit of WCAG 2.3.1 and ITU-R BT.1702."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest

from safegen.detectors.frames import _flashing
from safegen.detectors.frames.flash import create
from safegen.types import Clip

W, H = 288, 216
"""The screen in cells: one pixel is one cell, so areas are exact."""


def kinds(frames: np.ndarray, fps: int | Fraction = 24) -> set[str]:
    findings, ran = create().run(Clip.from_array(frames.astype(np.uint8), fps))
    assert ran.name == "flash"
    assert ran.score is not None
    return {f.category for f in findings}


def grey(luminance: float) -> int:
    """The 8-bit value whose relative luminance is nearest to *luminance*."""
    table = _flashing._LINEAR
    return int(np.abs(table - luminance).argmin())


def flicker(
    changes: int,
    dark: tuple[int, int, int] | int = 0,
    light: tuple[int, int, int] | int = 255,
    *,
    patch: tuple[int, int] = (W, H),
    fps: int = 24,
    seconds: float = 1.5,
    size: tuple[int, int] = (W, H),
) -> np.ndarray:
    """A patch that changes *changes* times a second between two colours, on black (or the darker colour)."""
    frames = np.empty((int(fps * seconds), size[1], size[0], 3), np.uint8)
    frames[:] = dark
    for number in range(len(frames)):
        if (number * changes // fps) % 2:
            frames[number, : patch[1], : patch[0]] = light
    return frames


@pytest.mark.parametrize(
    ("changes", "harmful"), [(2, False), (6, False), (7, True), (8, True), (12, True), (24, True)]
)
def test_more_than_three_flashes_a_second(changes: int, harmful: bool) -> None:
    assert ("flash_general" in kinds(flicker(changes))) is harmful


@pytest.mark.parametrize("fps", [25, 30, 50, 60])
def test_at_other_frame_rates(fps: int) -> None:
    assert "flash_general" not in kinds(flicker(6, fps=fps), fps)
    assert "flash_general" in kinds(flicker(8, fps=fps), fps)


def test_at_broken_frame_rates() -> None:
    assert "flash_general" in kinds(flicker(8, fps=30), Fraction(30000, 1001))


@pytest.mark.parametrize(("step", "harmful"), [(0.07, False), (0.093, False), (0.105, True), (0.2, True)])
def test_a_change_of_ten_percent(step: float, harmful: bool) -> None:
    low, high = grey(0.3), grey(0.3 + step)
    assert bool(kinds(flicker(10, low, high))) is harmful


@pytest.mark.parametrize(("dark", "harmful"), [(0.70, True), (0.785, True), (0.82, False), (0.88, False)])
def test_the_darker_side_is_below_80_percent(dark: float, harmful: bool) -> None:
    assert bool(kinds(flicker(10, grey(dark), grey(min(1.0, dark + 0.18))))) is harmful


@pytest.mark.parametrize(
    ("patch", "harmful"), [((48, 35), False), ((48, 36), False), ((48, 37), True), ((60, 40), True)]
)
def test_a_quarter_of_ten_degrees(patch: tuple[int, int], harmful: bool) -> None:
    """48 x 36 cells are exactly a quarter of 96 x 72: not more than that passes."""
    assert bool(kinds(flicker(10, patch=patch))) is harmful


@pytest.mark.parametrize(("patch", "harmful"), [((160, 120), False), ((180, 136), True)])
def test_the_area_in_pixels_of_the_screen_wcag_assumes(patch: tuple[int, int], harmful: bool) -> None:
    """341 x 256 of 1024 x 768 pixels: a quarter are 21,824; 19,200 pass, 24,480 do not."""
    frames = flicker(10, patch=patch, size=(1024, 768), fps=12)
    assert bool(kinds(frames, 12)) is harmful


def test_the_same_area_scattered_over_the_screen_passes() -> None:
    frames = flicker(10, patch=(0, 0))
    for number in range(len(frames)):
        if (number * 10 // 24) % 2:
            for x in (0, 96, 192):
                for y in (0, 72, 144):
                    frames[number, y : y + 36, x : x + 40] = 255  # 1,440 cells in any field
    assert not kinds(frames)


def test_a_fine_pattern_that_reverses_passes() -> None:
    """The standard's exception: a balanced pattern finer than 0.1 degrees (2 of 864 pixels here)."""
    board = ((np.indices((648, 864)) // 2).sum(0) % 2 * 255).astype(np.uint8)
    frames = np.stack([np.repeat((board if i % 2 else 255 - board)[..., None], 3, 2) for i in range(10)])
    assert not kinds(frames)


def test_fine_noise_passes_and_coarse_noise_does_not() -> None:
    rng = np.random.default_rng(0)
    fine = rng.integers(0, 256, (10, 1080, 1440, 1), np.uint8).repeat(3, 3)
    assert not kinds(fine)
    coarse = rng.integers(0, 2, (24, 9, 12, 1), np.uint8).repeat(3, 3) * 255
    assert "flash_general" in kinds(coarse)


def test_flashes_that_wander_count_together() -> None:
    """Left twice, right twice within a second: each half alone is within the limit, the eye gets four."""
    frames = np.zeros((48, H, W, 3), np.uint8)
    for number in range(48):
        phase = number % 24
        if phase // 3 % 2 == 0:
            half = slice(0, W // 2) if phase < 12 else slice(W // 2, W)
            frames[number, :, half] = 255
    assert "flash_general" in kinds(frames)


def test_motion_is_not_a_flash() -> None:
    """A striped scene that pans, and a large ball that crosses the picture."""
    stripes = ((np.arange(W * 3) // 24) % 2 * 180 + 20).astype(np.uint8)
    pan = np.stack([np.tile(stripes[6 * i : 6 * i + W, None], (H, 1, 3)) for i in range(24)])
    assert not kinds(pan)
    ball = np.full((24, H, W, 3), 20, np.uint8)
    y, x = np.indices((H, W))
    for i in range(24):
        ball[i][(x - 12 * i) ** 2 + (y - 108) ** 2 < 70**2] = 230
    assert not kinds(ball)


def test_slow_fades_pass() -> None:
    wave = (np.sin(np.arange(96) / 24 * 2 * np.pi * 1.5) * 100 + 120).astype(np.uint8)
    assert not kinds(np.broadcast_to(wave[:, None, None, None], (96, H, W, 3)))


@pytest.mark.parametrize(
    ("colour", "red"),
    [((255, 0, 0), True), ((255, 100, 60), True), ((255, 150, 150), False), ((0, 0, 255), False)],
)
def test_red_is_what_is_saturated(colour: tuple[int, int, int], red: bool) -> None:
    """(255, 100, 60): R / (R + G + B) is 0.85 in linear light; (255, 150, 150): 0.59."""
    assert ("flash_red" in kinds(flicker(10, (0, 0, 0), colour))) is red


def test_red_of_equal_luminance_is_found() -> None:
    """Red against grey of its own luminance: no general flash, but a red one."""
    found = kinds(flicker(10, grey(0.2126), (255, 0, 0)))
    assert found == {"flash_red"}


@pytest.mark.parametrize(("level", "red"), [(60, False), (66, True)])
def test_a_change_of_redness_by_more_than_20(level: int, red: bool) -> None:
    """(R - G - B) x 320 is 14 for (60, 0, 0) and 17 for (66, 0, 0), from black; both pass; 80 does not."""
    found = kinds(flicker(10, (0, 0, 0), (level + 14 * red, 0, 0)))
    assert ("flash_red" in found) is red


def test_the_second_is_named() -> None:
    calm = np.full((48, H, W, 3), 90, np.uint8)
    findings, _ = create().run(Clip.from_array(np.concatenate([calm, flicker(12)]), 24))
    assert {int(f.time or 0) for f in findings} == {2, 3}
    assert all(f.score == 1.0 for f in findings)


@pytest.mark.parametrize(
    ("size", "harmful"),
    [((1, 1), True), ((3, 900), False), ((900, 3), False), ((64, 64), True), ((97, 41), True)],
)
def test_odd_sizes(size: tuple[int, int], harmful: bool) -> None:
    """A hair-thin strip is no quarter of any 10 degree field, however it is scaled to a screen."""
    assert ("flash_general" in kinds(flicker(12, size=size, patch=size))) is harmful


def test_no_frames_and_one_frame() -> None:
    assert not kinds(np.zeros((0, H, W, 3)))
    assert not kinds(np.zeros((1, H, W, 3)))
