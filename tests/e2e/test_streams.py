"""Streams in the place of files, addresses in the place of files, and answers that cannot be written."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

import safegen
from safegen.cli import _standing_in
from safegen.errors import UnreadableInput
from tests.e2e.test_protect import scene

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="pipes with names are a matter of POSIX")


@pytest.fixture(scope="module")
def released(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A released picture and its workspace."""
    folder = tmp_path_factory.mktemp("streams")
    Image.fromarray(scene(1)[0]).save(folder / "a.png")
    made = safegen.protect(folder / "a.png", folder / "made.png", workspace=folder / "ws")
    return made.path, folder / "ws"


def run(*arguments: object, **more: Any) -> subprocess.CompletedProcess[bytes]:
    command = [sys.executable, "-m", "safegen", *map(str, arguments)]
    given = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "timeout": 300, **more}
    if "input" not in given:
        given.setdefault("stdin", subprocess.DEVNULL)
    return subprocess.run(command, check=False, **given)


@pytest.mark.parametrize("name", ["-", "/dev/stdin"])
def test_standard_input_is_verified(released: tuple[Path, Path], name: str) -> None:
    path, workspace = released
    done = run("verify", name, "--workspace", workspace, "--json", input=path.read_bytes())
    answer = json.loads(done.stdout)
    assert (done.returncode, answer["verdict"], answer["path"]) == (0, "VERIFIED", name), done.stderr


def test_a_file_behind_standard_input_is_verified(released: tuple[Path, Path]) -> None:
    path, workspace = released
    with path.open("rb") as file:
        done = run("verify", "/dev/stdin", "--workspace", workspace, stdin=file)
    assert done.stdout.startswith(b"VERIFIED  /dev/stdin: "), done.stderr


def test_a_process_substitution_is_verified_with_its_page(
    released: tuple[Path, Path], tmp_path: Path
) -> None:
    path, workspace = released
    reading, writing = os.pipe()

    def feed() -> None:
        with os.fdopen(writing, "wb") as pipe:
            pipe.write(path.read_bytes())

    threading.Thread(target=feed, daemon=True).start()
    html = tmp_path / "page.html"
    name = f"/dev/fd/{reading}"
    done = run("verify", name, path, "--workspace", workspace, "--html", html, pass_fds=(reading,))
    os.close(reading)
    assert done.returncode == 0, done.stderr
    assert done.stdout.count(b"VERIFIED  ") == 2 and name in html.read_text()


def test_a_stream_leaves_nothing_behind_and_is_limited(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_standing_in.tempfile, "tempdir", str(tmp_path))
    fifo = tmp_path / "pipe"
    os.mkfifo(fifo)
    for size, limit in ((0, 10), (11, 10), (10, 10)):
        thread = threading.Thread(target=lambda n=size: fifo.write_bytes(b"x" * n), daemon=True)
        thread.start()
        if size == limit:
            with _standing_in.standing_in((fifo, tmp_path), limit) as found:
                assert found[fifo].read_bytes() == b"x" * size and tmp_path not in found
        else:
            with (
                pytest.raises(UnreadableInput, match=r"nothing comes from|more than"),
                _standing_in.standing_in((fifo,), limit),
            ):
                pass
        thread.join(60)
        assert list(tmp_path.iterdir()) == [fifo]


@pytest.mark.parametrize(
    ("given", "said"), [(b"", b"nothing comes from standard input"), (b"hi", b"standard input: ")]
)
def test_what_is_wrong_with_a_stream_is_said_of_the_stream(tmp_path: Path, given: bytes, said: bytes) -> None:
    done = run("verify", "-", "--workspace", tmp_path / "ws", input=given)
    assert done.returncode == 2 and said in done.stderr and b"/stream" not in done.stderr


COMMANDS = ["verify", "protect", "detect", "moderate", "describe"]


@pytest.mark.parametrize("command", COMMANDS)
def test_an_address_is_told_from_a_missing_file(tmp_path: Path, command: str) -> None:
    done = run(command, "https://example.org/it's a.mp4", cwd=tmp_path)
    said = done.stdout + done.stderr  # several files may be given to some: there an error is a result
    assert done.returncode == 2
    assert b"https://example.org/it's a.mp4 is an address, not a file" in said
    assert b"curl -fL -o FILE 'https://example.org/it'\"'\"'s a.mp4'" in said


def test_a_file_that_is_called_like_an_address_is_a_file(released: tuple[Path, Path], tmp_path: Path) -> None:
    path, workspace = released
    (tmp_path / "https:" / "a").mkdir(parents=True)
    (tmp_path / "https:" / "a" / "b.png").write_bytes(path.read_bytes())
    assert run("verify", "https://a/b.png", "--workspace", workspace, cwd=tmp_path).returncode == 0


FULL = Path("/dev/full")


@pytest.mark.skipif(not FULL.exists(), reason="there is no full device here")
@pytest.mark.parametrize("what", [["verify", "made.png"], ["verify", "--json", "made.png"], ["--help"],
                                  ["verify", "--json", "missing.png"]])  # fmt: skip
@pytest.mark.parametrize("quiet", [False, True])
def test_a_full_disk_is_no_bug(released: tuple[Path, Path], what: list[str], quiet: bool) -> None:
    path, workspace = released
    with FULL.open("wb") as full:
        more = {"stderr": full} if quiet else {}
        env = {**os.environ, "SAFEGEN_WORKSPACE": str(workspace)}
        done = run(*what, stdout=full, cwd=path.parent, env=env, **more)
    assert done.returncode == 2
    if not quiet:
        assert b"No space left on device" in done.stderr
        assert (
            b"bug" not in done.stderr and b"Traceback" not in done.stderr and b"Exception" not in done.stderr
        )


def test_a_reader_that_has_gone_is_no_bug(released: tuple[Path, Path]) -> None:
    path, workspace = released
    reading, writing = os.pipe()
    os.close(reading)
    done = run("verify", path, "--workspace", workspace, stdout=writing)
    os.close(writing)
    assert (done.returncode, done.stderr) == (141, b"")


def test_a_question_that_nobody_can_answer_names_the_option(
    released: tuple[Path, Path], tmp_path: Path
) -> None:
    _, workspace = released
    bundle = tmp_path / "maker.json"
    assert run("keys", "export-trust", "-o", bundle, "--workspace", workspace).returncode == 0
    own = ("--workspace", tmp_path / "ws")
    done = run("trust", "add", bundle, *own)
    assert done.returncode == 2
    assert b"there is no terminal to ask on" in done.stderr and b"add --yes" in done.stderr
    assert b"interrupted" not in done.stderr
    assert run("trust", "add", bundle, "--yes", *own).returncode == 0
    assert run("trust", "add", bundle, *own, input=b"n\n").returncode == 130
