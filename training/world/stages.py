"""Stages of growth: which part of the world a model is asked to know, and which combinations it never sees.

stage  what it adds
-----  ------------------------------------------------------------------------------------------------
one    a single ball, box, triangle or star; 8 colours, 3 sizes, 5 motions, 6 places
two    bounce, spin, grow, shrink and speeds
three  cars, boats, trees, houses, birds, suns, clouds and three more colours
four   counts, two things and their relations, orbit and zigzag
full   cameras and times of day (what the autoencoder is trained on from the start)
groups mostly two or three things (for the decoder alone)
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TypeVar

import numpy as np

from training.world import spec
from training.world.spec import Scene, Thing

HELD_OUT_PERCENT = 12

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Stage:
    """The names a stage may draw from; see `spec` for what they mean."""

    name: str
    kinds: tuple[str, ...]
    colours: tuple[str, ...]
    motions: tuple[str, ...]
    backgrounds: tuple[str, ...] = spec.BACKGROUNDS
    sizes: tuple[str, ...] = spec.SIZES
    speeds: tuple[str, ...] = ("normal",)
    counts: tuple[int, ...] = (1,)
    pairs: float = 0.0
    cameras: tuple[str, ...] = ("static",)
    daytimes: tuple[str, ...] = ("day",)


_SIMPLE = ("ball", "box", "triangle", "star")
_EIGHT = ("red", "orange", "yellow", "green", "blue", "purple", "white", "black")
_FIVE = ("left", "right", "up", "down", "still")
_NINE = (*_FIVE, "bounce", "spin", "grow", "shrink")
_ALL_COLOURS = tuple(spec.COLOURS)
_SPEEDS = tuple(spec.SPEEDS)

STAGES: dict[str, Stage] = {
    s.name: s
    for s in (
        Stage("one", _SIMPLE, _EIGHT, _FIVE),
        Stage("two", _SIMPLE, _EIGHT, _NINE, speeds=_SPEEDS),
        Stage("three", spec.KINDS, _ALL_COLOURS, _NINE, speeds=_SPEEDS),
        Stage("four", spec.KINDS, _ALL_COLOURS, spec.MOTIONS, speeds=_SPEEDS, counts=(1, 2, 3), pairs=0.4),
        Stage(
            "full",
            spec.KINDS,
            _ALL_COLOURS,
            spec.MOTIONS,
            speeds=_SPEEDS,
            counts=(1, 2, 3),
            pairs=0.4,
            cameras=spec.CAMERAS,
            daytimes=spec.DAYTIMES,
        ),
        Stage("groups", spec.KINDS, _ALL_COLOURS, spec.MOTIONS, speeds=_SPEEDS, counts=(2, 3), pairs=0.5),
    )
}


def held_out(scene: Scene) -> bool:
    """Whether a scene's combination of colour, kind, motion and place is kept away from training.

    Decided by a hash of the names alone, so it never changes with seeds, stages or their order.
    """
    digest = hashlib.sha256(scene.key.encode()).digest()
    return int.from_bytes(digest[:4], "big") % 100 < HELD_OUT_PERCENT


def _pick(rng: np.random.Generator, options: tuple[T, ...]) -> T:
    return options[int(rng.integers(len(options)))]


def _thing(stage: Stage, colours: tuple[str, ...], rng: np.random.Generator) -> Thing:
    kind = _pick(rng, stage.kinds)
    natural = tuple(c for c in spec.NATURAL.get(kind, ()) if c in colours)
    chosen = _pick(rng, natural) if natural and rng.random() < 0.35 else _pick(rng, colours)
    return Thing(kind, chosen, _pick(rng, stage.sizes))


def _draw(stage: Stage, rng: np.random.Generator) -> Scene:
    thing = _thing(stage, stage.colours, rng)
    things: tuple[Thing, ...] = (thing,)
    count, relation = 1, None
    if rng.random() < stage.pairs:
        things += (_thing(stage, tuple(c for c in stage.colours if c != thing.colour), rng),)
        relation = _pick(rng, spec.RELATIONS)
    elif rng.random() < 0.4:
        count = _pick(rng, stage.counts)
    alone = count == 1 and len(things) == 1
    motions = stage.motions
    if not alone:
        barred = spec.NO_ROOM.get(relation or "", ())
        motions = tuple(m for m in motions if m in spec.GROUP_MOTIONS and m not in barred)
    camera = _pick(rng, stage.cameras) if rng.random() < 0.2 else "static"
    return Scene(
        things,
        _pick(rng, motions),
        _pick(rng, stage.backgrounds),
        _pick(rng, stage.speeds) if rng.random() < 0.5 else "normal",
        count,
        relation,
        _pick(rng, stage.daytimes) if rng.random() < 0.4 else "day",
        camera,
    )


def _visible(scene: Scene) -> bool:
    return all(
        (t.colour, scene.background) not in spec.INVISIBLE
        and (t.kind, scene.motion) not in spec.UNSEEN_MOTION
        for t in scene.things
    )


def sample(stage: Stage, rng: np.random.Generator, held: bool | None = False) -> Scene:
    """A random visible scene of a stage: held-out ones only (True), never (False), or either (None)."""
    while True:
        scene = _draw(stage, rng)
        if not _visible(scene):
            continue
        if held is None or held_out(scene) == held:
            return scene
