"""Prompts as users of picture models write them: whom they show, and in whose manner.

Names come from the project's own rule lists. To the classifier a name says nothing about harm: the lists
find it, and what happens around it decides. So names stand in harmless and in harmful prompts alike.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path

import yaml

from training.guard.data import Row
from training.guard.unsafe import PICTURES, filled, styled
from training.guard.words import (
    ACTIONS,
    ANIMALS,
    CAMERA,
    LIGHT,
    OBJECTS,
    PEOPLE,
    PLACES,
    QUALITY,
    STYLES,
    YOUNG,
)

LISTS = Path(__file__).resolve().parents[2] / "policies" / "lists"
_KINDS = (
    "portrait of ", "full body portrait of ", "a photo of ", "painting of ", "concept art of ", "", "", "",
)  # fmt: skip
_AS = (
    "{name} as {role}", "{name} dressed as {role}", "{name} and {role}", "{name} {action} {place}",
    "{name} with {thing}", "{name} in the role of {role}, {place}", "{role} that looks like {name}",
)  # fmt: skip
_MANNERS = ("by {}", "art by {}", "in the style of {}", "style of {}", "painted by {}")
_NOT_WITH_NAMES = frozenset(("misinformation_political", "privacy", "sexual"))
"""No sexual text is made about real people, or about characters who may be children."""


@lru_cache(maxsize=8)
def names(*lists: str) -> tuple[str, ...]:
    """The first spelling of every name in the rule *lists*."""
    found: list[str] = []
    for name in lists:
        data = yaml.safe_load((LISTS / f"{name}.yaml").read_text(encoding="utf-8"))
        groups = [entry.get("each", ()) for entry in data["entries"] if isinstance(entry, dict)]
        found += [str(line).split("|")[0].strip().lower() for group in groups for line in group]
    return tuple(dict.fromkeys(found))


def rows(seed: int = 29, scale: float = 1.0) -> list[Row]:
    """Rows that show somebody by name: about ``3_500 * scale`` harmless and ``1_500 * scale`` unsafe ones."""
    rng = random.Random(seed)
    known = names("public_figures", "characters")
    harmless = {_harmless(rng.choice(known), rng) for _ in range(int(3500 * scale))}
    out = [Row(t, False, "benign", "gen_named") for t in sorted(harmless)]
    allowed = [(c, ts) for c, ts in sorted(PICTURES.items()) if c not in _NOT_WITH_NAMES]
    templates = [(c, t) for c, ts in allowed for t in ts if "{who}" in t]
    for _ in range(int(1500 * scale)):
        category, template = rng.choice(templates)
        text = filled(template.replace("a {who}", "{who}"), rng, who=rng.choice(known))
        out.append(Row(in_manner(text, rng), True, category, "gen_unsafe_named"))
    return out


def with_artists(rows: Sequence[Row], *, count: int, seed: int = 31) -> list[Row]:
    """Short rows of both labels with artists and style words behind them, half of them unsafe."""
    rng = random.Random(seed)
    wanted = ("coprov2", "overt_unsafe", "overt_safe", "coco_captions", "partiprompts", "chronomagic")
    pool = [r for r in rows if r.source in wanted and len(r.text) < 160]
    unsafe, safe = [r for r in pool if r.unsafe], [r for r in pool if not r.unsafe]
    picked = rng.sample(unsafe, min(count // 2, len(unsafe))) + rng.sample(safe, min(count // 2, len(safe)))
    return [r.with_text(in_manner(r.text, rng), r.source + "+artists") for r in picked]


def in_manner(text: str, rng: random.Random) -> str:
    """*text* followed by "by so-and-so" and style words, in the loose form that users write."""
    by = " and ".join(rng.sample(names("artists"), rng.choice((1, 1, 2, 2, 3))))
    manner = rng.choice(_MANNERS).format(by)
    tail = rng.sample(STYLES + QUALITY + LIGHT + CAMERA, rng.randint(0, 5))
    tail.insert(rng.randint(0, len(tail)), manner)
    text = text.rstrip(". ")
    return (text.lower() if rng.random() < 0.6 else text) + ", " + ", ".join(tail)


def _harmless(name: str, rng: random.Random) -> str:
    role = rng.choice([p for p in PEOPLE if p not in YOUNG])
    text = rng.choice(_KINDS) + rng.choice(_AS).format(
        name=name, role=role if role.startswith(("a ", "an ", "the ")) else f"a {role}",
        action=rng.choice(ACTIONS), place=rng.choice(PLACES), thing=f"a {rng.choice(ANIMALS + OBJECTS)}",
    )  # fmt: skip
    return in_manner(text, rng) if rng.random() < 0.5 else styled(text, rng)
