"""Checkpoints outside the database: the memory of a log that a rewritten database cannot change.

``checkpoints.txt`` is append-only: one signed note after the other, each in one write, synced. A torn last
note (power cut) is passed over. Any other ``*.txt`` or ``*.tlog-proof`` in the folder is read as well, so a
checkpoint or a proof that came back from somewhere else can be put there for ``check``.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from safegen.errors import LedgerError
from safegen.ledger.checkpoint import Checkpoint, parse_unverified
from safegen.ledger.note import NoteError

FILE = "checkpoints.txt"
_TAIL = 64 * 1024
_MAX_FILE = 1 << 30
_NOTE = re.compile(r"(?:[^\n]+\n){3}\n(?:— [^\n]*\n)+")


@dataclass(frozen=True)
class Found:
    """A checkpoint note read from ``where`` (file name)."""

    note: str
    claim: Checkpoint
    where: str


class CheckpointFolder:
    """The folder with ``checkpoints.txt``; made (0700) by the first write."""

    def __init__(self, folder: Path) -> None:
        """Use *folder*; nothing is touched yet."""
        self.folder = folder

    def append(self, note: str) -> None:
        """Add a signed checkpoint durably. Raises LedgerError when it cannot be written."""
        path = self.folder / FILE
        try:
            self.folder.mkdir(mode=0o700, exist_ok=True)
            fresh = not path.exists()
            descriptor = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
            try:
                # The leading newline ends a note that a power cut may have torn.
                data = f"\n{note}".encode()
                if os.write(descriptor, data) != len(data):
                    raise OSError(28, "no space left on the device")
                os.fsync(descriptor)
            finally:
                os.close(descriptor)
            if fresh:
                sync_folder(self.folder)
        except OSError as error:
            raise LedgerError(
                f"the entries are recorded, but not their checkpoint in {path}: {error.strerror}",
                hint="free space or repair the permissions, then run `safegen log checkpoint`",
            ) from error

    def latest(self, origin: str) -> Checkpoint | None:
        """The largest of the last checkpoints claimed for *origin*, unverified; ``None`` if there is none."""
        path = self.folder / FILE
        try:
            with path.open("rb") as file:
                file.seek(max(0, path.stat().st_size - _TAIL))
                tail = file.read().decode("utf-8", "replace")
        except FileNotFoundError:
            return None
        except OSError as error:
            raise LedgerError(
                f"the checkpoints {path} cannot be read: {error.strerror}", hint="repair its permissions"
            ) from error
        claims = [found.claim for found in _notes(tail, FILE) if found.claim.origin == origin]
        return max(claims, key=lambda claim: claim.size, default=None)

    def all(self) -> Iterator[Found]:
        """Every checkpoint in the folder, in files of any name with suffix .txt or .tlog-proof."""
        if not self.folder.is_dir():
            return
        for path in sorted(self.folder.iterdir()):
            if path.suffix in {".txt", ".tlog-proof"} and path.is_file():
                try:
                    with path.open("rb") as file:
                        text = file.read(_MAX_FILE).decode("utf-8", "replace")
                except OSError as error:
                    raise LedgerError(f"{path} cannot be read: {error.strerror}") from error
                yield from _notes(text, path.name)


def _notes(text: str, where: str) -> Iterator[Found]:
    """Every well-formed checkpoint inside *text*."""
    for match in _NOTE.finditer(text):
        note = match.group()
        try:
            yield Found(note, parse_unverified(note), where)
        except NoteError:
            continue


def sync_folder(folder: Path) -> None:
    """fsync a folder, so that names made or removed in it survive a power cut. Windows has no such call."""
    if os.name == "nt":
        return
    descriptor = os.open(folder, os.O_RDONLY | getattr(os, "O_DIRECTORY", 0))
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
