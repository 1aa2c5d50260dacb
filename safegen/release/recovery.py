"""Finish or undo what killed processes left. Run it at every start that may write.

Each left job is taken over by changing the owner of its lease in one transaction, so of several processes
that recover at once exactly one works on it; if that one is killed too, the next takes it over again.

Recovery removes and places files, so it believes nothing that merely stands in a database. It acts on rows
that this user's safegen has written on this machine (``seal``), in folders held by handles and reached
without links (``folder``); it removes or replaces only bytes whose hash was recorded, and leaves the
rest alone.
"""

from __future__ import annotations

from pathlib import Path

from safegen._util.logs import logger
from safegen._util.time import Clock
from safegen.errors import LedgerError, SafegenError, UsageError
from safegen.ledger.canonical import timestamp
from safegen.ledger.store import Ledger
from safegen.protocols import StepHook, no_hook
from safegen.release import leases, settle
from safegen.release.leases import Lease, Outbox
from safegen.release.owner import ACTIVE_JOBS, Liveness, Owner
from safegen.release.seal import Seal
from safegen.release.settle import Place
from safegen.release.values import RecoveryReport

_log = logger(__name__)


class _Recovery:
    """One run over the leases."""

    def __init__(self, ledger: Ledger, now: str, hook: StepHook) -> None:
        self.ledger, self.now, self.hook = ledger, now, hook
        self.owner, self.seal = Owner.current(), Seal.of(ledger)
        self.published: list[Path] = []
        self.withdrawn: list[int] = []
        self.waiting: list[str] = []
        self.removed = 0

    def settle_lease(self, lease: Lease) -> None:
        """Settle the job of *lease* if its owner is gone."""
        if not leases.is_well_formed(lease):
            self.waiting.append("a lease that is not what safegen writes")
            return
        owner = Owner.parse(lease.owner)
        life = owner.liveness(self.owner) if owner is not None else Liveness.UNKNOWN
        if owner == self.owner and lease.job not in ACTIVE_JOBS:
            life = Liveness.DEAD
        expired = lease.expires <= self.now
        if life is Liveness.ALIVE or (life is Liveness.UNKNOWN and not expired):
            return
        if not self.seal.made_job(lease.job, lease.folder, lease.name):
            self.waiting.append(f"{Path(lease.folder) / lease.name}: {leases.MADE_ELSEWHERE}")
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
        with self.ledger.database.reading() as connection:
            outbox = leases.read_outbox(connection, lease.job, self.seal)
        if outbox is not None and (outbox.folder, outbox.video.name) != (lease.folder, lease.name):
            raise LedgerError(leases.MADE_ELSEWHERE)
        try:
            with settle.open_place(Path(lease.folder), lease.job) as place:
                self._settle_in(place, outbox, lease)
        except FileNotFoundError:
            # An unplugged disk comes back; a deleted folder does not, and is given up when the lease ends.
            if outbox is not None and outbox.state == "recorded" and not expired:
                self._leave(lease, "the folder does not exist")
            else:
                self._give_up(outbox, lease, None)

    def _settle_in(self, place: Place, outbox: Outbox | None, lease: Lease) -> None:
        """The same, with the folder at hand."""
        if outbox is None or outbox.state != "recorded" or not self._can_publish(outbox, place):
            self._give_up(outbox, lease, place)
        else:
            self._publish(outbox, place)

    def _give_up(self, outbox: Outbox | None, lease: Lease, place: Place | None) -> None:
        """Clear away, and withdraw what was recorded."""
        if outbox is not None and outbox.state == "recorded":
            self._withdraw(outbox, place)
            return
        settle.abandon(self.ledger, lease.job, place, "", owner=self.owner, hook=self.hook)
        self.removed += 1

    def _can_publish(self, outbox: Outbox, place: Place) -> bool:
        """Whether every file is, or can be, under its final name with the recorded bytes."""
        replaceable = dict(outbox.replaces) if outbox.overwrite else {}
        for item in outbox.files:
            status = place.final.lstat(item.name)
            there = place.final.sha256(item.name) if status is not None else None
            if there == item.sha256:
                continue
            if place.temporary is None or not (item.text is not None or place.has_temporary(item)):
                return False
            empty = outbox.placeholder and status is not None and status.st_size == 0 and there is not None
            if status is not None and not empty and (there is None or replaceable.get(item.name) != there):
                return False
        return True

    def _publish(self, outbox: Outbox, place: Place) -> None:
        """Go on where the job stopped."""
        settle.restore_texts(outbox, place)
        self.hook("recover:restored")
        try:
            settle.place_files(self.ledger, outbox, place, self.hook, lambda: None)
        except UsageError:
            self._withdraw(outbox, place)
            return
        place.final.sync()
        settle.mark_published(self.ledger, outbox, place, self.hook, "recover:cleaned")
        self.published.append(Path(outbox.folder) / outbox.video.name)

    def _withdraw(self, outbox: Outbox, place: Place | None) -> None:
        """The release cannot be finished: say so in the ledger and remove its sidecars."""
        reason = "not finished, and could not be recovered"
        settle.abandon(self.ledger, outbox.job, place, reason, owner=self.owner, hook=self.hook)
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
    if pending:
        _log.info(
            "recovered: %(published)d published, %(withdrawn)d withdrawn, %(removed)d cleared, "
            "%(waiting)d left",
            {
                "published": len(run.published),
                "withdrawn": len(run.withdrawn),
                "removed": run.removed,
                "waiting": len(run.waiting),
            },
        )
    return RecoveryReport(tuple(run.published), tuple(run.withdrawn), run.removed, tuple(run.waiting))
