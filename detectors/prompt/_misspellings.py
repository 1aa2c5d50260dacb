"""Listed names that are spelt a little wrong: "arnold schwarzeneger", "donlad trump".

A word is taken for a listed one when it sounds alike (the same consonants in the same order, doubled
letters, vowels and the usual confusions aside) or holds the same letters in another order, and is a few
edits away at most. Every word of a name must be right or such a slip; a name of one word must be long. Two
look-ups per word, no search.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache

Phrase = tuple[str, ...]
SHORTEST = 5
"""Letters that a word of a longer name needs for a slip in it to count."""
KNOWN = 50_000
"""Words of which it is remembered what they may stand for."""
SHORTEST_ALONE = 8
"""Letters that a name of one word needs for one edit to count; for two it needs two letters more."""
_SAME = str.maketrans({"c": "k", "q": "k", "z": "s", "w": "v", "m": "n", "y": "i"})
_SILENT = frozenset("aeiouh")


@lru_cache(maxsize=16384)
def phonetic_key(word: str) -> str:
    """Consonants of *word*, often confused ones made equal: the same for words that sound alike."""
    folded = word.replace("ph", "f").translate(_SAME)
    out = folded[0]
    for char in folded[1:]:
        if char not in _SILENT and char != out[-1]:
            out += char
    return out


@lru_cache(maxsize=16384)
def letter_key(word: str) -> str:
    """The first letter, then the others in order of the alphabet: the same for swapped letters."""
    return word[0] + "".join(sorted(word[1:]))


def edit_distance(one: str, two: str, limit: int) -> int:
    """Edits (insert, drop, replace, swap neighbours) between two words; *limit* + 1 when there are more."""
    if abs(len(one) - len(two)) > limit:
        return limit + 1
    before: list[int] = []
    row = list(range(len(two) + 1))
    for i, a in enumerate(one, 1):
        last, before, row = before, row, [i]
        for j, b in enumerate(two, 1):
            cost = min(row[-1] + 1, before[j] + 1, before[j - 1] + (a != b))
            if i > 1 and j > 1 and a == two[j - 2] and one[i - 2] == b:
                cost = min(cost, last[j - 2] + 1)
            row.append(cost)
        if min(row) > limit:
            return limit + 1
    return row[-1]


def is_misspelling(word: str, listed: str) -> bool:
    """Whether *word* may be a slip of *listed*: one edit, two in words of seven letters and more.

    Short words must end alike: "Paul walked" is not Paul Walker.
    """
    short = len(listed) < 7
    if short and word[-1] != listed[-1]:
        return False
    return 0 < edit_distance(word, listed, 2) <= (1 if short else 2)


def _alone(word: str, listed: str) -> bool:
    """Whether a slip may count without a second word that vouches for it: "teacher" is not Thatcher."""
    return len(listed) >= SHORTEST_ALONE + 2 or edit_distance(word, listed, 1) <= 1


class MisspellingIndex:
    """The names *phrases* (marked exact words) in an index by sound and letters."""

    def __init__(self, phrases: Iterable[Phrase]) -> None:
        self._by_key: dict[str, list[str]] = {}
        self._known: dict[str, tuple[str, ...]] = {}
        self._names: dict[str, list[tuple[Phrase, int]]] = {}
        known: set[str] = set()
        for phrase in phrases:
            least = SHORTEST if len(phrase) > 1 else SHORTEST_ALONE
            for at, marked in enumerate(phrase):
                word = marked[1:]
                if len(word) < least or not (word.isascii() and word.isalpha()):
                    continue
                self._names.setdefault(word, []).append((phrase, at))
                if word not in known:
                    known.add(word)
                    for key in {phonetic_key(word), letter_key(word)}:
                        self._by_key.setdefault(key, []).append(word)

    def find_misspelled(self, words: Sequence[str]) -> Iterator[tuple[Phrase, int, int]]:
        """Names in *words* (folded) with at least one slip: (phrase, first, after last word)."""
        meant = {i: m for i, word in enumerate(words) if (m := self._meant(word))}
        seen: set[tuple[Phrase, int]] = set()
        for i, listed in meant.items():
            for phrase, at in (p for word in listed for p in self._names[word]):
                start = i - at
                after = start + len(phrase)
                if start < 0 or after > len(words) or (phrase, start) in seen:
                    continue
                if len(phrase) == 1 and not _alone(words[i], phrase[0][1:]):
                    continue
                if all(p[1:] == words[k] or p[1:] in meant.get(k, ()) for k, p in enumerate(phrase, start)):
                    seen.add((phrase, start))
                    yield phrase, start, after

    def _meant(self, word: str) -> tuple[str, ...]:
        """Listed words that *word* may stand for, itself aside; the same words come again and again."""
        meant = self._known.get(word)
        if meant is None:
            meant = self._look_up(word)
            if len(self._known) < KNOWN and len(word) <= 40:
                self._known[word] = meant
        return meant

    def _look_up(self, word: str) -> tuple[str, ...]:
        """What ``_meant`` says, not remembered."""
        if len(word) < SHORTEST - 1 or not (word.isascii() and word.isalpha()):
            return ()
        keys = {phonetic_key(word), letter_key(word)}
        return tuple({w for k in keys for w in self._by_key.get(k, ()) if is_misspelling(word, w)})
