"""Text from elsewhere becomes one escaped line, and values become JSON that shows nothing hidden.

Names of files, people, certificates and models, answers of servers, values of settings: whoever wrote them
may have put a line break, a terminal sequence or a change of direction into them. Everything that is shown
goes through here: the terminal (``safegen.cli._output``), HTML (``safegen._util.html``), logs
(``safegen._util.logs``) and the messages of errors (``safegen.errors``).
"""

from __future__ import annotations

import json
import unicodedata

LIMIT = 4000
"""Characters of a value that are shown."""
_BLANK = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u3164\uffa0")
"""Letters and marks that are drawn as nothing."""


def is_hidden(character: str) -> bool:
    """Whether a character breaks a line, steers a terminal, changes direction, or is drawn as nothing.

    These are controls, formats, surrogates, private and unassigned characters, separators of lines and
    paragraphs (Unicode categories Cc, Cf, Cs, Co, Cn, Zl, Zp), and seven blank letters.
    """
    return character in _BLANK or unicodedata.category(character) in {
        "Cc",
        "Cf",
        "Cs",
        "Co",
        "Cn",
        "Zl",
        "Zp",
    }


def one_line(value: object, limit: int = LIMIT) -> str:
    """*value* as one line that steers nothing, cut at *limit* characters; hidden ones stand as ``\\u000a``.

    A byte of a file name that is not UTF-8 stands as ``\\udc80`` to ``\\udcff``.
    """
    text = str(value)
    cut = text if len(text) <= limit else text[: limit - 1] + "…"
    return cut if _is_plain(cut) else "".join(_visible(c) if is_hidden(c) else c for c in cut)


def own_text(text: str) -> str:
    """A document of our own, of several lines: line feeds stay, every other hidden character is escaped.

    For text whose lines we wrote (proofs, PEM, YAML). A value from elsewhere goes through ``one_line``.
    """
    return "\n".join(one_line(line, len(line)) for line in text.split("\n"))


def to_json(value: object, *, indent: int | None = None, ascii_only: bool = False, **more: object) -> str:
    """*value* as JSON in which hidden characters are escaped, as JSON writes them: it reads back the same.

    Lone surrogates (bytes of a file name that are not UTF-8) are ``\\udcXX``: the text is always UTF-8, and
    ``os.fsencode`` of what is read back gives the name's bytes. *more* goes to ``json.dumps``.
    """
    text = json.dumps(value, ensure_ascii=ascii_only, indent=indent, **more)  # type: ignore[arg-type]
    lines = text.split("\n")  # only the indentation has line feeds: those within strings are escaped
    return "\n".join(
        line if _is_plain(line) else "".join(json.dumps(c)[1:-1] if is_hidden(c) else c for c in line)
        for line in lines
    )


def _is_plain(text: str) -> bool:
    """Quickly: nothing in *text* can be hidden."""
    return text.isprintable() and _BLANK.isdisjoint(text)


def _visible(character: str) -> str:
    code = ord(character)
    return f"\\u{code:04x}" if code <= 0xFFFF else f"\\U{code:08x}"
