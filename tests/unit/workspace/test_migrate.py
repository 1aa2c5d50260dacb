"""A ledger that moves: the same before and after, one at a time, and nothing recorded in the old one."""

from __future__ import annotations

import json
import shutil
import sqlite3
import tomllib
from pathlib import Path

import pytest
from click.testing import CliRunner

from safegen.cli import group
from safegen.errors import GateFailed, LedgerError, UsageError
from safegen.ledger import Ledger, ReleaseRecord
from safegen.ledger.copying import copy_rows, open_database, require_empty, snapshot
from safegen.ledger.models import Base
from safegen.release import ReleaseJob
from safegen.workspace.backup import back_up
from safegen.workspace.config import Workspace, find_workspace
from safegen.workspace.migrate import migrate
from safegen.workspace.restore import restore
from safegen.workspace.session import open_ledger, open_ledger_for_writing
from safegen.workspace.toml_edit import with_ledger_url
from tests.unit.ledger.test_postgres import url  # noqa: F401


@pytest.fixture
def space(in_memory: Path, monkeypatch: pytest.MonkeyPatch) -> Workspace:
    """A workspace with a release, its withdrawal, and a redacted entry."""
    monkeypatch.setenv("XDG_STATE_HOME", str(in_memory / "state"))
    found = find_workspace(in_memory / "studio")
    (in_memory / "out").mkdir()
    with open_ledger_for_writing(found, create=True) as ledger:
        ledger.append("audit", {"n": 1}, {"prompt": "a secret"})
        with ReleaseJob.begin(ledger, in_memory / "out" / "v.mp4") as job:
            video = job.temporary("v.mp4")
            video.write_bytes(b"video")
            job.record(video, release=ReleaseRecord("urn:1", b"m", 2**64 - 1, "a", private={"p": 1}))
            job.publish()
        ledger.withdraw(1, "test")
        ledger.redact(0)
    return found


def state(space: Workspace) -> tuple[object, ...]:
    """Everything that must not change."""
    with open_ledger(find_workspace(space.root)) as ledger:
        entries = ledger.entries(limit=100)
        return (
            [e.leaf for e in entries],
            [ledger.private(e.index) for e in entries],
            ledger.root(len(ledger)),
            ledger.prove(1),
            ledger.find_releases(content_id=2**64 - 1),
        )


def record(space: Workspace) -> None:
    with open_ledger_for_writing(find_workspace(space.root)) as ledger:
        ledger.append("audit", {"later": True})


def log_check(space: Workspace) -> dict[str, object]:
    done = CliRunner().invoke(group, ["log", "check", "--workspace", str(space.root), "--json"])
    assert done.exit_code == 0, done.output
    found: dict[str, object] = json.loads(done.stdout)
    return found


def sqlite(path: Path) -> str:
    return f"sqlite:///{path}"


def test_to_another_file_and_back(space: Workspace, in_memory: Path) -> None:
    before, there = state(space), in_memory / "elsewhere.db"
    moved = migrate(space, sqlite(there))
    assert (moved.size, moved.old) == (4, space.root / "ledger.db.moved")
    assert state(space) == before
    assert there.stat().st_mode & 0o777 == 0o600
    assert find_workspace(space.root).ledger_url == sqlite(there)
    record(space)
    assert log_check(space)["size"] == 5
    back = migrate(find_workspace(space.root), None)
    assert back.old == in_memory / "elsewhere.db.moved"
    assert find_workspace(space.root).config.ledger_url is None
    record(space)
    assert log_check(space)["size"] == 6


def test_to_postgresql_and_back(space: Workspace, in_memory: Path, url: str) -> None:  # noqa: F811
    before = state(space)
    arguments = ["workspace", "migrate", "--workspace", str(space.root), "--json"]
    done = CliRunner().invoke(group, [*arguments, url])
    assert done.exit_code == 0, done.output
    assert json.loads(done.stdout)["size"] == 4
    assert state(space) == before
    record(space)
    assert log_check(space)["size"] == 5
    with pytest.raises(UsageError, match="has a ledger already"):
        require_empty(open_database(url, read_only=False))
    kept = back_up(find_workspace(space.root), in_memory / "backup")
    assert kept.size == 5
    with Ledger.open(in_memory / "backup" / "ledger.db", read_only=True) as ledger:
        assert ledger.entry(1).leaf in before[0]  # type: ignore[operator]
    done = CliRunner().invoke(group, [*arguments, "--to-sqlite"])
    assert done.exit_code == 0, done.output
    record(space)
    assert log_check(space)["size"] == 6
    with pytest.raises(LedgerError, match="was moved to another database"):
        Ledger.open(url, read_only=True)


def test_a_backup_of_postgresql_is_restored_to_postgresql(
    space: Workspace,
    in_memory: Path,
    url: str,  # noqa: F811
) -> None:
    from sqlalchemy import create_engine, text

    migrate(space, url)
    before = state(space)
    back_up(find_workspace(space.root), in_memory / "backup")
    with pytest.raises(UsageError, match="has a ledger already"):
        restore(in_memory / "backup", in_memory / "there")
    assert not (in_memory / "there").exists()
    engine = create_engine(url)
    with engine.begin() as connection:
        connection.execute(text("DROP SCHEMA public CASCADE"))
        connection.execute(text("CREATE SCHEMA public"))
    engine.dispose()
    again, _ = restore(in_memory / "backup", in_memory / "there")
    assert state(again) == before
    assert not (again.root / "ledger.db").exists()
    record(again)


def test_who_still_has_the_old_one_open_forks_nothing(space: Workspace, in_memory: Path) -> None:
    with open_ledger_for_writing(space) as held:
        migrate(space, sqlite(in_memory / "new.db"))
        with pytest.raises(LedgerError, match="was moved to another database"):
            held.append("audit", {})
    shutil.copy(space.root / "ledger.db.moved", in_memory / "copy.db")
    with pytest.raises(LedgerError, match="was moved to another database"):
        Ledger.open(in_memory / "copy.db", read_only=True)


def test_what_is_in_the_way_stops_it_before_anything_is_moved(space: Workspace, in_memory: Path) -> None:
    taken = in_memory / "taken.db"
    taken.write_bytes(b"mine")
    with pytest.raises(UsageError, match="exists"):
        migrate(space, sqlite(taken))
    with pytest.raises(UsageError, match="there already"):
        migrate(space, None)
    with (
        open_ledger_for_writing(space) as ledger,
        ReleaseJob.begin(ledger, in_memory / "out" / "w.mp4"),
        pytest.raises(UsageError, match="a release is under way"),
    ):
        migrate(space, sqlite(in_memory / "new.db"))
    (space.root / "safegen.toml").write_text('format = 1\nledger = { url = "" }\n')
    with pytest.raises(UsageError, match="cannot be changed safely"):
        migrate(space, sqlite(in_memory / "new.db"))
    assert not (in_memory / "new.db").exists()
    assert taken.read_bytes() == b"mine"
    record(space)


def test_a_ledger_that_fails_its_check_is_not_moved(space: Workspace, in_memory: Path) -> None:
    with sqlite3.connect(space.root / "ledger.db") as raw:
        raw.execute("UPDATE ledger_entry SET time = '2020' WHERE position = 1")
    raw.close()
    with pytest.raises(GateFailed):
        migrate(space, sqlite(in_memory / "new.db"))
    assert not (in_memory / "new.db").exists()
    assert (space.root / "ledger.db").exists()


def test_a_copy_that_breaks_off_leaves_nothing(
    space: Workspace, in_memory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = open_database(sqlite(space.root / "ledger.db"), read_only=True)
    target = open_database(sqlite(in_memory / "new.db"), read_only=False)
    tables = [*Base.metadata.sorted_tables[:3], "no table"]
    monkeypatch.setattr(type(Base.metadata), "sorted_tables", tables)
    with pytest.raises(Exception, match="no table"), snapshot(source) as rows:
        copy_rows(rows, target)
    assert not (in_memory / "new.db").exists()


def test_one_place_has_to_be_named(space: Workspace) -> None:
    for arguments in ([], ["postgresql://x", "--to-sqlite"]):
        done = CliRunner().invoke(group, ["workspace", "migrate", *arguments, "--workspace", str(space.root)])
        assert isinstance(done.exception, UsageError)


def test_a_password_is_not_shown() -> None:
    from safegen.workspace.migrate import shown

    assert "hunter2" not in shown("postgresql+psycopg://me:hunter2@db.example/ledger")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "format = 1\n",
        "# mine\nformat = 1\n[privacy]  # a\nkeep_prompts = true\n",
        'format = 1\n[ledger]\nurl = "sqlite:////old.db" # was here\n\n[privacy]\nkeep_prompts = true\n',
        "format = 1\n[ ledger ]  # the database\n# none yet\n[trust]\nc2pa_list = false\n",
    ],
)
def test_one_setting_changes_and_nothing_else(text: str) -> None:
    made = with_ledger_url(text, 'postgresql://"x"\\y')
    assert tomllib.loads(made)["ledger"] == {"url": 'postgresql://"x"\\y'}
    kept = [line for line in text.splitlines() if "url" not in line]
    assert [line for line in made.splitlines() if line in kept and line] == [line for line in kept if line]
    back = with_ledger_url(made, None)
    assert "url" not in tomllib.loads(back).get("ledger", {})
    assert {k: v for k, v in tomllib.loads(back).items() if k != "ledger"} == {
        k: v for k, v in tomllib.loads(text).items() if k != "ledger"
    }


@pytest.mark.parametrize(
    "text", ['ledger.url = "x"\n', 'ledger = {url = "x"}\n', '[ledger]\nurl = """\nx"""\n', "[ledger\n"]
)
def test_what_is_not_understood_is_not_changed(text: str) -> None:
    with pytest.raises(UsageError, match="cannot be changed safely"):
        with_ledger_url(text, "sqlite:////new.db")
