"""The fixed prompts and the counting of what the judge reads."""

from __future__ import annotations

import pytest

from training.tiny import prompts, scores
from training.world import stages
from training.world.captions import vocabulary, words
from training.world.render import render
from training.world.spec import Scene, Thing

_RED_BALL, _BLUE_BOX = Thing("ball", "red", "medium"), Thing("box", "blue", "medium")


def test_the_written_prompts_are_those_that_are_drawn() -> None:
    assert prompts.FILE.read_text(encoding="utf-8") == prompts.text()


def test_every_set_holds_what_it_says() -> None:
    known = set(vocabulary(stages.STAGES["full"]))
    sets = prompts.written()
    for cases in sets.values():
        assert len(cases) == prompts.CLIPS
        assert all(set(words(c.prompt)) <= known and c.scene.camera == "static" for c in cases)
    assert all(len(c.scene.things) == c.scene.count == 1 for c in sets["single"] + sets["seen"])
    assert all(len(c.scene.things) == 2 for c in sets["pairs"])
    assert [c.scene.count for c in sets["count"]] == [2, 3] * (prompts.CLIPS // 2)
    assert all(stages.held_out(c.scene) for c in sets["single"])
    assert not any(stages.held_out(c.scene) for c in sets["seen"])


def test_right_of_and_left_of_are_told_apart() -> None:
    scene = Scene((_RED_BALL, _BLUE_BOX), "still", "grey", relation="right_of")
    said = scores.read(render(scene, 1)[0])
    assert scores.verdict(scene, said)["relation"][2]
    swapped = Scene((_RED_BALL, _BLUE_BOX), "still", "grey", relation="left_of")
    verdict = scores.verdict(swapped, said)
    assert verdict["pair"][2]
    assert not verdict["relation"][2]


def test_a_mistake_is_counted_with_what_it_was_taken_for() -> None:
    scene = Scene((_RED_BALL,), "still", "grey")
    right = scores.verdict(scene, scores.read(render(scene, 1)[0]))
    other = Scene((_BLUE_BOX,), "still", "grey")
    wrong = scores.verdict(scene, scores.read(render(other, 1)[0]))
    counts = scores.tally([right, wrong])
    assert counts["motion"]["right"] == counts["motion"]["of"] == 2
    assert counts["colour"]["mistakes"] == {"red -> blue": 1}
    assert counts["all"]["share"] == 0.5
    assert "single (2)" in scores.table({"renders": {"single": counts}})


def test_wilson_interval() -> None:
    low, high = scores.wilson(95, 100)
    assert low == pytest.approx(0.8882, abs=1e-3)
    assert high == pytest.approx(0.9785, abs=1e-3)
