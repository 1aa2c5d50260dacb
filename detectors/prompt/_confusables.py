"""Letters that look like Latin ones.

An own table, written by eye from the Unicode code charts in the spirit of Unicode TR39: it only has to
undo disguises of Latin words, so it maps look-alikes *to lower-case Latin letters* and knows nothing of
other scripts' confusions among themselves. (The PyPI packages that carry the full TR39 data load about
900 kB of JSON and have not been updated for years.) Full-width, mathematical, circled and super- or subscript
letters need no entry: NFKC already maps them. Accented Latin letters are folded by decomposition.
"""

from __future__ import annotations

import unicodedata

_GROUPS: dict[str, str] = {
    "a": "аαɑӑӓꭺᎪ∂ᴀɐ⍺ⲁ",
    "b": "ЬьвВβҍƃЪᏴʙᖯ♭ⲃ",
    "c": "сϲᏟⅽᴄꮯ⊂ҫⲥ",
    "d": "ԁᏧⅾᗞᴅꓒժ",
    "e": "еεёӗєҽꬲᎬᴇ℮ⲉɛ∈",
    "f": "ғϝꬵſẝքꓝꞙ",
    "g": "ցɡᏀɢǥԍ",
    "h": "һНнᎻհʜħⲏ",
    "i": "іıιɩӏᎥɪїⅰ∣ⲓ",
    "j": "јϳᎫᴊյ",
    "k": "кκКᏦᴋⲕҝқ",
    "l": "ⅼᏞʟӀ∟ւⳑł",
    "m": "мМμᎷᴍⅿⲙ",
    "n": "ոпηпνɴռⲛ",
    "o": "оοσօᴏөⲟ๐०০०ഠဝ○◯ø",
    "p": "рρᏢᴘⲣþ",
    "q": "ԛզգ",
    "r": "гᎡʀꭇᴦя",
    "s": "ѕᏚꜱʂ⟆Տ",
    "t": "тτТᎢᴛⲧ†",
    "u": "υսᴜцʋ∪",
    "v": "ѵᏙᴠⅴ∨",
    "w": "ԝωшᎳᴡѡɯ",
    "x": "хχ×ⅹⲭ",
    "y": "уγУʏүұᎩ",
    "z": "ᴢᏃʐⲍ",
}


def _build() -> dict[str, str]:
    """Look-alike -> Latin letter, plus what Unicode's own names say (squared and regional letters)."""
    table: dict[str, str] = {}
    for latin, alike in _GROUPS.items():
        for char in alike:
            table.setdefault(char, latin)
            table.setdefault(char.lower(), latin)
    for start in (0x1F130, 0x1F150, 0x1F170, 0x1F1E6):
        for i in range(26):
            table[chr(start + i)] = chr(ord("a") + i)
    table["ß"] = "ss"
    table["æ"] = "ae"
    table["œ"] = "oe"
    table["đ"] = "d"
    return table


CONFUSABLE: dict[str, str] = _build()
"""Look-alike character -> lower-case Latin letter(s)."""

ALWAYS: frozenset[str] = frozenset(
    c for c in CONFUSABLE if not c.isalpha() or "LATIN" in unicodedata.name(c, "")
)
"""Those that belong to no living non-Latin script, so that they are mapped wherever they stand."""
