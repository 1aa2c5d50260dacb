"""Words with their places, and a light English stemmer.

NLTK's tokenisers and stemmers would do, but importing NLTK takes over a second (it pulls in scipy.stats),
longer than everything else ``screen`` does; the tests hold this stemmer against NLTK's Porter stemmer
instead.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

_TOKEN = re.compile(r"[\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\u0e00-\u0e7f]|[^\W_]+")
_POSSESSIVE = re.compile(r"'s(?![^\W_])")
_VOWELS = frozenset("aeiouy")


@dataclass(frozen=True)
class Token:
    """A word, its stem, and its half-open range in the text it was cut from."""

    word: str
    stem: str
    start: int
    end: int


def tokens(text: str) -> list[Token]:
    """Words of *text* (folded lower case); a possessive "s" is dropped, unspaced scripts are cut by
    character.
    """
    out = []
    for m in _TOKEN.finditer(text):
        start = m.start()
        if m[0] == "s" and start and text[start - 1] == "'":
            continue
        out.append(Token(m[0], stem(m[0]), start, m.end()))
    return out


def words(text: str) -> list[str]:
    """The words alone, unstemmed, in order."""
    return [str(w) for w in _TOKEN.findall(_POSSESSIVE.sub("", text))]


@lru_cache(maxsize=32768)
def stem(word: str) -> str:
    """*word* without plural, -ing, -ed and a final e; words of up to three letters are left as they are."""
    if len(word) <= 3 or not word.isascii():
        return word
    if word.endswith("ies") and len(word) > 4:
        word = word[:-3] + "y"
    elif word.endswith(("sses", "shes", "ches", "xes", "zes")):
        word = word[:-2]
    elif word.endswith("s") and not word.endswith(("ss", "us", "is")):
        word = word[:-1]
    for ending in ("ing", "ed"):
        base = word[: -len(ending)]
        if word.endswith(ending) and len(base) >= 3 and _VOWELS & set(base) and not word.endswith("eed"):
            word = base[:-1] if base[-1] == base[-2] and base[-1] not in "lsz" else base
            break
    if len(word) > 3 and word.endswith("e"):
        word = word[:-1]
    return word
