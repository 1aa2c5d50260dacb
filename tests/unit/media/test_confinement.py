"""What a sandboxed child cannot do: tried by a probe inside one, forked and started alone."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from safegen.errors import UnreadableInput
from safegen.media import _channel, _confinement, _start

pytestmark = pytest.mark.skipif(
    "seccomp" not in _confinement.available(), reason="this kernel has no seccomp filters for us"
)
FORBIDDEN = {"PermissionError"}
PASS = "correct horse battery staple"


@pytest.fixture(params=["forked", "alone"])
def started(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    if request.param == "alone":
        monkeypatch.setattr(_start.FORKER, "usable", False)
    elif not _start.FORKER.usable:
        pytest.skip("children are not forked on this system")
    return str(request.param)


@pytest.fixture
def probed(started: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    for name in ("SAFEGEN_KEY_PASSPHRASE", "SAFEGEN_REMOTE_KEY", "OPENAI_API_KEY", "HF_TOKEN"):
        monkeypatch.setenv(name, PASS)
    (tmp_path / "given").write_text("given")
    (tmp_path / "secret").write_text("secret")
    job = {
        "module": "tests.support.probe",
        "secret": str(tmp_path / "secret"),
        "fresh": str(tmp_path / "fresh"),
        "parent": os.getpid(),
        "max_bytes": 4 * 2**30,
        "max_seconds": 60,
    }
    reads, writes = {"input": tmp_path / "given"}, {"made": tmp_path / "made"}
    found = [m for m, _ in _channel.child_messages(reads, job, 120, writes=writes)]
    assert [m["type"] for m in found] == ["probe"]
    return {**found[0], "folder": tmp_path}


def test_nothing_but_the_handed_files_is_within_reach(probed: dict[str, Any]) -> None:
    allowed = {name: how for name, how in probed["found"].items() if how not in FORBIDDEN}
    assert allowed == {"thread": ""}
    folder = probed["folder"]
    assert (folder / "secret").read_text() == "secret" and not (folder / "fresh").exists()
    assert probed["read"] == "given"
    assert probed["written"] == 4 and (folder / "made").read_bytes() == b"made"


def test_nothing_of_the_users_environment_is_there(probed: dict[str, Any]) -> None:
    allowed = {"LC_ALL", *_start._LIBRARIES, *_start._ONE_THREAD, "LC_CTYPE"}
    assert set(probed["environment"]) <= allowed
    assert PASS not in str(probed["environment"])


def test_no_other_descriptor_is_open(probed: dict[str, Any]) -> None:
    assert set(probed["descriptors"]) == {0, 1, 2, *probed["handles"].values()}


def test_the_landlock_alone_refuses_files(monkeypatch: pytest.MonkeyPatch) -> None:
    if "landlock" not in _confinement.available():
        pytest.skip("this kernel has no Landlock")
    read, write = os.pipe()
    pid = os.fork()
    if pid == 0:
        _confinement._call(0)  # ctypes is loaded
        answer = b"refused"
        monkeypatch.setattr(_confinement, "_seccomp", lambda: False)
        try:
            done = _confinement.confine()
            os.close(os.open(__file__, os.O_RDONLY))
            answer = b"opened"
        except OSError:
            answer = ",".join(done).encode()
        finally:
            os.write(write, answer)
            os._exit(0)
    os.waitpid(pid, 0)
    assert os.read(read, 100) == b"landlock"
    os.close(read)
    os.close(write)


def test_other_systems_are_told_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    for machine in ("riscv64", "i686", ""):
        monkeypatch.setattr(_confinement.platform, "machine", lambda machine=machine: machine)
        assert _confinement.available() == _confinement.confine() == ()


@pytest.mark.parametrize("machine", ["x86_64", "aarch64"])
def test_the_filter_is_well_formed(machine: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_confinement.platform, "machine", lambda: machine)
    code = _confinement._program()
    steps = [code[i : i + 8] for i in range(0, len(code), 8)]
    assert len(steps) < 4096 and all(len(step) == 8 for step in steps)
    column = ["x86_64", "aarch64"].index(machine)
    for calls in (_confinement._FILES, _confinement._REST):
        numbers = [pair[column] for pair in calls.values() if pair[column] is not None]
        assert len(numbers) == len(set(numbers)), "each call once"
    for at, step in enumerate(steps):
        if step[0] & 7 == 5:  # a jump stays inside
            assert at + 1 + max(step[2], step[3]) < len(steps)


class Says:
    """A child's pipe with prepared bytes."""

    def __init__(self, data: bytes) -> None:
        self.data = data

    def read(self, size: int) -> bytes:
        part, self.data = self.data[:size], self.data[size:]
        return part

    def readinto(self, view: memoryview) -> int:
        part = self.read(len(view))
        view[: len(part)] = part
        return len(part)


@pytest.mark.parametrize(
    "said",
    [
        b"\x00\x00\x00\x04nope",
        b"\x00\x00\x00\x02[]",
        b"\x00\x00\x00\x02{}",
        b'\x00\x00\x00\x0a{"type":1}',
        b"\xff\xff\xff\xff",
        b'\x00\x00\x00\x1d{"type":"frame","bytes":-100}',
        b'\x00\x00\x00\x28{"type":"frame","bytes":9999999999999}   ',
        b'\x00\x00\x00\x28{"type":"frame","shape":[65536,65536,9]} ',
        b'\x00\x00\x00\x22{"type":"frame","shape":["a",1,3]} ',
        b"\x00\x00\x4e\x20" + b"[" * 20000,
    ],
)
def test_a_child_that_talks_nonsense_is_an_unreadable_file(said: bytes) -> None:
    class Watch:
        def waiting(self) -> Any:
            import contextlib

            return contextlib.nullcontext()

    with pytest.raises(UnreadableInput, match="makes no sense"):
        list(_channel._read(Says(said), Path("a.mp4"), Watch()))  # type: ignore[arg-type]


@pytest.fixture
def _own_forker(monkeypatch: pytest.MonkeyPatch) -> Iterator[_start.Forker]:
    forker = _start.Forker()
    monkeypatch.setattr(_start, "FORKER", forker)
    yield forker
    forker.stop()


def test_children_are_there_again_when_the_forking_process_was_killed(
    _own_forker: _start.Forker, tmp_path: Path
) -> None:
    if not _own_forker.usable:
        pytest.skip("children are not forked on this system")
    (tmp_path / "given").write_text("given")
    job = {"module": "tests.support.probe", "secret": "/", "fresh": "/", "parent": os.getpid()}
    job |= {"max_bytes": 4 * 2**30, "max_seconds": 60}

    def read() -> list[str]:
        return [m["read"] for m, _ in _channel.child_messages({"input": tmp_path / "given"}, job, 120)]

    assert read() == ["given"]
    process = _own_forker._process
    assert process is not None
    process.kill()
    process.wait()
    assert read() == ["given"]


def test_a_child_goes_when_nobody_wants_it(_own_forker: _start.Forker, tmp_path: Path) -> None:
    if not _own_forker.usable:
        pytest.skip("children are not forked on this system")
    (tmp_path / "given").write_text("given")
    descriptor = os.open(tmp_path / "given", os.O_RDONLY)
    with _start.start("tests.support.probe", [descriptor]) as child:
        child.kill()
        assert child.wait(60) == -9
    os.close(descriptor)
