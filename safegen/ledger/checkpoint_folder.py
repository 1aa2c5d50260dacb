"""Checkpoints outside the database: a memory of the log that rewriting the database cannot change.

``checkpoints.txt`` is append-only: one signed note after the other, each in one write, synced. A torn last
note (power cut) is passed over. Any other ``*.txt`` or ``*.tlog-proof`` in the folder is read as well, so a
checkpoint or a proof that came back from somewhere else can be put there for ``check``.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from safegen._util.files import sync_folder
from safegen.errors import LedgerError
from safegen.ledger.checkpoint import Checkpoint, parse_unverified, verify_checkpoint
from safegen.ledger.note import NoteError

if TYPE_CHECKING:
    from safegen.ledger.checkpoint import Logs

FILE = "checkpoints.txt"
_TAIL = 4 * 1024
_LINE = 8192
_MOST = 64


@dataclass(frozen=True)
class FoundCheckpoint:
    """A checkpoint note read from ``where`` (file name)."""

    note: str
    claim: Checkpoint
    source: str


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
            how = os.O_WRONLY | os.O_APPEND | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0)
            descriptor = os.open(path, how, 0o600)
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
                f"the entries were recorded, but their checkpoint in {path} was not: {error.strerror}",
                hint="free some space or fix the permissions; the next entry writes a newer checkpoint",
            ) from error

    def latest(self, origin: str) -> FoundCheckpoint | None:
        """The largest of the last checkpoints claimed for *origin*, unverified; ``None`` if there is none."""
        found = read_checkpoints(self.folder / FILE, tail=_TAIL)
        return newest(item for item in found if item.claim.origin == origin)

    def put_there(self, origin: str) -> Iterator[FoundCheckpoint]:
        """Those claimed for *origin* in files that somebody put beside ``checkpoints.txt``, unverified."""
        for path in self._files():
            if path.name != FILE:
                yield from (item for item in read_checkpoints(path) if item.claim.origin == origin)

    def latest_signed(self, logs: Logs) -> Checkpoint | None:
        """The largest of the last checkpoints that a key in *logs* has signed; ``None`` if there is none."""
        largest: Checkpoint | None = None
        for item in read_checkpoints(self.folder / FILE, tail=_TAIL):
            with suppress(NoteError):
                head = verify_checkpoint(item.note, logs=logs)
                largest = head if largest is None or head.size > largest.size else largest
        return largest

    def all(self) -> Iterator[FoundCheckpoint]:
        """Every checkpoint in the folder, in files of any name with suffix .txt or .tlog-proof."""
        for path in self._files():
            yield from read_checkpoints(path)

    def unreadable(self) -> Iterator[str]:
        """Names of files beside ``checkpoints.txt`` that hold no well-formed checkpoint."""
        for path in self._files():
            if path.name != FILE and next(read_checkpoints(path), None) is None:
                yield path.name

    def _files(self) -> list[Path]:
        """The files of the folder that may hold checkpoints."""
        try:
            paths = sorted(self.folder.iterdir())
        except (FileNotFoundError, NotADirectoryError):
            return []
        return [path for path in paths if path.suffix in {".txt", ".tlog-proof"} and not path.is_dir()]


def newest(found: Iterable[FoundCheckpoint]) -> FoundCheckpoint | None:
    """The one over most entries."""
    return max(found, key=lambda item: item.claim.size, default=None)


def read_checkpoints(path: Path, *, tail: int | None = None, source: str = "") -> Iterator[FoundCheckpoint]:
    """Every well-formed checkpoint in a file (in its last *tail* bytes). Raises LedgerError."""
    try:
        if not stat.S_ISREG(path.stat().st_mode):
            raise LedgerError(f"{path} is not a regular file", hint="remove it from the checkpoint folder")
        with path.open("rb") as file:
            if tail is not None:
                file.seek(max(0, path.stat().st_size - tail))
            for note in _notes(file):
                with suppress(NoteError):
                    yield FoundCheckpoint(note, parse_unverified(note), source or path.name)
    except (FileNotFoundError, NotADirectoryError):
        return
    except OSError as error:
        raise LedgerError(f"{path} cannot be read: {error.strerror}", hint="fix its permissions") from error


def _notes(file: BinaryIO) -> Iterator[str]:
    """What looks like a checkpoint: three lines, a blank one, signature lines. Constant memory."""
    body: list[str] = []
    signatures: list[str] | None = None
    while data := file.readline(_LINE):
        line = data.decode("utf-8", "replace")
        if signatures is not None and line.startswith("— ") and len(signatures) < _MOST:
            signatures.append(line)
            continue
        if signatures:
            yield "".join((*body, "\n", *signatures))
        if signatures is not None:
            body, signatures = [], None
        if line == "\n":
            signatures = [] if len(body) == 3 else None
            body = body if signatures is not None else []
        else:
            body = [*body[-2:], line]
    if signatures:
        yield "".join((*body, "\n", *signatures))
