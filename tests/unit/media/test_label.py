"""The visible label: readable at any size, on any picture, and nowhere else."""

from __future__ import annotations

import numpy as np
import pytest

from safegen.errors import UsageError
from safegen.media.label import LEAST, SHARE, check_label, draw_labels

TEXT = "AI-generated"


def drawn(frame: np.ndarray, text: str = TEXT) -> np.ndarray:
    (made,) = draw_labels([frame], text)
    return made


def luminance(rgb: np.ndarray) -> np.ndarray:
    """WCAG 2.2: relative luminance."""
    c = rgb.astype(float) / 255
    linear = np.where(c <= 0.04045, c / 12.92, ((c + 0.055) / 1.055) ** 2.4)
    return linear @ np.array([0.2126, 0.7152, 0.0722])


@pytest.mark.parametrize("size", [(256, 256), (480, 832), (832, 480), (720, 1280), (2160, 3840)])
@pytest.mark.parametrize("grey", [0, 100])
def test_height_and_place(size: tuple[int, int], grey: int) -> None:
    frame = np.full((*size, 3), grey, np.uint8)
    before = frame.copy()
    made = drawn(frame)
    assert (frame == before).all(), "the frame that was given stays as it is"
    assert made.shape == frame.shape
    assert made.dtype == np.uint8
    rows = np.flatnonzero((made[..., 0] > 150).any(axis=1))
    assert rows[-1] - rows[0] + 1 >= max(LEAST, SHARE * min(size))
    changed = (made != before).any(axis=2)
    assert changed.mean() < 0.25
    assert not changed[: size[0] // 2].any()


def test_worst_ground_is_dark_enough() -> None:
    made = drawn(np.full((480, 832, 3), 255, np.uint8))
    ground = made[(made < 200).all(axis=2)]
    assert ground.size
    # Over a white picture; the edges of the strokes are smoothed, so the box's own grey is the median.
    assert 1.05 / (np.median(luminance(ground)) + 0.05) >= 7


def test_without_a_text_frames_pass_as_they_are() -> None:
    frame = np.zeros((8, 8, 3), np.uint8)
    assert next(draw_labels([frame], "")) is frame


@pytest.mark.parametrize("text", [" ", "x" * 81, "KI-erzeugt \u00fc", "AI\ngenerated", "\x1b[2J"])
def test_texts_that_cannot_be_written(text: str) -> None:
    with pytest.raises(UsageError):
        check_label(text)
    with pytest.raises(UsageError):
        drawn(np.zeros((256, 256, 3), np.uint8), text)


def test_pictures_too_small_for_it() -> None:
    with pytest.raises(UsageError, match="readable size"):
        drawn(np.zeros((64, 64, 3), np.uint8))
