"""A workspace that was merely found is used once the user has confirmed it, and only that very folder."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from safegen._util.user_state import user_secret, user_state_folder
from safegen.errors import UnconfirmedWorkspace, UsageError, WorkspaceError
from safegen.workspace import config, confirmed
from safegen.workspace.session import (
    open_ledger,
    open_ledger_for_writing,
    open_ledger_if_any,
    open_session,
)


@pytest.fixture(autouse=True)
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The user's folders, empty."""
    monkeypatch.delenv("SAFEGEN_WORKSPACE", raising=False)
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.setattr(config, "_user_folder", lambda: tmp_path / "home")
    return tmp_path / "state"


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that came from somewhere, and the current one."""
    folder = tmp_path / "project"
    folder.mkdir()
    (folder / "safegen.toml").write_text("format = 1\n")
    monkeypatch.chdir(folder)
    return folder


def test_confirmed_it_is_used_as_if_named(project: Path) -> None:
    assert confirmed.confirm_workspace(project) == project
    found = config.find_workspace(start=project)
    assert (found.source, found.trusted, found.root) == ("confirmed", True, project)
    assert config.find_trusted_workspace().root == project
    assert [(item.root, item.there) for item in confirmed.list_confirmed()] == [(project, True)]
    assert confirmed.forget_workspace(project) == project
    with pytest.raises(UnconfirmedWorkspace):
        config.find_workspace()
    with pytest.raises(UsageError):
        confirmed.forget_workspace(project)


def test_the_folder_that_takes_its_place_is_not(project: Path, tmp_path: Path) -> None:
    confirmed.confirm_workspace(project)
    project.rename(tmp_path / "mine")
    shutil.copytree(tmp_path / "mine", project)
    (project / ".safegen-id").unlink()
    assert not confirmed.is_confirmed(project)
    shutil.copy(tmp_path / "mine/.safegen-id", project)
    assert not confirmed.is_confirmed(project), "a copy, id and all, is another folder"
    assert not confirmed.is_confirmed(tmp_path / "mine"), "nor is the folder itself elsewhere"
    assert not confirmed.list_confirmed()[0].there
    shutil.rmtree(project)
    (tmp_path / "mine").rename(project)
    assert confirmed.is_confirmed(project)
    (project / ".safegen-id").write_text("0" * 32)
    assert not confirmed.is_confirmed(project)


def test_a_link_is_judged_by_where_it_leads(project: Path, tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(project)
    assert confirmed.confirm_workspace(tmp_path / "link") == project
    (tmp_path / "other").mkdir()
    (tmp_path / "link").unlink()
    (tmp_path / "link").symlink_to(tmp_path / "other")
    assert confirmed.is_confirmed(project) and not confirmed.is_confirmed(tmp_path / "link")


@pytest.mark.parametrize(
    "text", ["", "{", "[]", '{"workspaces": 3}', '{"workspaces": {"/": null}}', "[" * 10**5]
)
def test_a_damaged_record_confirms_nothing(project: Path, text: str) -> None:
    confirmed.confirm_workspace(project)
    (user_state_folder() / confirmed.RECORD).write_text(text)
    assert not confirmed.is_confirmed(project)
    confirmed.confirm_workspace(project)
    assert confirmed.is_confirmed(project)


def test_nothing_in_an_unconfirmed_one_is_read(project: Path) -> None:
    (project / "safegen.toml").write_text("this is not TOML")
    found = config.look_up_workspace()
    assert (found.source, found.config) == ("discovered", config.Config())
    (project / "safegen.toml").write_text(
        '[ledger]\nurl = "postgresql://elsewhere.example/x"\n'
        '[signing]\nkey = "/etc/passwd.p12"\ntsa_url = "http://elsewhere.example"\n'
    )
    assert config.look_up_workspace().config == config.Config()
    for opener in (open_ledger, open_ledger_if_any, open_ledger_for_writing, open_session):
        with pytest.raises(UnconfirmedWorkspace), opener(config.look_up_workspace()):
            pass
    with pytest.raises(UnconfirmedWorkspace):
        config.look_up_workspace().create()
    assert sorted(path.name for path in project.iterdir()) == ["safegen.toml"]


def test_one_that_safegen_made_just_now_is_confirmed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    config.find_workspace(tmp_path / "made").create()
    monkeypatch.chdir(tmp_path / "made")
    assert config.find_workspace().source == "confirmed"


@pytest.mark.parametrize("there", ["ledger.db", "keys", "trust", "checkpoints", "safegen.toml"])
def test_one_that_had_something_in_it_is_not(tmp_path: Path, there: str) -> None:
    folder = tmp_path / "made"
    folder.mkdir()
    (folder / there).touch() if "." in there else (folder / there).mkdir()
    config.find_workspace(folder).create()
    assert not confirmed.is_confirmed(folder)


def test_one_named_is_used_and_not_confirmed(project: Path) -> None:
    assert config.find_workspace(project).trusted
    config.find_workspace(project).create()
    with pytest.raises(UnconfirmedWorkspace):
        config.find_workspace()


def test_without_a_place_for_the_record(project: Path, state: Path) -> None:
    state.write_text("a file")
    with pytest.raises(WorkspaceError) as refused:
        confirmed.confirm_workspace(project)
    assert refused.value.hint
    config.find_workspace(project.parent / "made").create()


def test_the_user_s_secret(state: Path) -> None:
    secret = user_secret("a.key")
    assert len(secret) == 32 and user_secret("a.key") == secret != user_secret("b.key")
    file = state / "safegen/machine/a.key"
    assert file.stat().st_mode & 0o777 == 0o600 and file.parent.stat().st_mode & 0o777 == 0o700
    file.chmod(0o644)
    with pytest.raises(WorkspaceError, match="others can read"):
        user_secret("a.key")
    file.chmod(0o600)
    file.write_bytes(b"short")
    with pytest.raises(WorkspaceError, match="damaged"):
        user_secret("a.key")
    file.parent.chmod(0o777)
    with pytest.raises(WorkspaceError, match="others can change"):
        user_secret("b.key")
