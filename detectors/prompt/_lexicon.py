"""Rule lists: read from YAML, compiled to one index of stemmed phrases, matched in one pass."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import yaml

from safegen.detectors.prompt._misspellings import MisspellingIndex
from safegen.detectors.prompt._tokens import Token, stem, words
from safegen.detectors.prompt.normalise import plain_view
from safegen.errors import CheckUnavailable

_Loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_LIST_KEYS = frozenset(
    (
        "name",
        "category",
        "description",
        "score",
        "reason",
        "sets",
        "with",
        "near",
        "unless",
        "worse",
        "scope",
        "exact",
        "names",
        "entries",
    )
)
_ENTRY_KEYS = frozenset(("terms", "exact", "names", "score", "reason", "with", "near", "unless", "worse"))
SHORTEST_JOINED = 8
"""Letters that a name needs to be looked for in one word, too ("taylorswift")."""
Phrase = tuple[str, ...]
Sets = dict[str, list[str]]
RECHECK_SECONDS = 1.0
"""Seconds for which a look at the files' times and sizes holds."""
_LOOKED: dict[tuple[Path, tuple[str, ...]], tuple[float, tuple[tuple[str, int, int], ...]]] = {}
Hits = dict[Phrase, list[tuple[int, int]]]


@dataclass(frozen=True)
class Entry:
    """One rule: any of ``terms`` counts ``score``.

    Only if one of ``needs`` stands within ``near`` words (0: anywhere), unless one of ``unless`` does; with
    one of ``worse`` anywhere in the text it counts ``worse_score``.
    """

    category: str
    source: str
    terms: dict[Phrase, str]
    """Stemmed phrase -> how the list spells it."""
    reason: str
    score: float
    needs: frozenset[Phrase] = frozenset()
    unless: frozenset[Phrase] = frozenset()
    near: int = 0
    worse: frozenset[Phrase] = frozenset()
    worse_score: float = 0.0
    names: bool = False
    """Whether the terms are names: found with slips, too."""
    joined: frozenset[Phrase] = frozenset()
    """Those of ``terms`` that are names written as one word."""


@dataclass(frozen=True)
class Lexicon:
    """Compiled lists. ``digest`` is the SHA-256 (hex) over the files' names and bytes."""

    entries: tuple[Entry, ...]
    by_term: dict[Phrase, tuple[Entry, ...]]
    index: dict[str, tuple[Phrase, ...]]
    digest: str
    slips: MisspellingIndex

    def hits(self, tokens: Sequence[Token]) -> Hits:
        """Every phrase of the lists that stands in *tokens*: phrase -> [(first, after last) word index]."""
        found: Hits = {}
        for forms in ([t.stem for t in tokens], [f"={t.word}" for t in tokens]):
            for i, first in enumerate(forms):
                for phrase in self.index.get(first, ()):
                    if tuple(forms[i : i + len(phrase)]) == phrase:
                        found.setdefault(phrase, []).append((i, i + len(phrase)))
        for slipped, begin, after in self.slips.find_misspelled([t.word for t in tokens]):
            found.setdefault(slipped, []).append((begin, after))
        return found


@lru_cache(maxsize=16384)
def phrase(text: str, exact: bool = False) -> Phrase:
    """Stemmed words of a list's term, folded like prompts are; *exact* ones are marked and not stemmed."""
    folded = text.lower() if text.isascii() else plain_view(text).text
    return tuple(f"={w}" if exact else stem(w) for w in words(folded))


def load(folder: Path, names: Sequence[str], *, scope: str = "prompt") -> Lexicon:
    """Read and compile the lists *names* (all in *folder* if empty) of *scope* (``prompt`` or ``negative``).

    Files are looked at again after LOOK_AGAIN seconds. Raises CheckUnavailable when a list is missing,
    unreadable, malformed or empty: no list, no pass.
    """
    key = (folder, tuple(names))
    looked, stamps = _LOOKED.get(key, (-RECHECK_SECONDS, ()))
    if time.monotonic() - looked >= RECHECK_SECONDS:
        stamps = _stamps(folder, names)
        _LOOKED[key] = (time.monotonic(), stamps)
    return _compiled(folder, stamps, scope)


def _stamps(folder: Path, names: Sequence[str]) -> tuple[tuple[str, int, int], ...]:
    """Name, time and size of each list."""
    wanted = sorted(names) or sorted(p.stem for p in folder.glob("*.yaml"))
    if not wanted:
        raise CheckUnavailable("there are no rule lists", hint="reinstall safegen")
    stamps = []
    for name in wanted:
        try:
            info = (folder / f"{name}.yaml").stat()
        except OSError as e:
            raise CheckUnavailable(f"the rule list {name!r} is missing", hint="reinstall safegen") from e
        stamps.append((name, info.st_mtime_ns, info.st_size))
    return tuple(stamps)


@lru_cache(maxsize=8)
def _compiled(folder: Path, stamps: tuple[tuple[str, int, int], ...], scope: str) -> Lexicon:
    entries: list[Entry] = []
    digest = hashlib.sha256()
    for name, _, _ in stamps:
        try:
            raw = (folder / f"{name}.yaml").read_bytes()
            data = yaml.load(raw, _Loader)  # noqa: S506 - the safe loader, by its C name
            digest.update(f"{name}\0{len(raw)}\0".encode() + raw)
            if data.get("scope", "prompt") == scope:
                entries += _entries(name, data)
        except (OSError, yaml.YAMLError, AttributeError, KeyError, TypeError, ValueError) as e:
            raise CheckUnavailable(
                f"the rule list {name!r} cannot be used: {e}", hint="reinstall safegen"
            ) from e
    if not entries:
        raise CheckUnavailable("the rule lists are empty", hint="reinstall safegen")
    by_term: dict[Phrase, list[Entry]] = {}
    every: set[Phrase] = set()
    for entry in entries:
        every.update(entry.terms, entry.needs, entry.unless, entry.worse)
        for term in entry.terms:
            by_term.setdefault(term, []).append(entry)
    index: dict[str, list[Phrase]] = {}
    for p in sorted(every):
        index.setdefault(p[0], []).append(p)
    return Lexicon(
        tuple(entries),
        {k: tuple(v) for k, v in by_term.items()},
        {k: tuple(v) for k, v in index.items()},
        digest.hexdigest(),
        MisspellingIndex(
            {t for entry in entries if entry.names for t in entry.terms if t not in entry.joined}
        ),
    )


def _entries(name: str, data: dict[str, Any]) -> Iterator[Entry]:
    """Entries of one list; a string is its terms with the list's defaults, ``each`` a group of strings."""
    if unknown := set(data) - _LIST_KEYS:
        raise ValueError(f"unknown key {sorted(unknown)[0]!r}")
    sets: Sets = {str(key): value for key, value in data.get("sets", {}).items()}
    if not all(isinstance(v, str) for value in sets.values() for v in value):
        raise ValueError("a set contains something that is not text (put a bare `no` in quotes)")
    cache: dict[tuple[str, ...], frozenset[Phrase]] = {}
    if not data["entries"]:
        raise ValueError("it has no entries")
    for item in data["entries"]:
        own = {"terms": item} if isinstance(item, str) else item
        if unknown := set(own) - _ENTRY_KEYS - {"each"}:
            raise ValueError(f"unknown key {sorted(unknown)[0]!r} in an entry")
        if ("terms" in own) == ("each" in own):
            raise ValueError("an entry must have either `terms` or `each`")
        merged = {**{k: v for k, v in data.items() if k in _ENTRY_KEYS}, **own}
        for terms in merged.pop("each", None) or [merged["terms"]]:
            if not isinstance(terms, str):
                raise ValueError(f"{terms!r} is not text (put it in quotes)")
            yield _entry(name, str(data["category"]), merged | {"terms": terms}, sets, cache)


def _entry(
    name: str,
    category: str,
    item: dict[str, Any],
    sets: Sets,
    cache: dict[tuple[str, ...], frozenset[Phrase]],
) -> Entry:
    spelled = [t.strip() for t in str(item["terms"]).split("|")]
    names = bool(item.get("names", False))
    exact = names or bool(item.get("exact", False))
    terms = {p: w for w in reversed(_spelled(spelled, sets)) if (p := phrase(w, exact))}
    terms |= {p: w for w in spelled if not w.isascii() and (p := _among_latin(w, exact)) not in terms}
    joined = {p: w for p, w in _joined(terms).items() if p not in terms} if names else {}
    terms |= joined
    worse = item.get("worse") or {}
    score, worse_score = float(item["score"]), float(worse.get("score", 0.0))
    if not terms or not (0 < score <= 1 and 0 <= worse_score <= 1):
        raise ValueError(f"entry {item['terms']!r}: needs terms and scores in (0, 1]")

    def phrases(value: Any) -> frozenset[Phrase]:
        key = tuple(value or ())
        if key not in cache:
            if not all(isinstance(v, str) for v in key):
                raise ValueError("a context word is not text (put a bare `no` in quotes)")
            cache[key] = frozenset(p for w in _spelled(list(key), sets) if (p := phrase(w)))
        return cache[key]

    return Entry(
        category, name, terms, str(item["reason"]), score,
        needs=phrases(item.get("with")), unless=phrases(item.get("unless")),
        near=int(item.get("near", 0)), worse=phrases(worse.get("with")), worse_score=worse_score,
        names=names, joined=frozenset(joined),
    )  # fmt: skip


def _among_latin(text: str, exact: bool) -> Phrase:
    """How *text* reads in an English prompt, where words made of look-alikes are taken for Latin ones."""
    return phrase("the " * 20 + text, exact)[20:]


def _joined(terms: dict[Phrase, str]) -> dict[Phrase, str]:
    """Names of several words, written as one."""
    joined = {(f"={''.join(w[1:] for w in p)}",): spelt for p, spelt in terms.items() if len(p) > 1}
    return {p: spelt for p, spelt in joined.items() if len(p[0]) > SHORTEST_JOINED}


def _spelled(words: list[str], sets: Sets) -> list[str]:
    """*words* with ``@name`` replaced by the set of that name."""
    return [w for t in words for w in (sets[t[1:]] if t.startswith("@") else [t])]
