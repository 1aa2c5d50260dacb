"""Restoring a backup: into an empty place, unchanged, and never as a second history of the same log.

A ledger that is older than one that has been seen may be read, but recording in it would give the same
numbers to other entries. So an older one is only restored when that is asked for, and one that contradicts a
checkpoint never.
"""

from __future__ import annotations

import json
import os
import secrets
import shutil
from collections.abc import Iterable, Sequence
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any

from safegen._util.files import sync_folder
from safegen._util.hashing import file_sha256
from safegen.errors import LedgerError, UnreadableInput, UsageError, WorkspaceError
from safegen.workspace.backup import (
    FORMAT,
    LEDGER,
    MANIFEST,
    Backup,
    BackupFile,
    copy_private,
    require_text,
)
from safegen.workspace.config import Workspace, read_workspace

if TYPE_CHECKING:
    from safegen.ledger.checkpoint import Checkpoint

MAX_MANIFEST = 64 * 2**20
_SQLITE = "sqlite:///"


def read_backup(folder: Path) -> Backup:
    """The backup in *folder*, every file of it compared with its hash.

    Raises UsageError where there is none, UnreadableInput where something is missing, changed or strange.
    """
    try:
        with (folder / MANIFEST).open("rb") as file:
            stated = json.loads(file.read(MAX_MANIFEST))
    except FileNotFoundError as error:
        raise UsageError(
            f"{folder} is no backup: it has no {MANIFEST}",
            hint="name a folder that `safegen workspace backup` made",
        ) from error
    except (OSError, ValueError, RecursionError) as error:
        raise _damaged(folder, f"{MANIFEST} cannot be read") from error
    backup = _parse(folder, stated)
    for item in backup.files:
        path = folder / item.path
        if path.is_symlink() or not path.is_file():
            raise _damaged(folder, f"{item.path} is missing")
        if path.stat().st_size != item.size or file_sha256(path) != item.sha256:
            raise _damaged(folder, f"{item.path} differs from the file that was backed up")
    return backup


def restore(
    folder: Path, root: Path, *, accept_older: bool = False, seen: Sequence[Path] = ()
) -> tuple[Workspace, tuple[str, ...]]:
    """Make the workspace *root* from the backup in *folder*; the workspace, and notes.

    *root* MUST NOT exist, or be an empty folder; where the settings name a database server, its database must
    be empty, too. The ledger is checked first, and compared with what this user has seen of its log and with
    the checkpoints and proofs in the files *seen*: with *accept_older* one that is merely older is restored.

    Raises UsageError, UnreadableInput, GateFailed (the ledger fails its check), LedgerError (it is behind a
    checkpoint, or contradicts one), WorkspaceError; nothing is left then but rows on a database server.
    """
    from safegen.workspace.own_ledger import check_ledger_at

    require_text(folder)
    require_text(root)
    if os.path.lexists(root) and (not root.is_dir() or any(root.iterdir())):
        raise UsageError(f"{root} exists and is not empty", hint="name a new folder: nothing is overwritten")
    backup = read_backup(folder)
    kept = read_workspace(folder)
    report = check_ledger_at(f"{_SQLITE}{folder / LEDGER}", kept, remember=False)
    if (report.origin, report.size) != (backup.origin, backup.size):
        raise _damaged(folder, f"{MANIFEST} is about another ledger")
    notes = _compare_with_seen(backup, kept, seen, accept_older=accept_older)
    root = root.absolute()
    partial = root.with_name(f".{root.name}.{secrets.token_hex(6)}.partial")
    try:
        partial.mkdir(mode=0o700, parents=True)
        for item in backup.files:
            if item.path != LEDGER or kept.config.ledger_url is None:
                copy_private(folder / item.path, partial / item.path)
        if kept.config.ledger_url is not None:
            _fill_server(folder / LEDGER, kept.config.ledger_url, kept)
        if root.exists():
            root.rmdir()
        partial.rename(root)
        sync_folder(root.parent)
    except OSError as error:
        raise WorkspaceError(
            f"the workspace cannot be restored: {error.strerror}", hint="check the folder and the free space"
        ) from error
    finally:
        shutil.rmtree(partial, ignore_errors=True)
    return read_workspace(root), (*backup.notes, *notes)


def _fill_server(ledger: Path, url: str, kept: Workspace) -> None:
    """Put the ledger into the empty database at *url*, and check it there."""
    from safegen.ledger import copying
    from safegen.workspace.own_ledger import check_ledger_at

    source = copying.open_database(f"{_SQLITE}{ledger}", read_only=True)
    target = copying.open_database(url, read_only=False)
    try:
        with copying.snapshot(source) as rows:
            copying.copy_rows(rows, target)
    finally:
        source.close()
        target.close()
    check_ledger_at(url, kept, remember=False)


def _compare_with_seen(
    backup: Backup, kept: Workspace, seen: Iterable[Path], *, accept_older: bool
) -> tuple[str, ...]:
    """Refuse a ledger that is not all of what was seen of its log; a note where an older one is taken."""
    from safegen.workspace.own_ledger import extends

    claims = list(_claims(backup.origin, kept, seen))
    newest = max(claims, key=lambda claim: claim.size, default=None)
    for claim in claims:
        if claim.size <= backup.size and not extends(f"{_SQLITE}{kept.root / LEDGER}", claim):
            raise LedgerError(
                f"the backup contradicts a checkpoint of {claim.size} entries that its log has signed",
                hint="it comes from a ledger that was forked, and is not restored; use another backup",
            )
    if newest is None or newest.size <= backup.size:
        return ()
    behind = f"the backup has {backup.size} entries, and its log had {newest.size} at least"
    if not accept_older:
        raise LedgerError(
            f"{behind}: restoring it would lose {newest.size - backup.size}",
            hint="restore a newer backup; where there is none, --accept-older restores it for reading",
        )
    note = (
        f"{behind}: it can be read and verified with, and nothing can be recorded in it, for that would give "
        "the numbers of lost entries to others; to go on, make a new workspace"
    )
    return (note,)


def _claims(origin: str, kept: Workspace, files: Iterable[Path]) -> Iterable[Checkpoint]:
    """What this user has seen of the log, and the checkpoints in *files*, which its keys must have signed."""
    from safegen.ledger.checkpoint import verify_checkpoint
    from safegen.ledger.checkpoint_folder import read_checkpoints
    from safegen.ledger.note import NoteError
    from safegen.workspace.own_ledger import LogIdentity
    from safegen.workspace.session import seen_checkpoints

    known = seen_checkpoints(kept)
    latest = None if known is None else known.latest(origin)
    if latest is not None:
        yield latest.claim
    logs = {origin: LogIdentity.load(kept.keys).keys}
    for path in files:
        found = list(read_checkpoints(path))
        if not found:
            raise UnreadableInput(f"{path} holds no checkpoint", hint="give a checkpoint or a .tlog-proof")
        try:
            yield from (verify_checkpoint(item.note, logs=logs) for item in found)
        except NoteError as error:
            raise UnreadableInput(
                f"{path} is no checkpoint of the log {origin}: {error}",
                hint="give one of this workspace's log",
            ) from error


def _parse(folder: Path, stated: Any) -> Backup:
    """What ``backup.json`` states, where all of it has the right form. Raises UnreadableInput."""
    if not isinstance(stated, dict) or stated.get("format") != FORMAT:
        raise UnreadableInput(
            f"{folder / MANIFEST} is not of the format {FORMAT}",
            hint="use the safegen that made it, or newer",
        )
    try:
        files = tuple(
            BackupFile(_safe(f["path"]), str(f["sha256"]), int(f["bytes"])) for f in stated["files"]
        )
        text = {name: str(stated[name]) for name in ("origin", "checkpoint", "made")}
        notes = tuple(str(note) for note in stated["notes"])
        backup = Backup(folder, size=int(stated["size"]), files=files, notes=notes, **text)
    except (KeyError, TypeError, ValueError) as error:
        raise _damaged(folder, f"{MANIFEST} is not complete") from error
    names = [item.path for item in files]
    if len(set(names)) != len(names) or LEDGER not in names:
        raise _damaged(folder, f"{MANIFEST} does not name each file once")
    return backup


def _safe(name: Any) -> str:
    """A path below the folder. Raises ValueError: nothing is written elsewhere, or in place of the backup."""
    path = PurePosixPath(name)
    if not isinstance(name, str) or path.is_absolute() or ".." in path.parts or path.as_posix() != name:
        raise ValueError(name)
    if not path.parts or "\\" in name or "\0" in name or ":" in name or name == MANIFEST:
        raise ValueError(name)
    if any(part.startswith(".") for part in path.parts) or name.startswith(f"{LEDGER}-"):
        raise ValueError(name)  # nothing that a program would take for part of the database
    return name


def _damaged(folder: Path, what: str) -> UnreadableInput:
    return UnreadableInput(f"the backup {folder} is damaged: {what}", hint="use another backup")
