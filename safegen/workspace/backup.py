"""A backup of a workspace: one folder with everything that belongs together, checked before it counts as one.

The ledger is copied while it is in use, from PostgreSQL into a SQLite file, too. The checkpoints are copied
before it, so that it is never behind them. ``backup.json`` comes last: its hashes say what belongs to the
backup, its checkpoint how far the ledger had come.
"""

from __future__ import annotations

import json
import os
import secrets
import shutil
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from safegen._util.files import sync_folder, write_durable
from safegen._util.hashing import file_sha256
from safegen._util.time import Clock, utc_now
from safegen._version import __version__
from safegen.errors import UsageError, WorkspaceError
from safegen.types import Json, JsonResult
from safegen.workspace.config import CONFIG_NAME, Workspace

if TYPE_CHECKING:
    from safegen.ledger.checkpoint import Checkpoint

MANIFEST, FORMAT, LEDGER = "backup.json", "safegen-backup/1", "ledger.db"
FOLDERS = ("keys", "checkpoints", "trust", "held")
_SQLITE = "sqlite:///"


@dataclass(frozen=True)
class BackupFile:
    """A file of a backup: its path in the folder (POSIX, relative), SHA-256 (hex), size in bytes."""

    path: str
    sha256: str
    size: int


@dataclass(frozen=True)
class Backup(JsonResult):
    """A backup in *folder*: whose log it has, up to which signed *checkpoint*, when it was made (ISO 8601).

    ``notes``: what belongs to the workspace and is not in it.
    """

    folder: Path
    origin: str
    size: int
    checkpoint: str
    made: str
    files: tuple[BackupFile, ...]
    notes: tuple[str, ...] = ()

    def __repr__(self) -> str:
        """Where, and how much."""
        return f"<Backup {self.folder} of {self.origin}, {self.size} entries, {len(self.files)} files>"

    def to_dict(self) -> Json:
        """``safegen-backup/1``: what ``backup.json`` says."""
        return {
            "format": FORMAT,
            "made": self.made,
            "safegen": __version__,
            "origin": self.origin,
            "size": self.size,
            "checkpoint": self.checkpoint,
            "files": [{"path": f.path, "sha256": f.sha256, "bytes": f.size} for f in self.files],
            "notes": list(self.notes),
        }


def require_text(folder: Path) -> None:
    """Refuse (UsageError) a folder whose name no database can be opened by: bytes that are not UTF-8."""
    try:
        str(folder.absolute()).encode()
    except UnicodeEncodeError as error:
        raise UsageError(f"the name of {folder} is not UTF-8", hint="name another folder") from error


def back_up(workspace: Workspace, folder: Path, *, clock: Clock = utc_now) -> Backup:
    """Make a backup of *workspace* in *folder*, which MUST NOT exist; others may go on using the workspace.

    It contains the keys, and what held requests and clips wait for a person: it is for its owner alone
    (0700). Raises UsageError (*folder* exists, there is no ledger), GateFailed (the ledger fails its check),
    LedgerError, KeyUnavailable, WorkspaceError; nothing is left then.
    """
    from safegen.workspace.session import require_ledger

    workspace.require_trusted()
    require_ledger(workspace)
    require_text(folder)
    if os.path.lexists(folder):
        raise UsageError(f"{folder} exists", hint="name a new folder: a backup never overwrites anything")
    partial = folder.with_name(f".{folder.name}.{secrets.token_hex(6)}.partial")
    try:
        partial.mkdir(mode=0o700)
        seen = _seen_so_far(workspace)  # before the copy, which others may be writing past
        notes = tuple(_copy_files(workspace, partial))
        _copy_ledger(workspace, partial / LEDGER)
        note, head = _take_newest_checkpoint(partial)
        _check(workspace, partial, seen)
        made = clock().isoformat(timespec="seconds")
        backup = Backup(folder, head.origin, head.size, note, made, tuple(_listed(partial)), notes)
        write_durable(partial / MANIFEST, json.dumps(backup.to_dict(), indent=2).encode() + b"\n")
        partial.rename(folder)
        sync_folder(folder.absolute().parent)
    except OSError as error:
        raise WorkspaceError(
            f"the backup cannot be written: {error.strerror}", hint="check the folder and the free space"
        ) from error
    finally:
        shutil.rmtree(partial, ignore_errors=True)
    return backup


def _copy_files(workspace: Workspace, target: Path) -> Iterator[str]:
    """Copy settings, keys, checkpoints, trust, and what is held; notes about what is left out."""
    from safegen.keys.files import locked_folder

    root, config = workspace.root, workspace.config
    secret = config.signing_passphrase_file
    passphrase_file = None if secret is None else Path(os.path.normpath(secret))
    wanted = [root / CONFIG_NAME]
    for given in (config.signing_chain, config.signing_key):
        if given is None:
            continue
        named = Path(os.path.normpath(given))
        if named.is_relative_to(root):
            wanted.append(named)
        else:
            yield f"{named} lies outside the workspace and is not in the backup"
    with ExitStack() as stack:
        if workspace.keys.is_dir():
            stack.enter_context(locked_folder(workspace.keys))
        for name in FOLDERS:
            wanted += sorted((root / name).rglob("*"))
        for path in dict.fromkeys(wanted):
            if path.is_symlink():
                yield f"{path.relative_to(root)} is a link and is not in the backup"
            elif path == passphrase_file:
                yield f"{path.relative_to(root)} opens the signing key and is not in the backup"
            elif path.is_file() and path.name != ".lock" and not path.name.endswith(".tmp"):
                copy_private(path, target / path.relative_to(root))


def copy_private(source: Path, target: Path) -> None:
    """Copy a file's bytes and time, for its owner alone, synced; its folders are made (0700). OSError."""
    for folder in reversed(target.parents):
        if not folder.exists():
            folder.mkdir(mode=0o700)
    descriptor = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with source.open("rb") as old, os.fdopen(descriptor, "wb") as new:
        shutil.copyfileobj(old, new, 1 << 20)
        new.flush()
        os.fsync(new.fileno())
        status = os.fstat(old.fileno())
    os.utime(target, ns=(status.st_atime_ns, status.st_mtime_ns))


def _copy_ledger(workspace: Workspace, target: Path) -> None:
    """The whole ledger as a SQLite file, as it is at one moment."""
    from safegen.ledger import copying

    url = workspace.ledger_url
    if url.startswith(_SQLITE):
        os.close(os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
        copying.copy_sqlite(Path(url.removeprefix(_SQLITE)), target)
        return
    source = copying.open_database(url, read_only=True)
    made = copying.open_database(f"{_SQLITE}{target}", read_only=False)
    try:
        with copying.snapshot(source) as rows:
            copying.copy_rows(rows, made)
    finally:
        source.close()
        made.close()
    target.with_name(f"{target.name}-journal").unlink(missing_ok=True)  # empty: everything is committed


def _take_newest_checkpoint(folder: Path) -> tuple[str, Checkpoint]:
    """The newest checkpoint of the copied ledger, put among the copied checkpoints as well."""
    from safegen.ledger.checkpoint_folder import CheckpointFolder
    from safegen.workspace.own_ledger import newest_checkpoint

    note, head = newest_checkpoint(f"{_SQLITE}{folder / LEDGER}")
    outside = CheckpointFolder(folder / "checkpoints")
    known = outside.latest(head.origin)
    if known is None or known.claim.size < head.size:
        outside.append(note)
    return note, head


def _seen_so_far(workspace: Workspace) -> Checkpoint | None:
    """The newest checkpoint of the log that this user has seen."""
    from safegen.workspace.own_ledger import LogIdentity
    from safegen.workspace.session import seen_checkpoints

    known = seen_checkpoints(workspace)
    latest = None if known is None else known.latest(LogIdentity.load(workspace.keys).origin)
    return None if latest is None else latest.claim


def _check(workspace: Workspace, folder: Path, seen: Checkpoint | None) -> None:
    """``log check`` of the copy, with the copied keys and checkpoints, and what was *seen* before."""
    from safegen.errors import GateFailed
    from safegen.workspace.own_ledger import check_ledger_at, extends

    url = f"{_SQLITE}{folder / LEDGER}"
    check_ledger_at(url, Workspace(folder, workspace.source, workspace.config), remember=False)
    if seen is not None and not extends(url, seen):
        raise GateFailed(
            f"the ledger does not contain what its checkpoint of {seen.size} entries states",
            hint="it was rolled back or changed, and nothing was backed up; `safegen log check` says more",
        )


def _listed(folder: Path) -> Iterator[BackupFile]:
    """Every file of the backup, by path."""
    for path in sorted(p for p in folder.rglob("*") if p.is_file()):
        name = PurePosixPath(path.relative_to(folder)).as_posix()
        yield BackupFile(name, file_sha256(path), path.stat().st_size)
