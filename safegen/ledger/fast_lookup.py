"""Fast look-up of one release in a SQLite ledger with the standard library, without SQLAlchemy's half second.

Only a short cut: it answers None whenever anything is unusual (another schema, a locked file, an
unfinished transaction, several releases), and then the ledger itself is asked.
"""

from __future__ import annotations

import sqlite3
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

_QUERY = (
    "SELECT r.position, e.leaf, r.withdrawn FROM ledger_release r "
    "JOIN ledger_entry e ON e.position = r.position WHERE r.manifest_id = ? LIMIT 2"
)


@dataclass(frozen=True)
class FastRelease:
    """A release as it stands in the ledger: index, canonical leaf, whether it was withdrawn."""

    index: int
    leaf: bytes
    withdrawn: bool


def lookup_release(database: Path, manifest_id: str) -> FastRelease | None:
    """The one release of *manifest_id* in the ledger at *database*; None if the ledger must be asked."""
    journal = database.with_name(database.name + "-journal")
    try:
        if journal.exists() and journal.stat().st_size:
            return None
        address = f"file:{quote(str(database))}?mode=ro"
        with closing(sqlite3.connect(address, uri=True, timeout=1)) as connection:
            rows = connection.execute(_QUERY, (manifest_id,)).fetchall()
    except (sqlite3.Error, OSError):
        return None
    if len(rows) != 1:
        return None
    index, leaf, withdrawn = rows[0]
    if not isinstance(index, int) or not isinstance(leaf, bytes):
        return None
    return FastRelease(index, leaf, withdrawn is not None)
