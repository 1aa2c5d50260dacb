"""Folders held open by a handle: a name used in one cannot be led elsewhere by a link put there meanwhile.

Where the system has no such calls (Windows) names are joined to the path after the same checks.
"""

from __future__ import annotations

import os
import shutil
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from safegen._util.files import sync_folder
from safegen._util.hashing import sha256_of_descriptor

HANDLES = os.name == "posix" and {os.open, os.stat, os.unlink, os.link, os.rmdir} <= os.supports_dir_fd
_DIRECTORY: int = getattr(os, "O_DIRECTORY", 0)
_FOLDER: int = os.O_RDONLY | _DIRECTORY
_ON_THE_WAY: int = getattr(os, "O_PATH", os.O_RDONLY) | _DIRECTORY
"""A folder that is only passed through need not be readable."""
_NO_LINK: int = getattr(os, "O_NOFOLLOW", 0)
_BINARY: int = getattr(os, "O_BINARY", 0)


def is_plain_name(name: object) -> bool:
    """Whether *name* is one name in a folder: no separators, no way up, nothing the system cannot store."""
    if not isinstance(name, str) or name in {"", ".", ".."} or "\0" in name:
        return False
    return os.sep not in name and not (os.altsep and os.altsep in name)


def is_plain_folder(path: object) -> bool:
    """Whether *path* is an absolute path in its shortest form."""
    return (
        isinstance(path, str)
        and "\0" not in path
        and Path(path).is_absolute()
        and os.path.normpath(path) == path
    )


@dataclass(frozen=True)
class Folder:
    """An open folder. ``path`` is for messages, and stands in for the handle where there is none."""

    path: Path
    handle: int | None

    def named(self, name: str) -> Path:
        """*name* as calls take it: alone beside a handle, else joined to the path."""
        return self.path / name if self.handle is None else Path(name)

    def lstat(self, name: str) -> os.stat_result | None:
        """What *name* is, links not followed; ``None``: nothing. Raises OSError."""
        try:
            return os.stat(self.named(name), dir_fd=self.handle, follow_symlinks=False)
        except FileNotFoundError:
            return None

    def holds(self, name: str, sha256: str) -> bool:
        """Whether *name* is a regular file with that SHA-256 (hex). Raises OSError."""
        return self.sha256(name) == sha256

    def sha256(self, name: str) -> str | None:
        """SHA-256 (hex) of the regular file *name*; ``None`` for anything else. Raises OSError."""
        status = self.lstat(name)
        if status is None or not stat.S_ISREG(status.st_mode):
            return None
        descriptor = self._open(name, os.O_RDONLY)
        try:
            return sha256_of_descriptor(descriptor)
        finally:
            os.close(descriptor)

    def write(self, name: str, data: bytes) -> None:
        """Create *name* (0644 less umask) with *data* on the disk, in place of an older file."""
        descriptor = self._open(name, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o666)
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())

    def take(self, name: str) -> None:
        """Make *name* an empty file. Raises FileExistsError."""
        os.close(self._open(name, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))

    def unlink(self, name: str) -> None:
        """Remove the name of a file."""
        os.unlink(self.named(name), dir_fd=self.handle)

    def remove_tree(self, name: str) -> None:
        """Remove the folder *name* and what is in it, following no link. A missing one is fine."""
        with suppress(FileNotFoundError):
            shutil.rmtree(self.named(name), dir_fd=self.handle)

    def remove_empty(self, name: str) -> None:
        """Remove the folder *name* if it is empty."""
        with suppress(OSError):
            os.rmdir(self.named(name), dir_fd=self.handle)

    def sync(self) -> None:
        """fsync the folder."""
        if self.handle is None:
            sync_folder(self.path)
        else:
            os.fsync(self.handle)

    @contextmanager
    def private(self, name: str) -> Iterator[Folder | None]:
        """The folder *name* in this one, if it is a plain folder of this user that others cannot change."""
        status = self.lstat(name)
        if status is None or not _is_private(status):
            yield None
            return
        if self.handle is None:
            yield Folder(self.path / name, None)
            return
        descriptor = os.open(name, _FOLDER | _NO_LINK, dir_fd=self.handle)
        try:
            yield Folder(self.path / name, descriptor) if _is_private(os.fstat(descriptor)) else None
        finally:
            os.close(descriptor)

    def _open(self, name: str, flags: int, mode: int = 0o600) -> int:
        return os.open(self.named(name), flags | _NO_LINK | _BINARY, mode, dir_fd=self.handle)


def _is_private(status: os.stat_result) -> bool:
    if not stat.S_ISDIR(status.st_mode):
        return False
    return os.name != "posix" or (status.st_uid == os.geteuid() and not status.st_mode & 0o022)


@contextmanager
def open_folder(path: Path) -> Iterator[Folder]:
    """The folder at *path* (absolute, resolved): no part of it may be a link. Raises OSError."""
    if not HANDLES:
        for folder in (*reversed(path.parents), path):
            if not stat.S_ISDIR(folder.lstat().st_mode):
                raise NotADirectoryError(20, "not a plain folder", str(folder))
        yield Folder(path, None)
        return
    last = len(path.parts) - 1
    descriptor = os.open(path.anchor, _ON_THE_WAY if last else _FOLDER)
    try:
        for number, part in enumerate(path.parts[1:], 1):
            how = (_FOLDER if number == last else _ON_THE_WAY) | _NO_LINK
            inner = os.open(part, how, dir_fd=descriptor)
            os.close(descriptor)
            descriptor = inner
        yield Folder(path, descriptor)
    finally:
        os.close(descriptor)
