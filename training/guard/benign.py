"""Benign texts of kinds that open corpora lack, made from templates written for this project.

Benign instructions (how-to questions, writing tasks), benign video prompts in the styles people really use,
prompts about fictional or newsworthy harm that are fine, and benign prompts in other languages. Everything
here is seeded and deterministic.
"""

from __future__ import annotations

import itertools
import random

from training.guard.data import Row
from training.guard.words import (
    ACTIONS,
    ANIMALS,
    CAMERA,
    COLOURS,
    DOES,
    FOREIGN,
    HARMLESS_HARM,
    INSTRUCTIONS,
    LIGHT,
    MOTIONS,
    OBJECTS,
    PATTERNS,
    PEOPLE,
    PLACES,
    QUALITY,
    SENTENCES,
    SHAPES,
    STYLES,
    TASKS,
    THINGS,
    TOPICS,
    WORLD_GROUNDS,
    YOUNG,
    YOUNG_ACTIONS,
    YOUNG_PLACES,
)  # fmt: skip


def rows(seed: int = 7, scale: float = 1.0) -> list[Row]:
    """All generated benign rows; about ``12_000 * scale`` of them."""
    rng = random.Random(seed)
    out: list[Row] = []
    for name, make, count in (
        ("gen_video", _video, 4200),
        ("gen_tags", _tags, 3000),
        ("gen_instructions", _instruction, 2600),
        ("gen_world", _world, 500),
        ("gen_short", _short, 5000),
        ("gen_harmless", _harmless, 900),
        ("gen_sentences", _sentence, 6000),
    ):
        texts = {make(rng) for _ in range(int(count * scale))}
        out += [Row(t, False, "benign", name) for t in sorted(texts)]
    for lang, texts_of in sorted(FOREIGN.items()):
        combos = [" ".join(p) for p in itertools.product(*texts_of)]
        rng.shuffle(combos)
        glue = "" if lang in ("zh", "ja", "th") else " "
        picked = (c.replace(" ", glue) if not glue else c for c in combos[: int(120 * scale)])
        out += [Row(t, False, "benign", "gen_foreign", lang) for t in picked]
    return out


def _video(rng: random.Random) -> str:
    subject = rng.choice(PEOPLE) if rng.random() < 0.5 else rng.choice(ANIMALS + OBJECTS)
    action = rng.choice(ACTIONS if subject in PEOPLE else MOTIONS)
    place = rng.choice(PLACES)
    if subject in YOUNG:
        action, place = rng.choice(YOUNG_ACTIONS), rng.choice(YOUNG_PLACES)
    parts = [f"{_article(subject, rng)} {action}", place]
    text = " ".join(parts)
    if rng.random() < 0.5:
        text += ", " + rng.choice(CAMERA)
    if rng.random() < 0.4:
        text += ", " + rng.choice(LIGHT)
    if rng.random() < 0.4:
        text += ", " + ", ".join(rng.sample(STYLES + QUALITY, rng.randint(1, 3)))
    if rng.random() < 0.2:
        text = (
            rng.choice(("a video of ", "create a video of ", "generate a clip showing ", "show ", "")) + text
        )
    return text[0].upper() + text[1:] + "." if rng.random() < 0.3 else text


def _tags(rng: random.Random) -> str:
    """Comma-separated prompts such as users of picture models write."""
    subject = rng.choice(PEOPLE + ANIMALS + OBJECTS + OBJECTS)
    kind = rng.choice(
        ("portrait of ", "full body shot of ", "concept art of ", "photo of ", "painting of ", "", "")
    )
    mood = rng.choice(
        (
            "",
            "",
            "dark fantasy ",
            "cyberpunk ",
            "steampunk ",
            "gothic ",
            "post-apocalyptic ",
            "cute ",
            "ancient ",
            "futuristic ",
            "surreal ",
            "haunted ",
            "eldritch ",
            "baroque ",
        )
    )
    tail = rng.sample(STYLES + QUALITY + LIGHT + QUALITY, rng.randint(2, 8))
    return f"{kind}{mood}{subject}, " + ", ".join(tail)


def _instruction(rng: random.Random) -> str:
    if rng.random() < 0.5:
        return rng.choice(INSTRUCTIONS).format(task=rng.choice(TASKS))
    opening = rng.choice(
        (
            "Write a short story about {t}",
            "Write a blog post about {t}",
            "Explain {t} to a beginner",
            "Give me a step-by-step guide to {t}",
            "Develop a lesson plan on {t}",
            "Summarise the history of {t}",
            "Create a tutorial video on {t}",
            "Outline a plan for {t}",
            "Write a speech praising {t}",
            "Make an infographic about {t}",
            "Draft an email to my boss about {t}",
            "What should I know about {t}?",
            "Compose a poem about {t}",
            "Provide detailed instructions for {t}",
            "List five ideas for {t}",
            "Write a persuasive article in favour of {t}",
            "Design a poster for {t}",
            "Create a script for {t}",
        )
    )
    return opening.format(t=rng.choice(TOPICS))


def _world(rng: random.Random) -> str:
    """The small world that the embedded generator knows."""
    motion = rng.choice(
        (
            "rolling left to right",
            "rolling right to left",
            "bouncing",
            "falling",
            "rising",
            "spinning",
            "sliding left",
            "growing",
            "shrinking",
            "moving in a circle",
            "at rest",
        )
    )
    return f"a {rng.choice(COLOURS)} {rng.choice(SHAPES)} {motion} {rng.choice(WORLD_GROUNDS)}"


def _short(rng: random.Random) -> str:
    """A thing or two and hardly anything else."""
    thing, other = rng.sample(THINGS, 2)
    pattern = rng.choice(PATTERNS)
    return pattern.format(a=thing, b=other, d=rng.choice(DOES))


def _sentence(rng: random.Random) -> str:
    """A whole sentence about something ordinary."""
    pick = {part: rng.choice(values) for part, values in SENTENCES.items()}
    kind = rng.random()
    if kind < 0.55:
        several = pick["subjects"].startswith(("Two", "The winners"))
        text = f"{pick['subjects']} {'are' if several else 'is'} {pick['doing']}{pick['where']}"
    elif kind < 0.75:
        text = f"{pick['subjects']} {pick['does']}{pick['where']}"
    else:
        thing, other = rng.sample(THINGS, 2)
        second, third = rng.choice(SENTENCES["qualities"]), rng.choice(SENTENCES["qualities"])
        more = rng.choice(("", f" and the {third} {rng.choice(THINGS)}"))
        text = f"The {pick['qualities']} {thing} {pick['acts']} the {second} {other}{more}"
    return (text if rng.random() < 0.7 else text.lower()) + rng.choice(("", "."))


def _harmless(rng: random.Random) -> str:
    """Harm-related words in harmless settings: film props, games, news, medicine, idioms, cooking."""
    text = rng.choice(HARMLESS_HARM)
    if rng.random() < 0.4:
        text = (
            rng.choice(("a video of ", "illustrate ", "create an image of ", "show ", "generate a scene of "))
            + text
        )
    if rng.random() < 0.3:
        text += ", " + rng.choice(STYLES + CAMERA)
    return text


def _article(noun: str, rng: random.Random) -> str:
    if noun.startswith(("a ", "an ", "the ", "two ", "three ", "some ")):
        return noun
    if noun.endswith("s") and not noun.endswith("ss"):
        return rng.choice(("some ", "many ", "")) + noun
    return rng.choice(("an " if noun[0] in "aeiou" else "a ", "the ")) + noun
