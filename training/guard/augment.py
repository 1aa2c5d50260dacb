"""Copies of training rows that teach what must not matter: who is in the picture, and how words are
disguised.
"""

from __future__ import annotations

import random

from training.guard.data import Row
from training.guard.unsafe import styled

IDENTITIES = (
    "black", "white", "asian", "latina", "arab", "indigenous", "jewish", "muslim", "christian", "hindu",
    "gay", "lesbian",
    "bisexual", "transgender", "queer", "disabled", "deaf", "fat", "skinny", "elderly", "young", "nigerian",
    "mexican",
    "chinese", "ukrainian", "immigrant", "homeless", "autistic",
)  # fmt: skip
_PEOPLE = ("woman", "man", "person", "couple", "people", "women", "men", "guy", "lady", "family")
_SIGNS = {"a": "@4", "e": "3", "i": "1!", "o": "0", "s": "$5", "t": "7"}


def identity(rows: list[Row], *, count: int, seed: int = 11) -> list[Row]:
    """Benign rows that mention people, with an identity term put before the person."""
    rng = random.Random(seed)
    pool = [r for r in rows if not r.unsafe and r.lang == "en" and set(r.text.lower().split()) & set(_PEOPLE)]
    out = []
    for row in rng.sample(pool, min(count, len(pool))):
        words = row.text.split()
        at = next((i for i, w in enumerate(words) if w.lower() in _PEOPLE), None)
        if at is not None:
            words.insert(at, rng.choice(IDENTITIES))
            out.append(row.with_text(" ".join(words), row.source + "+identity"))
    return out


def disguised(rows: list[Row], *, share: float, seed: int = 13) -> list[Row]:
    """Rows of both labels with typing slips and leet, so that disguise alone says nothing."""
    rng = random.Random(seed)
    out = []
    for row in rows:
        if row.lang == "en" and rng.random() < share:
            words = row.text.split()
            for i in rng.sample(range(len(words)), max(1, len(words) // 5)) if words else ():
                words[i] = _disguise(words[i], rng)
            out.append(row.with_text(" ".join(words), row.source + "+disguise"))
    return out


def _disguise(word: str, rng: random.Random) -> str:
    if len(word) < 3:
        return word
    kind = rng.randrange(4)
    at = rng.randrange(1, len(word) - 1)
    if kind == 0:
        return word[:at] + word[at + 1 :]
    if kind == 1:
        return word[:at] + word[at + 1] + word[at] + word[at + 2 :]
    if kind == 2:
        return word[:at] + word[at] * 2 + word[at:]
    return "".join(rng.choice(_SIGNS[c]) if c in _SIGNS and rng.random() < 0.5 else c for c in word)


def with_style(rows: list[Row], *, count: int, seed: int = 19) -> list[Row]:
    """Short rows of both labels with style words behind them, so that style says nothing about harm."""
    rng = random.Random(seed)
    wanted = ("coprov2", "overt_unsafe", "overt_safe", "coco_captions", "partiprompts", "fetv")
    pool = [r for r in rows if r.source in wanted and len(r.text) < 160]
    unsafe, safe = [r for r in pool if r.unsafe], [r for r in pool if not r.unsafe]
    picked = rng.sample(unsafe, min(count // 2, len(unsafe))) + rng.sample(safe, min(count // 2, len(safe)))
    return [r.with_text(styled(r.text, rng), r.source + "+style") for r in picked]


_UNWANTED = (
    "violence",
    "blood",
    "gore",
    "nudity",
    "weapons",
    "drugs",
    "sexual content",
    "profanity",
    "people getting hurt",
)
_ASSURANCES = (
    "no {}",
    "without {}",
    "no {}, no {}",
    "family friendly, no {}",
    "safe for work, no {}",
    "free of {}",
)


def with_refusals(rows: list[Row], *, count: int, seed: int = 23) -> list[Row]:
    """Benign rows that say what they do not want ("no blood"), which is no harm."""
    rng = random.Random(seed)
    pool = [
        r for r in rows if not r.unsafe and r.lang == "en" and len(r.text) < 160 and r.source != "hatecheck"
    ]
    out = []
    for row in rng.sample(pool, min(count, len(pool))):
        tail = rng.choice(_ASSURANCES).format(*rng.sample(_UNWANTED, 2))
        out.append(row.with_text(f"{row.text.rstrip('. ')}, {tail}", row.source + "+refusal"))
    return out
