"""The release protocol without kills: names, failures, interruption, leases, file systems."""

from __future__ import annotations

import errno
import json
import os
import stat
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from safegen.errors import LedgerError, ReleaseFailed, SafegenError, UsageError
from safegen.ledger import Ledger, LogSigner, verify_proof
from safegen.release import Published, ReleaseJob, ReleaseRecord, files, recover
from safegen.release.folder import Folder, open_folder
from safegen.release.leases import list_leases
from safegen.release.owner import Liveness, Owner
from safegen.release.seal import Seal

RECORD = ReleaseRecord("urn:c2pa:1", b"jumbf", 5, "test.v1")


@pytest.fixture
def out(tmp_path: Path) -> Path:
    folder = tmp_path / "out"
    folder.mkdir()
    return folder


def release(
    ledger: Ledger, path: Path, *, data: bytes = b"video", captions: bool = True, **options: object
) -> Published:
    with ReleaseJob.begin(ledger, path, **options) as job:
        video = job.temporary(path.name)
        video.write_bytes(data)
        sidecars = {}
        if captions:
            sidecars = {f"{path.stem}.vtt": job.temporary("c.vtt")}
            sidecars[f"{path.stem}.vtt"].write_bytes(b"WEBVTT")
        job.record(video, release=RECORD, sidecars=sidecars)
        return job.publish()


def nothing_left(ledger: Ledger, folder: Path) -> None:
    assert list(folder.iterdir()) == []
    with ledger.database.reading() as connection:
        assert list_leases(connection) == []
    assert ledger.check().ok


def test_a_release(ledger: Ledger, out: Path, signer: LogSigner) -> None:
    done = release(ledger, out / "v.mp4")
    assert done.path.read_bytes() == b"video" and done.warnings == ()
    assert [path.name for path in done.sidecars] == ["v.vtt", "v.mp4.tlog-proof"]
    assert {path.name for path in out.iterdir()} == {"v.mp4", "v.vtt", "v.mp4.tlog-proof"}
    shown = verify_proof(done.sidecars[-1].read_text(), logs={signer.origin: signer.public_key})
    assert shown.index == done.index and shown.entry["public"]["sha256"] == done.sha256
    assert shown.entry["public"]["sidecars"][0]["suffix"] == ".vtt"
    assert "v.mp4" not in json.dumps(shown.entry), "the name its owner chose is not published"
    assert ledger.check().ok


def test_temporaries_are_private_and_beside_the_destination(ledger: Ledger, out: Path) -> None:
    with ReleaseJob.begin(ledger, out / "v.mp4") as job:
        path = job.temporary("v.mp4")
        assert path.parent.parent == out / ".safegen-tmp"
        for folder in (path.parent, path.parent.parent):
            assert stat.S_IMODE(folder.stat().st_mode) == 0o700
        for name in ("a/b", "..", "", ".", "/x"):
            with pytest.raises(UsageError):
                job.temporary(name)
    nothing_left(ledger, out)


def test_destinations_that_cannot_be(ledger: Ledger, out: Path) -> None:
    (out / "taken.mp4").write_bytes(b"mine")
    (out / "a.mp4.tlog-proof").write_bytes(b"mine")
    (out / "folder.mp4").mkdir()
    (out / "dangling.mp4").symlink_to("nowhere")
    for name in (
        "taken.mp4",
        "a.mp4",
        "folder.mp4",
        "dangling.mp4",
        "missing/v.mp4",
        "taken.mp4/v.mp4",
        ".safegen-tmp",
    ):
        with pytest.raises(UsageError) as caught:
            ReleaseJob.begin(ledger, out / name)
        assert caught.value.hint or "usable" in str(caught.value)
    with pytest.raises(UsageError):
        ReleaseJob.begin(ledger, out / "folder.mp4", overwrite=True)
    assert not (out / ".safegen-tmp").exists()


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may write anywhere")
def test_a_folder_that_cannot_be_written(ledger: Ledger, out: Path) -> None:
    out.chmod(0o500)
    with pytest.raises(UsageError, match="cannot be written"):
        ReleaseJob.begin(ledger, out / "v.mp4")
    out.chmod(0o700)


def test_a_planted_folder_of_temporaries(ledger: Ledger, out: Path, tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (out / ".safegen-tmp").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(UsageError, match="not a private folder"):
        ReleaseJob.begin(ledger, out / "v.mp4")
    (out / ".safegen-tmp").unlink()
    (out / ".safegen-tmp").mkdir()
    (out / ".safegen-tmp").chmod(0o777)
    with pytest.raises(UsageError, match="not a private folder"):
        ReleaseJob.begin(ledger, out / "v.mp4")
    with ledger.database.reading() as connection:
        assert list_leases(connection) == []


@pytest.mark.parametrize("error", [KeyboardInterrupt, ReleaseFailed("x"), ZeroDivisionError])
@pytest.mark.parametrize("recorded", [False, True])
def test_an_exception_leaves_nothing(
    ledger: Ledger, out: Path, error: type[BaseException], recorded: bool
) -> None:
    with pytest.raises(BaseException), ReleaseJob.begin(ledger, out / "v.mp4") as job:  # noqa: B017
        video = job.temporary("v.mp4")
        video.write_bytes(b"video")
        if recorded:
            job.record(video, release=RECORD)
        raise error
    nothing_left(ledger, out)
    assert len(ledger) == (2 if recorded else 0)
    if recorded:
        assert ledger.release(0).withdrawn == 1


POINTS = (
    ["leased", "folder", "record:start", "record:synced", "record:transaction"],
    ["record:committed", "record:proof", "publish:start", "publish:sidecar", "publish:sidecars"],
    ["publish:video", "publish:synced", "publish:cleaned", "publish:marked"],
)


@pytest.mark.parametrize("point", [point for group in POINTS for point in group])
def test_ctrl_c_at_every_step(ledger: Ledger, out: Path, point: str) -> None:
    pressed = []

    def at(name: str) -> None:
        if name == point and not pressed:
            pressed.append(name)
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        release(ledger, out / "v.mp4", hook=at)
    if point in POINTS[2]:
        assert len(list(out.iterdir())) == 3 and ledger.release(0).withdrawn is None
        with ledger.database.reading() as connection:
            assert list_leases(connection) == []
    else:
        nothing_left(ledger, out)
        assert len(ledger) == (2 if point in POINTS[1] else 0)


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT, errno.EACCES, errno.EROFS, errno.EIO])
@pytest.mark.parametrize(
    "call", ["sync_and_hash", "place_file", "write_synced", "make_job_folder", "sync_folder"]
)
def test_a_failing_disk(
    ledger: Ledger, out: Path, monkeypatch: pytest.MonkeyPatch, number: int, call: str
) -> None:
    def fail(*_args: object, **_options: object) -> None:
        raise OSError(number, os.strerror(number), "v.mp4")

    monkeypatch.setattr(files, call, fail)
    with pytest.raises(ReleaseFailed) as caught:
        release(ledger, out / "v.mp4")
    assert caught.value.hint
    if number == errno.ENOSPC:
        assert "disk is full" in str(caught.value)
    monkeypatch.undo()
    nothing_left(ledger, out)


def test_a_really_full_disk(
    tmp_path: Path, ledger: Ledger, out: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """SQLite's own error for a full disk, by a page limit."""
    ledger.append("audit", {})
    with ledger.database.reading() as connection:
        pages = connection.exec_driver_sql("PRAGMA page_count").scalar()
    ledger.close()
    from sqlalchemy import event

    @event.listens_for(ledger.database.engine, "connect")
    def limit(raw: object, _record: object) -> None:
        raw.execute(f"PRAGMA max_page_count={pages + 1}")

    big = replace(RECORD, manifest=bytes(range(250)) * 400)
    with (
        pytest.raises(LedgerError, match="disk is full"),
        ReleaseJob.begin(ledger, out / "v.mp4") as job,
    ):
        video = job.temporary("v.mp4")
        video.write_bytes(b"video")
        job.record(video, release=big)
    nothing_left(ledger, out)


def test_a_locked_ledger_while_recording(ledger: Ledger, out: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from safegen.ledger.store import Ledger as Store

    with pytest.raises(LedgerError), ReleaseJob.begin(ledger, out / "v.mp4") as job:
        video = job.temporary("v.mp4")
        video.write_bytes(b"video")

        def locked(self: Store, **_options: object) -> None:
            raise LedgerError("another safegen process is writing to the ledger", hint="wait")

        with monkeypatch.context() as patch:
            patch.setattr(Store, "transaction", locked)
            job.record(video, release=RECORD)
    nothing_left(ledger, out)


def test_clearing_up_that_fails_does_not_hide_the_error(
    ledger: Ledger, out: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_args: object, **_options: object) -> None:
        raise LedgerError("another safegen process is writing to the ledger")

    with pytest.raises(KeyboardInterrupt) as caught, ReleaseJob.begin(ledger, out / "v.mp4"):
        monkeypatch.setattr("safegen.release.settle.abandon", fail)
        raise KeyboardInterrupt
    assert "left to the next run" in caught.value.__notes__[0]
    monkeypatch.undo()
    assert recover(ledger).removed == 1, "also within the same process"
    nothing_left(ledger, out)


def test_overwriting(ledger: Ledger, out: Path) -> None:
    release(ledger, out / "v.mp4", data=b"old")
    with pytest.raises(UsageError, match="exists"):
        release(ledger, out / "v.mp4", data=b"new")
    assert (out / "v.mp4").read_bytes() == b"old"
    done = release(ledger, out / "v.mp4", data=b"new", overwrite=True)
    assert (out / "v.mp4").read_bytes() == b"new"
    assert len(list(out.iterdir())) == 3
    assert verify_proof_index(ledger, done) == done.index == 1
    assert ledger.check().ok


def verify_proof_index(ledger: Ledger, done: Published) -> int:
    assert ledger.signer is not None
    logs = {ledger.signer.origin: ledger.signer.public_key}
    return verify_proof(done.sidecars[-1].read_text(), logs=logs).index


@pytest.mark.parametrize("name", ["v.mp4", "v.vtt", "v.mp4.tlog-proof"])
def test_a_name_taken_in_the_meantime_is_never_replaced(ledger: Ledger, out: Path, name: str) -> None:
    def at(point: str) -> None:
        if point == "publish:start":
            (out / name).write_bytes(b"the user's own")

    with pytest.raises(UsageError, match="now exists"):
        release(ledger, out / "v.mp4", hook=at)
    assert {path.name: path.read_bytes() for path in out.iterdir()} == {name: b"the user's own"}
    assert ledger.release(0).withdrawn == 1


def test_bytes_that_change_after_the_record(ledger: Ledger, out: Path) -> None:
    with pytest.raises(ReleaseFailed, match="changed"), ReleaseJob.begin(ledger, out / "v.mp4") as job:
        video = job.temporary("v.mp4")
        video.write_bytes(b"video")
        job.record(video, release=RECORD)
        video.write_bytes(b"other")
        job.publish()
    nothing_left(ledger, out)
    assert ledger.release(0).withdrawn == 1


def test_wrong_order_and_wrong_files(ledger: Ledger, out: Path, tmp_path: Path) -> None:
    with ReleaseJob.begin(ledger, out / "v.mp4") as job:
        with pytest.raises(UsageError, match="record the video"):
            job.publish()
        outside = tmp_path / "x.mp4"
        outside.write_bytes(b"x")
        with pytest.raises(UsageError, match="not a temporary"):
            job.record(outside, release=RECORD)
        video = job.temporary("v.mp4")
        video.symlink_to(outside)
        with pytest.raises(SafegenError):
            job.record(video, release=RECORD)
        video.unlink()
        with pytest.raises(ReleaseFailed):
            job.record(video, release=RECORD)
        video.write_bytes(b"video")
        for name in ("v.mp4", "v.mp4.tlog-proof", "../x", "", "a/b"):
            with pytest.raises(UsageError, match="sidecar"):
                job.record(video, release=RECORD, sidecars={name: video})
        job.record(video, release=RECORD)
        with pytest.raises(UsageError, match="already"):
            job.record(video, release=RECORD)
        job.publish()
    assert ledger.check().ok


def test_leaving_without_publishing_withdraws(ledger: Ledger, out: Path) -> None:
    with ReleaseJob.begin(ledger, out / "v.mp4") as job:
        video = job.temporary("v.mp4")
        video.write_bytes(b"video")
        job.record(video, release=RECORD)
    nothing_left(ledger, out)
    assert ledger.release(0).withdrawn == 1


# --- file systems without hard links ----------------------------------------------------------


def no_links(*_args: object, **_options: object) -> None:
    raise OSError(errno.EPERM, "Operation not permitted")


def test_without_hard_links(ledger: Ledger, out: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files.os, "link", no_links)
    done = release(ledger, out / "v.mp4")
    assert done.path.read_bytes() == b"video" and len(list(out.iterdir())) == 3
    with pytest.raises(UsageError, match="exists"):
        release(ledger, out / "v.mp4")

    def at(point: str) -> None:
        if point == "publish:sidecars":
            (out / "w.mp4").write_bytes(b"mine")

    with pytest.raises(UsageError, match="now exists"):
        release(ledger, out / "w.mp4", hook=at)
    assert (out / "w.mp4").read_bytes() == b"mine"
    assert ledger.check().ok


def test_without_hard_links_and_safe_renames(
    ledger: Ledger, out: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(files.os, "link", no_links)
    monkeypatch.setattr(files, "rename_without_replacing", lambda *_: False)
    done = release(ledger, out / "v.mp4")
    assert done.path.read_bytes() == b"video" and "hard links" in done.warnings[0]
    (out / "taken").write_bytes(b"mine")
    (out / "new").write_bytes(b"new")
    with pytest.raises(FileExistsError):
        folder = Folder(out, None)
        files.place_file(folder, "new", folder, "taken", overwrite=False, placeholder=lambda: None)
    assert (out / "taken").read_bytes() == b"mine"


def test_a_placeholder_of_a_killed_job_is_filled(
    ledger: Ledger, out: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Killed between taking the name with an empty file and replacing it."""
    monkeypatch.setattr(files.os, "link", no_links)
    monkeypatch.setattr(files, "rename_without_replacing", lambda *_: False)
    job = ReleaseJob.begin(ledger, out / "v.mp4")
    video = job.temporary("v.mp4")
    video.write_bytes(b"video")
    job.record(video, release=RECORD)

    class Killed(BaseException):
        pass

    def die(*_args: object, **_options: object) -> None:
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(files.os, "replace", die)
        with pytest.raises(Killed):
            job.publish()
    assert [path.stat().st_size for path in out.iterdir() if path.is_file()] == [0]
    orphan(ledger)
    assert recover(ledger).published == (out / "v.mp4",)
    assert (out / "v.mp4").read_bytes() == b"video"
    assert ledger.check().ok


def test_renaming_without_replacing(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"a")
    (tmp_path / "b").write_bytes(b"b")
    try:
        with open_folder(tmp_path.resolve()) as folder:
            done = files.rename_without_replacing(folder, "a", folder, "c")
    except OSError:
        pytest.skip("this file system refuses")
    if not done:
        pytest.skip("this system has no such rename")
    with pytest.raises(FileExistsError):
        files.rename_without_replacing(Folder(tmp_path, None), "b", Folder(tmp_path, None), "c")
    assert (tmp_path / "c").read_bytes() == b"a"


# --- leases -----------------------------------------------------------------------------------


def orphan(ledger: Ledger, **changes: object) -> None:
    """Make the owner of every lease a process that is gone (or whatever *changes* say)."""
    from sqlalchemy import update

    from safegen.ledger.models import LeaseRow, table

    owner = replace(Owner.current(), **({"boot": "an earlier boot"} | changes))
    with ledger.database.writing() as connection:
        connection.execute(update(table(LeaseRow)).values(owner=owner.text))


def test_living_owners_are_left_alone(ledger: Ledger, out: Path) -> None:
    with ReleaseJob.begin(ledger, out / "v.mp4") as job:
        job.temporary("v.mp4").write_bytes(b"video")
        later = datetime(2030, 1, 1, tzinfo=UTC)
        assert recover(ledger, clock=lambda: later).removed == 0
        assert job.temporary("v.mp4").exists()


def test_owners_nobody_knows_are_waited_for(ledger: Ledger, out: Path) -> None:
    job = ReleaseJob.begin(ledger, out / "v.mp4", lease=timedelta(hours=1))
    orphan(ledger, host="another host")
    assert recover(ledger).removed == 0
    assert job.folder.exists()
    later = ledger.clock() + timedelta(hours=2)
    assert recover(ledger, clock=lambda: later).removed == 1
    nothing_left(ledger, out)


def test_a_job_that_was_taken_over_publishes_nothing(ledger: Ledger, out: Path) -> None:
    with pytest.raises(ReleaseFailed, match="taken over"), ReleaseJob.begin(ledger, out / "v.mp4") as job:
        video = job.temporary("v.mp4")
        video.write_bytes(b"video")
        orphan(ledger, host="another host")
        job.record(video, release=RECORD)
    assert len(ledger) == 0 and not (out / "v.mp4").exists()


def test_a_silent_job_wakes_up_after_it_was_finished_by_another(ledger: Ledger, out: Path) -> None:
    """Another host took it over and published it: the files stay."""
    now = ledger.clock()
    with (
        pytest.raises(ReleaseFailed, match="taken over"),
        ReleaseJob.begin(ledger, out / "v.mp4", clock=lambda: now) as job,
    ):
        video = job.temporary("v.mp4")
        video.write_bytes(b"video")
        job.record(video, release=RECORD)
        orphan(ledger)
        assert recover(ledger).published == (out / "v.mp4",)
        now += timedelta(hours=7)
        job.publish()
    assert (out / "v.mp4").read_bytes() == b"video" and ledger.release(0).withdrawn is None


def test_a_job_taken_over_in_the_middle_is_left_to_the_other(ledger: Ledger, out: Path) -> None:
    with pytest.raises(KeyboardInterrupt), ReleaseJob.begin(ledger, out / "v.mp4") as job:
        video = job.temporary("v.mp4")
        video.write_bytes(b"video")
        job.record(video, release=RECORD)
        orphan(ledger)
        raise KeyboardInterrupt
    assert video.exists() and len(ledger) == 1
    assert recover(ledger).published == (out / "v.mp4",)


def test_a_job_withdrawn_by_another_while_it_publishes(ledger: Ledger, out: Path) -> None:
    def at(point: str) -> None:
        if point == "publish:video":
            from safegen.release.leases import set_state

            with ledger.transaction() as batch:
                set_state(batch.connection, job.id, "withdrawn", Seal.of(ledger))
                batch.withdraw(0, "by another")

    with (
        pytest.raises(ReleaseFailed, match="withdrawn"),
        ReleaseJob.begin(ledger, out / "v.mp4", hook=at) as job,
    ):
        video = job.temporary("v.mp4")
        video.write_bytes(b"video")
        job.record(video, release=RECORD)
        job.publish()
    nothing_left(ledger, out)


@pytest.mark.parametrize("name", ["a\0b.mp4", "x" * 250 + ".mp4", "caf\udce9.mp4"])
def test_impossible_names(ledger: Ledger, out: Path, name: str) -> None:
    with pytest.raises(UsageError) as caught:
        ReleaseJob.begin(ledger, out / name)
    assert caught.value.hint
    nothing_left(ledger, out)


def test_a_missing_folder_is_waited_for_then_given_up(ledger: Ledger, out: Path) -> None:
    job = ReleaseJob.begin(ledger, out / "v.mp4")
    video = job.temporary("v.mp4")
    video.write_bytes(b"video")
    job.record(video, release=RECORD)
    orphan(ledger)
    out.rename(out.with_name("unplugged"))
    assert recover(ledger).waiting
    out.with_name("unplugged").rename(out)
    assert recover(ledger).published == (out / "v.mp4",)
    job = ReleaseJob.begin(ledger, out / "w.mp4")
    video = job.temporary("w.mp4")
    video.write_bytes(b"video")
    job.record(video, release=RECORD)
    orphan(ledger)
    out.rename(out.with_name("deleted"))
    later = ledger.clock() + timedelta(hours=7)
    assert recover(ledger, clock=lambda: later).withdrawn == (1,)
    assert ledger.check().ok


def test_who_lives() -> None:
    here = Owner.current()
    assert Owner.parse(here.text) == here
    assert Owner.parse("{}") is None and Owner.parse("x") is None
    assert here.liveness(here) is (Liveness.ALIVE if here.started else Liveness.UNKNOWN)
    assert replace(here, host="else").liveness(here) is Liveness.UNKNOWN
    assert replace(here, space="else").liveness(here) is Liveness.UNKNOWN
    if here.boot:
        assert replace(here, boot="before").liveness(here) is Liveness.DEAD
        assert replace(here, started="1").liveness(here) is Liveness.DEAD
        assert replace(here, started="").liveness(here) is Liveness.UNKNOWN
    pid = os.fork()
    if pid == 0:
        os._exit(0)
    os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)
    assert replace(here, pid=pid).liveness(here) is Liveness.DEAD, "a zombie"
    os.waitpid(pid, 0)
    assert replace(here, pid=pid).liveness(here) is Liveness.DEAD
