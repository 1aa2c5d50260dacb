"""Read entries and releases."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, Row, Select, select

from safegen.errors import LedgerError, UsageError
from safegen.ledger.canonical import NotCanonical, commitment, parse_leaf
from safegen.ledger.models import (
    BlobRow,
    CheckpointRow,
    EntryRow,
    ReleaseRow,
    SecretRow,
    StateRow,
    as_bytes,
    table,
    to_signed,
    to_unsigned,
)
from safegen.ledger.records import Entry, Kind, ReleaseEntry
from safegen.types import Json

_STATE, _ENTRY, _SECRET = table(StateRow), table(EntryRow), table(SecretRow)
_BLOB, _RELEASE, _CHECKPOINT = table(BlobRow), table(ReleaseRow), table(CheckpointRow)
_BLOBS = ("manifest", "manifest_json", "descriptors", "attributes")
_CORRUPT = "run `safegen log check`; restore the ledger from a copy"


def log_state(connection: Connection) -> tuple[str, int]:
    """The log's origin ("" before the first entry) and its number of entries."""
    row = connection.execute(select(_STATE.c.origin, _STATE.c.size)).first()
    return (row.origin, row.size) if row is not None else ("", 0)


def to_entry(index: int, leaf: bytes) -> Entry:
    """Parse a stored leaf. Raises LedgerError when it is not one."""
    try:
        value = parse_leaf(as_bytes(leaf))
    except NotCanonical as error:
        raise LedgerError(f"entry {index} of the ledger is corrupt: {error}", hint=_CORRUPT) from error
    return Entry(index, value["kind"], value["time"], value["public"], value["commitment"], as_bytes(leaf))


def entry(connection: Connection, index: int) -> Entry:
    """Entry number *index* (from 0). Raises UsageError when there is none, LedgerError when corrupt."""
    row = connection.execute(select(_ENTRY.c.leaf).where(_ENTRY.c.position == index)).first()
    if row is None:
        raise UsageError(f"the ledger has no entry {index}", hint="see `safegen log list`")
    return to_entry(index, row.leaf)


def entries(
    connection: Connection, *, kind: Kind | None = None, limit: int = 100, before: int | None = None
) -> list[Entry]:
    """The newest entries first: at most *limit*, of *kind*, with an index below *before*."""
    query = select(_ENTRY.c.position, _ENTRY.c.leaf).order_by(_ENTRY.c.position.desc()).limit(limit)
    if kind is not None:
        query = query.where(_ENTRY.c.kind == kind)
    if before is not None:
        query = query.where(_ENTRY.c.position < before)
    return [to_entry(row.position, row.leaf) for row in connection.execute(query)]


def entries_between(connection: Connection, start: int, end: int) -> list[Entry]:
    """Entries ``[start, end)`` in order."""
    query = select(_ENTRY.c.position, _ENTRY.c.leaf).order_by(_ENTRY.c.position)
    query = query.where(_ENTRY.c.position >= start, _ENTRY.c.position < end)
    return [to_entry(row.position, row.leaf) for row in connection.execute(query)]


def entries_after(connection: Connection, kind: Kind, after: int) -> list[Entry]:
    """Every entry of *kind* with an index above *after*, in order."""
    query = select(_ENTRY.c.position, _ENTRY.c.leaf).order_by(_ENTRY.c.position)
    query = query.where(_ENTRY.c.kind == kind, _ENTRY.c.position > after)
    return [to_entry(row.position, row.leaf) for row in connection.execute(query)]


def private(connection: Connection, index: int) -> Json | None:
    """The private part of an entry; ``None`` when it has none or was redacted.

    Raises UsageError when there is no such entry, LedgerError when it is not what the entry commits to.
    """
    found = entry(connection, index)
    row = connection.execute(select(_SECRET).where(_SECRET.c.position == index)).first()
    if row is None or row.salt is None:
        return None
    body = as_bytes(row.body)
    if commitment(as_bytes(row.salt), body) != found.commitment:
        raise LedgerError(f"the private part of entry {index} was changed", hint=_CORRUPT)
    value: Json | None = json.loads(body)
    return value


def find_releases(
    connection: Connection,
    *,
    sha256: str | None = None,
    manifest_id: str | None = None,
    content_id: int | None = None,
    limit: int = 16,
) -> tuple[ReleaseEntry, ...]:
    """Releases that match every criterion given, newest first. Raises UsageError without any."""
    query = _releases().order_by(_RELEASE.c.position.desc()).limit(limit)
    if sha256 is None and manifest_id is None and content_id is None:
        raise UsageError("give a file hash, a manifest id or a content id to find")
    if sha256 is not None:
        query = query.where(_RELEASE.c.sha256 == sha256.lower())
    if manifest_id is not None:
        query = query.where(_RELEASE.c.manifest_id == manifest_id)
    if content_id is not None:
        if not 0 <= content_id < 2**64:
            return ()
        query = query.where(_RELEASE.c.content_id == to_signed(content_id))
    found = tuple(_release(connection, row) for row in connection.execute(query).all())
    for item in found:
        if (
            (sha256 is not None and item.sha256 != sha256.lower())
            or (manifest_id is not None and item.manifest_id != manifest_id)
            or (content_id is not None and item.content_id != content_id)
        ):
            raise LedgerError(f"the details of release {item.index} were changed", hint=_CORRUPT)
    return found


def release(connection: Connection, index: int) -> ReleaseEntry:
    """The release that is entry *index*. Raises UsageError when it is not a release."""
    row = connection.execute(_releases().where(_RELEASE.c.position == index)).first()
    if row is None:
        raise UsageError(f"entry {index} is not a release", hint="see `safegen log list --kind release`")
    return _release(connection, row)


def content_ids(connection: Connection) -> tuple[int, ...]:
    """The 64-bit payloads of all releases, withdrawn ones included, in no order (read from the index)."""
    rows = connection.execute(select(_RELEASE.c.content_id))
    return tuple(to_unsigned(value) for value in rows.scalars())


def descriptors(connection: Connection, start: int, limit: int) -> list[tuple[int, bytes]]:
    """(index, content descriptors) of at most *limit* releases from index *start* on, where there are any."""
    query = (
        select(_RELEASE.c.position, _BLOB.c.data)
        .join(_BLOB, _BLOB.c.sha256 == _RELEASE.c.descriptors)
        .where(_RELEASE.c.position >= start)
        .order_by(_RELEASE.c.position)
        .limit(limit)
    )
    return [(row.position, as_bytes(row.data)) for row in connection.execute(query)]


def latest_checkpoint(connection: Connection, least: int = 0) -> str | None:
    """The signed checkpoint of the largest tree with at least *least* entries."""
    query = select(_CHECKPOINT.c.note).where(_CHECKPOINT.c.size >= least)
    note: str | None = connection.execute(query.order_by(_CHECKPOINT.c.size.desc()).limit(1)).scalar()
    return note


def blobs(connection: Connection, digests: Sequence[str]) -> dict[str, bytes]:
    """The stored bytes by SHA-256 (hex). Raises LedgerError when one is missing or changed."""
    query = select(_BLOB).where(_BLOB.c.sha256.in_(digests))
    found = {row.sha256: as_bytes(row.data) for row in connection.execute(query)}
    if any(hashlib.sha256(found.get(digest, b"!")).hexdigest() != digest for digest in digests):
        raise LedgerError("a stored manifest or descriptor is missing or was changed", hint=_CORRUPT)
    return found


def _releases() -> Select[Any]:
    return select(_RELEASE, _ENTRY.c.leaf).join(_ENTRY, _ENTRY.c.position == _RELEASE.c.position)


def _release(connection: Connection, row: Row[Any]) -> ReleaseEntry:
    """Build the value. The blobs are those that the *entry* names, not the ones the row points to."""
    found = to_entry(row.position, row.leaf)
    public = found.public
    parts = {name: public[f"{name}_sha256"] for name in _BLOBS}
    data = blobs(connection, list(parts.values()))
    attributes: Sequence[Json] = json.loads(data[parts["attributes"]])
    return ReleaseEntry(
        entry=found,
        sha256=public["sha256"],
        manifest_id=public["manifest_id"],
        content_id=int(public["content_id"], 16),
        watermark_alg=public["watermark_alg"],
        manifest=data[parts["manifest"]],
        manifest_json=json.loads(data[parts["manifest_json"]]),
        descriptors=data[parts["descriptors"]],
        attributes=tuple(attributes),
        withdrawn=row.withdrawn,
    )
