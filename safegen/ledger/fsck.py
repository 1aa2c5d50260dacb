"""``check``: recompute the ledger from its entries up and list every inconsistency.

The order of trust: checkpoints outside the database, then those in it, then the entries. Reading goes in
pages with a transaction each, so that a long check never keeps writers waiting; entries added meanwhile
are left for the next check.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from sqlalchemy import Row, func, select

from safegen.ledger import queries
from safegen.ledger.canonical import NotCanonical, commitment, parse_leaf
from safegen.ledger.checkpoint_folder import CheckpointFolder, FoundCheckpoint
from safegen.ledger.database import Database
from safegen.ledger.fsck_checkpoints import (
    ExpectedLog,
    check_checkpoints,
    check_coverage,
    check_origin,
    parse_stored,
)
from safegen.ledger.fsck_releases import check_releases
from safegen.ledger.fsck_timestamps import RecomputedTree, check_stamps
from safegen.ledger.merkle import EMPTY_ROOT, Frontier, leaf_hash, node_id
from safegen.ledger.models import CheckpointRow, EntryRow, NodeRow, OutboxRow, SecretRow, as_bytes, table
from safegen.ledger.records import CheckReport, Problem
from safegen.ledger.timestamp import list_stamp_files
from safegen.types import Json

_ENTRY, _SECRET, _NODE, _CHECKPOINT = table(EntryRow), table(SecretRow), table(NodeRow), table(CheckpointRow)
_OUTBOX = table(OutboxRow)
_PAGE = 1000
_MOST = 100
"""Problems listed; a wrecked ledger need not fill the memory."""


class _Check:
    """One run: collects problems and what the pages have shown."""

    def __init__(self, database: Database, size: int) -> None:
        self.database, self.size = database, size
        self.problems: list[Problem] = []
        self.notes: list[str] = []
        self.redacted = 0
        self._gone: dict[str, int] = {}
        self._redactions: set[str] = set()
        self.roots: dict[int, bytes] = {0: EMPTY_ROOT}
        self.dated: dict[int, str] = {}
        self._last_time = ""
        self._pending: dict[int, bytes] = {}

    def add_problem(self, code: str, message: str, index: int | None = None) -> None:
        """Add a problem."""
        if len(self.problems) < _MOST:
            self.problems.append(Problem(code, message, index))

    def entries(self, wanted: set[int]) -> None:
        """Walk every entry; keep the roots of the tree sizes in *wanted*."""
        edge = Frontier()
        expected = 0
        for row in self._rows():
            while expected < row.position:
                self.add_problem("entry-missing", f"entry {expected} is missing", expected)
                if len(self.problems) >= _MOST:
                    return
                expected += 1
            expected = row.position + 1
            self._entry(row)
            self._nodes(edge, as_bytes(row.leaf))
            if edge.size in wanted:
                self.roots[edge.size] = edge.root()
                self.dated[edge.size] = str(row.time)
        if expected < self.size:
            self.add_problem(
                "entry-missing", f"{self.size - expected} entries at the end are missing", expected
            )
        self.roots[edge.size] = edge.root()
        self._compare_nodes()

    def redactions(self) -> None:
        """Only what an entry of the tree says was deleted may be missing, and it must be."""
        for index in sorted(self._gone[name] for name in self._gone.keys() - self._redactions):
            self.add_problem(
                "redaction-unrecorded",
                f"the private part of entry {index} is gone, but no entry records its redaction; if it was "
                f"redacted by an earlier version: safegen log redact {index}",
                index,
            )
        for name in sorted(self._redactions - self._gone.keys()):
            self.add_problem(
                "redaction-undone", f"the private part of entry {name} is there after its redaction"
            )

    def _rows(self) -> Iterator[Row[Any]]:
        """Entries with their secrets, in order, page by page."""
        last = -1
        columns = (*_ENTRY.c, _SECRET.c.salt, _SECRET.c.body, _SECRET.c.redacted)
        joined = _ENTRY.outerjoin(_SECRET, _SECRET.c.position == _ENTRY.c.position)
        while True:
            query = select(*columns).select_from(joined).order_by(_ENTRY.c.position)
            with self.database.reading() as connection:
                page = connection.execute(
                    query.where(_ENTRY.c.position > last, _ENTRY.c.position < self.size).limit(_PAGE)
                ).all()
            yield from page
            self._compare_nodes()
            if len(page) < _PAGE:
                return
            last = page[-1].position

    def _entry(self, row: Row[Any]) -> None:
        """The entry by itself: its form, its columns, its private part."""
        try:
            value = parse_leaf(as_bytes(row.leaf))
        except NotCanonical as error:
            self.add_problem("entry-corrupt", f"entry {row.position}: {error}", row.position)
            return
        if (row.kind, row.time) != (value["kind"], value["time"]):
            self.add_problem(
                "entry-columns", f"the columns of entry {row.position} were changed", row.position
            )
        self._time(value, row.position)
        if value["kind"] == "redaction":
            self._redactions.add(str(value["public"].get("entry")))
        if row.redacted is not None and row.salt is None and row.body is None:
            self.redacted += 1
            self._gone[str(row.position)] = row.position
        elif row.salt is None or row.body is None:
            self.add_problem(
                "private-missing", f"the private part of entry {row.position} is missing", row.position
            )
        elif commitment(as_bytes(row.salt), as_bytes(row.body)) != value["commitment"]:
            self.add_problem(
                "private-changed", f"the private part of entry {row.position} was changed", row.position
            )

    def _time(self, value: Json, index: int) -> None:
        """Clocks are set back now and then: worth a note, not a problem."""
        if value["time"] < self._last_time and len(self.notes) < _MOST:
            self.notes.append(f"entry {index} is dated before its predecessor")
        self._last_time = value["time"]

    def _nodes(self, edge: Frontier, leaf: bytes) -> None:
        """Grow the recomputed tree; its nodes are compared with the stored ones once per page."""
        for node, value in edge.append(leaf_hash(leaf)):
            self._pending[node_id(node)] = value

    def _compare_nodes(self) -> None:
        """Stored nodes of the last page against the recomputed ones."""
        pending, self._pending = self._pending, {}
        if not pending:
            return
        low, high = min(pending), max(pending)
        query = select(_NODE.c.id, _NODE.c.hash).where(_NODE.c.id >= low, _NODE.c.id <= high)
        with self.database.reading() as connection:
            stored = {row.id: as_bytes(row.hash) for row in connection.execute(query)}
        bad = sum(stored.get(key) != value for key, value in pending.items())
        if bad:
            self.add_problem("tree-changed", f"{bad} stored nodes of the tree do not match the entries")


def check_ledger(
    database: Database,
    outside: CheckpointFolder | None,
    expected: ExpectedLog,
    *,
    seen: FoundCheckpoint | None = None,
    authorities: Sequence[bytes] = (),
) -> CheckReport:
    """Check the ledger in *database* against itself, the checkpoints *outside* and the newest one *seen*.

    The keys of *expected* may sign for its origin and *authorities* (PEM) for time stamps. Without a key that
    is a problem, without an authority a note. Raises LedgerError when the database cannot be read at all.
    """
    pages = database.check_pages()
    with database.reading() as connection:
        stated, size = queries.log_state(connection)
        notes = connection.execute(select(_CHECKPOINT.c.note)).scalars().all()
        last = connection.execute(select(func.max(_ENTRY.c.position))).scalar()
    run = _Check(database, max(size, 0 if last is None else last + 1))
    for line in pages:
        run.add_problem("database-corrupt", f"the database file is damaged: {line}")
    if run.size != size:
        run.add_problem("size-changed", f"the ledger states {size} entries but has {run.size}")
    check_origin(stated, size, expected, run.add_problem)
    stored = parse_stored(notes, run.add_problem)
    kept = list(outside.all()) if outside is not None else []
    also = [] if seen is None else [seen]
    stamps = list_stamp_files(outside.folder) if outside is not None else []
    run.entries({item.claim.size for item in (*stored, *kept, *also)} | {size for size, _ in stamps})
    run.redactions()
    with database.reading() as connection:
        after = queries.log_state(connection)[1]

    def genuine(found: Sequence[FoundCheckpoint]) -> list[FoundCheckpoint]:
        return check_checkpoints(found, expected, run.roots, run.size, after, run.add_problem)

    inside, beside = genuine(stored), genuine(kept)
    genuine(also)
    run.notes.extend(check_coverage(inside, None if outside is None else beside, run.size, run.add_problem))
    for name in outside.unreadable() if outside is not None else ():
        run.add_problem("checkpoint-unreadable", f"{name} holds no checkpoint that could be checked")
    if waiting := _unsettled(database):
        run.notes.append(f"{waiting} recorded releases are not yet published")
    origin = expected.origin or stated
    check_stamps(
        stamps,
        RecomputedTree(origin, after, run.roots, run.dated),
        authorities,
        run.add_problem,
        run.notes.append,
    )
    check_releases(database, run.size, run.add_problem)
    return CheckReport(
        origin,
        run.size,
        run.roots.get(run.size, b"").hex(),
        len(stored) + len(kept),
        run.redacted,
        tuple(run.problems),
        tuple(run.notes),
        len(stamps),
    )


def _unsettled(database: Database) -> int:
    """Releases between record and publication: under way, or left by a killed process."""
    with database.reading() as connection:
        query = select(func.count()).select_from(_OUTBOX).where(_OUTBOX.c.state == "recorded")
        return int(connection.execute(query).scalar() or 0)
