"""One writing transaction of the ledger: entries, their tree nodes, and the checkpoint over them."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, insert, select, update

from safegen._util.logs import logger, waiting
from safegen._util.time import Clock
from safegen.errors import LedgerError, UsageError
from safegen.ledger import merkle, queries, tree
from safegen.ledger.canonical import SALT_BYTES, NotCanonical, canonical, commitment, make_leaf, timestamp
from safegen.ledger.checkpoint import Checkpoint, sign_checkpoint
from safegen.ledger.database import consistent
from safegen.ledger.merkle import ReadNodes
from safegen.ledger.models import (
    BlobRow,
    CheckpointRow,
    EntryRow,
    ReleaseRow,
    SecretRow,
    StateRow,
    table,
    to_signed,
)
from safegen.ledger.note import LogSigner
from safegen.ledger.records import Draft, Entry, Kind, ReleaseRecord
from safegen.types import Json

_log = logger(__name__)

_STATE, _ENTRY, _SECRET = table(StateRow), table(EntryRow), table(SecretRow)
_BLOB, _RELEASE, _CHECKPOINT = table(BlobRow), table(ReleaseRow), table(CheckpointRow)
_RESERVED = frozenset(
    f"{name}_sha256" for name in ("manifest", "manifest_json", "descriptors", "attributes")
) | {"sha256", "bytes", "manifest_id", "content_id", "watermark_alg", "sidecars"}


class Transaction:
    """Appends entries; made by ``Ledger.transaction``. ``connection`` may carry rows of the caller's own."""

    def __init__(
        self,
        connection: Connection,
        *,
        signer: LogSigner,
        clock: Clock,
        random: Callable[[int], bytes],
        known: Callable[[], Sequence[Checkpoint]],
    ) -> None:
        """Lock the log and make sure that it still extends the checkpoints that *known* gives."""
        self.connection = connection
        self._signer, self._clock, self._random = signer, clock, random
        with waiting(_log, "another process that is writing to the ledger"):
            row = connection.execute(select(_STATE).with_for_update()).first()
        if row is None:
            raise LedgerError("the ledger has lost its state", hint="restore it from a copy")
        if not row.origin:
            connection.execute(update(_STATE).values(origin=signer.origin))
        elif row.origin != signer.origin:
            raise LedgerError(
                f"this ledger belongs to the log {row.origin}, but the key is for {signer.origin}",
                hint="use the workspace whose keys created this ledger",
            )
        if not queries.is_index(row.size):
            raise LedgerError("the ledger has lost its state", hint="restore it from a copy")
        self.size: int = row.size
        self._start = self.size
        with consistent():
            self._edge = tree.frontier(connection, self.size)
            self._note: str | None = None
            for claim in known():
                refuse_behind(claim, self.size, tree.nodes_in(connection))

    def append(self, drafts: Sequence[Draft]) -> list[int]:
        """Add entries in order; returns their indices. Raises UsageError for what cannot be recorded."""
        entries, secrets, leaves = [], [], []
        for index, draft in enumerate(drafts, self.size):
            salt, time = self._random(SALT_BYTES), timestamp(self._clock())
            try:
                body = canonical(draft.private)
            except NotCanonical as error:
                raise UsageError(f"the private part cannot be recorded: {error}") from error
            leaf = make_leaf(draft.kind, time, draft.public, commitment(salt, body))
            entries.append({"position": index, "kind": draft.kind, "time": time, "leaf": leaf})
            secrets.append({"position": index, "salt": salt, "body": body})
            leaves.append(leaf)
        if entries:
            self.connection.execute(insert(_ENTRY), entries)
            self.connection.execute(insert(_SECRET), secrets)
            tree.append_leaves(self.connection, self._edge, leaves)
            self._note = None
        self.size += len(entries)
        return list(range(self.size - len(entries), self.size))

    def release(
        self, record: ReleaseRecord, *, sha256: str, size: int, sidecars: Sequence[Mapping[str, Any]] = ()
    ) -> int:
        """Add a release of the file with hash *sha256* (hex) and *size* bytes; returns its index.

        *sidecars* are JSON objects about files released with it. Raises UsageError when a value is out
        of range or ``record.public`` uses a reserved name.
        """
        if clash := _RESERVED & set(record.public):
            raise UsageError(f"the public part of a release may not set {', '.join(sorted(clash))}")
        if not 0 <= record.content_id < 2**64:
            raise UsageError("a content id must have 64 bits")
        blobs = {
            "manifest": record.manifest,
            "manifest_json": _json_bytes(record.manifest_json),
            "descriptors": record.descriptors,
            "attributes": _json_bytes([dict(item) for item in record.attributes]),
        }
        hashes = {name: hashlib.sha256(data).hexdigest() for name, data in blobs.items()}
        self._store({hashes[name]: data for name, data in blobs.items()})
        public: Json = {
            **record.public,
            "sha256": sha256,
            "bytes": size,
            "manifest_id": record.manifest_id,
            "content_id": content_id_text(record.content_id),
            "watermark_alg": record.watermark_alg,
            "sidecars": [dict(item) for item in sidecars],
            **{f"{name}_sha256": value for name, value in hashes.items()},
        }
        (index,) = self.append([Draft("release", public, record.private)])
        self.connection.execute(
            insert(_RELEASE).values(
                position=index,
                sha256=sha256,
                manifest_id=record.manifest_id,
                content_id=to_signed(record.content_id),
                watermark_alg=record.watermark_alg,
                **hashes,
            )
        )
        return index

    def entry(self, index: int) -> Entry:
        """Entry *index*, checked against the tree. Raises UsageError (there is none), LedgerError."""
        found = queries.entry(self.connection, index)
        self._in_tree([found])
        return found

    def following(self, kind: Kind, after: int) -> list[Entry]:
        """Every entry of *kind* above index *after*, in order, each checked against the tree."""
        found = queries.entries_after(self.connection, kind, after)
        self._in_tree(found)
        if any(entry.kind != kind for entry in found):
            raise LedgerError("an entry's kind was changed", hint="run `safegen log check`")
        return found

    def private(self, index: int) -> Json | None:
        """The private part of entry *index*, as its commitment has it; ``None`` if none or redacted."""
        return queries.private(self.connection, index)

    def _in_tree(self, entries: Sequence[Entry]) -> None:
        """Refuse entries that were changed or put in beside the tree."""
        root = self._edge.root()
        for entry in entries:
            if entry.index >= self.size or not tree.includes_leaf(
                self.connection, entry.index, entry.leaf, self.size, root
            ):
                raise LedgerError(
                    f"entry {entry.index} differs from the one in the tree",
                    hint="run `safegen log check`; restore the ledger from a copy",
                )

    def withdraw(self, index: int, reason: str, *, by: int | None = None) -> int:
        """Add the withdrawal of release *index*; returns the withdrawal's index. Raises UsageError.

        *by* is the release that replaces it.
        """
        row = self.connection.execute(
            select(_RELEASE.c.sha256, _RELEASE.c.withdrawn).where(_RELEASE.c.position == index)
        ).first()
        if row is None:
            raise UsageError(f"entry {index} is not a release", hint="see `safegen log list --kind release`")
        if row.withdrawn is not None:
            return int(row.withdrawn)
        public: Json = {"release": index, "sha256": row.sha256, "reason": reason}
        if by is not None:
            public["superseded_by"] = self._replacement(index, by)
        (at,) = self.append([Draft("withdrawal", public)])
        self.connection.execute(update(_RELEASE).where(_RELEASE.c.position == index).values(withdrawn=at))
        return at

    def _replacement(self, old: int, new: int) -> Json:
        """What a withdrawal says about the release *new* that replaces *old*. Raises UsageError."""
        query = select(_RELEASE.c.manifest_id, _RELEASE.c.withdrawn).where(_RELEASE.c.position == new)
        row = self.connection.execute(query).first()
        if row is None or new == old or row.withdrawn is not None:
            raise UsageError(
                f"entry {new} cannot replace release {old}", hint="name another release that is not withdrawn"
            )
        return {"release": new, "manifest_id": row.manifest_id}

    def redact(self, index: int) -> None:
        """Delete salt and private part of entry *index* and add the entry that records it, once.

        Raises UsageError when there is no such entry, LedgerError.
        """
        if self.entry(index).kind == "redaction":
            raise UsageError(f"entry {index} records a redaction and has no private part")
        recorded = any(e.public.get("entry") == index for e in self.following("redaction", index))
        if not recorded:
            self.append([Draft("redaction", {"entry": index})])
        self.connection.execute(
            update(_SECRET)
            .where(_SECRET.c.position == index, _SECRET.c.salt.is_not(None))
            .values(salt=None, body=None, redacted=timestamp(self._clock()))
        )

    def _store(self, blobs: Mapping[str, bytes]) -> None:
        """Keep bytes under their hashes, once."""
        query = select(_BLOB.c.sha256).where(_BLOB.c.sha256.in_(list(blobs)))
        there = set(self.connection.execute(query).scalars())
        fresh = [{"sha256": digest, "data": data} for digest, data in blobs.items() if digest not in there]
        if fresh:
            self.connection.execute(insert(_BLOB), fresh)

    def prove(self, index: int) -> str:
        """The offline proof of entry *index* under a checkpoint over everything appended so far."""
        note = self.finish(sign=True)
        if note is None:
            raise LedgerError("the checkpoint was not created")
        leaf = queries.entry(self.connection, index).leaf
        return tree.prove(self.connection, index, leaf, note)

    def finish(self, *, sign: bool = False) -> str | None:
        """Write size and signed checkpoint; returns its note (``None``: nothing added, no *sign*)."""
        if self.size == self._start:
            if not sign:
                return None
            stored = select(_CHECKPOINT.c.note).where(_CHECKPOINT.c.size == self.size)
            self._note = self.connection.execute(stored).scalar()
        if self._note is None:
            self._note = sign_checkpoint(self._signer, self.size, self._edge.root())
            self.connection.execute(insert(_CHECKPOINT).values(size=self.size, note=self._note))
            self.connection.execute(update(_STATE).where(_STATE.c.id == 1).values(size=self.size))
        return self._note


def refuse_behind(seen: Checkpoint, size: int, nodes: ReadNodes) -> None:
    """Refuse to grow a log of *size* entries that does not begin with the tree *seen*: it would be forked.

    Raises LedgerError.
    """
    if seen.size == 0 or (seen.size <= size and merkle.root(seen.size, nodes) == seen.root):
        return
    raise LedgerError(
        f"the ledger does not contain what its checkpoint of {seen.size} entries states",
        hint="the ledger was rolled back or changed: restore the newest copy; `safegen log check` says more. "
        "Where that copy is lost, go on in a new workspace: continuing this one would fork its log",
    )


def content_id_text(content_id: int) -> str:
    """A 64-bit payload as the ledger writes it: 16 hex digits."""
    return f"{content_id:016x}"


def _json_bytes(value: Any) -> bytes:
    """JSON with sorted keys; not canonical, because c2pa's reader may give large integers."""
    try:
        return json.dumps(value, sort_keys=True, ensure_ascii=False, allow_nan=False).encode()
    except (TypeError, ValueError) as error:
        raise UsageError(f"a part of the release has no JSON form: {error}") from error
