"""Key files on disk: private modes, whole or absent, one writer at a time."""

from __future__ import annotations

import contextlib
import os
import shlex
import stat
from collections.abc import Iterator
from pathlib import Path

from safegen._util.files import lock_descriptor, write_durable
from safegen._util.logs import logger, waiting
from safegen.errors import KeyUnavailable

_log = logger(__name__)

FILE_MODE = 0o600
FOLDER_MODE = 0o700
POSIX = os.name == "posix"


def write_private(path: Path, data: bytes) -> None:
    """Write *data* to *path* with mode 0600, whole and durably. Raises KeyUnavailable."""
    try:
        write_durable(path, data, mode=FILE_MODE)
    except OSError as error:
        raise KeyUnavailable(
            f"cannot write {path.name}: {error.strerror}", hint=f"check the folder {path.parent}"
        ) from error


def read_private(path: Path, *, limit: int = 1 << 20) -> bytes:
    """The content of a key file, refused when others could read it or write into its folder.

    Raises KeyUnavailable: missing, unreadable, larger than *limit* bytes, or with loose permissions.
    """
    check_private(path)
    try:
        with path.open("rb") as file:
            data = file.read(limit + 1)
    except OSError as error:
        raise KeyUnavailable(
            f"cannot read {path.name}: {error.strerror}", hint=f"check the file {path}"
        ) from error
    if len(data) > limit:
        raise KeyUnavailable(f"{path.name} is too large for a key file", hint=f"check the file {path}")
    return data


def check_private(path: Path) -> None:
    """Refuse (KeyUnavailable) a key file that others can read, or that sits in a folder others can change."""
    try:
        mode, folder_mode = path.stat().st_mode, path.parent.stat().st_mode
    except OSError as error:
        raise KeyUnavailable(
            f"the key file {path.name} is missing or inaccessible ({error.strerror})",
            hint=f"restore {path} from a backup, or create a new identity in an empty folder",
        ) from error
    if not stat.S_ISREG(mode):
        raise KeyUnavailable(f"{path.name} is not a file", hint=f"check {path}")
    if not POSIX:
        return
    if mode & 0o077:
        raise KeyUnavailable(
            f"the key file {path.name} can be read by others (mode {stat.S_IMODE(mode):04o})",
            hint=f"run chmod 600 {shlex.quote(str(path))}, and create a new key if others may have read it",
        )
    if folder_mode & 0o022 and not folder_mode & stat.S_ISVTX:
        raise KeyUnavailable(
            f"others can change the folder containing {path.name} (mode {stat.S_IMODE(folder_mode):04o})",
            hint=f"run chmod 700 {shlex.quote(str(path.parent))}",
        )


@contextlib.contextmanager
def locked_folder(folder: Path) -> Iterator[None]:
    """Let one process at a time change what is in *folder* (an advisory lock; a crash releases it)."""
    if not POSIX:
        yield
        return
    handle = os.open(folder / ".lock", os.O_RDWR | os.O_CREAT, FILE_MODE)
    try:
        with waiting(_log, "another process that is changing the keys"):
            lock_descriptor(handle, wait=True)
        yield
    finally:
        os.close(handle)
