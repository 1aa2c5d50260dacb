"""The rendered world: the same bytes from the same seed, captions within the vocabulary, a fixed held-out
split."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from training.world import spec, stages
from training.world.captions import caption, plain, vocabulary, words
from training.world.phrases import SPEED_WORDS
from training.world.render import render
from training.world.spec import Scene, Thing
from training.world.stages import STAGES, held_out, sample


@pytest.mark.parametrize("name", sorted(STAGES))
def test_equal_seeds_give_equal_bytes(name: str) -> None:
    scene = sample(STAGES[name], np.random.default_rng(3))
    first, mask = render(scene, 9)
    assert first.shape == (spec.FRAMES, spec.SIDE, spec.SIDE, 3)
    assert first.tobytes() == render(scene, 9)[0].tobytes()
    assert first.tobytes() != render(scene, 10)[0].tobytes()
    assert mask.any() and not mask.all()


@pytest.mark.parametrize("motion", spec.MOTIONS)
@pytest.mark.parametrize("kind", spec.KINDS)
def test_every_thing_can_do_every_motion(kind: str, motion: str) -> None:
    frames, mask = render(Scene((Thing(kind, "red", "medium"),), motion, "grey"), 1)
    assert mask.any(axis=(1, 2)).all()
    assert frames.std() > 3


def test_a_ball_rolls_to_the_right() -> None:
    _, mask = render(Scene((Thing("ball", "red", "medium"),), "right", "grass"), 4)
    centre = [np.nonzero(m)[1].mean() for m in mask]
    assert all(b >= a for a, b in pairwise(centre))
    assert centre[-1] - centre[0] > 20


@pytest.mark.parametrize("name", sorted(STAGES))
def test_captions_stay_within_the_vocabulary(name: str) -> None:
    stage = STAGES[name]
    known = set(vocabulary(stage))
    rng = np.random.default_rng(8)
    for _ in range(400):
        scene = sample(stage, rng)
        assert set(words(caption(scene, rng))) <= known
        assert set(words(plain(scene))) <= known


@pytest.mark.parametrize("speed", spec.SPEEDS)
def test_nothing_stands_still_fast(speed: str) -> None:
    scene = Scene((Thing("box", "red", "medium"),), "still", "grass", speed)
    moving = Scene((Thing("box", "red", "medium"),), "left", "grass", speed)
    pace = {w for s in ("slow", "fast") for phrase in SPEED_WORDS[s] for w in words(phrase)} - {"at"}
    rng = np.random.default_rng(2)
    said = [plain(scene), *(caption(scene, rng) for _ in range(60))]
    assert not pace & {w for text in said for w in words(text)}
    assert bool(pace & set(words(plain(moving)))) is (speed != "normal")


def test_the_example_of_the_readme_is_within_the_vocabulary() -> None:
    known = set(vocabulary(STAGES["one"]))
    for verb in ("rolling", "moving", "sliding", "drifting", "travelling", "traveling", "gliding"):
        for place in ("over green grass", "on a meadow", "across a green meadow", "on the grass"):
            assert set(words(f"A red ball {verb} from left to right {place}.")) <= known


def test_the_held_out_split_is_fixed() -> None:
    scenes = [
        Scene((Thing(k, c, "medium"),), m, b)
        for k in STAGES["one"].kinds
        for c in STAGES["one"].colours
        for m in STAGES["one"].motions
        for b in spec.BACKGROUNDS
        if (c, b) not in spec.INVISIBLE
    ]
    held = sorted(s.key for s in scenes if held_out(s))
    assert 0.09 < len(held) / len(scenes) < 0.15
    assert held[0] == "black|ball|down|sea"


def test_training_never_sees_what_is_held_out() -> None:
    rng = np.random.default_rng(0)
    for _ in range(500):
        assert not held_out(sample(STAGES["full"], rng))
        assert held_out(sample(STAGES["one"], rng, held=True))


def test_held_out_words_are_all_seen_one_by_one() -> None:
    """Only combinations are new: every colour, kind, motion and place occurs in training."""
    rng = np.random.default_rng(1)
    seen = [sample(STAGES["one"], rng) for _ in range(1500)]
    assert {s.things[0].colour for s in seen} == set(STAGES["one"].colours)
    assert {s.things[0].kind for s in seen} == set(STAGES["one"].kinds)
    assert {s.motion for s in seen} == set(STAGES["one"].motions)
    assert {s.background for s in seen} == set(stages.STAGES["one"].backgrounds)
