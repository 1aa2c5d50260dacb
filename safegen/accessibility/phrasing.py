"""Turns what an extractor found into a sentence, in several lengths, that says how certain it is.

A class below ``GUESS_THRESHOLD`` is not said, one below ``CERTAIN_THRESHOLD`` is said with "perhaps": nobody
who cannot see the picture should take a guess for a fact.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from safegen.accessibility.visual_features import VisualFeatures
from safegen.types import Attribute

CERTAIN_THRESHOLD, GUESS_THRESHOLD = 0.8, 0.5
UNKNOWN, NONE = "unknown", "none"
_NUMBERS = {"2": "two", "3": "three"}
_PLURALS = {"box": "boxes"}
_MOVES = {
    "left": ("moves left", "move left"),
    "right": ("moves right", "move right"),
    "up": ("moves up", "move up"),
    "down": ("moves down", "move down"),
    "still": ("stays still", "stay still"),
    "bounce": ("bounces", "bounce"),
    "spin": ("spins", "spin"),
    "grow": ("grows", "grow"),
    "shrink": ("shrinks", "shrink"),
    "orbit": ("moves in a circle", "move in a circle"),
    "zigzag": ("moves in a zigzag", "move in a zigzag"),
}
"""What a thing does, what several do."""
_PLACES = {
    "grey": "on plain grey",
    "grass": "over green grass",
    "sea": "over the sea",
    "desert": "over a desert",
    "night": "under a night sky",
    "snow": "over snow",
}
_STANDS = {"left_of": " to its right", "above": " below it"}
"""Where the second of two things is, by how the first stands to it."""
_ASPECTS = {
    "colour": "the colour",
    "count": "how many there are",
    "motion": "how it moves",
    "background": "the background",
}
"""What is named when it cannot be told."""


@dataclass(frozen=True)
class Phrase:
    """One stretch of a clip in words. ``forms``: the whole, then ever shorter ones; ``title``: a few words.

    ``sure`` is False when something was guessed or could not be told; ``known`` when nothing at all was.
    """

    wordings: tuple[str, ...]
    title: str
    certain: bool
    recognised: bool = True


@dataclass(frozen=True)
class _Value:
    """One attribute as it is spoken of: its likeliest class, None if that cannot be told."""

    value: str | None
    sure: bool

    @property
    def hedge(self) -> str:
        """``perhaps``, where it is a guess."""
        return "" if self.sure else "perhaps "


def describe_attributes(attributes: Sequence[Attribute], features: VisualFeatures | None = None) -> Phrase:
    """Describe the clip, or part of it. *look*: what can be said of any clip, if nothing is recognised."""
    found = {a.name: _value(a) for a in attributes}
    if found.get("shape", _Value(None, False)).value is None:
        return _unrecognised_phrase(features)
    who = _subject_phrase(found)
    several = found["count"].value in _NUMBERS if "count" in found else False
    does = _motion_phrase(found, several or _pair(found))
    where = _background_phrase(found)
    unsaid = [name for key, name in _ASPECTS.items() if key in found and found[key].value is None]
    unsure = f" Not clear: {', '.join(unsaid)}." if unsaid else ""
    whole = _sentence(who, does, where)
    forms = [whole + unsure, _sentence(who, does), _sentence(who)]
    if unsure:
        forms.insert(1, whole)
    sure = not unsaid and "perhaps" not in whole.lower()
    title = _capital(" ".join(part for part in (who.replace(" which is", ""), where) if part))
    return Phrase(tuple(dict.fromkeys(forms)), title, sure)


def _unrecognised_phrase(look: VisualFeatures | None) -> Phrase:
    """For a picture that the extractors do not know: only what can be measured in any."""
    first = "What is shown could not be recognised."
    if look is None:
        return Phrase((first,), "Not recognised", certain=False, recognised=False)
    seen = f"{look.colours}, {look.movement}."
    return Phrase(
        (f"{first} {seen}", seen, f"{look.colours}."), look.colours, certain=False, recognised=False
    )


def _value(attribute: Attribute) -> _Value:
    name = attribute.value
    p = attribute.probabilities[name]
    if name == UNKNOWN or p < GUESS_THRESHOLD:
        return _Value(None, False)
    return _Value(name, p >= CERTAIN_THRESHOLD)


def _pair(found: Mapping[str, _Value]) -> bool:
    """Whether two different things are seen."""
    second = found.get("second_shape", _Value(None, False)).value
    return second not in (None, NONE)


def _subject_phrase(found: Mapping[str, _Value]) -> str:
    """The thing or things: "a small red ball", "perhaps two red balls", "a red ball left of a blue box"."""
    number = found.get("count", _Value("1", True))
    if _pair(found):
        first, second = _thing(found, "", "1"), _thing(found, "second_", "1")
        stands = found.get("relation", _Value(None, False))
        return f"{first} and {second}{_STANDS.get(stands.value or '', '') if stands.sure else ''}"
    thing = _thing(found, "", number.value or "1")
    return f"{number.hedge}{thing}" if number.value in _NUMBERS else thing


def _thing(found: Mapping[str, _Value], which: str, count: str) -> str:
    """A thing with size and colour; a colour that is a guess comes after it."""
    shape, colour = found[f"{which}shape"], found.get(f"{which}colour", _Value(None, False))
    size = found.get(f"{which}size", _Value(None, False))
    words = [size.value] if size.sure and size.value in ("small", "large") else []
    words += [colour.value] if colour.sure and colour.value not in (None, NONE) else []
    noun = shape.value or "thing"
    if count in _NUMBERS:
        words = [_NUMBERS[count], *words, _PLURALS.get(noun, f"{noun}s")]
    else:
        words = [_article([*words, noun][0] or ""), *words, noun]
    text = f"{shape.hedge}{' '.join(w for w in words if w)}"
    if colour.value not in (None, NONE) and not colour.sure:
        text += f", perhaps {colour.value},"
    return text


def _motion_phrase(found: Mapping[str, _Value], several: bool) -> str:
    motion = found.get("motion", _Value(None, False))
    if motion.value not in _MOVES:
        return ""
    return motion.hedge + _MOVES[motion.value or ""][int(several)]


def _background_phrase(found: Mapping[str, _Value]) -> str:
    place = found.get("background", _Value(None, False))
    return place.hedge + _PLACES[place.value] if place.value in _PLACES else ""


def _article(word: str) -> str:
    return "an" if word[:1] in "aeiou" else "a"


def _sentence(who: str, does: str = "", where: str = "") -> str:
    parts = [p for p in (who, does, where) if p]
    return _capital(" ".join(parts).rstrip(",")) + "."


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
