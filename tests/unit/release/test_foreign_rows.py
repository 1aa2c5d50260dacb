"""Leases and outbox rows that safegen has not written here: recovery must touch nothing because of them."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import insert, update

from safegen._util.user_state import user_state_folder
from safegen.errors import LedgerError, UsageError
from safegen.ledger import Ledger
from safegen.ledger.models import LeaseRow, OutboxRow, table
from safegen.release import ReleaseJob, ReleaseRecord, recover
from safegen.release.owner import ACTIVE_JOBS, Owner
from safegen.release.seal import KEY_NAME
from safegen.release.settle import open_place

RECORD = ReleaseRecord("urn:c2pa:1", b"jumbf", 5, "test.v1")
DEAD = replace(Owner.current(), boot="an earlier boot").text
OLD = "2020-01-01T00:00:00.000Z"
JOB = "0" * 32
LEASE, OUTBOX = table(LeaseRow), table(OutboxRow)


@pytest.fixture
def own(tmp_path: Path) -> Path:
    """The folder in which the user makes clips."""
    folder = tmp_path / "out"
    folder.mkdir()
    return folder


@pytest.fixture
def theirs(tmp_path: Path) -> Iterator[Path]:
    """A folder that is none of safegen's business; at the end everything in it is as it was."""
    folder = tmp_path / "victim"
    for name in (".safegen-tmp", f".safegen-tmp/{JOB}", "thesis"):
        (folder / name).mkdir(parents=True, mode=0o700)
    for name in ("precious.txt", "thesis/chapter.txt", "clip.mp4", f".safegen-tmp/{JOB}/new"):
        (folder / name).write_bytes(name.encode())
    (folder / "empty").touch()

    def seen() -> dict[str, bytes]:
        return {str(p.relative_to(folder)): p.read_bytes() for p in folder.rglob("*") if p.is_file()}

    before = seen()
    yield folder
    assert seen() == before


def digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def lease(ledger: Ledger, **changes: object) -> None:
    values = {"job": JOB, "owner": DEAD, "expires": OLD, "folder": "/", "name": "clip.mp4"} | changes
    with ledger.database.writing() as connection:
        connection.execute(insert(LEASE).values(**values))


def outbox(ledger: Ledger, folder: object, files: object, *, job: str = JOB, **changes: object) -> None:
    content = {"files": files, "placeholder": False} | changes.pop("content", {})
    values = {"job": job, "position": 0, "state": "recorded", "folder": folder, "overwrite": False}
    with ledger.database.writing() as connection:
        connection.execute(insert(OUTBOX).values(**(values | {"files": json.dumps(content)} | changes)))


def item(name: str, temporary: str, sha256: str, text: str | None = None) -> dict[str, object]:
    return {"name": name, "temporary": temporary, "sha256": sha256, "text": text}


def settled_nothing(ledger: Ledger) -> None:
    done = recover(ledger)
    assert (done.published, done.withdrawn, done.removed) == ((), (), 0)
    assert done.waiting


@pytest.mark.parametrize("job", [JOB, "thesis", "..", "../thesis", ".", "", "/", JOB * 2])
@pytest.mark.parametrize("where", ["{}", "{}/thesis/..", "{}/thesis/../../victim", "relative", "", "{}/"])
def test_a_forged_lease_removes_no_folder(ledger: Ledger, theirs: Path, job: str, where: str) -> None:
    lease(ledger, job=job, folder=where.format(theirs))
    settled_nothing(ledger)


@pytest.mark.parametrize("state", ["recorded", "withdrawn", "published"])
@pytest.mark.parametrize("overwrite", [False, True])
@pytest.mark.parametrize("placeholder", [False, True])
def test_a_forged_outbox_removes_and_replaces_nothing(
    ledger: Ledger, theirs: Path, state: str, overwrite: bool, placeholder: bool
) -> None:
    ledger.append("decision", {})
    names = ("precious.txt", "thesis/chapter.txt", "empty", "../out/x")
    files = [item(name, "new", digest(theirs / "precious.txt"), "gone") for name in names]
    files.append(item("clip.mp4", "new", digest(theirs / f".safegen-tmp/{JOB}/new")))
    lease(ledger, folder=str(theirs))
    outbox(
        ledger,
        str(theirs),
        files,
        state=state,
        overwrite=overwrite,
        content={"placeholder": placeholder, "code": "0" * 32},
    )
    settled_nothing(ledger)


@pytest.mark.parametrize(
    "change",
    [
        {"folder": 7},
        {"name": "a/b"},
        {"name": "\0"},
        {"expires": None},
        {"owner": "{"},
        {"job": "é" * 32},
        {"folder": "/\0"},
    ],
)
def test_rows_of_any_shape_are_passed_over(ledger: Ledger, theirs: Path, change: dict[str, object]) -> None:
    with ledger.database.writing() as connection:
        connection.exec_driver_sql("DROP TABLE release_lease")
        connection.exec_driver_sql("CREATE TABLE release_lease (job, owner, expires, folder, name)")
    lease(ledger, **({"folder": str(theirs)} | change))
    settled_nothing(ledger)


def interrupted(ledger: Ledger, path: Path, point: str, *, overwrite: bool = False) -> ReleaseJob:
    """A release by this user whose process is gone since *point*."""

    class Gone(BaseException):
        pass

    def at(name: str) -> None:
        if name == point:
            raise Gone

    job = ReleaseJob.begin(ledger, path, hook=at, overwrite=overwrite)
    video = job.temporary(path.name)
    video.write_bytes(b"video")
    try:
        job.record(video, release=RECORD)
        job.publish()
    except Gone:
        pass
    ACTIVE_JOBS.discard(job.id)
    change(ledger, LEASE, owner=DEAD, expires=OLD)
    return job


def change(ledger: Ledger, rows: object, **values: object) -> None:
    with ledger.database.writing() as connection:
        connection.execute(update(rows).values(**values))


FORGERIES: dict[str, Callable[[Ledger, Path], None]] = {
    "the lease's folder": lambda ledger, path: change(ledger, LEASE, folder=str(path)),
    "the lease's name": lambda ledger, path: change(ledger, LEASE, name="precious.txt"),
    "the outbox's folder": lambda ledger, path: change(ledger, OUTBOX, folder=str(path)),
    "both folders": lambda ledger, path: (
        change(ledger, LEASE, folder=str(path)),
        change(ledger, OUTBOX, folder=str(path)),
    )[0],
    "the state": lambda ledger, path: change(ledger, OUTBOX, state="withdrawn"),
    "leave to overwrite": lambda ledger, path: change(ledger, OUTBOX, overwrite=True),
    "the files": lambda ledger, path: change(
        ledger, OUTBOX, files=json.dumps({"files": [item("clip.mp4", "x", "0" * 64)], "placeholder": True})
    ),
    "no JSON": lambda ledger, path: change(ledger, OUTBOX, files="{"),
}


@pytest.mark.parametrize("name", FORGERIES)
def test_an_own_row_that_was_changed_is_left_alone(
    ledger: Ledger, own: Path, theirs: Path, name: str
) -> None:
    job = interrupted(ledger, own / "clip.mp4", "publish:start")
    FORGERIES[name](ledger, theirs)
    settled_nothing(ledger)
    assert (job.folder / "clip.mp4").read_bytes() == b"video" and not (own / "clip.mp4").exists()


def test_an_untouched_row_is_recovered(ledger: Ledger, own: Path) -> None:
    interrupted(ledger, own / "clip.mp4", "publish:start")
    assert recover(ledger).published == (own / "clip.mp4",)


def test_a_published_release_cannot_be_made_to_look_withdrawn(ledger: Ledger, own: Path) -> None:
    job = interrupted(ledger, own / "clip.mp4", "never")
    lease(ledger, job=job.id, folder=str(own))
    change(ledger, OUTBOX, state="withdrawn")
    settled_nothing(ledger)
    assert (own / "clip.mp4").read_bytes() == b"video"


def test_a_copied_workspace_of_another_user_or_machine(ledger: Ledger, own: Path) -> None:
    """Its rows carry codes under a key that is not here."""
    job = interrupted(ledger, own / "clip.mp4", "publish:start")
    key = user_state_folder() / KEY_NAME
    kept = key.read_bytes()
    key.unlink()
    settled_nothing(ledger)
    assert job.folder.is_dir()
    key.write_bytes(kept)
    key.chmod(0o600)
    assert recover(ledger).published == (own / "clip.mp4",)


def test_without_a_place_for_the_key_releases_work(
    ledger: Ledger, own: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "file"))
    job = ReleaseJob.begin(ledger, own / "clip.mp4")
    with job:
        job.temporary("clip.mp4").write_bytes(b"video")
        job.record(job.temporary("clip.mp4"), release=RECORD)
        job.publish()
    assert (own / "clip.mp4").read_bytes() == b"video" and not (own / ".safegen-tmp").exists()
    interrupted(ledger, own / "other.mp4", "publish:start")
    settled_nothing(ledger)


# --- names led elsewhere ----------------------------------------------------------------------


def swap(path: Path, target: Path) -> None:
    path.rename(path.with_name(f"{path.name}.was"))
    path.symlink_to(target, target_is_directory=True)


def test_the_folder_of_temporaries_is_swapped_for_a_link(ledger: Ledger, own: Path, theirs: Path) -> None:
    job = interrupted(ledger, own / "clip.mp4", "record:start")
    target = theirs / ".safegen-tmp"
    (target / JOB).rename(target / job.id)
    swap(own / ".safegen-tmp", target)
    assert recover(ledger).removed == 1, "the lease is over; what the link leads to is left"
    (target / job.id).rename(target / JOB)


def test_the_job_s_folder_is_swapped_for_a_link(ledger: Ledger, own: Path, theirs: Path) -> None:
    job = interrupted(ledger, own / "clip.mp4", "record:start")
    swap(job.folder, theirs)
    recover(ledger)


def test_a_part_of_the_way_is_swapped_for_a_link(ledger: Ledger, own: Path, theirs: Path) -> None:
    deep = own / "deep"
    deep.mkdir()
    job = interrupted(ledger, deep / "clip.mp4", "publish:start")
    (theirs.parent / "elsewhere/deep/.safegen-tmp").mkdir(parents=True, mode=0o700)
    shutil.copytree(job.folder, theirs.parent / f"elsewhere/deep/.safegen-tmp/{job.id}")
    swap(own, theirs.parent / "elsewhere")
    settled_nothing(ledger)
    assert [p.name for p in (theirs.parent / "elsewhere/deep").iterdir()] == [".safegen-tmp"]


def test_a_link_under_the_final_name_is_not_followed(ledger: Ledger, own: Path, theirs: Path) -> None:
    interrupted(ledger, own / "clip.mp4", "publish:start")
    (own / "clip.mp4").symlink_to(theirs / "clip.mp4")
    assert recover(ledger).withdrawn == (0,)
    assert (own / "clip.mp4").is_symlink()


def test_a_folder_that_others_can_change_is_left(ledger: Ledger, own: Path) -> None:
    job = interrupted(ledger, own / "clip.mp4", "publish:start")
    (own / ".safegen-tmp").chmod(0o777)
    assert recover(ledger).withdrawn == (0,)
    assert job.folder.is_dir()


def test_through_a_link_that_the_user_chose(ledger: Ledger, own: Path) -> None:
    """What is recorded is where the link leads, so recovery needs none."""
    (own.parent / "link").symlink_to(own, target_is_directory=True)
    interrupted(ledger, own.parent / "link/clip.mp4", "publish:start")
    assert recover(ledger).published == (own / "clip.mp4",)


def test_only_the_file_that_was_to_be_replaced_is_replaced(ledger: Ledger, own: Path) -> None:
    (own / "clip.mp4").write_bytes(b"old")
    interrupted(ledger, own / "clip.mp4", "publish:start", overwrite=True)
    (own / "clip.mp4").write_bytes(b"another clip, made since")
    assert recover(ledger).withdrawn == (0,)
    assert (own / "clip.mp4").read_bytes() == b"another clip, made since"
    (own / "clip.mp4").write_bytes(b"old")
    interrupted(ledger, own / "clip.mp4", "publish:start", overwrite=True)
    assert recover(ledger).published == (own / "clip.mp4",)
    assert (own / "clip.mp4").read_bytes() == b"video"


@pytest.mark.parametrize("job", ["..", "a", "0" * 31, "0" * 65, "A" * 32, f"{JOB}/", ""])
def test_only_ids_of_jobs_open_a_folder(own: Path, job: str) -> None:
    with pytest.raises(UsageError), open_place(own, job):
        pass


def test_a_row_made_elsewhere_is_not_settled_by_a_job_either(ledger: Ledger, own: Path) -> None:
    from safegen.release import settle

    job = interrupted(ledger, own / "clip.mp4", "publish:start")
    change(ledger, OUTBOX, state="withdrawn")
    with open_place(own, job.id) as place, pytest.raises(LedgerError, match="elsewhere"):
        settle.abandon(ledger, job.id, place, "x", owner=Owner.parse(DEAD) or Owner.current())
    assert os.listdir(job.folder)
