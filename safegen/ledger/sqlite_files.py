"""Files beside a SQLite database, looked at before SQLite does.

A rollback journal may name a *super-journal*, which SQLite removes after rolling back, wherever it lies; and
a journal that is a link is truncated where the link leads. A ledger uses one database at a time and makes
plain files only, so neither is ever its own: somebody has put it there.
"""

from __future__ import annotations

import os
import stat
from pathlib import Path

from safegen.errors import LedgerError

_MAGIC = bytes.fromhex("d9d505f920a163d7")
"""Ends a journal that names a super-journal (sqlite.org/fileformat2.html, section 3)."""
_HINT = "remove that file if you know where it comes from, then run `safegen log check`"


def require_own_files(path: Path) -> None:
    """Refuse (LedgerError) a database at *path* whose companions could lead SQLite to other files."""
    for suffix in ("-journal", "-wal", "-shm"):
        beside = path.with_name(path.name + suffix)
        status = _lstat(beside)
        if status is None:
            continue
        if not stat.S_ISREG(status.st_mode) or status.st_nlink > 1:
            raise LedgerError(f"{beside} is not a plain file", hint=_HINT)
        if suffix == "-journal" and _names_another(beside):
            raise LedgerError(f"{beside} names a file outside the ledger", hint=_HINT)
    status = _lstat(path)
    if status is not None and stat.S_ISLNK(status.st_mode) and path.exists() and not path.stat().st_size:
        raise LedgerError(f"{path} is a link to an empty file", hint="remove the link, or that file")


def _lstat(path: Path) -> os.stat_result | None:
    try:
        return path.lstat()
    except OSError:
        return None


def _names_another(journal: Path) -> bool:
    """Whether the journal ends with the name of a super-journal. One that cannot be read counts as if."""
    try:
        with journal.open("rb") as file:
            size = file.seek(0, os.SEEK_END)
            file.seek(max(0, size - len(_MAGIC)))
            return file.read() == _MAGIC and size > len(_MAGIC)
    except FileNotFoundError:
        return False
    except OSError:
        return True
