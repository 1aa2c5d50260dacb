"""Finish or undo what killed processes left. Run it at every start that may write.

Each left job is taken over by changing the owner of its lease in one transaction, so of several processes
that recover at once exactly one works on it; if that one is killed too, the next takes it over again.
"""

from __future__ import annotations

from pathlib import Path

from safegen._util.time import Clock
from safegen.errors import SafegenError, UsageError
from safegen.ledger.canonical import timestamp
from safegen.ledger.store import Ledger
from safegen.protocols import StepHook, no_hook
from safegen.release import files, leases, settle
from safegen.release.leases import Lease, Outbox
from safegen.release.owner import ACTIVE_JOBS, Liveness, Owner
from safegen.release.values import RecoveryReport


class _Recovery:
    """One run over the leases."""

    def __init__(self, ledger: Ledger, now: str, hook: StepHook) -> None:
        self.ledger, self.now, self.hook = ledger, now, hook
        self.owner = Owner.current()
        self.published: list[Path] = []
        self.withdrawn: list[int] = []
        self.waiting: list[str] = []
        self.removed = 0

    def settle_lease(self, lease: Lease) -> None:
        """Settle the job of *lease* if its owner is gone."""
        owner = Owner.parse(lease.owner)
        life = owner.liveness(self.owner) if owner is not None else Liveness.UNKNOWN
        if owner == self.owner and lease.job not in ACTIVE_JOBS:
            life = Liveness.DEAD
        expired = lease.expires <= self.now
        if life is Liveness.ALIVE or (life is Liveness.UNKNOWN and not expired):
            return
        with self.ledger.database.writing() as connection:
            if not leases.take_over_lease(connection, lease, self.owner):
                return
        self.hook("recover:claimed")
        try:
            self._settle(lease, expired)
        except (SafegenError, OSError) as error:
            self._leave(lease, str(error))

    def _leave(self, lease: Lease, reason: str) -> None:
        """Hand the lease back for a later try."""
        with self.ledger.database.writing() as connection:
            leases.return_lease(connection, lease)
        self.waiting.append(f"{Path(lease.folder) / lease.name}: {reason}")

    def _settle(self, lease: Lease, expired: bool) -> None:
        """Publish, withdraw or clear away."""
        folder = leases.job_folder(lease, files.TEMPORARY)
        with self.ledger.database.reading() as connection:
            outbox = leases.read_outbox(connection, lease.job)
        if outbox is None or outbox.state != "recorded":
            settle.abandon(self.ledger, lease.job, folder, "", owner=self.owner, hook=self.hook)
            self.removed += 1
        elif not Path(lease.folder).is_dir() and not expired:
            # An unplugged disk comes back; a deleted folder does not, and is given up when the lease ends.
            self._leave(lease, "the folder does not exist")
        elif self._can_publish(outbox, folder):
            self._publish(outbox, folder)
        else:
            self._withdraw(outbox, folder)

    def _can_publish(self, outbox: Outbox, folder: Path) -> bool:
        """Whether every file is, or can be, under its final name with the recorded bytes."""
        for item in outbox.files:
            final = Path(outbox.folder) / item.name
            there = files.has_sha256(final, item.sha256)
            here = item.text is not None or files.has_sha256(folder / item.temporary, item.sha256)
            taken = not there and (final.is_symlink() or final.exists())
            empty = outbox.placeholder and taken and final.is_file() and final.stat().st_size == 0
            if not there and (not here or (taken and not empty and not outbox.overwrite)):
                return False
        return True

    def _publish(self, outbox: Outbox, folder: Path) -> None:
        """Go on where the job stopped."""
        if folder.is_dir():
            settle.restore_texts(outbox, folder)
        self.hook("recover:restored")
        try:
            settle.place_files(self.ledger, outbox, folder, self.hook, lambda: None)
        except UsageError:
            self._withdraw(outbox, folder)
            return
        files.sync_folder(Path(outbox.folder))
        settle.mark_published(self.ledger, outbox, folder, self.hook, "recover:cleaned")
        self.published.append(Path(outbox.folder) / outbox.video.name)

    def _withdraw(self, outbox: Outbox, folder: Path) -> None:
        """The release cannot be finished: say so in the ledger and remove its sidecars."""
        reason = "not finished, and could not be recovered"
        settle.abandon(self.ledger, outbox.job, folder, reason, owner=self.owner, hook=self.hook)
        self.withdrawn.append(outbox.index)


def recover(ledger: Ledger, *, clock: Clock | None = None, hook: StepHook = no_hook) -> RecoveryReport:
    """Settle every release that a dead process left in *ledger*.

    A recorded release whose bytes are at hand is published, any other is withdrawn; temporaries of
    jobs that never got that far are removed. Jobs of living processes are not touched, nor those of
    other hosts before their lease has expired. Raises LedgerError when the ledger cannot be used.
    """
    with ledger.database.reading() as connection:
        pending = leases.list_leases(connection)
    run = _Recovery(ledger, timestamp((clock or ledger.clock)()), hook)
    for lease in pending:
        run.settle_lease(lease)
    return RecoveryReport(tuple(run.published), tuple(run.withdrawn), run.removed, tuple(run.waiting))
