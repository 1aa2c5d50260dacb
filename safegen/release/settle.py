"""What the job itself and recovery do in the same way: place a recorded release, or undo it."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path

from safegen.errors import ReleaseFailed, UsageError
from safegen.ledger.store import Ledger
from safegen.protocols import StepHook, no_hook
from safegen.release import files, leases
from safegen.release.leases import Outbox, OutboxFile
from safegen.release.owner import Owner


def text_item(name: str, text: str) -> OutboxFile:
    """A file whose text the outbox keeps, so that it can be written again."""
    return OutboxFile(name, name, hashlib.sha256(text.encode()).hexdigest(), text)


def restore_texts(outbox: Outbox, folder: Path) -> None:
    """Write the files whose text the outbox keeps into *folder*, synced. Raises OSError."""
    for item in outbox.files:
        if item.text is not None:
            files.write_synced(folder / item.temporary, item.text.encode())
    files.sync_folder(folder)


def place_files(
    ledger: Ledger,
    outbox: Outbox,
    folder: Path,
    hook: StepHook,
    on_visible: Callable[[], None],
) -> tuple[str, ...]:
    """Give every file of *outbox* its final name, the video's last, when all others are on the disk.

    Names that hold the recorded bytes already are left. *on_visible* is called the moment the video is
    visible. Returns warnings. Raises UsageError when a name is taken, OSError.
    """
    final = Path(outbox.folder)
    warnings: list[str] = []

    def placeholder() -> None:
        with ledger.database.writing() as connection:
            leases.set_placeholder(connection, outbox)
        if not warnings:
            warnings.append("this file system has no hard links: an empty file held the name for a moment")

    for item in outbox.files:
        if item is outbox.video:
            files.sync_folder(final)
            hook("publish:sidecars")
        target = final / item.name
        if not files.has_sha256(target, item.sha256):
            if outbox.placeholder:
                _clear_placeholder(target)
            try:
                files.place_file(
                    folder / item.temporary, target, overwrite=outbox.overwrite, placeholder=placeholder
                )
            except FileExistsError as error:
                raise UsageError(
                    f"{target} now exists", hint="choose another name, or allow overwriting with --force"
                ) from error
        if item is outbox.video:
            on_visible()
        hook("publish:video" if item is outbox.video else "publish:sidecar")
    return tuple(warnings)


def _clear_placeholder(target: Path) -> None:
    """Remove the empty file with which a killed job held *target*."""
    if target.is_file() and not target.is_symlink() and target.stat().st_size == 0:
        target.unlink()


def mark_published(ledger: Ledger, outbox: Outbox, folder: Path, hook: StepHook, point: str) -> None:
    """Clear the temporaries of a visible release and say in the ledger that it is published.

    Raises ReleaseFailed, with its files removed, when another process has withdrawn it meanwhile.
    """
    files.remove_job_folder(folder)
    hook(point)
    with ledger.database.writing() as connection:
        done = leases.set_state(connection, outbox.job, "published")
        now = leases.read_outbox(connection, outbox.job)
        leases.end_lease(connection, outbox.job)
    if not done and (now is None or now.state != "published"):
        remove_files(outbox)
        raise ReleaseFailed("this release was withdrawn by another process", hint="start it again")


def abandon(
    ledger: Ledger, job: str, folder: Path, reason: str, *, owner: Owner, hook: StepHook = no_hook
) -> int | None:
    """Undo a job whose video is not visible; returns the index of the withdrawal, if it was recorded.

    The temporaries go first: once they are gone, no recovery can publish what is being withdrawn.
    A job that another process than *owner* has taken over is left to it. Raises OSError, LedgerError;
    doing it again is harmless.
    """
    with ledger.database.reading() as connection:
        outbox = leases.read_outbox(connection, job)
        if not leases.is_owner(connection, job, owner):
            return None
    files.remove_job_folder(folder)
    hook("abandon:cleaned")
    withdrawal: int | None = None
    if outbox is not None and outbox.state == "recorded":
        with ledger.transaction() as batch:
            if leases.set_state(batch.connection, job, "withdrawn"):
                withdrawal = batch.withdraw(outbox.index, reason)
        hook("abandon:withdrawn")
    if outbox is not None and outbox.state != "published":
        remove_files(outbox)
        hook("abandon:removed")
    with ledger.database.writing() as connection:
        leases.end_lease(connection, job)
    return withdrawal


def remove_files(outbox: Outbox) -> None:
    """Remove the names that a withdrawn release has already given its files: only what holds its bytes."""
    for item in outbox.files:
        target = Path(outbox.folder) / item.name
        if files.has_sha256(target, item.sha256):
            target.unlink()
        elif outbox.placeholder:
            _clear_placeholder(target)
