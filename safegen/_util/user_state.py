"""What safegen keeps for this user on this machine, apart from every workspace: never copied with one.

A folder of its own (0700) in the platform's folder for user state; secrets in it are 0600.
"""

from __future__ import annotations

import os
import secrets
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from safegen._util.files import lock_descriptor, write_durable
from safegen.errors import WorkspaceError

SECRET_BYTES = 32


def user_state_folder() -> Path:
    """The folder, which need not exist yet."""
    import platformdirs

    return Path(platformdirs.user_state_dir("safegen", appauthor=False)).absolute() / "machine"


def make_user_state_folder() -> Path:
    """The folder, made (0700) when it is not there. Raises WorkspaceError."""
    folder = user_state_folder()
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        status = folder.stat()
    except OSError as error:
        raise WorkspaceError(
            f"{folder} cannot be made: {error.strerror}", hint="set XDG_STATE_HOME to a folder of yours"
        ) from error
    if os.name == "posix" and (status.st_mode & 0o022 or status.st_uid != os.geteuid()):
        raise WorkspaceError(f"others can change {folder}", hint=f"run chmod 700 {folder}")
    return folder


def user_secret(name: str) -> bytes:
    """32 random bytes that only this user on this machine knows, made on first use.

    Raises WorkspaceError: unwritable, damaged, or open to others.
    """
    path = make_user_state_folder() / name
    try:
        if not path.exists():
            _make_once(path)
        mode, data = path.stat().st_mode, path.read_bytes()
    except OSError as error:
        raise WorkspaceError(
            f"{path} cannot be used: {error.strerror}", hint="set XDG_STATE_HOME to a folder of yours"
        ) from error
    if os.name == "posix" and stat.S_IMODE(mode) & 0o077:
        raise WorkspaceError(f"others can read {path}", hint="remove it: a new one is made on the next use")
    if len(data) != SECRET_BYTES:
        raise WorkspaceError(f"{path} is damaged", hint="remove it: a new one is made on the next use")
    return data


@contextmanager
def locked_user_state() -> Iterator[Path]:
    """The folder, for one process at a time to change. Raises WorkspaceError, OSError."""
    folder = make_user_state_folder()
    handle = os.open(folder / ".lock", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        lock_descriptor(handle, wait=True)
        yield folder
    finally:
        os.close(handle)


def _make_once(path: Path) -> None:
    """Write a fresh secret unless another process has."""
    with locked_user_state():
        if not path.exists():
            write_durable(path, secrets.token_bytes(SECRET_BYTES))
