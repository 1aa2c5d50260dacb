"""What people would say of a scene: a grammar with paraphrases, a fresh sentence at every call."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

import numpy as np

from training.world import spec
from training.world.phrases import (
    CAMERA_PHRASES,
    COLOUR_WORDS,
    COUNT_WORDS,
    DAYTIME_PHRASES,
    DIRECTIONS,
    KIND_VERBS,
    KIND_WORDS,
    MOTION_PHRASES,
    PLACE_PHRASES,
    RELATION_PHRASES,
    SIZE_WORDS,
    SPEED_WORDS,
    TEMPLATES,
    VERBS,
)
from training.world.spec import Scene, Thing
from training.world.stages import Stage

_DROP = 0.06
"""Chance that a caption leaves an attribute unsaid, so that short prompts work too."""
STILL = "still"
"""The motion that nobody calls fast or slow."""


def words(text: str) -> list[str]:
    """The words of a text as the model's tokenizer sees them: lower case, letters and digits only."""
    return re.findall(r"[a-z0-9]+", text.lower())


def _one(rng: np.random.Generator, options: Sequence[str]) -> str:
    return options[int(rng.integers(len(options)))]


def _article(rng: np.random.Generator, noun: str) -> str:
    indefinite = "an" if noun[:1] in "aeiou" else "a"
    return "the" if rng.random() < 0.08 else indefinite


def _unsaid(thing: Thing, rng: np.random.Generator) -> bool:
    """Whether the colour is left out: now and then, half the time where it goes without saying, never where
    another one does."""
    natural = spec.NATURAL.get(thing.kind)
    if natural is None:
        return rng.random() < _DROP
    return thing.colour in natural and rng.random() < 0.5


def _noun(thing: Thing, count: int, rng: np.random.Generator) -> str:
    size = _one(rng, SIZE_WORDS[thing.size])
    colour = "" if _unsaid(thing, rng) else _one(rng, COLOUR_WORDS[thing.colour])
    kind = _one(rng, KIND_WORDS[thing.kind])
    if count > 1:
        parts = [_one(rng, COUNT_WORDS[count]), size, colour, _plural(kind)]
        return " ".join(p for p in parts if p)
    rest = " ".join(p for p in (size, colour, kind) if p)
    return f"{_article(rng, rest)} {rest}"


def _plural(kind: str) -> str:
    return kind + ("es" if kind.endswith(("x", "s")) else "s")


def _action(scene: Scene, rng: np.random.Generator) -> str:
    if scene.motion in DIRECTIONS:
        if scene.motion in MOTION_PHRASES and rng.random() < 0.3:
            phrase = _one(rng, MOTION_PHRASES[scene.motion])
        else:
            verbs = KIND_VERBS.get(scene.things[0].kind, VERBS)
            verb = _one(rng, verbs if rng.random() < 0.5 else VERBS)
            phrase = f"{verb} {_one(rng, DIRECTIONS[scene.motion])}"
    else:
        phrase = _one(rng, MOTION_PHRASES[scene.motion])
    speed = _one(rng, SPEED_WORDS[scene.speed])
    return phrase if scene.motion == STILL else f"{phrase} {speed}".strip()


def _place(scene: Scene, rng: np.random.Generator) -> str:
    parts = ["" if rng.random() < _DROP else _one(rng, PLACE_PHRASES[scene.background])]
    parts.append(_one(rng, DAYTIME_PHRASES[scene.daytime]))
    parts.append(_one(rng, CAMERA_PHRASES[scene.camera]))
    return " ".join(p for p in parts if p)


def caption(scene: Scene, rng: np.random.Generator) -> str:
    """A sentence about a scene, such as "a red ball rolling left to right over green grass".

    Raises KeyError for names that are not in `spec`.
    """
    subject = _noun(scene.things[0], scene.count, rng)
    if len(scene.things) > 1:
        other = _noun(scene.things[1], 1, rng)
        subject = f"{subject} {_one(rng, RELATION_PHRASES[scene.relation or 'left_of'])} {other}"
    text = _one(rng, TEMPLATES).format(subject=subject, action=_action(scene, rng), place=_place(scene, rng))
    return re.sub(r"\s+", " ", text).strip(" ,")


def _plain_noun(thing: Thing, count: int = 1) -> str:
    size = SIZE_WORDS[thing.size][0]
    if count > 1:
        return " ".join(w for w in (COUNT_WORDS[count][0], size, thing.colour, _plural(thing.kind)) if w)
    noun = " ".join(w for w in (size, thing.colour, thing.kind) if w)
    return f"{'an' if noun[0] in 'aeiou' else 'a'} {noun}"


def plain(scene: Scene) -> str:
    """The most ordinary caption that says all of a scene, always the same; used to judge models.

    Raises KeyError for names that are not in `spec`.
    """
    subject = _plain_noun(scene.things[0], scene.count)
    if len(scene.things) > 1:
        subject += f" {RELATION_PHRASES[scene.relation or 'and'][0]} {_plain_noun(scene.things[1])}"
    options = DIRECTIONS.get(scene.motion)
    action = f"moving {options[0]}" if options else MOTION_PHRASES[scene.motion][0]
    rest = (
        "" if scene.motion == STILL else SPEED_WORDS[scene.speed][0],
        PLACE_PHRASES[scene.background][0],
        DAYTIME_PHRASES[scene.daytime][0],
        CAMERA_PHRASES[scene.camera][0],
    )
    return " ".join(w for w in (subject, action, *rest) if w)


def vocabulary(stage: Stage) -> list[str]:
    """Every word a stage's captions can contain, sorted."""
    phrases: list[str] = ["a", "an", "the", *VERBS, *TEMPLATES]
    phrases.extend(v for kind in stage.kinds for v in KIND_VERBS.get(kind, ()))

    def add(table: dict[str, tuple[str, ...]], keys: Iterable[str]) -> None:
        for key in keys:
            phrases.extend(table.get(key, ()))

    add(KIND_WORDS, stage.kinds)
    add(COLOUR_WORDS, stage.colours)
    add(SIZE_WORDS, stage.sizes)
    add(MOTION_PHRASES, stage.motions)
    add(DIRECTIONS, stage.motions)
    add(SPEED_WORDS, stage.speeds)
    add(PLACE_PHRASES, stage.backgrounds)
    add(CAMERA_PHRASES, stage.cameras)
    add(DAYTIME_PHRASES, stage.daytimes)
    if stage.pairs:
        add(RELATION_PHRASES, spec.RELATIONS)
    if max(stage.counts) > 1:
        phrases.extend(_plural(w) for kind in stage.kinds for w in KIND_WORDS[kind])
        phrases.extend(w for count in stage.counts for w in COUNT_WORDS.get(count, ()))
    return sorted({w for phrase in phrases for w in words(re.sub(r"\{\w+\}", " ", phrase))})
