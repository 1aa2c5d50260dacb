"""What the job itself and recovery do in the same way: place a recorded release, or undo it."""

from __future__ import annotations

import hashlib
import stat
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from safegen.errors import ReleaseFailed, UsageError
from safegen.ledger.store import Ledger
from safegen.protocols import StepHook, no_hook
from safegen.release import files, leases
from safegen.release.folder import Folder, open_folder
from safegen.release.leases import Outbox, OutboxFile
from safegen.release.owner import Owner
from safegen.release.seal import JOB, Seal


@dataclass(frozen=True)
class Place:
    """Where a release appears: the open folder, and its folder of temporaries if it is there."""

    final: Folder
    base: Folder | None
    temporary: Folder | None
    job: str

    def has_temporary(self, item: OutboxFile) -> bool:
        """Whether the temporary of *item* holds the recorded bytes."""
        return self.temporary is not None and self.temporary.holds(item.temporary, item.sha256)

    def clear(self) -> None:
        """Remove the temporaries, and the common folder once it is empty."""
        if self.base is not None:
            self.base.remove_tree(self.job)
            self.final.remove_empty(files.TEMPORARY)


@contextmanager
def open_place(folder: Path, job: str) -> Iterator[Place]:
    """Open *folder* and ``.safegen-tmp/<job>`` in it, each a plain folder reached without links.

    Raises OSError (FileNotFoundError: *folder* is gone), UsageError for an id that is none of a job.
    """
    if not JOB.fullmatch(job):
        raise UsageError(f"{job!r} is not the id of a release")
    with open_folder(folder) as final, final.private(files.TEMPORARY) as base:
        if base is None:
            yield Place(final, None, None, job)
            return
        with base.private(job) as temporary:
            yield Place(final, base, temporary, job)


def text_item(name: str, text: str) -> OutboxFile:
    """A file whose text the outbox keeps, so that it can be written again."""
    return OutboxFile(name, name, hashlib.sha256(text.encode()).hexdigest(), text)


def restore_texts(outbox: Outbox, place: Place) -> None:
    """Write the files whose text the outbox keeps among the temporaries, synced. Raises OSError."""
    if place.temporary is None:
        return
    for item in outbox.files:
        if item.text is not None:
            files.write_synced(place.temporary, item.temporary, item.text.encode())
    place.temporary.sync()


def place_files(
    ledger: Ledger,
    outbox: Outbox,
    place: Place,
    hook: StepHook,
    on_visible: Callable[[], None],
) -> tuple[str, ...]:
    """Give every file of *outbox* its final name, the video's last, when all others are on the disk.

    Names that hold the recorded bytes already are left. *on_visible* is called the moment the video is
    visible. Returns warnings. Raises UsageError when a name is taken, OSError.
    """
    final, seal = place.final, Seal.of(ledger)
    warnings: list[str] = []

    def placeholder() -> None:
        with ledger.database.writing() as connection:
            leases.set_placeholder(connection, outbox, seal)
        if not warnings:
            warnings.append("this file system has no hard links: an empty file held the name for a moment")

    for item in outbox.files:
        if item is outbox.video:
            final.sync()
            hook("publish:sidecars")
        if not final.holds(item.name, item.sha256):
            _place(item, outbox, place, placeholder)
        if item is outbox.video:
            on_visible()
        hook("publish:video" if item is outbox.video else "publish:sidecar")
    return tuple(warnings)


def _place(item: OutboxFile, outbox: Outbox, place: Place, placeholder: Callable[[], None]) -> None:
    """Give one file its final name. Raises UsageError when it is taken, OSError."""
    final = place.final
    if place.temporary is None:
        raise FileNotFoundError(2, "the temporary files are gone", str(final.path / files.TEMPORARY))
    if outbox.placeholder:
        _clear_placeholder(final, item.name)
    try:
        files.place_file(
            place.temporary,
            item.temporary,
            final,
            item.name,
            overwrite=outbox.overwrite,
            placeholder=placeholder,
        )
    except FileExistsError as error:
        raise UsageError(
            f"{final.path / item.name} now exists",
            hint="choose another name, or allow overwriting with --force",
        ) from error


def _clear_placeholder(folder: Folder, name: str) -> None:
    """Remove the empty file with which a killed job held *name*."""
    status = folder.lstat(name)
    if status is not None and stat.S_ISREG(status.st_mode) and status.st_size == 0:
        folder.unlink(name)


def mark_published(ledger: Ledger, outbox: Outbox, place: Place, hook: StepHook, point: str) -> None:
    """Clear the temporaries of a visible release and say in the ledger that it is published.

    Raises ReleaseFailed, with its files removed, when another process has withdrawn it meanwhile.
    """
    place.clear()
    hook(point)
    seal = Seal.of(ledger)
    with ledger.database.writing() as connection:
        done = leases.set_state(connection, outbox.job, "published", seal)
        now = leases.read_outbox(connection, outbox.job, seal)
        leases.end_lease(connection, outbox.job)
    if not done and (now is None or now.state != "published"):
        remove_files(outbox, place.final)
        raise ReleaseFailed("this release was withdrawn by another process", hint="start it again")


def abandon(
    ledger: Ledger,
    job: str,
    place: Place | None,
    reason: str,
    *,
    owner: Owner,
    hook: StepHook = no_hook,
) -> int | None:
    """Undo a job whose video is not visible; returns the index of the withdrawal, if it was recorded.

    The temporaries go first: once they are gone, no recovery can publish what is being withdrawn. *place* is
    ``None`` when its folder is gone. A job that another process than *owner* has taken over is left to it.
    Raises OSError, LedgerError; doing it again is harmless.
    """
    seal = Seal.of(ledger)
    with ledger.database.reading() as connection:
        outbox = leases.read_outbox(connection, job, seal)
        if not leases.is_owner(connection, job, owner):
            return None
    if place is not None:
        place.clear()
    hook("abandon:cleaned")
    withdrawal: int | None = None
    if outbox is not None and outbox.state == "recorded":
        with ledger.transaction() as batch:
            if leases.set_state(batch.connection, job, "withdrawn", seal):
                withdrawal = batch.withdraw(outbox.index, reason)
        hook("abandon:withdrawn")
    if outbox is not None and outbox.state != "published":
        if place is not None:
            remove_files(outbox, place.final)
        hook("abandon:removed")
    with ledger.database.writing() as connection:
        leases.end_lease(connection, job)
    return withdrawal


def remove_files(outbox: Outbox, final: Folder) -> None:
    """Remove the names that a withdrawn release has already given its files: only what holds its bytes."""
    for item in outbox.files:
        if final.holds(item.name, item.sha256):
            final.unlink(item.name)
        elif outbox.placeholder:
            _clear_placeholder(final, item.name)
