"""Fast look-up of one release in a SQLite ledger with the standard library, without SQLAlchemy's half second.

Only a short cut: it answers None whenever anything is unusual (another schema, a locked file, an
unfinished transaction, several releases, anything that is not proven), and then the ledger itself is asked.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote

from safegen.errors import LedgerError
from safegen.ledger.checkpoint import verify_checkpoint
from safegen.ledger.merkle import Node, node_id
from safegen.ledger.proven import MOST_LATER, proven_withdrawal, require_extension

if TYPE_CHECKING:
    from safegen.ledger.checkpoint import Checkpoint, Logs

_QUERY = (
    "SELECT r.position, e.leaf, r.withdrawn FROM ledger_release r "
    "JOIN ledger_entry e ON e.position = r.position WHERE r.manifest_id = ? LIMIT 2"
)
_HEAD = "SELECT note FROM ledger_checkpoint ORDER BY size DESC LIMIT 1"
_LEAVES = "SELECT position, leaf FROM ledger_entry WHERE position >= ? ORDER BY position"


@dataclass(frozen=True)
class FastRelease:
    """A release as the ledger proves it: index, canonical leaf, whether it was withdrawn."""

    index: int
    leaf: bytes
    withdrawn: bool


def lookup_release(
    database: Path, manifest_id: str, logs: Logs, seen: Sequence[Checkpoint] = ()
) -> FastRelease | None:
    """The one release of *manifest_id* in the ledger at *database*; None if the ledger must be asked.

    What is answered follows from the newest checkpoint, which a key of *logs* must have signed and which must
    extend every one of *seen*: also that nothing later withdraws the release.
    """
    journal = database.with_name(database.name + "-journal")
    try:
        if journal.exists() and journal.stat().st_size:
            return None
        address = f"file:{quote(str(database))}?mode=ro"
        with closing(sqlite3.connect(address, uri=True, timeout=1)) as connection:
            return _lookup(connection, manifest_id, logs, seen)
    except (sqlite3.Error, OSError, LedgerError, ValueError, TypeError, LookupError):
        return None


def _lookup(
    connection: sqlite3.Connection, manifest_id: str, logs: Logs, seen: Sequence[Checkpoint]
) -> FastRelease | None:
    """``lookup_release`` on an open database; raises where something does not fit."""
    connection.execute("BEGIN")
    rows = connection.execute(_QUERY, (manifest_id,)).fetchall()
    if len(rows) != 1:
        return None
    index, leaf, withdrawn = rows[0]
    if not isinstance(index, int) or not isinstance(leaf, bytes):
        return None
    (note,) = connection.execute(_HEAD).fetchone()
    if not isinstance(note, str):
        return None
    head = verify_checkpoint(note, logs=logs)
    if head.size - index > MOST_LATER:
        return None

    def nodes(wanted: Sequence[Node]) -> Mapping[Node, bytes]:
        query = "SELECT hash FROM ledger_node WHERE id = ?"
        return {node: bytes(connection.execute(query, (node_id(node),)).fetchone()[0]) for node in wanted}

    def leaves(start: int) -> Iterator[tuple[int, bytes]]:
        return iter(connection.execute(_LEAVES, (start,)))

    require_extension(head, seen, nodes)
    proven = proven_withdrawal(head, index, leaf, nodes=nodes, leaves_after=leaves)
    return FastRelease(index, leaf, proven is not None) if proven == withdrawn else None
