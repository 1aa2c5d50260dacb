"""Texts without labels for the pupil: the teacher says what they are.

They are recombined from the training rows that are not held out and from this project's templates, so that
the pupil sees many more combinations of words than the labelled rows hold. Never a text of a development or
acceptance set.
"""

from __future__ import annotations

import random
import re
from collections.abc import Sequence

from training.guard import asked, benign, unsafe
from training.guard.augment import _disguise
from training.guard.data import Row

_CUT = re.compile(r"(?:,\s*|\s+(?=(?:in|on|with|and|while|as|at|by|near|under|from|who|that|for|to)\b))")
_LINKS = (" and ", ", ", " while ", " with ", " next to ", "; ", ". ")


def texts(rows: Sequence[Row], count: int, seed: int = 41, *, templates: bool = True) -> list[str]:
    """About *count* texts made from *rows* (English ones to learn from), none twice, in random order."""
    rng = random.Random(seed)
    own = [r.text for r in rows if len(r.text) < 400]
    known = {r.text for r in rows}
    made = {text for text in _templates(seed + 1) if text not in known} if templates else set()
    while len(made) < count:
        first, second = rng.choice(own), rng.choice(own)
        made.add(_made(first, second, rng))
    found = sorted(t for t in made - known if t.strip())
    rng.shuffle(found)
    return found[:count]


def _templates(seed: int) -> list[str]:
    found = [*benign.rows(seed, 1.2), *unsafe.rows(seed, 1.5), *asked.rows(seed, 1.2)]
    return [r.text for r in found if r.lang == "en"]


def _made(first: str, second: str, rng: random.Random) -> str:
    kind = rng.random()
    if kind < 0.35:
        return _crossed(first, second, rng)
    if kind < 0.5 and len(first) + len(second) < 250:
        return first.rstrip(". ") + rng.choice(_LINKS) + second[:1].lower() + second[1:]
    if kind < 0.7:
        return _replaced(first, second, rng)
    if kind < 0.85:
        return asked.in_manner(first, rng) if rng.random() < 0.5 else unsafe.styled(first, rng)
    if kind < 0.92:
        return _slipped(first, rng)
    return " ".join(w for w in first.split() if rng.random() > 0.3)


def _crossed(first: str, second: str, rng: random.Random) -> str:
    """The beginning of one text and the end of the other, cut where a part begins."""
    a, b = list(_CUT.finditer(first)), list(_CUT.finditer(second))
    if not a or not b:
        return first.rstrip(". ") + ", " + second
    return first[: rng.choice(a).start()] + " " + second[rng.choice(b).start() :].lstrip()


def _replaced(first: str, second: str, rng: random.Random) -> str:
    """Some words of *first* replaced by words of *second*."""
    words, others = first.split(), second.split()
    for i in range(len(words)):
        if others and rng.random() < 0.2:
            words[i] = rng.choice(others)
    return " ".join(words)


def _slipped(text: str, rng: random.Random) -> str:
    words = text.split()
    for i in range(len(words)):
        if rng.random() < 0.15:
            words[i] = _disguise(words[i], rng)
    return " ".join(words)
