"""Files are whole or absent, whatever goes wrong in between."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from safegen._util import files
from safegen._util.files import lock_exclusive, sync_folder, write_durable
from safegen.errors import UsageError


def test_a_file_is_written_and_replaced(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    write_durable(path, b"one")
    write_durable(path, b"two")
    assert path.read_bytes() == b"two"
    assert [p.name for p in tmp_path.iterdir()] == ["a.json"]


@pytest.mark.skipif(os.name == "nt", reason="Windows has no modes")
@pytest.mark.parametrize(("mode", "seen"), [(None, 0o600), (0o644, 0o644), (0o666, 0o644)])
def test_its_mode_is_private_unless_said_otherwise(tmp_path: Path, mode: int | None, seen: int) -> None:
    path = tmp_path / "a"
    write_durable(path, b"x", **({} if mode is None else {"mode": mode}))
    assert stat.S_IMODE(path.stat().st_mode) == seen


@pytest.mark.parametrize("step", ["fsync", "replace"])
@pytest.mark.parametrize("error", [OSError(28, "no space left"), KeyboardInterrupt()])
def test_the_old_content_stays_when_a_step_fails(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: str, error: BaseException
) -> None:
    path = tmp_path / "a"
    path.write_bytes(b"old")

    def fails(*_: object) -> None:
        raise error

    monkeypatch.setattr(*((files.os, "fsync") if step == "fsync" else (Path, "replace")), fails)
    with pytest.raises(type(error)):
        write_durable(path, b"new")
    assert path.read_bytes() == b"old"
    assert [p.name for p in tmp_path.iterdir()] == ["a"]


def test_a_folder_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(OSError):
        write_durable(tmp_path / "no" / "a", b"x")
    if os.name != "nt":
        with pytest.raises(OSError):
            sync_folder(tmp_path / "no")


def test_a_locked_file_belongs_to_one(tmp_path: Path) -> None:
    path = tmp_path / ".lock"
    with path.open("w") as mine, path.open("w") as theirs:
        lock_exclusive(mine, tmp_path)
        with pytest.raises(UsageError) as caught:
            lock_exclusive(theirs, tmp_path)
        assert str(tmp_path) in str(caught.value) and caught.value.hint
    with path.open("w") as later:
        lock_exclusive(later, tmp_path)
