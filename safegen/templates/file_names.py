"""File names from user text: safe on every system, and never used twice."""

from __future__ import annotations

import os
import unicodedata
from pathlib import Path

MAX_CHARACTERS = 60
MAX_BYTES = 150
_RESERVED = {"con", "prn", "aux", "nul", *(f"{n}{i}" for n in ("com", "lpt") for i in range(10))}
"""Device names of Windows: no file can be called so, whatever its suffix."""


def slug(text: str) -> str:
    """A file name without suffix for *text*: its letters, marks and digits in small letters, ``-`` between.

    Never empty, never a reserved name, at most 60 characters and 150 bytes; no dot, slash or space.
    """
    plain = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold())
    kept = "".join(c if unicodedata.category(c)[0] in "LNM" else "-" for c in plain)
    name = "-".join(part for part in kept.split("-") if part)[:MAX_CHARACTERS]
    name = name.encode("utf-8", "ignore")[:MAX_BYTES].decode("utf-8", "ignore").strip("-")
    if not name:
        return "clip"
    return f"{name}-clip" if name in _RESERVED else name


class FileNames:
    """Hands out file names in one folder, each once: ``anna.mp4``, ``anna-2.mp4``."""

    def __init__(self, folder: Path) -> None:
        """Names that exist in *folder* already are taken, whatever the case of their letters."""
        self._taken: set[str] = set()
        self._next: dict[str, int] = {}
        if folder.is_dir():
            with os.scandir(folder) as entries:
                self._taken = {_fold(entry.name) for entry in entries}

    def taken(self, name: str) -> bool:
        """Whether *name* is in use."""
        return _fold(name) in self._taken

    def allocate(self, stem: str) -> str:
        """A free name ``STEM.mp4`` or ``STEM-N.mp4``; taken from now on."""
        number = self._next.get(stem, 1)
        while True:
            name = f"{stem}.mp4" if number == 1 else f"{stem}-{number}.mp4"
            number += 1
            if not self.taken(name):
                self._next[stem] = number
                self._taken.add(_fold(name))
                return name


def _fold(name: str) -> str:
    """What two names share that are one on some file system."""
    return unicodedata.normalize("NFC", name).casefold()
