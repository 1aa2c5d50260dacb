"""Word pieces for the static word vectors: greedy longest match, as BERT's tokeniser does.

The vocabulary ships with the weights. A word is cut from its start into the longest pieces the vocabulary
holds (continuations carry ``##``); a word that cannot be cut gives nothing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from safegen.detectors.prompt._identity import GROUP_WORD

MAX_WORD = 40
_CACHE_SIZE = 50_000


class Pieces:
    """Cuts words into ids of *vocabulary* (piece -> row)."""

    def __init__(self, vocabulary: Mapping[str, int]) -> None:
        self._vocabulary = vocabulary
        self._cache: dict[str, tuple[int, ...]] = {GROUP_WORD: ()}

    def knows(self, word: str) -> bool:
        """Whether *word* is one piece: the vocabulary is of English, so most common English words are."""
        return word in self._vocabulary

    def ids(self, words: Sequence[str]) -> list[int]:
        """Rows of all pieces of *words*, in order."""
        out: list[int] = []
        for word in words:
            got = self._cache.get(word)
            if got is None:
                got = self._cut(word)
                if len(self._cache) < _CACHE_SIZE:
                    self._cache[word] = got
            out += got
        return out

    def _cut(self, word: str) -> tuple[int, ...]:
        if len(word) > MAX_WORD:
            return ()
        rows: list[int] = []
        start = 0
        while start < len(word):
            for end in range(len(word), start, -1):
                row = self._vocabulary.get(("##" if start else "") + word[start:end])
                if row is not None:
                    rows.append(row)
                    start = end
                    break
            else:
                return ()
        return tuple(rows)
