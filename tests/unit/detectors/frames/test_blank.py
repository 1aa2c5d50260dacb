"""The blank check: nothing that shows nothing is delivered."""

from __future__ import annotations

import numpy as np
import pytest

from safegen.detectors.frames.blank import create
from safegen.types import Clip


def run(frames: np.ndarray) -> list[str]:
    findings, ran = create().run(Clip.from_array(frames.astype(np.uint8), 24))
    assert ran.name == "blank"
    assert ran.score is not None and 0 <= ran.score <= 1
    return [f.category for f in findings]


def picture(shift: int = 0) -> np.ndarray:
    out = np.full((96, 128, 3), 90, np.uint8)
    out[30:60, 20 + shift : 60 + shift] = (200, 30, 40)
    return out


def moving(n: int = 12) -> np.ndarray:
    return np.stack([picture(2 * i) for i in range(n)])


def test_a_moving_picture_passes() -> None:
    assert run(moving()) == []


def test_one_picture_alone_passes() -> None:
    assert run(moving(1)) == []


@pytest.mark.parametrize("level", [0, 3, 7])
def test_black_is_found(level: int) -> None:
    assert run(np.full((8, 64, 64, 3), level)) == ["black_output"]


def test_noisy_black_is_found() -> None:
    noise = np.random.default_rng(0).integers(0, 5, (8, 96, 96, 3))
    assert run(noise) == ["black_output"]


@pytest.mark.parametrize("colour", [(128, 128, 128), (255, 255, 255), (20, 200, 60)])
def test_one_flat_colour_is_found(colour: tuple[int, int, int]) -> None:
    assert run(np.broadcast_to(np.array(colour), (6, 64, 64, 3))) == ["blank_output"]


def test_a_frozen_clip_is_found() -> None:
    assert run(np.repeat(picture()[None], 9, 0)) == ["frozen_output"]


def test_a_clip_that_goes_black_half_way_is_found() -> None:
    frames = moving(10)
    frames[5:] = 0
    assert run(frames) == ["black_output"]


def test_a_fade_from_black_passes() -> None:
    frames = moving(12)
    frames[:4] = 0
    assert run(frames) == []


def test_no_frames_at_all() -> None:
    assert run(np.zeros((0, 64, 64, 3))) == ["blank_output"]


@pytest.mark.parametrize("shape", [(1, 1), (2, 300), (7, 9)])
def test_odd_sizes_do_not_raise(shape: tuple[int, int]) -> None:
    noise = np.random.default_rng(1).integers(0, 256, (4, *shape, 3))
    assert "black_output" not in run(noise)
    assert run(np.zeros((4, *shape, 3))) == ["black_output"]
