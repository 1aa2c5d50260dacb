"""Which texts mention what: dimensions (gender, colour...) with classes, each a list of words."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from pydantic import ValidationError

from safegen._util import yaml
from safegen._util.resources import data_path
from safegen.audit.schema import Word, _Strict
from safegen.errors import UsageError

SHIPPED = data_path("audit", "lexicons")
_TOKEN = re.compile(r"[^\W_]+(?:[-'’][^\W_]+)*", re.UNICODE)


class Class(_Strict):
    """Words of a class; ``phrases`` of several words; ``beside_a_person`` only right before a person."""

    words: tuple[Word, ...] = ()
    phrases: tuple[Word, ...] = ()
    beside_a_person: tuple[Word, ...] = ()


class Content(_Strict):
    """A lexicon file."""

    about: Word
    persons: tuple[Word, ...] = ()
    dimensions: dict[Word, dict[Word, Class]]


@dataclass(frozen=True)
class Lexicon:
    """A lexicon, ready to look things up in."""

    about: str
    dimensions: dict[str, tuple[str, ...]]
    words: dict[str, frozenset[tuple[str, str]]]
    before_person: dict[str, frozenset[tuple[str, str]]]
    phrases: dict[tuple[str, str], re.Pattern[str]]
    persons: frozenset[str]

    def find_mentions(self, text: str) -> frozenset[tuple[str, str]]:
        """(dimension, class) pairs that *text* speaks of, each once however often."""
        tokens = [m[0].lower().replace("’", "'").removesuffix("'s") for m in _TOKEN.finditer(text)]
        out: set[tuple[str, str]] = set()
        for i, token in enumerate(tokens):
            out |= self.words.get(token, frozenset())
            if token in self.before_person and self._before_person(tokens, i):
                out |= self.before_person[token]
        if self.phrases:
            line = " ".join(tokens)
            out |= {pair for pair, pattern in self.phrases.items() if pattern.search(line)}
        return frozenset(out)

    def _before_person(self, tokens: list[str], i: int) -> bool:
        """Whether a person follows, with at most two more such words between."""
        for token in tokens[i + 1 : i + 4]:
            if token in self.persons:
                return True
            if token not in self.before_person and token not in self.words:
                return False
        return False


def names() -> tuple[str, ...]:
    """Names of the shipped lexicons."""
    return tuple(sorted(p.stem for p in SHIPPED.glob("*.yaml")))


def load(name_or_path: str) -> Lexicon:
    """A shipped lexicon, or the one in a YAML file. Raises UsageError."""
    path = SHIPPED / f"{name_or_path}.yaml" if name_or_path in names() else Path(name_or_path)
    if path.suffix not in (".yaml", ".yml"):
        raise UsageError(
            f"there is no lexicon called {name_or_path!r}",
            hint=f"known: {', '.join(names())}; or a .yaml file",
        )
    document = yaml.read(path)
    try:
        content = Content.model_validate(document.data)
    except ValidationError as error:
        first = error.errors()[0]
        raise document.error(tuple(first["loc"]), first["msg"], "see docs/audit.md") from error
    return _built(content)


def _built(content: Content) -> Lexicon:
    words: dict[str, set[tuple[str, str]]] = {}
    beside: dict[str, set[tuple[str, str]]] = {}
    phrases: dict[tuple[str, str], re.Pattern[str]] = {}
    for dimension, classes in content.dimensions.items():
        for name, each in classes.items():
            for word in each.words:
                words.setdefault(word.lower(), set()).add((dimension, name))
            for word in each.beside_a_person:
                beside.setdefault(word.lower(), set()).add((dimension, name))
            if each.phrases:
                choice = "|".join(re.escape(p.lower()) for p in each.phrases)
                phrases[dimension, name] = re.compile(rf"(?<!\S)(?:{choice})(?!\S)")
    return Lexicon(
        content.about,
        {d: tuple(c) for d, c in content.dimensions.items()},
        {k: frozenset(v) for k, v in words.items()},
        {k: frozenset(v) for k, v in beside.items()},
        phrases,
        frozenset(p.lower() for p in content.persons),
    )
