"""Files that survive a power cut: whole or absent, and synced; and files that one process has to itself."""

from __future__ import annotations

import os
import re
import secrets
import shlex
import sys
from pathlib import Path
from typing import IO

from safegen.errors import UnreadableInput, UsageError

_ADDRESS = re.compile(r"(https?|ftp|file|s3|gs)://?([^/].*|/.*)", re.IGNORECASE | re.DOTALL)


def write_durable(path: Path, data: bytes, *, mode: int = 0o600) -> None:
    """Write *data* to *path* with *mode* (less the umask): the old content or the new one, never half of it.

    The folder is synced too, so that the name survives. Raises OSError; nothing is left behind then.
    """
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(6)}.tmp")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    sync_folder(path.parent)


def sync_folder(folder: Path) -> None:
    """fsync a folder, so that names made or removed in it survive a power cut. Windows has no such call."""
    if os.name == "nt":
        return
    descriptor = os.open(folder, os.O_RDONLY | getattr(os, "O_DIRECTORY", 0))
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def lock_descriptor(descriptor: int, *, wait: bool) -> None:
    """Lock an open file for this process until it is closed; a crash releases it.

    Raises OSError when another process has it (BlockingIOError on POSIX) and *wait* is false.
    """
    if sys.platform == "win32":
        import msvcrt

        msvcrt.locking(descriptor, msvcrt.LK_LOCK if wait else msvcrt.LK_NBLCK, 1)
    else:
        import fcntl

        fcntl.flock(descriptor, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))


def lock_exclusive(file: IO[str], folder: Path) -> None:
    """Keep an open file in *folder* for this process until it is closed.

    Raises UsageError when another process has it.
    """
    try:
        lock_descriptor(file.fileno(), wait=False)
    except OSError as error:
        raise UsageError(
            f"another run is writing to {folder}", hint="wait for it to finish, or choose another folder"
        ) from error


def not_a_file(path: Path) -> UnreadableInput:
    """The error for a name that leads to no file: an address on the web, a pipe, nothing at all."""
    if address := _ADDRESS.match(str(path)):  # as a path it has lost one of its slashes
        url = shlex.quote(f"{address[1]}://{address[2]}")
        hint = f"fetch it first: curl -fL -o FILE {url} (`safegen verify -` reads a pipe)"
        return UnreadableInput(f"{address[1]}://{address[2]} is an address, not a file", hint=hint)
    if not path.exists():
        return UnreadableInput(f"{path}: no such file", hint="check the path")
    if path.is_dir():
        return UnreadableInput(f"{path} is a folder, not a file", hint="check the path")
    hint = "save what comes from it to a file, and give its name (`safegen verify -` reads a pipe)"
    return UnreadableInput(f"{path} is not a file", hint=hint)


def text_name(path: Path) -> str:
    r"""The last part of *path* as text that can be recorded: bytes that are not UTF-8 as ``\xe9``."""
    return os.fsencode(path.name).decode("utf-8", "backslashreplace")
