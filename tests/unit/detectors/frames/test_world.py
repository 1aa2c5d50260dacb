"""The attribute extractor on true renders, on releases of them, and on everything else."""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np
import pytest

from safegen.detectors.frames import _backgrounds, _outlines, world
from safegen.generators.upscale import upscale_clip
from safegen.types import Clip
from training.world import backgrounds, spec, stages
from training.world.render import render
from training.world.spec import Scene, Thing

NAMES = [
    "colour",
    "shape",
    "size",
    "count",
    "position",
    "motion",
    "background",
    "second_colour",
    "second_shape",
    "relation",
]


def said(clip: Clip) -> dict[str, str]:
    found, ran = world.create().run(clip)
    assert [a.name for a in found] == NAMES
    assert (ran.name, ran.version) == ("world", world.VERSION)
    for a in found:
        assert "unknown" in a.probabilities
        assert sum(a.probabilities.values()) == pytest.approx(1.0)
        assert 0 <= a.confidence <= 1
    return {a.name: a.value for a in found}


def native(scene: Scene, seed: int) -> Clip:
    return Clip.from_array(render(scene, seed)[0], 8)


def released(scene: Scene, seed: int) -> Clip:
    """Upscaled, with noise as strong as a watermark, and compressed."""
    frames = render(scene, seed)[0]
    big = np.stack(list(upscale_clip(frames, width=256, height=256, seconds=1.0, fps=24)))
    noise = np.random.default_rng(seed).integers(-5, 6, big.shape)
    noisy = np.clip(big.astype(int) + noise, 0, 255).astype(np.uint8)
    coded = [cv2.imdecode(cv2.imencode(".jpg", f, [cv2.IMWRITE_JPEG_QUALITY, 60])[1], 1) for f in noisy]
    return Clip.from_array(np.stack(coded), 24)


def single(rng: np.random.Generator) -> Scene:
    while True:
        scene = stages.sample(stages.STAGES["four"], rng, None)
        if len(scene.things) == scene.count == 1:
            return scene


def accuracy(count: int, clip: Callable[[Scene, int], Clip]) -> dict[str, float]:
    rng = np.random.default_rng(5)
    hits = dict.fromkeys(("colour", "shape", "size", "count", "motion", "background"), 0)
    for i in range(count):
        scene = single(rng)
        thing = scene.things[0]
        values = said(clip(scene, i))
        want = (thing.colour, thing.kind, thing.size, "1", scene.motion, scene.background)
        for aspect, value in zip(hits, want, strict=True):
            hits[aspect] += values[aspect] == value
    return {k: v / count for k, v in hits.items()}


def test_true_renders_are_read_right() -> None:
    got = accuracy(30, native)
    assert min(got.values()) >= 0.9 and np.mean(list(got.values())) >= 0.96, got


def test_releases_are_read_right() -> None:
    got = accuracy(10, released)
    assert min(got.values()) >= 0.9, got


@pytest.mark.parametrize("kind", spec.KINDS)
def test_every_kind_is_read_alone_and_in_threes(kind: str) -> None:
    for count in (1, 3):
        scene = Scene((Thing(kind, "red", "large"),), "bounce", "grass", count=count)
        values = said(native(scene, 3))
        assert (values["shape"], values["count"], values["colour"]) == (kind, str(count), "red")
        assert values["second_shape"] == values["second_colour"] == values["relation"] == "none"


@pytest.mark.parametrize("motion", spec.MOTIONS)
def test_every_motion_is_read_at_dusk(motion: str) -> None:
    scene = Scene((Thing("boat", "red", "medium"),), motion, "sea", daytime="dusk")
    values = said(native(scene, 2))
    assert (values["motion"], values["shape"], values["background"]) == (motion, "boat", "sea")


@pytest.mark.parametrize("clip", [native, released], ids=["native", "released"])
@pytest.mark.parametrize(
    ("relation", "first", "stands"),
    [
        ("left_of", 0, "left_of"),
        ("right_of", 1, "left_of"),
        ("above", 0, "above"),
        ("below", 1, "above"),
        ("and", 0, "left_of"),
    ],
)
def test_two_things_and_how_they_stand(
    clip: Callable[[Scene, int], Clip], relation: str, first: int, stands: str
) -> None:
    things = (Thing("car", "red", "medium"), Thing("tree", "green", "large"))
    values = said(clip(Scene(things, "still", "desert", relation=relation), 1))
    one, two = things[first], things[1 - first]
    assert (values["colour"], values["shape"]) == (one.colour, one.kind)
    assert (values["second_colour"], values["second_shape"]) == (two.colour, two.kind)
    assert (values["relation"], values["count"]) == (stands, "2")


def test_palettes_places_and_sizes_agree_with_the_renderer() -> None:
    assert world._RADII == spec.RADII
    assert {k: world.COLOURS[k] for k in spec.COLOURS} == spec.COLOURS
    assert spec.KINDS == _outlines.KINDS
    assert _backgrounds.BANDS == backgrounds._BANDS


def noise(*shape: int) -> np.ndarray:
    return np.random.default_rng(2).integers(0, 256, shape).astype(np.uint8)


def gradient() -> np.ndarray:
    x = np.linspace(0, 255, 160)
    frame = np.stack(
        [np.broadcast_to(x, (90, 160)), np.broadcast_to(x[::-1], (90, 160)), np.full((90, 160), 80)], 2
    )
    return np.stack([np.roll(frame, 5 * i, 1) for i in range(8)]).astype(np.uint8)


@pytest.mark.parametrize(
    "frames",
    [
        noise(9, 64, 64, 3),
        noise(1, 2, 2, 3),
        noise(3, 1, 700, 3),
        noise(30, 90, 160, 3),
        np.zeros((0, 64, 64, 3), np.uint8),
        np.zeros((5, 64, 64, 3), np.uint8),
        np.full((5, 64, 64, 3), 255, np.uint8),
        gradient(),
        cv2.GaussianBlur(noise(200, 200, 3), (0, 0), 9)[None].repeat(4, 0),
    ],
    ids=["noise", "two", "thin", "wide", "none", "black", "white", "gradient", "blurred"],
)
def test_other_pictures_are_unknown_and_never_raise(frames: np.ndarray) -> None:
    values = said(Clip.from_array(frames, 24))
    for name in ("shape", "motion", "relation", "second_shape"):
        assert values[name] == "unknown"
