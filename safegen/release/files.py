"""Moves on the file system that the release protocol is made of.

Nothing here ever replaces an existing name unless told to, follows a symbolic link, or leaves a name whose
content is not on the disk yet.
"""

from __future__ import annotations

import ctypes
import errno
import hashlib
import os
import stat
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from safegen._util.files import sync_folder
from safegen.errors import ReleaseFailed, UsageError
from safegen.release.folder import HANDLES, Folder, open_folder

TEMPORARY = ".safegen-tmp"
_NO_LINKS = {errno.EPERM, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS, errno.EMLINK}
_FULL = {errno.ENOSPC, errno.EDQUOT}
_DENIED = {errno.EACCES, errno.EPERM, errno.EROFS}
_WINDOWS = sys.platform == "win32"
# Windows syncs only what is open for writing.
_SYNCABLE: int = os.O_RDWR | getattr(os, "O_BINARY", 0) if _WINDOWS else os.O_RDONLY | os.O_NOFOLLOW


@dataclass(frozen=True)
class HashedFile:
    """A file as it was hashed: SHA-256 (hex), bytes, and the identity that shows whether it changed since."""

    sha256: str
    size: int
    identity: tuple[int, int, int, int]


@contextmanager
def translate_os_errors(what: str) -> Iterator[None]:
    """Turn OSError into ReleaseFailed that says what to do; *what* names the step."""
    try:
        yield
    except OSError as error:
        if error.errno in _FULL:
            message, hint = f"the disk is full while {what}", "free some space, then try again"
        elif error.errno in _DENIED:
            message, hint = f"permission denied while {what}: {error.filename}", "choose another folder"
        else:
            message, hint = f"{what} failed: {error.strerror or error}", "check the folder, then try again"
        raise ReleaseFailed(message, hint=hint) from error


def check_destination(path: Path, *, overwrite: bool) -> None:
    """Refuse a final name that cannot be used. Raises UsageError."""
    folder = path.parent
    try:
        str(path).encode()
    except UnicodeEncodeError as error:
        raise UsageError(f"{path!r} is not valid Unicode", hint="choose another name") from error
    if not folder.is_dir():
        raise UsageError(f"there is no folder {folder}", hint=f"create it first: mkdir -p {folder}")
    if not path.name or path.name.startswith(TEMPORARY):
        raise UsageError(f"{path} is not a usable file name")
    try:
        status = path.lstat()
    except FileNotFoundError:
        status = None
    except (OSError, ValueError) as error:
        raise UsageError(f"{path} cannot be used: {error}", hint="choose another name") from error
    if status is not None and stat.S_ISDIR(status.st_mode):
        raise UsageError(f"{path} is a folder", hint="give a file name")
    if status is not None and not overwrite:
        raise UsageError(f"{path} exists", hint="choose another name, or allow overwriting with --force")
    if not os.access(folder, os.W_OK | os.X_OK):
        raise UsageError(f"the folder {folder} cannot be written", hint="choose another folder")


def make_job_folder(folder: Path, job: str) -> Path:
    """``<folder>/.safegen-tmp/<job>``, 0700. Raises UsageError if .safegen-tmp is not a folder of our own."""
    base = folder / TEMPORARY
    for _ in range(100):
        with suppress(FileExistsError):
            base.mkdir(mode=0o700)
        try:
            status = base.lstat()
            foreign = hasattr(os, "geteuid") and status.st_uid != os.geteuid()
            if not stat.S_ISDIR(status.st_mode) or foreign or (os.name != "nt" and status.st_mode & 0o022):
                raise UsageError(
                    f"{base} is not a private folder owned by you", hint="remove it, or choose another folder"
                )
            (base / job).mkdir(mode=0o700)
        except FileNotFoundError:
            continue  # another job has just removed the empty folder
        return base / job
    raise OSError(errno.EBUSY, "the folder for temporary files keeps disappearing", str(base))


def sync_and_hash(path: Path) -> HashedFile:
    """fsync a regular file and hash what it holds. Raises OSError; UsageError for links and the like."""
    descriptor = os.open(path, _SYNCABLE)
    with os.fdopen(descriptor, "rb") as file:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise UsageError(f"{path} is not a regular file")
        os.fsync(descriptor)
        digest = hashlib.file_digest(file, "sha256").hexdigest()
        status = os.fstat(descriptor)
    return HashedFile(digest, status.st_size, _identity(status))


def is_unchanged(path: Path, hashed: HashedFile) -> bool:
    """Whether *path* is still the file that was hashed."""
    try:
        return _identity(path.lstat()) == hashed.identity
    except FileNotFoundError:
        return False


def remove_job_folder(path: Path) -> None:
    """Remove what ``make_job_folder`` made, and the common folder once it is empty."""
    with open_folder(path.parent.parent.resolve()) as folder:
        with folder.private(path.parent.name) as base:
            if base is not None:
                base.remove_tree(path.name)
        folder.remove_empty(path.parent.name)


def write_synced(folder: Folder, name: str, data: bytes) -> None:
    """Create *name* (0644 less umask) with *data* on the disk, in place of an older one."""
    folder.write(name, data)


def place_file(
    source: Folder,
    temporary: str,
    target: Folder,
    final: str,
    *,
    overwrite: bool,
    placeholder: Callable[[], None],
) -> None:
    """Give *temporary* in *source* the name *final* in *target*, at once and whole.

    Raises FileExistsError when the name is taken and *overwrite* is false. Without hard links: a rename
    that refuses to replace; without that too, *placeholder* is called (so that recovery knows), then the
    name is taken by an empty file and replaced.
    """
    if overwrite:
        _replace(source, temporary, target, final)
        return
    try:
        handles = {"src_dir_fd": source.handle, "dst_dir_fd": target.handle}
        os.link(source.named(temporary), target.named(final), follow_symlinks=not HANDLES, **handles)
        return
    except OSError as error:
        if error.errno not in _NO_LINKS or isinstance(error, FileExistsError):
            raise
    if rename_without_replacing(source, temporary, target, final):
        return
    placeholder()
    target.take(final)
    _replace(source, temporary, target, final)


def _replace(source: Folder, temporary: str, target: Folder, final: str) -> None:
    handles = {"src_dir_fd": source.handle, "dst_dir_fd": target.handle}
    os.replace(source.named(temporary), target.named(final), **handles)  # noqa: PTH105


def rename_without_replacing(source: Folder, temporary: str, target: Folder, final: str) -> bool:
    """Rename without replacing, where the system can (Linux ``renameat2``); ``False`` where it cannot.

    Raises OSError, FileExistsError among them.
    """
    if sys.platform == "win32":
        source.named(temporary).rename(target.named(final))  # refuses to replace
        return True
    try:
        call = ctypes.CDLL(None, use_errno=True).renameat2
    except (AttributeError, OSError):
        return False
    here, no_replace = -100, 1  # AT_FDCWD, RENAME_NOREPLACE
    old, new = (
        (here if folder.handle is None else folder.handle, os.fsencode(folder.named(name)))
        for folder, name in ((source, temporary), (target, final))
    )
    if call(*old, *new, no_replace) == 0:
        return True
    number = ctypes.get_errno()
    if number in {errno.EINVAL, errno.ENOSYS, errno.ENOTSUP}:
        return False
    raise OSError(number, os.strerror(number), str(source.path / temporary), None, str(target.path / final))


def _identity(status: os.stat_result) -> tuple[int, int, int, int]:
    """What tells one state of a file from another."""
    return (status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns)


__all__ = [
    "TEMPORARY",
    "HashedFile",
    "check_destination",
    "is_unchanged",
    "make_job_folder",
    "place_file",
    "remove_job_folder",
    "rename_without_replacing",
    "sync_and_hash",
    "sync_folder",
    "translate_os_errors",
    "write_synced",
]
