"""``safegen keys move-root``."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from safegen.cli import group
from safegen.errors import KeyUnavailable, UsageError

SECRET = {"SAFEGEN_KEY_PASSPHRASE": "correct horse"}


def keys(root: Path, *arguments: str, env: dict[str, str] | None = None) -> Result:
    return CliRunner().invoke(group, ["keys", *arguments, "--workspace", str(root)], env=env)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    made = keys(tmp_path / "workspace", "init", env=SECRET)
    assert made.exit_code == 0, made.output
    return tmp_path / "workspace"


def test_the_root_key_is_moved(root: Path, tmp_path: Path) -> None:
    held = (root / "keys" / "root.key.pem").read_bytes()
    done = keys(root, "move-root", str(tmp_path / "stick.pem"), "--json")
    assert done.exit_code == 0, done.output
    answer = json.loads(done.stdout)
    assert list(answer) == ["path", "root_sha-256", "root_key_here"]
    assert answer["path"] == str(tmp_path / "stick.pem") and answer["root_key_here"] is False
    assert (tmp_path / "stick.pem").read_bytes() == held and b"ENCRYPTED" in held
    assert (tmp_path / "stick.pem").stat().st_mode & 0o077 == 0
    assert not (root / "keys" / "root.key.pem").exists()
    assert json.loads(keys(root, "show", "--json").stdout)["root_key_here"] is False
    assert keys(root, "rotate", env=SECRET).exit_code == 0, "daily work does not need it"


def test_it_is_moved_only_once(root: Path, tmp_path: Path) -> None:
    assert keys(root, "move-root", str(tmp_path / "stick.pem")).exit_code == 0
    again = keys(root, "move-root", str(tmp_path / "other.pem"))
    assert isinstance(again.exception, KeyUnavailable) and "is not in" in str(again.exception)
    assert not (tmp_path / "other.pem").exists()


def test_nothing_is_overwritten(root: Path, tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("mine")
    done = keys(root, "move-root", str(tmp_path / "notes.txt"))
    assert isinstance(done.exception, UsageError) and "exists" in str(done.exception)
    assert (tmp_path / "notes.txt").read_text() == "mine"
    assert (root / "keys" / "root.key.pem").exists()


def test_without_a_passphrase_there_is_none(tmp_path: Path) -> None:
    assert keys(tmp_path / "plain", "init").exit_code == 0
    done = keys(tmp_path / "plain", "move-root", str(tmp_path / "stick.pem"))
    assert isinstance(done.exception, KeyUnavailable) and "never written" in str(done.exception)
    assert not (tmp_path / "stick.pem").exists()


def test_without_an_identity(tmp_path: Path) -> None:
    done = keys(tmp_path / "empty", "move-root", str(tmp_path / "stick.pem"))
    assert isinstance(done.exception, KeyUnavailable)
