"""Copying a whole ledger to another database, and closing the one that it was moved from.

Rows are copied as they are, table by table, so that entries, tree and checkpoints stay what they were and
every proof stays valid. ``log check`` before and after is the caller's part.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from urllib.parse import quote

from sqlalchemy import Connection, delete, func, insert, select, text

from safegen.errors import LedgerError, UsageError
from safegen.ledger.database import MOVED, Database, consistent, errors, stored_version
from safegen.ledger.models import Base, LeaseRow, OutboxRow, StateRow, table

_PART = 500
"""Rows that are in memory at a time."""


def open_database(url: str, *, read_only: bool) -> Database:
    """The database at *url*, as it is: its schema is neither made nor changed. Raises UsageError."""
    return Database(url, read_only=read_only, timeout=10.0)


def copy_sqlite(source: Path, target: Path) -> None:
    """A consistent copy of the SQLite file *source* while others go on using it. Raises LedgerError.

    Through SQLite's backup interface: a copy of the bytes could catch a transaction half-way.
    """
    address = f"file:{quote(str(source.absolute()))}?mode=ro"
    with (
        errors(),
        closing(sqlite3.connect(address, uri=True, timeout=30)) as old,
        closing(sqlite3.connect(target)) as new,
    ):
        old.backup(new)


def require_empty(database: Database) -> None:
    """Raise UsageError unless nothing is in *database* yet."""
    if database.path is not None:
        if database.path.exists():
            raise UsageError(f"{database.path} exists", hint="it is never overwritten: name another place")
        return
    try:
        with database.reading() as connection:
            empty = stored_version(connection) is None
    except LedgerError as error:
        if "server" in str(error):
            raise
        raise UsageError(f"the database cannot take the ledger: {error}", hint=_EMPTY) from error
    if not empty:
        raise UsageError("the database has a ledger already, which is never overwritten", hint=_EMPTY)


def require_settled(connection: Connection) -> None:
    """Raise UsageError while a release is on its way: its folder is leased, or it is not published yet."""
    leases = connection.execute(select(func.count()).select_from(table(LeaseRow))).scalar()
    outbox = table(OutboxRow)
    waiting = select(func.count()).select_from(outbox).where(outbox.c.state == "recorded")
    if leases or connection.execute(waiting).scalar():
        raise UsageError(
            "a release is under way or was interrupted",
            hint="let it finish; the next command that writes, such as `safegen log checkpoint`, clears up "
            "after one that was interrupted",
        )


@contextmanager
def frozen(database: Database) -> Iterator[Connection]:
    """A transaction in which nobody else can write to the ledger. Raises LedgerError."""
    with database.writing() as connection:
        connection.execute(select(table(StateRow)).with_for_update())
        yield connection


@contextmanager
def snapshot(database: Database) -> Iterator[Connection]:
    """A transaction that sees one state of the database, however long it reads. Raises LedgerError."""
    with errors(), consistent(), database.engine.connect() as connection:
        if database.path is None:
            connection = connection.execution_options(isolation_level="REPEATABLE READ")
        with connection.begin():
            yield connection


def copy_rows(source: Connection, target: Database) -> None:
    """Make the ledger that *source* reads in the empty database *target*: wholly, or not at all.

    Raises LedgerError, UsageError (*target* is not empty).
    """
    from safegen.ledger.migrations import upgrade

    require_empty(target)
    if target.path is not None:
        target.path.touch(mode=0o600)
    try:
        with target.writing() as connection:
            upgrade(connection)
            connection.execute(delete(table(StateRow)))
            for each in Base.metadata.sorted_tables:
                query = select(each).order_by(*each.primary_key.columns)
                found = source.execute(query, execution_options={"yield_per": _PART})
                for part in found.partitions():
                    connection.execute(insert(each), [dict(row._mapping) for row in part])
    except BaseException:
        if target.path is not None:
            target.close()
            target.path.unlink(missing_ok=True)
        raise


def close_for_good(connection: Connection) -> None:
    """Make the ledger that *connection* writes to one that nobody can open any more: it lives elsewhere now.

    Nothing is deleted. Whoever still has it open gets an error, so that no entry is lost in it.
    """
    connection.execute(text(f"ALTER TABLE {StateRow.__tablename__} RENAME TO {MOVED}"))


_EMPTY = "give an empty database"
