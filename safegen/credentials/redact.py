"""Keep out of public statements what belongs to the workspace: a prompt's words, a machine's paths."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePath
from typing import Any

QUOTE = "(left out: it quotes the prompt)"
WORD = re.compile(r"[^\W_]+")
PATH = re.compile(r"(?:~|\.{1,2})?[/\\][^\s/\\]|[A-Za-z]:[/\\]|file:", re.ASCII)
RUN = 3
"""This many words in a row taken from the prompt count as quoting it."""


@dataclass(frozen=True)
class Redactor:
    """Cleans values for publication. ``private`` are texts that must not be quoted (prompts)."""

    private: tuple[str, ...] = ()

    def text(self, value: str) -> str:
        """*value*, or a note in its place when it quotes a private text; paths keep their last part."""
        if any(_quotes(value, secret) for secret in self.private):
            return QUOTE
        return " ".join(_without_folders(part) for part in value.split(" "))

    def value(self, value: Any) -> Any:
        """A JSON value for *value*: a number that is not finite becomes ``None``, an odd object its type."""
        if value is None or isinstance(value, bool | int):
            return value
        if isinstance(value, float):
            return value if math.isfinite(value) else None
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, PurePath):
            return value.name
        if isinstance(value, Mapping):
            return self.mapping(value)
        if isinstance(value, Sequence) and not isinstance(value, bytes | bytearray):
            return [self.value(item) for item in value]
        return f"({type(value).__name__})"

    def mapping(self, values: Mapping[Any, Any]) -> dict[str, Any]:
        """*values* cleaned, without the entries whose names say that they hold a prompt."""
        return {str(k): self.value(v) for k, v in values.items() if "prompt" not in str(k).lower()}


def _quotes(text: str, secret: str) -> bool:
    """Whether *text* holds *secret*, or three words of it in a row (short prompts: all of it)."""
    words, hidden = WORD.findall(text.casefold()), WORD.findall(secret.casefold())
    if not hidden:
        return bool(secret.strip()) and secret.strip() in text
    run = min(RUN, len(hidden))
    runs = {tuple(hidden[i : i + run]) for i in range(len(hidden) - run + 1)}
    return any(tuple(words[i : i + run]) in runs for i in range(len(words) - run + 1))


def _without_folders(part: str) -> str:
    """The last component of *part* when it is a local path; web addresses and model names stay."""
    bare = part.strip("'\"(),;")
    if "://" in bare and not bare.startswith("file:"):
        return part
    if not PATH.match(bare):
        return part
    last = re.split(r"[/\\]", bare.rstrip("/\\"))[-1]
    return part.replace(bare, last)
