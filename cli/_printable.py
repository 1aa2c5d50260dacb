"""Text that is safe to show: strings from files and networks are escaped before they reach the terminal."""

from __future__ import annotations

import unicodedata


def printable(text: str, limit: int = 2000) -> str:
    """*text* without control, bidirectional or other format characters, cut at *limit* characters."""
    cut = text if len(text) <= limit else text[: limit - 1] + "…"
    return "".join(c if c == "\n" or not _hidden(c) else f"\\u{ord(c):04x}" for c in cut)


def _hidden(character: str) -> bool:
    """Whether a character steers the terminal or hides (categories Cc, Cf, Cs, Co, Zl, Zp)."""
    return unicodedata.category(character) in {"Cc", "Cf", "Cs", "Co", "Zl", "Zp"}
