"""Read entries and releases."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, Row, Select, select

from safegen.errors import LedgerError, UsageError
from safegen.ledger.canonical import NotCanonical, commitment, parse_leaf
from safegen.ledger.checkpoint import MAX_SIZE
from safegen.ledger.models import (
    RELEASE_BLOBS,
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
_CORRUPT = "run `safegen log check`; restore the ledger from a copy"
_SHA256 = re.compile(r"[0-9a-f]{64}")
_CONTENT_ID = re.compile(r"[0-9a-f]{16}")


def log_state(connection: Connection) -> tuple[str, int]:
    """The log's origin ("" before the first entry) and its number of entries. Raises LedgerError."""
    rows = connection.execute(select(_STATE.c.origin, _STATE.c.size)).all()
    if len(rows) != 1 or not isinstance(rows[0].origin, str) or not is_index(rows[0].size):
        raise LedgerError("the ledger has lost its state", hint=_CORRUPT)
    return rows[0].origin, rows[0].size


def is_index(value: object) -> bool:
    """Whether a stored value can be the number of an entry: SQLite keeps any type a tamperer writes."""
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= MAX_SIZE


def to_entry(index: int, leaf: bytes) -> Entry:
    """Parse a stored leaf. Raises LedgerError when it is not one."""
    if not is_index(index):
        raise LedgerError("an entry of the ledger has no number", hint=_CORRUPT)
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


def entries_between(connection: Connection, start: int, end: int, *, limit: int) -> list[Entry]:
    """At most *limit* entries of ``[start, end)``, in order."""
    query = select(_ENTRY.c.position, _ENTRY.c.leaf).order_by(_ENTRY.c.position).limit(limit)
    query = query.where(_ENTRY.c.position >= start, _ENTRY.c.position < end)
    return [to_entry(row.position, row.leaf) for row in connection.execute(query)]


def leaves_between(connection: Connection, start: int, end: int) -> list[tuple[int, bytes]]:
    """(position, leaf) of entries ``[start, end)`` in order, not parsed."""
    query = select(_ENTRY.c.position, _ENTRY.c.leaf).order_by(_ENTRY.c.position)
    query = query.where(_ENTRY.c.position >= start, _ENTRY.c.position < end)
    return [(row.position, as_bytes(row.leaf)) for row in connection.execute(query)]


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
    try:
        value = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise LedgerError(f"the private part of entry {index} is corrupt", hint=_CORRUPT) from error
    if value is not None and not isinstance(value, dict):
        raise LedgerError(f"the private part of entry {index} is corrupt", hint=_CORRUPT)
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
    values = rows.scalars().all()
    if not all(isinstance(value, int) for value in values):
        raise LedgerError("the details of a release were changed", hint=_CORRUPT)
    return tuple(to_unsigned(value) for value in values)


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
    note = connection.execute(query.order_by(_CHECKPOINT.c.size.desc()).limit(1)).scalar()
    if note is not None and not isinstance(note, str):
        raise LedgerError("a checkpoint in the database is malformed", hint=_CORRUPT)
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
    details = release_details(found)
    withdrawn = row.withdrawn
    if withdrawn is not None and not is_index(withdrawn):
        raise LedgerError(f"the withdrawal of release {found.index} was changed", hint=_CORRUPT)
    parts = {name: details[f"{name}_sha256"] for name in RELEASE_BLOBS}
    data = blobs(connection, list(parts.values()))
    return ReleaseEntry(
        entry=found,
        sha256=details["sha256"],
        manifest_id=details["manifest_id"],
        content_id=int(details["content_id"], 16),
        watermark_alg=details["watermark_alg"],
        manifest=data[parts["manifest"]],
        manifest_json=_parsed(data[parts["manifest_json"]], dict, found.index),
        descriptors=data[parts["descriptors"]],
        attributes=tuple(_parsed(data[parts["attributes"]], list, found.index)),
        withdrawn=withdrawn,
    )


def release_details(found: Entry) -> dict[str, str]:
    """The members of a release's public part that one searches by or that name its blobs.

    Raises LedgerError when the entry is no release, or lacks one.
    """
    public = found.public
    names = ("sha256", "manifest_id", "content_id", "watermark_alg", *(f"{n}_sha256" for n in RELEASE_BLOBS))
    details = {name: public.get(name) for name in names}
    hashes = (value for name, value in details.items() if name.endswith("sha256"))
    if (
        found.kind != "release"
        or not all(isinstance(value, str) for value in details.values())
        or not all(_SHA256.fullmatch(str(value)) for value in hashes)
        or not _CONTENT_ID.fullmatch(str(details["content_id"]))
    ):
        raise LedgerError(f"entry {found.index} is not what the record of a release is", hint=_CORRUPT)
    return {name: str(value) for name, value in details.items()}


def release_columns(connection: Connection, index: int) -> dict[str, str]:
    """The columns of release *index* under the names that its entry has for them. Raises LedgerError."""
    row = connection.execute(select(_RELEASE).where(_RELEASE.c.position == index)).first()
    if row is None or not isinstance(row.content_id, int):
        raise LedgerError(f"the details of release {index} are missing", hint=_CORRUPT)
    return {
        "sha256": row.sha256,
        "manifest_id": row.manifest_id,
        "content_id": f"{to_unsigned(row.content_id):016x}",
        "watermark_alg": row.watermark_alg,
        **{f"{name}_sha256": getattr(row, name) for name in RELEASE_BLOBS},
    }


def _parsed(data: bytes, shape: type, index: int) -> Any:
    """The JSON of a blob, which must be a *shape*. Raises LedgerError."""
    try:
        value = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise LedgerError(f"what is stored with release {index} is corrupt", hint=_CORRUPT) from error
    if not isinstance(value, shape):
        raise LedgerError(f"what is stored with release {index} is corrupt", hint=_CORRUPT)
    return value
