"""Undo disguises, and remember where every character came from.

A prompt is looked at through several *views*: the plain one (Unicode NFKC, case folded, look-alike
letters and Latin accents folded, invisible characters gone), and further ones with spaced-out letters
joined, leet undone, repeats squeezed, encoded parts decoded, or the text reversed. Each view keeps, for
every character, the half-open range of the user's own text it stands for, so that a finding in any view
points into what the user wrote. Nothing non-ASCII is dropped: a prompt in Chinese stays Chinese.

All passes are linear scans without backtracking patterns, and decoding stops at a fixed depth and size.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass

from safegen.detectors.prompt._confusables import ALWAYS, CONFUSABLE
from safegen.types import Span

MAX_MARKS = 8
"""Combining marks kept per base character; more is decoration ("Zalgo") and costs quadratic sorting."""

_DASHES = dict.fromkeys("‐‑‒–—―−﹘﹣－⁃", "-")
_QUOTES = {"‘": "'", "’": "'", "‛": "'", "ʼ": "'", "`": "'", "´": "'", "“": '"', "”": '"', "„": '"'}
_SIMPLE = _DASHES | _QUOTES


@dataclass(frozen=True)
class View:
    """One reading of a text. ``starts[i]:ends[i]`` is where character *i* of ``text`` comes from."""

    name: str
    text: str
    starts: list[int]
    ends: list[int]

    def span(self, start: int, end: int) -> Span:
        """Range in the user's own text of ``text[start:end]``, 0 <= start < end <= len(text)."""
        return min(self.starts[start:end]), max(self.ends[start:end])


class ViewBuilder:
    """Collects characters with their origin."""

    def __init__(self) -> None:
        self.chars: list[str] = []
        self.starts: list[int] = []
        self.ends: list[int] = []

    def add(self, text: str, start: int, end: int) -> None:
        """Append *text*, every character of it standing for ``[start, end)``."""
        for char in text:
            self.chars.append(char)
            self.starts.append(start)
            self.ends.append(end)

    def view(self, name: str) -> View:
        """What has been collected."""
        return View(name, "".join(self.chars), self.starts, self.ends)


def plain_view(text: str) -> View:
    """The plain view of *text* (any string, any length; linear time). Runs of white space become one
    space.
    """
    if text.isascii() and text.isprintable():
        folded = text.lower().replace("`", "'")
        if "  " not in text and text.strip(" ") == text:
            return View("plain", folded, list(range(len(text))), list(range(1, len(text) + 1)))
        raw = ViewBuilder()
        raw.chars = list(folded)
        raw.starts = list(range(len(text)))
        raw.ends = list(range(1, len(text) + 1))
    else:
        raw = _unicode(text)
        _unmask(raw)
    return _collapse(raw)


def _clusters(text: str) -> Iterator[tuple[int, int]]:
    """Base character plus its combining marks, as ranges."""
    start = 0
    for i in range(1, len(text) + 1):
        if i == len(text) or not unicodedata.combining(text[i]):
            yield start, i
            start = i


def _unicode(text: str) -> ViewBuilder:
    out = ViewBuilder()
    for start, end in _clusters(text):
        base = text[start]
        if base.isascii() and end == start + 1:
            if base in "\t\n\r\v\f\x1c\x1d\x1e\x1f":
                out.add(" ", start, end)
            elif base.isprintable():
                out.add(_SIMPLE.get(base, base.lower()), start, end)
            continue
        for char in unicodedata.normalize("NFKC", text[start : min(end, start + 1 + MAX_MARKS)]):
            out.add(_fold(char), start, end)
    return out


def _fold(char: str) -> str:
    """Lower case, without accents if Latin; invisible characters vanish."""
    if char in _SIMPLE:
        return _SIMPLE[char]
    kind = unicodedata.category(char)
    if kind in ("Zs", "Zl", "Zp"):
        return " "
    if kind == "Cs":
        return "\ufffd"
    if kind in ("Cc", "Cf") or unicodedata.combining(char) or 0xFE00 <= ord(char) <= 0xFE0F:
        return " " if char in "\t\n\r\v\f\x85" else ""
    lower = char.casefold()
    base = unicodedata.normalize("NFD", lower)
    if "a" <= base[0] <= "z":
        lower = "".join(c for c in base if not unicodedata.combining(c))
    return lower


def _unmask(raw: ViewBuilder) -> None:
    """Map look-alikes to Latin, in place, in words that are (or pretend to be) Latin.

    A word is taken for a disguised Latin one when it mixes Latin letters with look-alikes, or when all
    of its letters are look-alikes and, the first kind undone, most letters of the text are Latin.
    """
    whole: list[tuple[int, int]] = []
    start = 0
    for i in range(len(raw.chars) + 1):
        if i < len(raw.chars) and raw.chars[i] != " ":
            continue
        word = raw.chars[start:i]
        foreign = [c for c in word if not c.isascii() and (c.isalpha() or c in CONFUSABLE)]
        if foreign:
            mixed = any("a" <= c <= "z" for c in word)
            _map(raw.chars, start, i, everything=mixed)
            if not mixed and all(c in CONFUSABLE for c in foreign):
                whole.append((start, i))
        start = i + 1
    latin = sum("a" <= c <= "z" for c in raw.chars)
    other = sum(c.isalpha() and not c.isascii() for c in raw.chars)
    if latin > other:
        for begin, end in whole:
            _map(raw.chars, begin, end, everything=True)


def _map(chars: list[str], start: int, end: int, *, everything: bool) -> None:
    """Replace look-alikes in one word; unless *everything*, only those of no living script."""
    for j in range(start, end):
        c = chars[j]
        if c in CONFUSABLE and (everything or c in ALWAYS):
            chars[j] = CONFUSABLE[c]


def _collapse(raw: ViewBuilder) -> View:
    """Runs of white space become one space; ends trimmed."""
    out = ViewBuilder()
    pending: tuple[int, int] | None = None
    for char, start, end in zip(raw.chars, raw.starts, raw.ends, strict=True):
        if char == " ":
            pending = (pending[0], end) if pending else (start, end)
            continue
        if pending and out.chars:
            out.add(" ", *pending)
        pending = None
        out.add(char, start, end)
    return out.view("plain")
