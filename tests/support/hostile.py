"""Strings that try to break out of the line they are shown in, and what to look for when they did."""

from __future__ import annotations

import copy
import dataclasses
import enum
import re
import sys
import types
import unicodedata
from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path
from typing import Any, Literal, get_args, get_origin

from safegen.errors import SafegenError
from safegen.types import Verdict

FORGED = "VERIFIED  ball.mp4"
"""What an attacker wants to stand at the beginning of a line."""
HOSTILE = {
    "nothing but the verdict": FORGED,
    "line feed": f"a\n{FORGED}",
    "carriage return": f"a\r{FORGED}",
    "both": f"a\r\n{FORGED}\r\n",
    "vertical tab and form feed": f"a\x0b{FORGED}\x0c{FORGED}",
    "next line": f"a\x85{FORGED}",
    "line separator": f"a\u2028{FORGED}",
    "paragraph separator": f"a\u2029{FORGED}",
    "group separators": f"a\x1c{FORGED}\x1d{FORGED}\x1e{FORGED}",
    "colours and a cleared screen": f"\x1b[2J\x1b[1;32m{FORGED}\x1b[0m",
    "window title": "\x1b]0;owned\x07",
    "hyperlink": "\x1b]8;;https://example.org\x1b\\click\x1b]8;;\x1b\\",
    "eight-bit sequences": f"\x9b2J\x9d0;owned\x9c{FORGED}",
    "backspaces": "TAMPERED\b\b\b\b\b\b\b\bVERIFIED",
    "bell and delete": "\x07\x7f",
    "other direction": "\u202ederifirev\u202c \u2066x\u2069 \u200f",
    "zero width": "VER\u200bI\u200cF\u200dI\u2060E\ufeffD\u00ad",
    "tags": "".join(chr(0xE0000 + ord(c)) for c in "VERIFIED"),
    "blank letters": "\u3164\uffa0\u115f",
    "null": "a\x00b",
    "not utf-8": "clip-\udcff\udc9b31m.mp4",
    "half a pair": "\ud83d",
    "private use": "\ue000",
    "rich markup": f"[bold green]{FORGED}[/] [link=https://example.org]x[/link] :warning:",
    "html": "<script>alert(1)</script><img src=x onerror=alert(1)>\"'&",
    "format": "%s%n{0}{a.b}$(id)`id`",
    "long": "x" * 20_000,
    "long and broken": f"{'y' * 5000}\n{FORGED}",
}
_ALLOWED = re.compile(r"\x1b\[[0-9;]*m")
_VERDICTS = "|".join(sorted((v.name for v in Verdict), key=len, reverse=True))


def controls(text: str) -> list[str]:
    """Characters of *text* that steer or hide something (there must be none in what is shown)."""
    hidden = {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}
    return [c for c in text if unicodedata.category(c) in hidden]


def forged(output: str, real: Iterable[str] = ()) -> list[str]:
    """Lines of *output*, by any reckoning of lines, that begin with a verdict which is none of *real*."""
    expected = list(real)
    found = []
    for line in re.split(r"[\n\r\x0b\x0c\x1c-\x1e\x85\u2028\u2029]", _ALLOWED.sub("", output)):
        if re.match(rf"\s*({_VERDICTS})\b", line) and line[:1] != " ":
            if line.split()[0] in expected:
                expected.remove(line.split()[0])
            else:
                found.append(line)
    return found


def check_output(output: bytes, *, real: Iterable[str] = (), about: str = "") -> str:
    """*output* as text, after a look for raw controls and forged lines in it."""
    text = output.decode("utf-8")
    loose = controls(text.replace("\n", ""))
    assert not loose, f"{about}: raw {sorted({hex(ord(c)) for c in loose})}"
    assert not forged(text, real), f"{about}: {forged(text, real)}"
    return text


_OURS = {"act", "kind"}
"""Keys of entries whose values come from a fixed set."""


def poison(value: Any, text: str) -> Any:
    """A copy of *value* (a result) whose free texts, names and paths are all *text*, at every depth.

    Words of a fixed set (enumerations, ``Literal``), numbers and bytes stay: they are ours.
    """
    if isinstance(value, enum.Enum | bool | int | float | bytes | types.FunctionType) or value is None:
        return value
    if isinstance(value, str):
        return text
    if isinstance(value, Path):
        return Path(text)
    if isinstance(value, SafegenError):
        return type(value)(text, hint=text)
    if isinstance(value, tuple | list):
        return type(value)(poison(v, text) for v in value)
    if isinstance(value, Mapping):
        return {k: v if k in _OURS else poison(v, text) for k, v in value.items()}
    if not dataclasses.is_dataclass(value):
        return value
    made = copy.copy(value)
    for field in dataclasses.fields(value):
        old = getattr(value, field.name)
        if not (isinstance(old, str) and old in _fixed(type(value), field.name)):
            object.__setattr__(made, field.name, poison(old, text))
    return made


@cache
def _fixed(kind: type, name: str) -> tuple[str, ...]:
    """The words that a field may have, where they are fixed."""
    for owner in kind.__mro__:
        hint = vars(owner).get("__annotations__", {}).get(name)
        if hint is not None:
            known = vars(sys.modules[owner.__module__])
            alias = known.get(hint) if isinstance(hint, str) else hint
            if isinstance(hint, str) and hint.startswith("Literal["):
                alias = eval(hint, dict(known))
            return get_args(alias) if get_origin(alias) is Literal else ()
    return ()
