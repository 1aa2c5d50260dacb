"""Hashed word and character n-grams, the same numbers in training and at run time.

Words: unigrams, bigrams and "skip" pairs (one word left out). Characters: 3- to 5-grams inside words with
boundary marks. Each n-gram is hashed (32-bit FNV-1a over UTF-8) to one of ``2**bits`` columns; a text is the
set of its columns, weighted by inverse document frequency and scaled to unit length, words and
characters apart.
"""

from __future__ import annotations

import re
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from safegen.detectors.prompt._identity import neutralise_identity
from safegen.detectors.prompt._style import without_style

VERSION = "4"
MAX_WORDS = 512
"""Words looked at per text; longer texts are examined in windows by the caller."""

_WORD = re.compile(r"[^\W_]+|[^\w\s]", re.UNICODE)
_HAN = re.compile(r"([\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7af\u0e00-\u0e7f])")


def feature_words(text: str) -> list[str]:
    """Words of a folded view: identity terms made neutral, style-only parts left out, unspaced scripts cut.

    "an" is read as "a": which of the two stands before a term would tell terms apart.
    """
    found = _WORD.findall(_HAN.sub(r" \1 ", neutralise_identity(text)))
    return without_style(["a" if w == "an" else w for w in found])[:MAX_WORDS]


def _fnv(data: bytes, seed: int) -> int:
    value = 0x811C9DC5 ^ seed
    for byte in data:
        value = ((value ^ byte) * 0x01000193) & 0xFFFFFFFF
    return value ^ (value >> 15)


@lru_cache(maxsize=65536)
def _word_hash(word: str) -> int:
    return _fnv(word.encode("utf-8", "replace"), 0)


@lru_cache(maxsize=65536)
def _char_hashes(word: str) -> tuple[int, ...]:
    """Hashes of the 3- to 5-grams of ``<word>``."""
    if not word[0].isalnum() or len(word) > 40:
        return ()
    marked = f"<{word}>"
    grams = {marked[i : i + n] for n in (3, 4, 5) for i in range(len(marked) - n + 1)}
    return tuple(_fnv(g.encode("utf-8", "replace"), 0x5BD1E995) for g in grams)


def _mix(a: int, b: int, salt: int) -> int:
    value = (a * 0x9E3779B1 + b * 0x85EBCA77 + salt * 0xC2B2AE3D) & 0xFFFFFFFF
    return (value ^ (value >> 15)) * 0x2C1B3C6D & 0xFFFFFFFF


def columns(words: list[str], bits: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Distinct columns of *words*: (word n-grams, character n-grams), each sorted, in ``[0, 2**bits)``.

    Word n-grams hash into the lower half of the table, character n-grams into the upper half.
    """
    hashes = [_word_hash(w) for w in words]
    grams = set(hashes)
    for i in range(len(hashes) - 1):
        grams.add(_mix(hashes[i], hashes[i + 1], 1))
        if i + 2 < len(hashes):
            grams.add(_mix(hashes[i], hashes[i + 2], 2))
    chars: set[int] = set()
    for word in set(words):
        chars.update(_char_hashes(word))
    half = 1 << (bits - 1)
    mask = half - 1
    first = np.array(sorted({g & mask for g in grams}), np.int64)
    second = np.array(sorted({half + (c & mask) for c in chars}), np.int64)
    return first, second


def weights(
    cols: tuple[NDArray[np.int64], NDArray[np.int64]], idf: NDArray[np.float32]
) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    """Columns and their values: idf, each of the two blocks scaled to unit length."""
    values = []
    for block in cols:
        value = idf[block].astype(np.float32)
        norm = float(np.sqrt(np.dot(value, value)))
        values.append(value / norm if norm > 0 else value)
    return np.concatenate(cols), np.concatenate(values)
