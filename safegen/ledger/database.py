"""Everything specific to a database: engines, locks, error texts, schema.

SQLite is used with a rollback journal (``journal_mode=TRUNCATE``, ``synchronous=FULL``), not WAL. WAL
commits about twice as fast, but a reader of a WAL database has to create or write ``-shm`` and ``-wal``
files beside it; with a rollback journal the ledger is one file, ``verify`` opens it without writing a
byte, also from a read-only medium, and batches (``append_many``) make up for the speed. In this mode
FULL also syncs the journal's truncation, so an acknowledged commit survives a power cut.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote

from sqlalchemy import Connection, Engine, create_engine, event, inspect, text
from sqlalchemy.exc import ArgumentError, DBAPIError, NoSuchModuleError

from safegen._util.logs import logger, waiting
from safegen.errors import LedgerError, UsageError
from safegen.ledger.sqlite_files import require_own_files

_log = logger(__name__)

SCHEMA = "0001"
"""The newest migration this code knows; a test compares it with the migrations themselves."""
_SQLITE = "sqlite:///"
MOVED = "ledger_state_moved"
"""What the table ``ledger_state`` is called in a database from which the ledger was moved away."""
_ELSEWHERE = (
    "this ledger was moved to another database",
    "use the one that `url` under [ledger] in safegen.toml names, and start running programs again",
)
_RESTORE = "restore it from a copy, together with the checkpoints; see what is wrong with `safegen log check`"


class Database:
    """Engine plus the two ways in: ``reading()`` and ``writing()``, each one transaction.

    A ``writing()`` transaction excludes other writers from its first statement on. Every database
    error becomes LedgerError. Safe to use from several threads; do not carry it across ``fork``.
    """

    def __init__(self, url: str, *, read_only: bool, timeout: float) -> None:
        """Prepare for *url*; *timeout*: seconds to wait for writers. Raises UsageError."""
        self.path = Path(url.removeprefix(_SQLITE)) if url.startswith(_SQLITE) else None
        self.read_only = read_only
        if self.path is None and url.startswith("sqlite"):
            raise UsageError(f"not a usable ledger URL: {url}", hint="write sqlite:////folder/ledger.db")
        if self.path is not None:
            self.engine = _sqlite_engine(self.path, read_only, timeout)
        else:
            self.engine = _server_engine(url, read_only, timeout)

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """A transaction that only reads. Raises LedgerError, also for stored values that make no sense."""
        with errors(), consistent(), self.engine.connect() as connection, connection.begin():
            yield connection

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """A transaction that writes; rolled back when the block raises. Raises LedgerError."""
        if self.read_only:
            raise LedgerError("the ledger was opened read-only")
        with (
            errors(),
            self.engine.connect().execution_options(safegen_write=True) as connection,
            connection.begin(),
        ):
            yield connection

    def prepare(self) -> None:
        """Create or upgrade the schema where writing is allowed; otherwise only check that it is known.

        Raises LedgerError for a missing, foreign or corrupt database and for a newer schema.
        """
        if self.path is not None and not self.path.exists():
            if self.read_only:
                raise LedgerError(f"there is no ledger at {self.path}", hint="check --workspace")
            _create_private(self.path)
        self._refuse_half_written()
        with self.reading() as connection:
            version = stored_version(connection)
        if version == SCHEMA:
            return
        if version is not None and version > SCHEMA:
            raise LedgerError(
                f"the ledger has schema {version}; this safegen supports schema {SCHEMA}",
                hint="upgrade safegen",
            )
        if self.read_only:
            if version is None:
                raise LedgerError("this is not a safegen ledger", hint="check the path")
            raise LedgerError(
                f"the ledger has schema {version}, older than this safegen's {SCHEMA}",
                hint="run a command that writes, such as `safegen generate`, to upgrade it",
            )
        from safegen.ledger.migrations import upgrade

        with self.writing() as connection:
            upgrade(connection)

    def _refuse_half_written(self) -> None:
        """A writer died in mid-commit: only a writer can roll its journal back."""
        if self.path is None or not self.read_only:
            return
        try:
            with self.path.with_name(f"{self.path.name}-journal").open("rb") as journal:
                hot = any(journal.read(8))
        except OSError:
            return
        if hot and not self._writer_lives():
            raise LedgerError(
                "a safegen process stopped half-way through writing to the ledger",
                hint="run a command that writes, such as `safegen generate`, to repair it",
            )

    def _writer_lives(self) -> bool:
        """Whether a living writer holds the journal: then waiting is right."""
        try:
            with self.reading() as connection:
                connection.execute(text("SELECT count(*) FROM sqlite_master"))
        except LedgerError as error:
            return "another safegen" in str(error)
        return True

    def check_pages(self) -> list[str]:
        """What the database itself finds wrong with its pages (SQLite ``quick_check``); empty when sound."""
        if self.path is None:
            return []
        with self.reading() as connection:
            found = [str(row[0]) for row in connection.execute(text("PRAGMA quick_check(10)"))]
        return [line for line in found if line != "ok"]

    def close(self) -> None:
        """Close every connection."""
        self.engine.dispose()


def stored_version(connection: Connection) -> str | None:
    """The schema's revision; ``None`` for an empty database. Raises LedgerError for a foreign one."""
    tables = set(inspect(connection).get_table_names())
    if MOVED in tables:
        raise LedgerError(_ELSEWHERE[0], hint=_ELSEWHERE[1])
    if "alembic_version" not in tables:
        if tables:
            raise LedgerError("this database belongs to another program", hint="check the ledger's URL")
        return None
    version: str | None = connection.execute(text("SELECT version_num FROM alembic_version")).scalar()
    if version is not None and not (isinstance(version, str) and version.isdecimal()):
        raise LedgerError("the ledger does not state which schema it has", hint=_RESTORE)
    if version is not None and "ledger_state" not in tables:
        raise LedgerError("this database belongs to another program", hint="check the ledger's URL")
    return version


def _create_private(path: Path) -> None:
    """An empty file only its owner may read. SQLite gives its journal the same mode."""
    try:
        os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))
    except OSError as error:
        raise LedgerError(
            f"the ledger {path} cannot be created: {error.strerror}",
            hint="check the folder and its permissions",
        ) from error


def _sqlite_engine(path: Path, read_only: bool, timeout: float) -> Engine:
    """Engine on a SQLite file, whatever characters its name has."""
    uri = f"file:{quote(str(path.absolute()))}?mode={'ro' if read_only else 'rw'}"

    def connect() -> sqlite3.Connection:
        require_own_files(path)
        raw = sqlite3.connect(uri, uri=True, timeout=timeout, isolation_level=None, check_same_thread=False)
        raw.execute("PRAGMA foreign_keys=ON")
        if not read_only:
            raw.execute("PRAGMA journal_mode=TRUNCATE")
            raw.execute("PRAGMA synchronous=FULL")
            raw.execute("PRAGMA secure_delete=ON")
        return raw

    engine = create_engine("sqlite://", creator=connect)

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        """IMMEDIATE takes the write lock at once: two writers wait for each other, never deadlock."""
        writes = connection.get_execution_options().get("safegen_write", False)
        with waiting(_log, "another process that is writing to the ledger"):
            connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")

    return engine


def _server_engine(url: str, read_only: bool, timeout: float) -> Engine:
    """Engine on a database server (PostgreSQL); writers queue on the row of ``ledger_state``."""
    try:
        engine = create_engine(url, pool_pre_ping=True)
    except (ArgumentError, NoSuchModuleError, ImportError) as error:
        raise UsageError(
            f"the ledger URL cannot be used: {error}",
            hint="use sqlite:////path/ledger.db, or postgresql+psycopg://... with psycopg installed",
        ) from error
    if engine.dialect.name == "postgresql":

        @event.listens_for(engine, "connect")
        def connected(raw: Any, _record: object) -> None:
            with raw.cursor() as cursor:
                cursor.execute(f"SET lock_timeout = {int(timeout * 1000)}")
                cursor.execute(f"SET default_transaction_read_only = {'on' if read_only else 'off'}")
            raw.commit()

    return engine


_TEXTS = (
    ("no such table: ledger_state", *_ELSEWHERE),
    ('relation "ledger_state" does not exist', *_ELSEWHERE),
    ("locked", "another safegen process is writing to the ledger", "wait for it to finish, then try again"),
    (
        "lock timeout",
        "another safegen process is writing to the ledger",
        "wait for it to finish, then try again",
    ),
    ("not a database", "the ledger is not a SQLite database", _RESTORE),
    ("malformed", "the ledger is corrupt", _RESTORE),
    ("disk is full", "the disk is full: nothing was recorded", "free some space, then try again"),
    ("readonly", "the ledger cannot be written", "check the permissions of the file and its folder"),
    (
        "unable to open",
        "the ledger cannot be opened",
        "check its path and permissions, and that it is a file",
    ),
    ("connection", "the database server cannot be reached", "check the server and the ledger's URL"),
    ("disk i/o error", "the disk reported an error", "check the disk, then run `safegen log check`"),
)


@contextmanager
def consistent() -> Iterator[None]:
    """Turn what stored values of a wrong kind lead to into a LedgerError: a database is foreign data."""
    try:
        yield
    except (LookupError, TypeError, ValueError, AttributeError, ArithmeticError, RecursionError) as error:
        raise LedgerError("what is stored in the ledger does not fit together", hint=_RESTORE) from error


@contextmanager
def errors() -> Iterator[None]:
    """Turn any database error into a LedgerError that says what to do."""
    try:
        yield
    except (DBAPIError, sqlite3.Error) as error:
        reason = str(getattr(error, "orig", None) or error).strip()
        lowered = reason.lower()
        for needle, message, hint in _TEXTS:
            if needle in lowered:
                raise LedgerError(message, hint=hint) from error
        line = reason.splitlines()[0] if reason else type(error).__name__
        raise LedgerError(f"the ledger's database failed: {line}", hint=_RESTORE) from error
