"""Presentation: sizes, sharp edges without ringing, motion without ghosts, the same bytes every time."""

from __future__ import annotations

import numpy as np
import pytest

from safegen.errors import UsageError
from safegen.generators.upscale import upscale_clip, upscale_frame


def test_size_rate_and_length(moving_square: np.ndarray) -> None:
    clip = upscale_clip(moving_square, width=256, height=256, seconds=2.0, fps=12)
    frames = list(clip)
    assert (clip.count, len(frames), clip.seconds) == (24, 24, 2.0)
    assert {f.shape for f in frames} == {(256, 256, 3)}
    assert {f.dtype for f in frames} == {np.dtype(np.uint8)}


def test_every_pass_gives_the_same_bytes(moving_square: np.ndarray) -> None:
    clip = upscale_clip(moving_square, width=128, height=128, seconds=1.0, fps=24)
    assert all(np.array_equal(a, b) for a, b in zip(clip, clip, strict=True))


def test_edges_do_not_ring(moving_square: np.ndarray) -> None:
    big = upscale_frame(moving_square[0], 512, 512)
    for channel in range(3):
        native = moving_square[0, ..., channel]
        assert big[..., channel].min() >= native.min() - 0.5
        assert big[..., channel].max() <= native.max() + 0.5


def test_motion_is_even_and_has_no_ghost(moving_square: np.ndarray) -> None:
    frames = np.stack(list(upscale_clip(moving_square, width=256, height=256, seconds=3.0, fps=24))).astype(
        float
    )
    share = np.clip((frames[..., 0] - 90) / 120, 0, 1)
    xs = np.arange(256)
    centre = (share * xs).sum((1, 2)) / share.sum((1, 2))
    steps = np.diff(centre)
    assert np.all(steps > 0.5) and np.all(steps < 3.5)
    area = share.sum((1, 2))
    assert np.ptp(area) < 0.1 * area.mean()
    half_seen = ((share > 0.25) & (share < 0.75)).sum((1, 2))
    assert half_seen.max() < 2.5 * max(half_seen.min(), 200)


def test_one_native_frame_stands_still(moving_square: np.ndarray) -> None:
    frames = list(upscale_clip(moving_square[:1], width=64, height=64, seconds=0.5, fps=8))
    assert len(frames) == 4
    assert all(np.array_equal(frames[0], f) for f in frames)


def test_wide_targets_are_covered(moving_square: np.ndarray) -> None:
    frames = list(upscale_clip(moving_square, width=320, height=180, seconds=1.0, fps=8))
    assert frames[0].shape == (180, 320, 3)
    assert frames[4][90, :, 0].max() > 180  # the square in the middle is still there


@pytest.mark.parametrize(
    ("width", "height", "seconds", "fps"),
    [
        (511, 512, 3, 24),
        (8, 8, 3, 24),
        (9000, 512, 3, 24),
        (512, 512, 0, 24),
        (512, 512, 9999, 24),
        (512, 512, 3, 0),
    ],
)
def test_impossible_releases_are_refused(
    moving_square: np.ndarray, width: int, height: int, seconds: float, fps: int
) -> None:
    with pytest.raises(UsageError) as error:
        upscale_clip(moving_square, width=width, height=height, seconds=seconds, fps=fps)
    assert error.value.hint
