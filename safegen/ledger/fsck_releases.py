"""The part of ``check`` about releases: rows and blobs against the entries that the tree protects."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from typing import Any, Protocol

from sqlalchemy import Row, select

from safegen.ledger.canonical import NotCanonical, parse_leaf
from safegen.ledger.database import Database
from safegen.ledger.models import (
    RELEASE_BLOBS,
    BlobRow,
    EntryRow,
    OutboxRow,
    ReleaseRow,
    as_bytes,
    table,
    to_unsigned,
)
from safegen.ledger.transaction import content_id_text
from safegen.types import Json

_ENTRY, _RELEASE, _BLOB = table(EntryRow), table(ReleaseRow), table(BlobRow)
_OUTBOX = table(OutboxRow)
_PAGE = 200


class AddProblem(Protocol):
    """Takes a problem."""

    def __call__(self, code: str, message: str, index: int | None = None) -> None:
        """Note the problem."""


def check_releases(database: Database, size: int, add_problem: AddProblem) -> None:
    """Compare releases, withdrawals and blobs among the first *size* entries; report to *add_problem*."""
    withdrawals: dict[int, int] = {}
    marked: dict[int, int] = {}
    for row in _rows(database, size):
        try:
            public: Json = parse_leaf(as_bytes(row.leaf))["public"]
        except NotCanonical:
            continue  # said already, by the walk over the entries
        if row.kind == "withdrawal":
            if isinstance(released := public.get("release"), int):
                withdrawals.setdefault(released, row.number)
        elif row.position is None:
            add_problem("release-missing", f"the details of release {row.number} are missing", row.number)
        else:
            # A withdrawal written while this check runs is the next check's business.
            if row.withdrawn is not None and not (isinstance(row.withdrawn, int) and row.withdrawn >= size):
                marked[row.number] = row.withdrawn
            _release(row, public, add_problem)
    for index in (i for i in {*withdrawals, *marked} if withdrawals.get(i) != marked.get(i)):
        add_problem("withdrawal-changed", f"the withdrawal of release {index} was changed", index)
    _extra_rows(database, add_problem)
    _blobs(database, add_problem)


def _rows(database: Database, size: int) -> Iterator[Row[Any]]:
    """Releases and withdrawals in order with their release rows, if any."""
    joined = _ENTRY.outerjoin(_RELEASE, _RELEASE.c.position == _ENTRY.c.position)
    columns = (_ENTRY.c.position.label("number"), _ENTRY.c.kind, _ENTRY.c.leaf, *_RELEASE.c)
    query = select(*columns).select_from(joined).where(_ENTRY.c.kind.in_(("release", "withdrawal")))
    start = -1
    while True:
        with database.reading() as connection:
            page = connection.execute(
                query.where(_ENTRY.c.position > start, _ENTRY.c.position < size)
                .order_by(_ENTRY.c.position)
                .limit(_PAGE)
            ).all()
        yield from page
        if len(page) < _PAGE:
            return
        start = page[-1].number


def _release(row: Row[Any], public: Json, add_problem: AddProblem) -> None:
    """The columns one searches by against the entry."""
    same = (
        row.sha256 == public.get("sha256")
        and row.manifest_id == public.get("manifest_id")
        and content_id_text(to_unsigned(row.content_id)) == public.get("content_id")
        and row.watermark_alg == public.get("watermark_alg")
        and all(getattr(row, name) == public.get(f"{name}_sha256") for name in RELEASE_BLOBS)
    )
    if not same:
        add_problem("release-changed", f"the details of release {row.number} were changed", row.number)


def _extra_rows(database: Database, add_problem: AddProblem) -> None:
    """Rows about entries that are not releases."""
    for source in (_RELEASE, _OUTBOX):
        query = (
            select(source.c.position)
            .select_from(source.outerjoin(_ENTRY, _ENTRY.c.position == source.c.position))
            .where(_ENTRY.c.kind.is_(None) | (_ENTRY.c.kind != "release"))
            .limit(_PAGE)
        )
        with database.reading() as connection:
            found = connection.execute(query).scalars().all()
        for index in found:
            add_problem(
                "release-invented",
                f"{source.name} has a row for entry {index}, which is not a release",
                index,
            )


def _blobs(database: Database, add_problem: AddProblem) -> None:
    """Every stored blob against its name, and every name that a release uses against the blobs."""
    last = ""
    while True:
        with database.reading() as connection:
            page = connection.execute(
                select(_BLOB).where(_BLOB.c.sha256 > last).order_by(_BLOB.c.sha256).limit(_PAGE)
            ).all()
        for row in page:
            if hashlib.sha256(as_bytes(row.data)).hexdigest() != row.sha256:
                add_problem("blob-changed", f"the stored bytes {row.sha256[:16]} were changed")
        if len(page) < _PAGE:
            break
        last = page[-1].sha256
    for name in RELEASE_BLOBS:
        column = _RELEASE.c[name]
        query = (
            select(_RELEASE.c.position)
            .select_from(_RELEASE.outerjoin(_BLOB, _BLOB.c.sha256 == column))
            .where(_BLOB.c.sha256.is_(None))
        )
        with database.reading() as connection:
            for index in connection.execute(query.limit(_PAGE)).scalars():
                add_problem("blob-missing", f"the {name} of release {index} is missing", index)
