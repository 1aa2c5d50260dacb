"""The workspaces that this user has confirmed: those that are used when they are merely found.

As with git's ``safe.directory``: a folder that was unpacked, cloned or shared may bring its own
``safegen.toml``, keys and ledger, and none of it is used before the user has said so once. The record lies in
the user's state folder, by real path. A folder that was put in the place of a confirmed one is not confirmed:
its inode and the random id in its ``.safegen-id`` are compared too.
"""

from __future__ import annotations

import json
import os
import re
import secrets
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from safegen._util.files import write_durable
from safegen._util.user_state import locked_user_state, user_state_folder
from safegen.errors import UsageError, WorkspaceError

RECORD = "workspaces.json"
ID_NAME = ".safegen-id"
_ID = re.compile(r"[0-9a-f]{32}")


@dataclass(frozen=True)
class ConfirmedWorkspace:
    """A confirmed folder. ``there``: whether it is still the folder that was confirmed."""

    root: Path
    there: bool


def is_confirmed(root: Path) -> bool:
    """Whether the folder at *root* is the one that the user has confirmed under this path."""
    known = _record().get(str(root.resolve()))
    return known is not None and known == _identity(root.resolve())


def confirm_workspace(root: Path) -> Path:
    """Remember that the workspace at *root* may be used when it is found; returns its real path.

    Raises UsageError when there is no such folder, WorkspaceError when it cannot be remembered.
    """
    real = root.expanduser().resolve()
    if not real.is_dir():
        raise UsageError(f"there is no folder {real}", hint="give the folder that contains safegen.toml")
    _make_id(real)
    identity = _identity(real)
    if identity is None:
        raise WorkspaceError(f"{real} cannot be read", hint="check its permissions")
    _change(lambda known: known.update({str(real): identity}))
    return real


def forget_workspace(root: Path) -> Path:
    """Stop using the workspace at *root* when it is found. Raises UsageError when it was not confirmed."""
    real = root.expanduser().resolve()
    if str(real) not in _record():
        raise UsageError(f"{real} was not confirmed", hint="see `safegen workspace list`")
    _change(lambda known: known.pop(str(real), None))
    return real


def list_confirmed() -> list[ConfirmedWorkspace]:
    """Every confirmed workspace, by path."""
    return [
        ConfirmedWorkspace(Path(p), _identity(Path(p)) == known) for p, known in sorted(_record().items())
    ]


def _identity(root: Path) -> dict[str, Any] | None:
    """What tells this folder from another one under the same path; ``None`` when it cannot be read."""
    try:
        inode = root.lstat().st_ino
    except OSError:
        return None
    return {"inode": inode, "id": _read_id(root)}


def _read_id(root: Path) -> str:
    """The random id in the folder; "" where there is none."""
    try:
        descriptor = os.open(root / ID_NAME, os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0))
        with os.fdopen(descriptor, encoding="ascii", errors="replace") as file:
            text = file.read(64).strip()
    except OSError:
        return ""
    return text if _ID.fullmatch(text) else ""


def _make_id(root: Path) -> None:
    """Give the folder an id, where it can be written; without one its inode alone tells it."""
    if not _read_id(root):
        with suppress(OSError):
            write_durable(root / ID_NAME, secrets.token_hex(16).encode() + b"\n")


def _record() -> dict[str, dict[str, Any]]:
    """The confirmed folders by path. What cannot be read confirms nothing."""
    try:
        value = json.loads((user_state_folder() / RECORD).read_bytes())
    except (OSError, ValueError, RecursionError):
        return {}
    known = value.get("workspaces") if isinstance(value, dict) else None
    return known if isinstance(known, dict) else {}


def _change(change: Callable[[dict[str, dict[str, Any]]], object]) -> None:
    """Read the record, change it, write it, with no other process in between. Raises WorkspaceError."""
    try:
        with locked_user_state() as folder:
            known = _record()
            change(known)
            data = json.dumps({"version": 1, "workspaces": known}, indent=2, sort_keys=True).encode() + b"\n"
            write_durable(folder / RECORD, data)
    except OSError as error:
        raise WorkspaceError(
            f"{user_state_folder() / RECORD} cannot be written: {error.strerror}",
            hint="check the folder's permissions",
        ) from error
