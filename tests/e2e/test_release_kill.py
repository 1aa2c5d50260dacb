"""Kill the release protocol everywhere: nothing unsigned or unrecorded is ever visible, and it recovers."""

from __future__ import annotations

import hashlib
import os
import random
import signal
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from safegen.errors import UsageError
from safegen.ledger import Ledger, LogSigner, verify_proof
from safegen.release import ReleaseJob, ReleaseRecord, recover

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="SIGKILL and fork")

SIGNER = LogSigner("example.com/kill", Ed25519PrivateKey.from_private_bytes(bytes(range(32))))
BEFORE = ("leased", "folder", "writing", "record:start", "record:synced", "record:transaction")
AFTER = (
    "record:committed",
    "record:proof",
    "publish:start",
    "publish:sidecar",
    "publish:sidecars",
    "publish:video",
    "publish:synced",
    "publish:cleaned",
    "publish:marked",
)
RECOVERY = (
    "recover:claimed",
    "recover:restored",
    "publish:sidecar",
    "publish:sidecars",
    "publish:video",
    "recover:cleaned",
)


PATIENCE = 300
"""Seconds after which a child that hangs is ended, so that nobody waits for it for ever."""


def open_ledger(root: Path) -> Ledger:
    return Ledger.open(root / "ledger.db", signer=SIGNER, checkpoint_dir=root / "checkpoints")


def in_child(work: Callable[[], None]) -> int:
    """Run *work* in a forked child; the child's wait status."""
    pid = os.fork()
    if pid == 0:
        signal.alarm(PATIENCE)
        try:
            work()
        except BaseException as error:
            os.write(2, f"{error!r}\n".encode())
            os._exit(1)
        os._exit(0)
    return os.waitpid(pid, 0)[1]


def killer(point: str, nth: int = 1) -> Callable[[str], None]:
    seen = 0

    def at(name: str) -> None:
        nonlocal seen
        seen += name == point
        if seen == nth:
            os.kill(os.getpid(), signal.SIGKILL)

    return at


def make_release(ledger: Ledger, path: Path, at: Callable[[str], None] = lambda _: None) -> int:
    """A release of stand-in bytes: only what begins with SIGNED counts as signed."""
    with ReleaseJob.begin(ledger, path, hook=at) as job:
        video, captions = job.temporary(path.name), job.temporary("captions")
        video.write_bytes(b"raw")
        at("writing")
        video.write_bytes(b"SIGNED " + path.name.encode() * 50)
        captions.write_bytes(b"captions of " + path.name.encode())
        record = ReleaseRecord(f"urn:c2pa:{path.name}", b"manifest", 2**64 - 1, "test.v1")
        index = job.record(video, release=record, sidecars={f"{path.stem}.vtt": captions}).index
        job.publish()
    return index


def visible(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.name != ".safegen-tmp"}


def nothing_unrecorded(ledger: Ledger, folder: Path) -> None:
    """Every visible byte is recorded; a video has its proof and captions beside it."""
    seen = visible(folder)
    recorded = {
        digest
        for entry in ledger.entries("release", limit=10**6)
        for digest in (entry.public["sha256"], *(item["sha256"] for item in entry.public["sidecars"]))
    }
    for name, data in seen.items():
        if name.endswith(".tlog-proof"):
            verify_proof(data.decode(), logs={SIGNER.origin: SIGNER.public_key})
            continue
        assert hashlib.sha256(data).hexdigest() in recorded, name
        if name.endswith(".mp4"):
            assert data.startswith(b"SIGNED")
            assert {f"{name}.tlog-proof", f"{name[:-4]}.vtt"} <= seen.keys()


def settled(root: Path) -> None:
    """After recovery: all or nothing, no temporaries, ledger and outbox agree, everything proves."""
    ledger = open_ledger(root)
    recover(ledger)
    folder = root / "out"
    nothing_unrecorded(ledger, folder)
    seen = visible(folder)
    assert not (folder / ".safegen-tmp").exists()
    report = ledger.check()
    assert report.ok, report.problems
    published = [
        entry for entry in ledger.entries("release", limit=10**6) if not withdrawn(ledger, entry.index)
    ]
    videos = {hashlib.sha256(data).hexdigest() for name, data in seen.items() if name.endswith(".mp4")}
    assert videos == {entry.public["sha256"] for entry in published}
    assert len(seen) == 3 * len(published)
    assert recover(ledger) == type(recover(ledger))()


def withdrawn(ledger: Ledger, index: int) -> bool:
    return ledger.release(index).withdrawn is not None


@pytest.fixture(scope="module")
def empty_database(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    root = tmp_path_factory.mktemp("template")
    open_ledger(root).close()
    return (root / "ledger.db").read_bytes()


@pytest.fixture
def workspace(tmp_path: Path, empty_database: bytes, request: pytest.FixtureRequest) -> Iterator[Path]:
    """In memory where there is such a folder: SIGKILL loses no writes. The hammers use the disk."""
    memory = Path("/dev/shm")
    on_disk = "hammer" in request.node.name or not os.access(memory, os.W_OK)
    with tempfile.TemporaryDirectory(dir=tmp_path if on_disk else memory, prefix="safegen-test-") as name:
        root = Path(name)
        (root / "out").mkdir()
        (root / "ledger.db").write_bytes(empty_database)
        with open_ledger(root) as ledger:
            ledger.append("decision", {"outcome": "allow"})
        yield root


@pytest.mark.parametrize("point", BEFORE)
def test_killed_before_the_record_nothing_is_left(workspace: Path, point: str) -> None:
    status = in_child(
        lambda: make_release(open_ledger(workspace), workspace / "out/v.mp4", killer(point)) and None
    )
    assert os.WTERMSIG(status) == signal.SIGKILL
    assert visible(workspace / "out") == {}
    settled(workspace)
    with open_ledger(workspace) as ledger:
        assert len(ledger) == 1
        make_release(ledger, workspace / "out/v.mp4")


@pytest.mark.parametrize("point", AFTER)
def test_killed_after_the_record_it_is_published(workspace: Path, point: str) -> None:
    status = in_child(
        lambda: make_release(open_ledger(workspace), workspace / "out/v.mp4", killer(point)) and None
    )
    assert os.WTERMSIG(status) == signal.SIGKILL
    with open_ledger(workspace) as ledger:
        nothing_unrecorded(ledger, workspace / "out")
    settled(workspace)
    assert len(visible(workspace / "out")) == 3


@pytest.mark.parametrize("point", RECOVERY)
def test_a_killed_recovery_is_recovered(workspace: Path, point: str) -> None:
    in_child(
        lambda: (
            make_release(open_ledger(workspace), workspace / "out/v.mp4", killer("record:committed")) and None
        )
    )
    status = in_child(lambda: recover(open_ledger(workspace), hook=killer(point)) and None)
    assert os.WTERMSIG(status) == signal.SIGKILL
    settled(workspace)
    assert len(visible(workspace / "out")) == 3


def interrupted(root: Path, point: str) -> None:
    """Ctrl-C after the record, then a kill while clearing up."""
    kill = killer(point)

    def at(name: str) -> None:
        kill(name)
        if name == "publish:sidecars":
            raise KeyboardInterrupt

    make_release(open_ledger(root), root / "out/v.mp4", at)


@pytest.mark.parametrize("point", ["abandon:cleaned", "abandon:withdrawn", "abandon:removed"])
def test_killed_while_clearing_up_it_is_withdrawn(workspace: Path, point: str) -> None:
    status = in_child(lambda: interrupted(workspace, point))
    assert os.WTERMSIG(status) == signal.SIGKILL
    with open_ledger(workspace) as ledger:
        nothing_unrecorded(ledger, workspace / "out")
    settled(workspace)
    assert visible(workspace / "out") == {}
    with open_ledger(workspace) as ledger:
        assert ledger.release(1).withdrawn == 2


def test_lost_bytes_are_withdrawn(workspace: Path) -> None:
    in_child(
        lambda: (
            make_release(open_ledger(workspace), workspace / "out/v.mp4", killer("publish:sidecars")) and None
        )
    )
    (job,) = (workspace / "out/.safegen-tmp").iterdir()
    (job / "v.mp4").write_bytes(b"something else")
    with open_ledger(workspace) as ledger:
        assert recover(ledger).withdrawn == (1,)
        assert ledger.entries(limit=1)[0].public["release"] == 1
    assert visible(workspace / "out") == {}
    settled(workspace)


def test_a_name_taken_meanwhile_is_left_alone(workspace: Path) -> None:
    in_child(
        lambda: (
            make_release(open_ledger(workspace), workspace / "out/v.mp4", killer("publish:start")) and None
        )
    )
    (workspace / "out/v.mp4").write_bytes(b"the user's own")
    with open_ledger(workspace) as ledger:
        assert recover(ledger).withdrawn == (1,)
    assert visible(workspace / "out") == {"v.mp4": b"the user's own"}


def test_concurrent_recoveries_do_the_work_once(workspace: Path) -> None:
    for name in "abc":
        path = workspace / f"out/{name}.mp4"
        in_child(
            lambda path=path: make_release(open_ledger(workspace), path, killer("publish:start")) and None
        )
    pids = []
    for _ in range(4):
        pid = os.fork()
        if pid == 0:
            signal.alarm(PATIENCE)
            try:
                recover(open_ledger(workspace))
                os._exit(0)
            except BaseException as error:
                os.write(2, f"{error!r}\n".encode())
                os._exit(1)
        pids.append(pid)
    assert [os.waitpid(pid, 0)[1] for pid in pids] == [0] * 4
    settled(workspace)
    assert len(visible(workspace / "out")) == 9


def writer(root: Path, seed: int, acknowledged: int) -> None:
    """Recover, then release for ever; every index is told to the parent once it is recorded."""
    rng = random.Random(seed)
    ledger = open_ledger(root)
    recover(ledger)
    while True:
        index = make_release(ledger, root / f"out/{rng.getrandbits(64):x}.mp4")
        os.write(acknowledged, index.to_bytes(8, "big"))


EVERY = 5
"""Kills between which at least one release is waited for, however slow the machine."""


def hammer(root: Path, kills: int, seed: int, *, writers: int = 4, longest: float = 0.35) -> int:
    """*writers* at once, killed at random moments until *kills* are dead; how many releases were told of.

    *longest*: seconds between two kills at most; before the first of every EVERY kills another release is
    waited for, so that some get through however slow the machine is. Afterwards nothing visible is unsigned
    or unrecorded, and nothing that was acknowledged is lost or there twice.
    """
    rng = random.Random(seed)
    read, write = os.pipe()
    told: list[int] = []
    news = threading.Condition()
    listener = threading.Thread(target=listen, args=(read, told, news), daemon=True)
    listener.start()
    alive: dict[int, int] = {}
    for turn in range(kills):
        while len(alive) < writers:
            number = rng.getrandbits(60)
            pid = os.fork()
            if pid == 0:
                signal.alarm(PATIENCE)
                try:
                    writer(root, number, write)
                finally:
                    os._exit(1)
            alive[pid] = number
        if turn % EVERY == 0:
            with news:
                before = len(told)
                assert news.wait_for(lambda: len(told) > before, PATIENCE), "no writer gets anything done"  # noqa: B023
        time.sleep(rng.uniform(0.01, longest))
        pid = rng.choice(sorted(alive))
        os.kill(pid, signal.SIGKILL)
        assert os.WIFSIGNALED(os.waitpid(pid, 0)[1]), "a writer failed by itself"
        del alive[pid]
    for pid in alive:
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
    os.close(write)
    listener.join(PATIENCE)
    assert not listener.is_alive(), "a writer is left"
    settled(root)
    assert len(told) == len(set(told)), "one entry was told of twice"
    with open_ledger(root) as ledger:
        releases = [ledger.release(index) for index in told]
        assert all(r.withdrawn is None for r in releases)
        assert len({r.manifest_id for r in releases}) == len(told)
    return len(told)


def listen(read: int, told: list[int], news: threading.Condition) -> None:
    """Indices that the writers acknowledge, until the last of them is gone."""
    with os.fdopen(read, "rb") as file:
        while data := file.read(8):
            with news:
                told.append(int.from_bytes(data, "big"))
                news.notify_all()


def test_thirty_kills(workspace: Path) -> None:
    assert hammer(workspace, 30, seed=1, longest=0.15) > 0


@pytest.mark.slow
def test_a_thousand_kills(workspace: Path) -> None:
    """1,000 random kills under four concurrent writers."""
    told = hammer(workspace, 1000, seed=2)
    assert told > 100
    print(f"1000 kills, {told} releases acknowledged, none lost")


def test_two_releases_of_one_name(workspace: Path) -> None:
    with open_ledger(workspace) as ledger:
        make_release(ledger, workspace / "out/v.mp4")
        with pytest.raises(UsageError, match="exists"):
            make_release(ledger, workspace / "out/v.mp4")
    settled(workspace)
