"""Wrong inputs and broken surroundings: one clear line, the right exit code, nothing half-written."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Sequence
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from safegen.media.encode import encode_mp4

Python = Callable[..., subprocess.CompletedProcess[bytes]]
GOOD = "a red ball rolling over green grass"


def texture(file: Path, patch: int) -> Path:
    """A second of a moving texture of patches: something that can be protected quickly."""
    rng = np.random.default_rng(5)
    base = np.kron(rng.integers(40, 215, (256 // patch, 384 // patch, 3)), np.ones((patch, patch, 1)))
    frames = (np.roll(base.astype(np.uint8), 3 * i, axis=1)[:, :256] for i in range(24))
    encode_mp4(frames, file, fps=Fraction(24))
    return file


@pytest.fixture(scope="session")
def video(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A clip whose mark is read well and whose file is small."""
    return texture(tmp_path_factory.mktemp("source") / "source.mp4", 32)


@pytest.fixture
def safegen(tmp_path: Path, python: Python) -> Callable[..., tuple[int, str, str]]:
    """The command line in a process of its own, with a workspace of its own."""

    def run(*arguments: str | Path, stdin: bytes = b"", **more: object) -> tuple[int, str, str]:
        surroundings = {"input": stdin, "cwd": tmp_path, "env": environment(tmp_path)}
        if more:
            done = subprocess.run(command(*arguments), capture_output=True, **surroundings, **more)
        else:
            done = python("-m", "safegen", *map(str, arguments), **surroundings)
        out, err = done.stdout.decode(), done.stderr.decode()
        assert "Traceback" not in err
        return done.returncode, out, err

    return run


def command(*arguments: str | Path) -> list[str]:
    return [sys.executable, "-m", "safegen", *map(str, arguments)]


def environment(folder: Path) -> dict[str, str]:
    return {**os.environ, "SAFEGEN_WORKSPACE": str(folder / "workspace"), "NO_COLOR": "1"}


def files(folder: Path) -> set[str]:
    """Every file in *folder* that is not of the workspace."""
    return {
        str(p.relative_to(folder))
        for p in folder.rglob("*")
        if p.is_file() and "workspace" not in p.relative_to(folder).parts
    }


USAGE: dict[str, tuple[Sequence[str], int, str]] = {
    "empty prompt": (["generate", ""], 2, "empty"),
    "blank prompt": (["generate", "  \t\n"], 2, "empty"),
    "huge prompt": (["generate", "a ball " * 15_000], 2, "characters"),
    "unknown model": (["generate", GOOD, "--model", "sora"], 2, "model"),
    "unknown policy": (["generate", GOOD, "--policy", "lenient"], 2, "default"),
    "policy file with a typo": (["generate", GOOD, "--policy", "typo.yaml"], 2, "line 3"),
    "not a pipeline": (["generate", GOOD, "--model", "."], 2, "pipeline"),
    "no folder": (["generate", GOOD, "-o", "nowhere/clip.mp4"], 2, "folder"),
    "output is a folder": (["generate", GOOD, "-o", "folder.mp4"], 2, "folder"),
    "other format": (["generate", GOOD, "-o", "clip.webm"], 2, "mp4"),
    "existing output": (["generate", GOOD, "-o", "exists.mp4"], 2, "exists"),
    "width out of range": (["generate", GOOD, "--width", "3"], 2, "--width"),
    "seed that is none": (["generate", GOOD, "--seed", "x"], 2, "--seed"),
    "refused prompt": (["generate", "a naked child in a bedroom", "-o", "clip.mp4"], 3, "refuses"),
    "screen refuses": (["screen", "a naked child in a bedroom"], 3, ""),
    "unknown command": (["generat", GOOD], 2, "generate"),
    "verify nothing": (["verify"], 2, "FILE"),
    "verify a missing file": (["verify", "missing.mp4"], 2, "no such file"),
    "verify an empty file": (["verify", "empty.mp4"], 2, "empty"),
    "verify a text": (["verify", "text.mp4"], 2, "text.mp4"),
    "verify a folder": (["verify", "folder.mp4"], 2, "folder"),
    "protect a text": (["protect", "text.mp4"], 2, "text.mp4"),
    "protect a black picture": (["protect", "picture.png"], 5, "black"),
    "trust a video": (["trust", "add", "-y", "text.mp4"], 2, "trust file"),
    "proof of nothing": (["log", "proof", "0"], 2, "ledger"),
    "keys of nothing": (["keys", "show"], 6, "identity"),
    "jsonl and prompt": (["screen", "x", "--jsonl", "y"], 2, "jsonl"),
}


@pytest.mark.parametrize("name", USAGE)
def test_one_clear_line(name: str, tmp_path: Path, safegen: Callable[..., tuple[int, str, str]]) -> None:
    arguments, code, word = USAGE[name]
    (tmp_path / "folder.mp4").mkdir()
    (tmp_path / "exists.mp4").write_bytes(b"mine")
    (tmp_path / "empty.mp4").touch()
    (tmp_path / "text.mp4").write_text("this is not a video\n" * 50)
    (tmp_path / "typo.yaml").write_text("name: mine\nextends: default\ncategoriez: {}\n")
    import cv2

    cv2.imwrite(str(tmp_path / "picture.png"), np.zeros((64, 64, 3), np.uint8))
    before = files(tmp_path)
    actual, out, err = safegen(*arguments)
    assert actual == code, err
    if code != 3 or arguments[0] != "screen":
        assert err.startswith(("error: ", "["))
        assert sum(line.startswith("error: ") for line in err.splitlines()) == 1
    assert word.lower() in (err + out).lower()
    assert files(tmp_path) == before
    assert (tmp_path / "exists.mp4").read_bytes() == b"mine"


def test_json_errors_are_json(safegen: Callable[..., tuple[int, str, str]]) -> None:
    code, out, _ = safegen("verify", "missing.mp4", "--json")
    assert code == 2
    assert json.loads(out)["error"]["exit_code"] == 2


def test_binary_prompt(safegen: Callable[..., tuple[int, str, str]]) -> None:
    code, _, _ = safegen("screen", "-", stdin=bytes(range(256)) * 4)
    assert code == 2


def test_broken_lines_do_not_stop_the_others(safegen: Callable[..., tuple[int, str, str]]) -> None:
    lines = [
        b'{"id": "a", "text": "a red ball over green grass"}',
        b"{not json",
        b"\xff\xfe",
        b'{"id": "d"}',
        b'{"id": "e", "text": "a naked child in a bedroom"}',
    ]
    code, out, _ = safegen("screen", "--jsonl", "-", "--json", stdin=b"\n".join(lines))
    answers = [json.loads(line) for line in out.splitlines()]
    assert code == 8
    assert [a.get("verdict") for a in answers] == ["allow", None, None, None, "block"]
    assert [a["id"] for a in answers] == ["a", "line:2", "line:3", "d", "e"]


def test_hostile_files_of_the_field_end_clearly(
    shared: Path, safegen: Callable[..., tuple[int, str, str]]
) -> None:
    for name in ("rs_nested_moov_1000.mp4", "rs_sample3.invalid.wav", "rs_dash1.m4s"):
        code, _, err = safegen("verify", shared / "data/c2pa" / name)
        assert code in {2, 30, 40}, (name, err)


def test_unwritable_workspace(
    tmp_path: Path, video: Path, safegen: Callable[..., tuple[int, str, str]]
) -> None:
    (tmp_path / "workspace").write_text("a file where the folder should be")
    code, _, err = safegen("protect", video, "-o", "clip.mp4")
    assert code == 2
    assert "workspace" in err
    assert not (tmp_path / "clip.mp4").exists()


def test_corrupt_ledger(tmp_path: Path, video: Path, safegen: Callable[..., tuple[int, str, str]]) -> None:
    assert safegen("protect", video, "-o", "good.mp4")[0] == 0
    (tmp_path / "workspace/ledger.db").write_bytes(b"garbage" * 1000)
    code, _, err = safegen("protect", video, "-o", "clip.mp4")
    assert code == 6
    assert "hint" in err
    assert not (tmp_path / "clip.mp4").exists()
    assert safegen("verify", "good.mp4")[0] == 4


def test_locked_ledger(tmp_path: Path, video: Path, safegen: Callable[..., tuple[int, str, str]]) -> None:
    import sqlite3

    assert safegen("protect", video, "-o", "good.mp4")[0] == 0
    with sqlite3.connect(tmp_path / "workspace/ledger.db", isolation_level=None) as lock:
        lock.execute("BEGIN EXCLUSIVE")
        code, _, err = safegen("protect", video, "-o", "clip.mp4")
        lock.execute("ROLLBACK")
    assert code == 6
    assert "hint" in err
    assert not (tmp_path / "clip.mp4").exists()


def test_missing_and_locked_keys(
    tmp_path: Path, video: Path, safegen: Callable[..., tuple[int, str, str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SAFEGEN_KEY_PASSPHRASE", "right")
    assert safegen("keys", "init")[0] == 0
    monkeypatch.setenv("SAFEGEN_KEY_PASSPHRASE", "wrong")
    code, _, err = safegen("protect", video, "-o", "clip.mp4")
    assert (code, "passphrase" in err) == (6, True)
    monkeypatch.delenv("SAFEGEN_KEY_PASSPHRASE")
    assert safegen("protect", video, "-o", "clip.mp4")[0] == 6
    monkeypatch.setenv("SAFEGEN_KEY_PASSPHRASE", "right")
    next((tmp_path / "workspace/keys").glob("signing*")).unlink()
    assert safegen("protect", video, "-o", "clip.mp4")[0] == 6
    assert not list(tmp_path.glob("*.mp4*"))


def _small_files() -> None:
    import resource

    resource.setrlimit(resource.RLIMIT_FSIZE, (300_000, 300_000))


@pytest.mark.skipif(os.name != "posix", reason="file size limits are POSIX")
def test_no_space(
    tmp_path: Path, tmp_path_factory: pytest.TempPathFactory, safegen: Callable[..., tuple[int, str, str]]
) -> None:
    fine = texture(tmp_path_factory.mktemp("fine") / "fine.mp4", 4)
    code, _, err = safegen("protect", fine, "-o", "clip.mp4", "--crf", "1", preexec_fn=_small_files)
    assert code in {5, 6}, err
    assert "space" in err
    assert files(tmp_path) == set()


@pytest.mark.skipif(os.name != "posix" or os.geteuid() == 0, reason="root may write anywhere")
def test_unwritable_folder(tmp_path: Path, video: Path, safegen: Callable[..., tuple[int, str, str]]) -> None:
    folder = tmp_path / "closed"
    folder.mkdir(mode=0o500)
    code, _, _ = safegen("protect", video, "-o", folder / "clip.mp4")
    assert code in {2, 6}


_HELD = """
import signal, sys, time
from safegen.cli import _output, main
def held(self, amount=1):
    print("in the middle", file=sys.stderr, flush=True)
    while True: time.sleep(60)
Showing = next(kind for kind in vars(_output).values() if isinstance(kind, type) and hasattr(kind, "advance"))
Showing.advance = held
main()
"""
"""The command line, held up after the first picture that is marked and encoded."""


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_interrupted_job_leaves_nothing(tmp_path: Path, video: Path, number: signal.Signals) -> None:
    child = subprocess.Popen(
        [sys.executable, "-c", _HELD, "protect", str(video), "-o", "clip.mp4"],
        cwd=tmp_path,
        env=environment(tmp_path),
        stderr=subprocess.PIPE,
        text=True,
        # A test run that was started in the background ignores Ctrl-C, and hands that down.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )
    assert child.stderr is not None
    said = list(iter(child.stderr.readline, "in the middle\n"))
    assert any("marking" in line for line in said)
    child.send_signal(number)
    assert child.wait(timeout=300) == 130
    assert files(tmp_path) == set()
    assert not list(tmp_path.rglob(".safegen-tmp/*"))


_KILL = """
import os, signal, sys
from pathlib import Path
from safegen.pipeline.protect import protect
from safegen.workspace.session import open_session
from safegen.workspace.config import find_workspace
seen = []
def at(point):
    seen.append(point)
    if len(seen) == int(sys.argv[3]):
        os.kill(os.getpid(), signal.SIGKILL)
with open_session(find_workspace(Path("workspace")), hook=at) as session:
    protect(Path(sys.argv[1]), Path(sys.argv[2]), session=session)
print(len(seen))
"""


@pytest.mark.skipif(os.name != "posix", reason="SIGKILL is POSIX")
def test_kill_at_any_step_of_a_real_release(
    tmp_path: Path, video: Path, safegen: Callable[..., tuple[int, str, str]], python: Python
) -> None:
    """After each kill: what is visible verifies, and the next start clears up or finishes."""
    outcomes = set()
    for step in (1, 2, 3, 5, 6, 7, 8, 9, 10, 12):
        name = f"clip{step}.mp4"
        done = python("-c", _KILL, str(video), name, str(step), cwd=tmp_path)
        if done.returncode == 0:
            break
        assert done.returncode == -signal.SIGKILL, done.stderr
        if (tmp_path / name).exists():
            assert safegen("verify", name, "--no-watermark")[0] == 0
    assert safegen("protect", video, "-o", "last.mp4")[0] == 0
    for clip in sorted(tmp_path.glob("*.mp4")):
        code = safegen("verify", clip.name, "--no-watermark")[0]
        outcomes.add(code)
        assert code == 0, clip.name
    assert not list(tmp_path.rglob(".safegen-tmp/*"))
    assert safegen("log", "check")[0] == 0


def test_second_run_does_not_overwrite(
    tmp_path: Path, video: Path, safegen: Callable[..., tuple[int, str, str]]
) -> None:
    assert safegen("protect", video, "-o", "clip.mp4")[0] == 0
    first = (tmp_path / "clip.mp4").read_bytes()
    code, _, err = safegen("protect", video, "-o", "clip.mp4")
    assert (code, "exists" in err) == (2, True)
    assert (tmp_path / "clip.mp4").read_bytes() == first
    assert safegen("protect", video, "-o", "clip.mp4", "--force")[0] == 0
    assert (tmp_path / "clip.mp4").read_bytes() != first
    assert safegen("verify", "clip.mp4")[0] == 0


def test_several_files_one_of_them_bad(
    tmp_path: Path, video: Path, safegen: Callable[..., tuple[int, str, str]]
) -> None:
    shutil.copy(video, tmp_path / "plain.mp4")
    code, out, _ = safegen("verify", "plain.mp4", "missing.mp4", "--json")
    answers = json.loads(out)
    assert [a.get("verdict") for a in answers] == ["NO_PROVENANCE", None]
    assert code == 40


def test_dry_run_makes_nothing_and_says_what_it_would(
    tmp_path: Path, safegen: Callable[..., tuple[int, str, str]]
) -> None:
    code, out, _ = safegen(
        "generate", "a red zebra over green grass", "--dry-run", "--json", "-o", "clip.mp4"
    )
    would = json.loads(out)
    assert code == 0
    assert (would["decision"], would["model"]) == ("allow", "tiny")
    assert "zebra" in would["notes"]
    assert list(tmp_path.iterdir()) == []
