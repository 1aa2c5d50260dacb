"""Which workspace is used, and that a found one adds no trust."""

from __future__ import annotations

from pathlib import Path

import pytest

from safegen.errors import UnconfirmedWorkspace, UsageError, WorkspaceError
from safegen.workspace import config


@pytest.fixture(autouse=True)
def user_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    home = tmp_path / "home"
    monkeypatch.delenv("SAFEGEN_WORKSPACE", raising=False)
    monkeypatch.setattr(config, "_user_folder", lambda: home)
    return home


def test_order(tmp_path: Path, user_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    project = tmp_path / "project" / "deep"
    project.mkdir(parents=True)
    assert config.find_workspace(start=project).source == "user"
    (tmp_path / "project" / "safegen.toml").write_text("format = 1\n")
    found = config.look_up_workspace(start=project)
    assert (found.source, found.root) == ("discovered", tmp_path / "project")
    monkeypatch.setenv("SAFEGEN_WORKSPACE", str(tmp_path / "env"))
    assert config.find_workspace(start=project).source == "environment"
    assert config.find_workspace(tmp_path / "option", start=project).source == "option"


def test_discovered_workspace_is_not_trusted(
    tmp_path: Path, user_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "safegen.toml").write_text("format = 1\n")
    monkeypatch.chdir(tmp_path)
    assert not config.look_up_workspace().trusted
    with pytest.raises(UnconfirmedWorkspace) as refused:
        config.find_workspace()
    assert refused.value.root == str(tmp_path) and "safegen workspace trust" in refused.value.hint
    assert config.find_trusted_workspace().root == user_folder


def test_new_workspace_is_private(tmp_path: Path) -> None:
    made = config.find_workspace(tmp_path / "w")
    made.create()
    assert (made.root.stat().st_mode & 0o777) == 0o700
    assert config.find_workspace(tmp_path / "w").config == config.Config()


@pytest.mark.parametrize(
    "text",
    [
        "[signin]\n",
        "[privacy]\nkeep_prompt = true\n",
        "[privacy]\nkeep_prompts = 'yes'\n",
        "[signing]\nchain = 'c.pem'\n",
        "[signing]\nalg = 'rsa'\n",
        "format = 2\n",
        "not toml",
    ],
)
def test_mistakes_in_the_file_are_named(tmp_path: Path, text: str) -> None:
    (tmp_path / "safegen.toml").write_text(text)
    with pytest.raises(WorkspaceError) as caught:
        config.find_workspace(tmp_path)
    assert "safegen.toml" in str(caught.value)
    assert caught.value.hint


def test_binary_config(tmp_path: Path) -> None:
    (tmp_path / "safegen.toml").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(WorkspaceError):
        config.find_workspace(tmp_path)


def test_file_as_workspace(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_text("x")
    with pytest.raises(UsageError):
        config.find_workspace(file)


def test_unwritable_place(tmp_path: Path) -> None:
    blocker = tmp_path / "file"
    blocker.write_text("x")
    with pytest.raises(WorkspaceError):
        config.Workspace(blocker / "inside").create()
