"""One release, from the first temporary to the final name.

Lease, temporaries, fsync and hash, one transaction (entry, outbox, lease), sidecars' names, the video's
name, published. At every moment a kill leaves either nothing visible, or what is signed and recorded;
``recover`` finishes or withdraws it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack, suppress
from datetime import timedelta
from pathlib import Path
from types import TracebackType

from safegen._util.logs import logger
from safegen._util.time import Clock
from safegen.errors import ReleaseFailed, SafegenError, UsageError
from safegen.ledger.canonical import timestamp
from safegen.ledger.proof import SUFFIX
from safegen.ledger.records import ReleaseRecord
from safegen.ledger.store import Ledger
from safegen.ledger.timestamp import SUFFIX as STAMP
from safegen.protocols import StepHook, no_hook
from safegen.release import files, leases, settle
from safegen.release.leases import Lease, Outbox, OutboxFile
from safegen.release.owner import ACTIVE_JOBS, Owner
from safegen.release.seal import Seal
from safegen.release.settle import Place
from safegen.release.values import Published, Recorded

_log = logger(__name__)

LEASE = timedelta(hours=6)


class ReleaseJob:
    """A release under way; use as a context manager, made by ``begin``.

    Leaving the block before ``publish`` has made the video visible removes every temporary; what was
    recorded already is withdrawn. The original exception goes on.
    """

    def __init__(
        self,
        ledger: Ledger,
        destination: Path,
        *,
        clock: Clock,
        overwrite: bool,
        hook: StepHook,
        lease: timedelta,
    ) -> None:
        """Use ``begin``."""
        self.destination = destination
        self._seal = Seal.of(ledger)
        self._recorded_folder = destination.parent.resolve()  # recovery follows no links
        self.id = self._seal.new_job(str(self._recorded_folder), destination.name)
        self.ledger, self._clock, self._hook, self._lease = ledger, clock, hook, lease
        self._overwrite = overwrite
        self._owner = Owner.current()
        self.folder = destination.parent / files.TEMPORARY / self.id
        self._hashed: dict[str, files.HashedFile] = {}
        self._outbox_row: Outbox | None = None
        self._replaced: tuple[tuple[str, str], ...] = ()
        self._visible = self._done = False
        self._renewed = clock()

    @classmethod
    def begin(
        cls,
        ledger: Ledger,
        destination: Path,
        *,
        clock: Clock | None = None,
        overwrite: bool = False,
        hook: StepHook = no_hook,
        lease: timedelta = LEASE,
        sidecar_names: Sequence[str] = (),
    ) -> ReleaseJob:
        """Write the lease, then make the private folder for temporaries beside *destination*.

        *hook* is called with the name of every step (fault injection). *lease*: how long other hosts wait
        before they take over a silent job; on this host the process itself is looked at. *sidecar_names*:
        those of the sidecars to come, so that a name that is taken is known before the work. Raises
        UsageError for a destination that cannot be used, LedgerError, ReleaseFailed.
        """
        destination = Path(destination).absolute()
        proof = destination.with_name(destination.name + SUFFIX)
        stamp = proof.with_name(proof.name + STAMP)
        for path in (destination, proof, stamp, *(destination.with_name(name) for name in sidecar_names)):
            files.check_destination(path, overwrite=overwrite)
        job = cls(
            ledger, destination, clock=clock or ledger.clock, overwrite=overwrite, hook=hook, lease=lease
        )
        ACTIVE_JOBS.add(job.id)
        try:
            with ledger.database.writing() as connection:
                leases.insert_lease(connection, job._lease_row())
        except BaseException:
            ACTIVE_JOBS.discard(job.id)
            raise
        try:
            hook("leased")
            with files.translate_os_errors("creating the folder for temporary files"):
                files.make_job_folder(destination.parent, job.id)
            hook("folder")
        except BaseException as error:
            job._abandon(error)
            raise
        return job

    def __enter__(self) -> ReleaseJob:
        """The job."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Finish what is visible, clear away what is not."""
        if self._visible and not self._done:
            self._clean_up(error, self._finish)
        elif not self._done:
            self._abandon(error)

    def temporary(self, name: str) -> Path:
        """Where to write the file called *name*, which must be a plain name. Raises UsageError."""
        if name != Path(name).name or name in {"", ".", ".."}:
            raise UsageError(f"{name!r} is not a plain file name")
        self.renew()
        return self.folder / name

    def renew(self) -> None:
        """Say that the job lives; cheap, for long work. Raises ReleaseFailed if it was taken over."""
        now = self._clock()
        if now - self._renewed > self._lease / 4:
            with self.ledger.database.writing() as connection:
                leases.renew_lease(connection, self.id, self._owner, now + self._lease)
            self._renewed = now

    def record(
        self, video: Path, *, release: ReleaseRecord, sidecars: Mapping[str, Path] | None = None
    ) -> Recorded:
        """Put the finished *video* (one of the job's temporaries) into the ledger.

        *sidecars*: final name -> temporary; they appear beside the video. Afterwards the files must not
        change any more. Raises UsageError for names that are taken or not plain, ReleaseFailed for a full
        disk and the like, LedgerError.
        """
        if self._outbox_row is not None:
            raise UsageError("this release is already recorded")
        by_final_name = self._final_names(video, sidecars or {})
        self._hook("record:start")
        with files.translate_os_errors("writing the video to the disk"):
            self._hashed = {name: files.sync_and_hash(path) for name, path in by_final_name.items()}
            files.sync_folder(self.folder)
            files.sync_folder(self.folder.parent)
            if self._overwrite:
                self._replaced = self._taken_names([*by_final_name, self.destination.name + SUFFIX])
        self._hook("record:synced")
        video_file = self._hashed[self.destination.name]
        sidecar_files = [name for name in by_final_name if name != self.destination.name]
        with self.ledger.transaction() as batch:
            index = batch.release(
                release,
                sha256=video_file.sha256,
                size=video_file.size,
                sidecars=[self._sidecar_entry(name) for name in sidecar_files],
            )
            proof = batch.prove(index)
            outbox = self._outbox(index, proof, by_final_name, sidecar_files)
            leases.renew_lease(batch.connection, self.id, self._owner, self._clock() + self._lease)
            leases.insert_outbox(batch.connection, outbox, self._seal)
            self._hook("record:transaction")
        self._outbox_row = outbox
        self._hook("record:committed")
        _log.info("release recorded as entry %(entry)d", {"entry": index})
        with files.translate_os_errors("writing the ledger proof"), self._place() as place:
            settle.restore_texts(outbox, place)
        self._hook("record:proof")
        return Recorded(index, video_file.sha256, proof)

    def publish(self) -> Published:
        """Give the files their final names, the video's last.

        Raises UsageError when a name was taken meanwhile, ReleaseFailed otherwise; the release is then
        withdrawn on leaving the block.
        """
        outbox = self._outbox_row
        if outbox is None:
            raise UsageError("record the video before publishing it")
        self._hook("publish:start")
        self.renew()
        for item in outbox.files:
            if item.text is None and not files.is_unchanged(
                self.folder / item.temporary, self._hashed[item.name]
            ):
                raise ReleaseFailed(f"{item.name} changed after it was recorded", hint="start again")
        with files.translate_os_errors("publishing"), self._place() as place:
            warnings = settle.place_files(self.ledger, outbox, place, self._hook, self._mark_visible)
            files.sync_folder(self.destination.parent)
        self._hook("publish:synced")
        self._finish()
        _log.info("release %(entry)d published", {"entry": outbox.index})
        sidecar_paths = tuple(self.destination.with_name(item.name) for item in outbox.files[:-1])
        return Published(self.destination, outbox.video.sha256, outbox.index, sidecar_paths, warnings)

    def _mark_visible(self) -> None:
        """The video is visible: from here on the release is finished, never withdrawn."""
        self._visible = True

    def _finish(self) -> None:
        """Clear the temporaries and say so in the ledger."""
        if self._outbox_row is not None:
            with self._place() as place:
                settle.mark_published(self.ledger, self._outbox_row, place, self._hook, "publish:cleaned")
        self._done = True
        ACTIVE_JOBS.discard(self.id)
        self._hook("publish:marked")

    def _abandon(self, error: BaseException | None) -> None:
        """Nothing became visible: leave nothing, withdraw what was recorded."""
        reason = "interrupted" if isinstance(error, KeyboardInterrupt) else "failed before it was published"
        self._clean_up(error, lambda: self._undo(reason))
        self._done = True

    def _undo(self, reason: str) -> None:
        """Leave nothing; the folder itself may be gone."""
        with ExitStack() as stack:
            place: Place | None = None
            with suppress(FileNotFoundError):
                place = stack.enter_context(self._place())
            settle.abandon(self.ledger, self.id, place, reason, owner=self._owner, hook=self._hook)

    def _place(self) -> AbstractContextManager[Place]:
        """The folders of this release, held open."""
        return settle.open_place(self._recorded_folder, self.id)

    def _clean_up(self, error: BaseException | None, work: Callable[[], object]) -> None:
        """Do *work*; its own failure must not hide *error*: recovery will do it again."""
        try:
            work()
        except (SafegenError, OSError) as trouble:
            if error is None:
                raise
            error.add_note(f"cleaning up is left to the next run: {trouble}")
        finally:
            ACTIVE_JOBS.discard(self.id)

    def _lease_row(self) -> Lease:
        """The lease of this job."""
        expires = timestamp(self._clock() + self._lease)
        return Lease(self.id, self._owner.text, expires, str(self._recorded_folder), self.destination.name)

    def _final_names(self, video: Path, sidecars: Mapping[str, Path]) -> dict[str, Path]:
        """Final name -> temporary, the video last; every name checked."""
        proof = self.destination.name + SUFFIX
        for name in sidecars:
            if name != Path(name).name or name in {"", ".", "..", self.destination.name, proof}:
                raise UsageError(f"{name!r} cannot be the name of a sidecar")
        by_final_name = {**sidecars, self.destination.name: video}
        for path in by_final_name.values():
            if path.parent != self.folder or path.name == proof:
                raise UsageError(f"{path} is not a temporary file of this release")
        for name in (*by_final_name, proof):
            files.check_destination(self.destination.with_name(name), overwrite=self._overwrite)
        return by_final_name

    def _sidecar_entry(self, name: str) -> dict[str, object]:
        """What the entry says about a sidecar: its suffix, not the name its owner chose."""
        hashed = self._hashed[name]
        return {"suffix": Path(name).suffix, "sha256": hashed.sha256, "bytes": hashed.size}

    def _outbox(
        self, index: int, proof: str, by_final_name: Mapping[str, Path], sidecar_files: list[str]
    ) -> Outbox:
        """The outbox row: sidecars, proof, video."""
        name = self.destination.name
        items = [
            OutboxFile(other, by_final_name[other].name, self._hashed[other].sha256)
            for other in sidecar_files
        ]
        items.append(settle.text_item(name + SUFFIX, proof))
        items.append(OutboxFile(name, by_final_name[name].name, self._hashed[name].sha256))
        return Outbox(
            self.id,
            index,
            "recorded",
            str(self._recorded_folder),
            tuple(items),
            self._overwrite,
            replaces=self._replaced,
        )

    def _taken_names(self, names: Sequence[str]) -> tuple[tuple[str, str], ...]:
        """The names among *names* that are taken, with the SHA-256 of the file there ("" for no file)."""
        with self._place() as place:
            taken = [name for name in names if place.final.lstat(name) is not None]
            return tuple((name, place.final.sha256(name) or "") for name in taken)
