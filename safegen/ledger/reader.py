"""The read-only half of the ledger: queries, proofs, the check."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from types import TracebackType
from typing import TYPE_CHECKING

from safegen.errors import LedgerError, UsageError
from safegen.ledger import merkle, queries, tree
from safegen.ledger.checkpoint import Checkpoint
from safegen.ledger.checkpoint_folder import CheckpointFolder
from safegen.ledger.database import Database, consistent
from safegen.ledger.note import LogSigner
from safegen.ledger.records import CheckReport, Entry, Kind, ReleaseEntry
from safegen.ledger.seen import SeenCheckpoints, heads_seen
from safegen.types import Json

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

_PAGE = 1000


class LedgerReader:
    """The queries an open ledger answers. Every method raises LedgerError when the database fails."""

    def __init__(
        self,
        database: Database,
        *,
        signer: LogSigner | None,
        outside: CheckpointFolder | None,
        seen: SeenCheckpoints | None,
    ) -> None:
        """Use ``Ledger.open``."""
        self.database, self.signer, self.checkpoint_folder, self.seen = database, signer, outside, seen

    def close(self) -> None:
        """Close the database."""
        self.database.close()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close."""
        self.close()

    # --- asking -------------------------------------------------------------------------------

    @property
    def origin(self) -> str:
        """The log's origin; "" for an empty ledger opened without a signer."""
        with self.database.reading() as connection:
            stored = queries.log_state(connection)[0]
        return stored or (self.signer.origin if self.signer else "")

    def __len__(self) -> int:
        """Number of entries."""
        with self.database.reading() as connection:
            return queries.log_state(connection)[1]

    def entry(self, index: int) -> Entry:
        """Entry *index*. Raises UsageError when there is none."""
        with self.database.reading() as connection:
            return queries.entry(connection, index)

    def private(self, index: int) -> Json | None:
        """The private part of entry *index*, its commitment checked; ``None`` if none or redacted."""
        with self.database.reading() as connection:
            return queries.private(connection, index)

    def entries(self, kind: Kind | None = None, limit: int = 100, before: int | None = None) -> list[Entry]:
        """The newest entries first, of *kind*, with an index below *before*, at most *limit*."""
        with self.database.reading() as connection:
            return queries.entries(connection, kind=kind, limit=limit, before=before)

    def find_releases(
        self, *, sha256: str | None = None, manifest_id: str | None = None, content_id: int | None = None
    ) -> tuple[ReleaseEntry, ...]:
        """Releases that match every criterion given, newest first, withdrawn ones too (at most 16)."""
        with self.database.reading() as connection:
            return queries.find_releases(
                connection, sha256=sha256, manifest_id=manifest_id, content_id=content_id
            )

    def release(self, index: int) -> ReleaseEntry:
        """The release that is entry *index*. Raises UsageError when it is none."""
        with self.database.reading() as connection:
            return queries.release(connection, index)

    def proven_release(self, index: int, *, keys: Sequence[Ed25519PublicKey], origin: str) -> ReleaseEntry:
        """Release *index* as the log *origin* has signed it with one of *keys*, whatever the database says.

        Its columns and blobs are those that its entry names, the entry is in the tree of the newest
        checkpoint, which extends every checkpoint seen before, and whether it was withdrawn follows from the
        tree as well. Takes time in proportion to the number of later entries. Raises LedgerError when
        anything is not shown.
        """
        from safegen.ledger.proven_release import prove_release

        seen = self._seen(keys, origin)
        return prove_release(self.database, index, keys=keys, origin=origin, seen=seen)

    def _seen(self, keys: Sequence[Ed25519PublicKey], origin: str) -> list[Checkpoint]:
        """The newest checkpoints outside the database that count, read before the database is."""
        return heads_seen(self.checkpoint_folder, self.seen, keys=keys, origin=origin)

    def content_ids(self) -> tuple[int, ...]:
        """The 64-bit payloads of all releases, withdrawn ones included, in no particular order."""
        with self.database.reading() as connection:
            return queries.content_ids(connection)

    def descriptors(self, start: int = 0) -> Iterator[tuple[int, bytes]]:
        """(index, content descriptors) of every release from entry *start* on, oldest first, page by page."""
        while True:
            with self.database.reading() as connection:
                page = queries.descriptors(connection, start, _PAGE)
            yield from page
            if len(page) < _PAGE:
                return
            start = page[-1][0] + 1

    def export(self) -> Iterator[Json]:
        """Every entry in order as one JSON object (index, then the leaf's members): lines of a JSONL file."""
        start, size = 0, len(self)
        while start < size:
            with self.database.reading() as connection:
                page = queries.entries_between(connection, start, size, limit=_PAGE)
            for entry in page:
                yield {
                    "index": entry.index,
                    "kind": entry.kind,
                    "time": entry.time,
                    "public": entry.public,
                    "commitment": entry.commitment,
                }
            if len(page) < _PAGE:
                return
            start = page[-1].index + 1

    # --- proving ------------------------------------------------------------------------------

    def latest_checkpoint(self) -> str | None:
        """The newest signed checkpoint stored; ``None`` for an empty ledger."""
        with self.database.reading() as connection:
            return queries.latest_checkpoint(connection)

    def prove(self, index: int) -> str:
        """A ``c2sp.org/tlog-proof@v1`` that entry *index* is in the log, up to the newest checkpoint.

        Raises UsageError when there is no such entry, LedgerError when tree and checkpoint disagree.
        """
        with self.database.reading() as connection:
            leaf = queries.entry(connection, index).leaf
            note = queries.latest_checkpoint(connection, index + 1)
            if note is None:
                raise LedgerError("no checkpoint covers this entry", hint="run `safegen log check`")
            return tree.prove(connection, index, leaf, note)

    def checkpoint_including(self, index: int, leaf: bytes, size: int) -> str | None:
        """The text of the checkpoint over the first *size* entries, if *leaf* is number *index* of them."""
        if not index < size <= len(self):
            return None
        with self.database.reading() as connection:
            root = merkle.root(size, tree.nodes_in(connection))
            if not tree.includes_leaf(connection, index, leaf, size, root):
                return None
        return Checkpoint(self.origin, size, root).text

    def prove_consistency(self, old: int, new: int) -> tuple[bytes, ...]:
        """RFC 6962 consistency proof between the trees of *old* and *new* entries (0 < old <= new)."""
        if not 0 < old <= new <= len(self):
            raise UsageError(f"no consistency proof from {old} to {new} entries")
        with self.database.reading() as connection:
            return merkle.carry_out(merkle.consistency_plan(old, new), tree.nodes_in(connection))

    def root(self, size: int) -> bytes:
        """Root of the first *size* entries."""
        with self.database.reading() as connection:
            return merkle.root(size, tree.nodes_in(connection))

    def check(
        self,
        *,
        keys: Sequence[Ed25519PublicKey] = (),
        origin: str | None = None,
        authorities: Sequence[bytes] = (),
    ) -> CheckReport:
        """Recompute everything from the entries up and list every problem; see ``ledger.fsck``.

        *origin* and *keys*: whose log it should be (default: the signer's, whose key always counts) and what
        may sign for it. What the database says of itself is not believed, so without them that is a problem.
        *authorities*: PEM certificates that vouch for time stamps. A check that finds nothing is remembered.
        """
        from safegen.ledger.fsck import check_ledger
        from safegen.ledger.fsck_checkpoints import ExpectedLog

        if origin is None and self.signer is not None:
            origin = self.signer.origin
        own = (self.signer.public_key,) if self.signer and self.signer.origin == origin else ()
        seen = None if self.seen is None or origin is None else self.seen.latest(origin)
        note = self.latest_checkpoint()
        with consistent():
            report = check_ledger(
                self.database,
                self.checkpoint_folder,
                ExpectedLog(origin, (*own, *keys)),
                seen=seen,
                authorities=authorities,
            )
        if report.ok and note is not None and self.seen is not None:
            self.seen.remember(note)
        return report
