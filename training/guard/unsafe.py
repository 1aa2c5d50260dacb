"""Unsafe prompts made from templates written for this project, for categories and styles that open corpora
lack.

They describe what a policy must recognise, in the short, tag-heavy style people use with picture and video
models and as plain instructions. Nothing here explains how to do harm.
"""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import yaml

from training.guard.data import Row
from training.guard.words import CAMERA, LIGHT, QUALITY, STYLES

_DATA: dict[str, Any] = yaml.safe_load((Path(__file__).parent / "unsafe.yaml").read_text(encoding="utf-8"))
_WHO: list[str] = _DATA["who"]
PICTURES: dict[str, list[str]] = _DATA["pictures"]
"""Templates per category; ``{who}`` is somebody, ``{id}`` a group, ``{pol}`` a politician."""
_POLITICIANS: list[str] = _DATA["politicians"]
_IDENTITY: list[str] = _DATA["identities"]
_ASKS: list[str] = _DATA["asks"]
_CRIMES: dict[str, list[str]] = _DATA["crimes"]


def rows(seed: int = 17, scale: float = 1.0) -> list[Row]:
    """All generated unsafe rows; about ``4_500 * scale``."""
    rng = random.Random(seed)
    out: list[Row] = []
    for category, templates in sorted(PICTURES.items()):
        texts = {_picture(rng.choice(templates), rng) for _ in range(int(320 * scale))}
        out += [Row(t, True, category, "gen_unsafe") for t in sorted(texts)]
    for category, acts in sorted(_CRIMES.items()):
        texts = {rng.choice(_ASKS).format(x=rng.choice(acts)) for _ in range(int(15 * len(acts) * scale))}
        out += [Row(t, True, category, "gen_unsafe_ask") for t in sorted(texts)]
    return out


def _picture(template: str, rng: random.Random) -> str:
    text = filled(template, rng)
    if rng.random() < 0.25:
        text = (
            rng.choice(("a video of ", "create an image of ", "show ", "portrait of ", "painting of ")) + text
        )
    return styled(text, rng) if rng.random() < 0.6 else text


def filled(template: str, rng: random.Random, who: str | None = None) -> str:
    """*template* with its gaps filled; *who* is shown, by default somebody without a name."""
    first, second = rng.sample(_POLITICIANS, 2)
    shown = rng.choice(_WHO)
    return template.format(who=who or shown, id=rng.choice(_IDENTITY), pol=first, pol2=second)


def styled(text: str, rng: random.Random) -> str:
    """*text* with the tail of style words that users of picture models add."""
    tail = rng.sample(STYLES + QUALITY + LIGHT + CAMERA, rng.randint(1, 6))
    return f"{text.rstrip('. ')}, {', '.join(tail)}"
