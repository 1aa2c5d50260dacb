"""The ledger: an append-only log in SQL with signed checkpoints inside and outside the database."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from safegen._util.logs import logger
from safegen._util.time import Clock, utc_now
from safegen.errors import KeyUnavailable, LedgerError, UsageError
from safegen.ledger import queries, tree
from safegen.ledger.checkpoint import Checkpoint
from safegen.ledger.checkpoint_folder import CheckpointFolder
from safegen.ledger.database import Database
from safegen.ledger.note import LogSigner
from safegen.ledger.reader import LedgerReader
from safegen.ledger.records import Draft, Kind
from safegen.ledger.seen import SeenCheckpoints
from safegen.ledger.transaction import Transaction, refuse_behind
from safegen.types import Json

_log = logger(__name__)


class Ledger(LedgerReader):
    """An open ledger, for reading and writing.

    Threads may share it; processes each open their own (not across ``fork``).

    Every method raises LedgerError when the database is locked for too long, corrupt or unwritable.
    """

    def __init__(
        self,
        database: Database,
        *,
        signer: LogSigner | None,
        checkpoint_dir: Path | None,
        seen: SeenCheckpoints | None,
        clock: Clock,
        random: Callable[[int], bytes],
    ) -> None:
        """Use ``Ledger.open``."""
        folder = CheckpointFolder(checkpoint_dir) if checkpoint_dir is not None else None
        super().__init__(database, signer=signer, outside=folder, seen=seen)
        self.clock, self._random = clock, random

    @classmethod
    def open(
        cls,
        url: str | Path,
        *,
        signer: LogSigner | None = None,
        checkpoint_dir: Path | None = None,
        seen: SeenCheckpoints | None = None,
        clock: Clock = utc_now,
        read_only: bool = False,
        timeout: float = 10.0,
        random: Callable[[int], bytes] = secrets.token_bytes,
    ) -> Ledger:
        """Open the ledger at *url* (SQLAlchemy URL or path of a SQLite file), creating it if need be.

        Without *signer* nothing can be appended. With *read_only* nothing on disk is created or
        changed. *checkpoint_dir* keeps checkpoints outside the database, *seen* the newest one outside the
        workspace. *timeout*: seconds to wait for other writers. Raises LedgerError for a bad URL.
        """
        address = f"sqlite:///{url}" if isinstance(url, Path) or "://" not in url else url
        database = Database(address, read_only=read_only, timeout=timeout)
        try:
            database.prepare()
        except BaseException:
            database.close()
            raise
        return cls(
            database,
            signer=signer,
            checkpoint_dir=checkpoint_dir,
            seen=seen,
            clock=clock,
            random=random,
        )

    def __enter__(self) -> Ledger:
        """The ledger itself."""
        return self

    # --- writing ------------------------------------------------------------------------------

    @contextmanager
    def transaction(self, *, sign: bool = False) -> Iterator[Transaction]:
        """One writing transaction; on leaving it a checkpoint is signed, committed, and written outside.

        Raises KeyUnavailable without a signer, LedgerError when the database contradicts the
        checkpoints outside it.
        """
        signer = self.signer
        if signer is None:
            raise KeyUnavailable("writing to the ledger needs the log's key", hint="see `safegen keys`")
        with self.database.writing() as connection:
            batch = Transaction(
                connection,
                signer=signer,
                clock=self.clock,
                random=self._random,
                known=lambda: self._claims(signer.origin),
            )
            yield batch
            note = batch.finish(sign=sign)
        if note is not None and self.checkpoint_folder is not None:
            self.checkpoint_folder.append(note)
        if note is not None and self.seen is not None:
            self.seen.remember(note)
        if note is not None:
            _log.info("ledger committed, %(size)d entries", {"size": batch.size})

    def append(self, kind: Kind, public: Json, private: Json | None = None) -> int:
        """Record one entry durably; returns its index (from 0).

        *public* becomes part of the tree and of every proof; of *private* only a salted commitment
        does, itself it is stored beside. Raises UsageError for values without JSON form.
        """
        return self.append_many([Draft(kind, public, private)])[0]

    def append_many(self, drafts: Sequence[Draft]) -> list[int]:
        """Record entries in one transaction (group commit): all or none, one wait for the disk."""
        with self.transaction() as batch:
            return batch.append(drafts)

    def withdraw(self, index: int, reason: str) -> int:
        """Record that release *index* is withdrawn, once; returns the withdrawal's index."""
        with self.transaction() as batch:
            return batch.withdraw(index, reason)

    def supersede(self, old: int, new: int, reason: str) -> int:
        """Record that release *new* replaces release *old*, which is withdrawn; the withdrawal's index.

        Raises UsageError when either is no release, or withdrawn already.
        """
        with self.transaction() as batch:
            before = batch.size
            at = batch.withdraw(old, reason, by=new)
        if at < before:
            raise UsageError(f"release {old} is already withdrawn", hint=f"see `safegen log show {at}`")
        return at

    def checkpoint(self) -> str:
        """The signed checkpoint of the whole ledger, also written outside."""
        with self.transaction(sign=True) as batch:
            pass
        with self.database.reading() as connection:
            note = queries.latest_checkpoint(connection, batch.size)
        if note is None:
            raise LedgerError("the checkpoint was not stored")
        return note

    def redact(self, index: int) -> None:
        """Forget salt and private part of an entry for good; tree, proofs and public part stay.

        An entry of its own records it, so that nobody can pass deleting off as this. SQLite overwrites the
        bytes in the file (``secure_delete``); copies and the disk's own spare blocks are beyond reach.
        Raises UsageError when there is no such entry.
        """
        if self.database.read_only:
            raise LedgerError("the ledger was opened read-only")
        with self.transaction() as batch:
            batch.redact(index)

    def refuse_fork(self) -> None:
        """Raise LedgerError unless the log still extends every checkpoint that was ever seen of it.

        Looks at the folder of checkpoints, at what somebody has put into it, and at this user's record. To be
        called once a ledger is opened for writing; each transaction looks at the newest ones again.
        """
        if self.signer is None:
            return
        origin = self.signer.origin
        claims = self._claims(origin)  # before the database: a writer commits there first
        if self.checkpoint_folder is not None:
            claims.extend(item.claim for item in self.checkpoint_folder.put_there(origin))
        with self.database.reading() as connection:
            size = queries.log_state(connection)[1]
            for claim in claims:
                refuse_behind(claim, size, tree.nodes_in(connection))

    def _claims(self, origin: str) -> list[Checkpoint]:
        """The newest checkpoint in the folder and in this user's record."""
        found = []
        if self.checkpoint_folder is not None:
            found.append(self.checkpoint_folder.latest(origin))
        if self.seen is not None:
            found.append(self.seen.latest(origin))
        return [item.claim for item in found if item is not None]
