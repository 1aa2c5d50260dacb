"""Sampling, scenes, smoothing over time, and clips that stand still."""

from __future__ import annotations

import numpy as np
import pytest

from safegen.detectors.frames._sampling import sample_frames
from safegen.detectors.frames._temporal import FrameScores, findings_over_time, smoothed, validate_scores
from safegen.detectors.frames.frozen import create
from safegen.errors import CheckUnavailable
from safegen.types import Clip


def scene(n: int, base: int, speed: int = 1) -> np.ndarray:
    frames = np.full((n, 72, 128, 3), base, np.uint8)
    for i in range(n):
        frames[i, 20:50, 5 + speed * i : 30 + speed * i] = 255 - base
    return frames


def test_two_a_second_and_the_first_of_every_scene() -> None:
    clip = Clip.from_array(np.concatenate([scene(30, 40), scene(20, 200)]), 24)
    found = [(round(s.time * 24), s.scene) for s in sample_frames(clip)]
    assert found == [(0, 0), (12, 0), (24, 0), (30, 1), (42, 1)]


def test_a_picture_shown_for_one_frame_is_looked_at() -> None:
    frames = scene(48, 40)
    frames[17] = np.random.default_rng(0).integers(0, 256, (72, 128, 3))
    seen = [round(s.time * 24) for s in sample_frames(Clip.from_array(frames, 24))]
    assert 17 in seen
    assert {s.scene for s in sample_frames(Clip.from_array(frames, 24)) if round(s.time * 24) == 17} == {1}


def test_motion_makes_no_scenes() -> None:
    assert {s.scene for s in sample_frames(Clip.from_array(scene(48, 40, 2), 24))} == {0}


def test_long_clips_are_sampled_more_thinly() -> None:
    clip = Clip.from_array(scene(240, 40, 0), 4)
    assert len(list(sample_frames(clip, most=10))) == 10


def test_neighbours_are_averaged_within_a_scene_only() -> None:
    frames = [
        FrameScores(i / 2, scene, {"nudity": s})
        for i, (scene, s) in enumerate([(0, 0), (0, 0.9), (0, 0), (1, 0.9)])
    ]
    assert smoothed(frames, "nudity") == pytest.approx([0.45, 0.3, 0.45, 0.9])
    found, highest = findings_over_time(frames, "x", {"nudity": "nudity"})
    assert [(f.time, round(f.score, 2)) for f in found] == [(0.0, 0.45), (1.5, 0.9)]
    assert highest == pytest.approx(0.9)


@pytest.mark.parametrize("scores", [{}, {"a": float("nan")}, {"a": float("inf")}, {"a": 1.5}, {"a": -0.2}])
def test_scores_that_make_no_sense_stop(scores: dict[str, float]) -> None:
    with pytest.raises(CheckUnavailable):
        validate_scores(scores, "x")


def still(frames: np.ndarray) -> list[str]:
    found, ran = create().run(Clip.from_array(frames.astype(np.uint8), 24))
    assert ran.score is not None
    return [f.reason for f in found]


def test_a_clip_that_stops_half_way_is_frozen() -> None:
    frames = scene(48, 40)
    frames[20:] = frames[20]
    assert still(frames) == ["nothing changes from 0.8 to 2.0 s"]


def test_a_clip_that_stops_for_less_than_half_is_not() -> None:
    frames = scene(48, 40)
    frames[26:] = frames[26]
    assert still(frames) == []


def test_what_an_encoder_leaves_is_no_change() -> None:
    rng = np.random.default_rng(0)
    frames = np.repeat(scene(1, 40), 24, 0).astype(int) + rng.integers(-2, 3, (24, 72, 128, 3))
    assert still(frames)


def test_slow_motion_is_change() -> None:
    frames = np.stack([np.full((64, 64, 3), 60 + i) for i in range(48)])
    assert still(frames) == []


def test_a_picture_is_not_frozen() -> None:
    assert still(scene(1, 40)) == []
    assert still(np.zeros((0, 64, 64, 3))) == []
