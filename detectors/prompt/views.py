"""The further views of a text: joined, leet, squeezed, decoded, reversed."""

from __future__ import annotations

import re
from functools import lru_cache
from itertools import pairwise

from safegen.detectors.prompt.decode import decoded_views
from safegen.detectors.prompt.language import english_score
from safegen.detectors.prompt.normalise import View, ViewBuilder, plain_view

MAX_VIEWS = 12
"""At most this many views of one text are examined."""

_JOINERS = frozenset(" .-_*/\\|~+,:;'\"^=·•#()[]")
_INNER = frozenset("._*~^|'`-\\+=·•")
_LEET = {
    "0": "o", "1": "i", "3": "e", "4": "a", "5": "s", "7": "t", "8": "b", "9": "g",
    "@": "a", "$": "s", "!": "i", "|": "i", "+": "t", "€": "e", "£": "l", "¡": "i", "(": "c",
}  # fmt: skip
_LEET_SIGNS = frozenset(_LEET)
# What must stand in an ASCII text for a view to differ from it at all; most prompts have none of it.
_RUN = re.compile(r"(.)\1\1", re.DOTALL)
_JOINABLE = re.compile(
    r"(?:(?<=[A-Za-z])[._*~^|'`\-\\+=](?=[A-Za-z])"
    r"|(?<![A-Za-z0-9])[A-Za-z0-9](?=[^A-Za-z0-9]{1,3}[A-Za-z0-9](?![A-Za-z0-9])))"
)
_ORDINAL = ("st", "nd", "rd", "th", "bit", "mm", "cm", "km", "fps", "kg", "px", "am", "pm")


@lru_cache(maxsize=128)
def views(text: str) -> tuple[View, ...]:
    """The plain view first, then those others that differ from it. Linear time; at most MAX_VIEWS.

    *text* is any string. Views of decoded parts point at the encoded part as a whole.
    """
    base = plain_view(text)
    out = [base]
    seen = {base.text}

    def keep(view: View) -> None:
        if view.text and view.text not in seen and len(out) < MAX_VIEWS:
            seen.add(view.text)
            out.append(view)

    together = joined(base)
    keep(together)
    letters = leet(together)
    keep(letters)
    for count in (2, 1):
        keep(squeezed(letters, count))
    for part in decoded_views(text):
        keep(part)
        keep(leet(joined(part)))
    limit = english_score(base.text) + 0.25
    if limit < 1.0 and english_score(base.text[::-1]) > limit:
        keep(reversed_view(base))
    if limit < 1.0 and english_score(" ".join(w[::-1] for w in base.text.split(" "))) > limit:
        keep(reversed_words(base))
    return tuple(out)


def joined(view: View) -> View:
    """Spaced-out letters ("k i l l", "k.i.l.l") and punctuation inside words ("ki.ll") joined."""
    if view.text.isascii() and not _JOINABLE.search(view.text):
        return view
    out = ViewBuilder()
    text, n, i = view.text, len(view.text), 0
    while i < n:
        run = _spaced_run(text, i) if text[i].isalnum() and (i == 0 or not text[i - 1].isalnum()) else []
        if run:
            wide = _wide_gaps(view, run)
            for j in run:
                if j in wide:
                    out.add(" ", view.starts[j - 1], view.ends[j - 1])
                out.add(text[j], view.starts[j], view.ends[j])
            i = run[-1] + 1
            continue
        if not (text[i] in _INNER and _splits_word(text, i)):
            out.add(text[i], view.starts[i], view.ends[i])
        i += 1
    return out.view("joined")


def _splits_word(text: str, at: int) -> bool:
    """Whether the sign at *at* cuts a word apart. Hyphens and apostrophes do so only between short pieces."""
    if not (0 < at < len(text) - 1 and text[at - 1].isalpha() and text[at + 1].isalpha()):
        return False
    if text[at] not in "-'":
        return True
    before, after = at - 1, at + 1
    while before >= 0 and at - before <= 4 and text[before].isalpha():
        before -= 1
    while after < len(text) and after - at <= 4 and text[after].isalpha():
        after += 1
    return at - before <= 4 and after - at <= 4


def _spaced_run(text: str, start: int) -> list[int]:
    """Indices of three or more single characters with joiners between them, from *start*; else []."""
    run = [start]
    i, n = start + 1, len(text)
    while i < n and text[i] in _JOINERS:
        k = i + 1
        while k < n and k - i < 3 and text[k] in _JOINERS:
            k += 1
        if k >= n or not text[k].isalnum() or (k + 1 < n and text[k + 1].isalnum()):
            break
        run.append(k)
        i = k + 1
    return run if len(run) >= 3 else []


def _wide_gaps(view: View, run: list[int]) -> set[int]:
    """Members of *run* with a wider gap before them than the narrowest one: there a word begins."""
    gaps = {j: view.starts[j] - view.ends[i] for i, j in pairwise(run)}
    narrow = min(gaps.values())
    return {j for j, gap in gaps.items() if gap > narrow and view.text[j - 1] == " "}


def leet(view: View) -> View:
    """Digits and signs that stand for letters replaced, in words that have letters too."""
    if _LEET_SIGNS.isdisjoint(view.text):
        return view
    chars = list(view.text)
    start = 0
    for word in view.text.split(" "):
        if not _LEET_SIGNS.isdisjoint(word):
            _unleet(chars, start, start + len(word))
        start += len(word) + 1
    return View("leet", "".join(chars), view.starts, view.ends)


def _unleet(chars: list[str], start: int, end: int) -> None:
    """Undo leet in one word, in place. Measures ("4k", "35mm", "1980s") and trailing digits stay."""
    while end > start and chars[end - 1] in "!.,;:?)]\"'+|":
        end -= 1
    word = chars[start:end]
    letters = sum(c.isalpha() for c in word)
    if letters == 0 or not any(c in _LEET for c in word):
        return
    digits_first = 0
    while digits_first < len(word) and word[digits_first].isdigit():
        digits_first += 1
    rest = "".join(word[digits_first:])
    if digits_first and (digits_first > 1 or letters < 3 or rest in _ORDINAL):
        return
    last_letter = max(i for i, c in enumerate(word) if c.isalpha())
    for i, c in enumerate(word):
        if c in _LEET and (i < last_letter or not c.isdigit()):
            chars[start + i] = _LEET[c]


def squeezed(view: View, count: int) -> View:
    """Runs of three or more equal letters cut down to *count*."""
    if not _RUN.search(view.text):
        return view
    out = ViewBuilder()
    text, i = view.text, 0
    while i < len(text):
        j = i
        while j < len(text) and text[j] == text[i]:
            j += 1
        kept = count if j - i >= 3 and text[i].isalpha() else j - i
        for k in range(i, i + kept):
            out.add(text[k], view.starts[k], view.ends[j - 1] if k == i + kept - 1 else view.ends[k])
        i = j
    return out.view("squeezed")


def reversed_view(view: View) -> View:
    """The text read from its end."""
    return View("reversed", view.text[::-1], view.starts[::-1], view.ends[::-1])


def reversed_words(view: View) -> View:
    """Each word read from its end, the words in order."""
    out = ViewBuilder()
    start = 0
    for i in range(len(view.text) + 1):
        if i == len(view.text) or view.text[i] == " ":
            for j in range(i - 1, start - 1, -1):
                out.add(view.text[j], view.starts[j], view.ends[j])
            if i < len(view.text):
                out.add(" ", view.starts[i], view.ends[i])
            start = i + 1
    return out.view("reversed-words")
