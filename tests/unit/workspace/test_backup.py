"""Backups: made while others write, whole or absent, restored unchanged, and never a second history."""

from __future__ import annotations

import json
import shutil
import stat
import threading
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from safegen.cli import group
from safegen.errors import GateFailed, LedgerError, UnreadableInput, UsageError
from safegen.ledger.store import Ledger
from safegen.workspace.backup import MANIFEST, Backup, back_up
from safegen.workspace.config import Workspace, find_workspace
from safegen.workspace.restore import read_backup, restore
from safegen.workspace.session import open_ledger, open_ledger_for_writing


@pytest.fixture
def space(in_memory: Path, monkeypatch: pytest.MonkeyPatch) -> Workspace:
    """A workspace with three entries, and a user of its own."""
    monkeypatch.setenv("XDG_STATE_HOME", str(in_memory / "state"))
    record(found := find_workspace(in_memory / "studio"), 3)
    return found


def record(space: Workspace, count: int) -> None:
    with open_ledger_for_writing(space, create=True) as ledger:
        for n in range(count):
            ledger.append("audit", {"n": n}, {"secret": n})


def leaves(space: Workspace) -> list[bytes]:
    with open_ledger(space) as ledger:
        return [entry.leaf for entry in ledger.entries(limit=10_000)]


def forget(in_memory: Path) -> None:
    """Another computer: nothing has been seen there."""
    shutil.rmtree(in_memory / "state")


def test_there_and_back(space: Workspace, in_memory: Path) -> None:
    (space.root / "held" / "prompts").mkdir(parents=True)
    (space.root / "held" / "prompts" / "7.sealed").write_bytes(b"sealed")
    (space.root / "clip.mp4").write_bytes(b"a video")
    backup = back_up(space, in_memory / "backup")
    assert (backup.size, backup.origin) == (3, backup.checkpoint.splitlines()[0])
    assert read_backup(in_memory / "backup").to_dict() == backup.to_dict()
    assert stat.S_IMODE((in_memory / "backup").stat().st_mode) == 0o700
    for path in (in_memory / "backup").rglob("*"):
        assert stat.S_IMODE(path.stat().st_mode) == (0o700 if path.is_dir() else 0o600)
    assert not (in_memory / "backup" / "clip.mp4").exists()
    before = leaves(space)
    shutil.rmtree(space.root)
    again, notes = restore(in_memory / "backup", space.root)
    assert (leaves(again), notes) == (before, ())
    assert (again.root / "held/prompts/7.sealed").read_bytes() == b"sealed"
    assert not (again.root / MANIFEST).exists()
    record(again, 2)
    assert len(leaves(again)) == 5
    assert sorted(p.name for p in in_memory.iterdir()) == ["backup", "state", "studio"]


def test_while_others_write(space: Workspace, in_memory: Path) -> None:
    stop = threading.Event()
    written = threading.Event()

    def write() -> None:
        with open_ledger_for_writing(space) as ledger:
            while not stop.is_set():
                ledger.append("audit", {"x": "y" * 500})
                written.set()

    writer = threading.Thread(target=write)
    writer.start()
    try:
        assert written.wait(300)
        sizes = [back_up(space, in_memory / f"backup{n}").size for n in range(3)]
    finally:
        stop.set()
        writer.join(300)
    assert 3 < sizes[0] <= sizes[1] <= sizes[2] <= len(leaves(space))
    for n in range(3):
        read_backup(in_memory / f"backup{n}")


def test_an_older_one_is_refused_unless_it_is_asked_for(space: Workspace, in_memory: Path) -> None:
    back_up(space, in_memory / "backup")
    record(space, 2)
    shutil.rmtree(space.root)
    with pytest.raises(LedgerError, match="has 3 entries, and its log had 5 at least") as refused:
        restore(in_memory / "backup", space.root)
    assert "--accept-older" in refused.value.hint
    assert not space.root.exists()
    again, (note,) = restore(in_memory / "backup", space.root, accept_older=True)
    assert "nothing can be recorded" in note
    assert len(leaves(again)) == 3
    with pytest.raises(LedgerError, match="does not contain"), open_ledger_for_writing(again):
        pass


def test_a_checkpoint_kept_elsewhere_says_it_on_another_computer(space: Workspace, in_memory: Path) -> None:
    back_up(space, in_memory / "old")
    record(space, 2)
    proof = in_memory / "clip.mp4.tlog-proof"
    with open_ledger(space) as ledger:
        proof.write_text(ledger.prove(4))
    back_up(space, in_memory / "new")
    forget(in_memory)
    with pytest.raises(LedgerError, match="had 5 at least"):
        restore(in_memory / "old", in_memory / "there", seen=[proof])
    restore(in_memory / "new", in_memory / "there", seen=[proof])
    (in_memory / "notes.txt").write_text("no checkpoint")
    with pytest.raises(UnreadableInput, match="holds no checkpoint"):
        restore(in_memory / "new", in_memory / "elsewhere", seen=[in_memory / "notes.txt"])
    assert not (in_memory / "elsewhere").exists()


def test_a_strangers_checkpoint_is_none(space: Workspace, in_memory: Path) -> None:
    record(other := find_workspace(in_memory / "other"), 9)
    back_up(space, in_memory / "backup")
    stranger = other.checkpoints / "checkpoints.txt"
    with pytest.raises(UnreadableInput, match="no checkpoint of the log"):
        restore(in_memory / "backup", in_memory / "there", seen=[stranger])


def test_a_backup_of_a_fork_is_never_restored(space: Workspace, in_memory: Path) -> None:
    shutil.copytree(space.root, in_memory / "copy")
    record(space, 1)
    back_up(space, in_memory / "true")
    forget(in_memory)
    record(fork := find_workspace(in_memory / "copy"), 2)
    back_up(fork, in_memory / "forked")
    forget(in_memory)
    seen = [space.checkpoints / "checkpoints.txt"]
    for accept in (False, True):
        with pytest.raises(LedgerError, match="contradicts a checkpoint of 4 entries"):
            restore(in_memory / "forked", in_memory / "there", accept_older=accept, seen=seen)
    assert not (in_memory / "there").exists()
    restore(in_memory / "true", in_memory / "there", seen=seen)


def test_nothing_is_overwritten(space: Workspace, in_memory: Path) -> None:
    back_up(space, in_memory / "backup")
    with pytest.raises(UsageError, match="exists"):
        back_up(space, in_memory / "backup")
    with pytest.raises(UsageError, match="is not empty"):
        restore(in_memory / "backup", space.root)
    (in_memory / "file").write_bytes(b"mine")
    with pytest.raises(UsageError, match="is not empty"):
        restore(in_memory / "backup", in_memory / "file")
    (in_memory / "empty").mkdir()
    restore(in_memory / "backup", in_memory / "empty")


def changed(folder: Path, name: str, change: Any) -> None:
    stated = json.loads((folder / name).read_text())
    change(stated)
    (folder / name).write_text(json.dumps(stated))


DAMAGE: dict[str, Any] = {
    "a byte of the ledger": lambda f: (f / "ledger.db").write_bytes(
        (f / "ledger.db").read_bytes()[:-1] + b"\x01"
    ),
    "a file is gone": lambda f: (f / "safegen.toml").unlink(),
    "a file is a link": lambda f: (
        (f / "safegen.toml").rename(f / "other"),
        (f / "safegen.toml").symlink_to(f / "other"),
    ),
    "no JSON": lambda f: (f / MANIFEST).write_text("{"),
    "another format": lambda f: changed(f, MANIFEST, lambda s: s.update(format="safegen-backup/9")),
    "no ledger": lambda f: changed(
        f, MANIFEST, lambda s: s.update(files=[x for x in s["files"] if x["path"] != "ledger.db"])
    ),
    "twice": lambda f: changed(f, MANIFEST, lambda s: s["files"].append(s["files"][0])),
    "out of the folder": lambda f: changed(f, MANIFEST, lambda s: s["files"][0].update(path="../evil")),
    "absolute": lambda f: changed(f, MANIFEST, lambda s: s["files"][0].update(path="/tmp/evil")),
    "hidden": lambda f: changed(f, MANIFEST, lambda s: s["files"][0].update(path=".safegen-id")),
    "a journal": lambda f: changed(f, MANIFEST, lambda s: s["files"][0].update(path="ledger.db-journal")),
    "a number as a path": lambda f: changed(f, MANIFEST, lambda s: s["files"][0].update(path=7)),
    "another size": lambda f: changed(f, MANIFEST, lambda s: s.update(size=99)),
    "another log": lambda f: changed(f, MANIFEST, lambda s: s.update(origin="example.com/log")),
    "no size": lambda f: changed(f, MANIFEST, lambda s: s.pop("size")),
}


@pytest.fixture(scope="module")
def good(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("good")
    record(made := find_workspace(folder / "studio"), 2)
    back_up(made, folder / "backup")
    return folder / "backup"


@pytest.mark.parametrize("what", DAMAGE)
def test_damage_is_found_before_anything_is_restored(good: Path, tmp_path: Path, what: str) -> None:
    folder = tmp_path / "backup"
    shutil.copytree(good, folder)
    DAMAGE[what](folder)
    with pytest.raises(UnreadableInput):
        restore(folder, tmp_path / "there")
    assert sorted(p.name for p in tmp_path.iterdir()) == ["backup"]


def test_a_folder_that_is_no_backup(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="is no backup"):
        restore(tmp_path, tmp_path / "there")


def test_a_ledger_that_is_not_whole_is_not_backed_up(space: Workspace, in_memory: Path) -> None:
    import sqlite3

    with sqlite3.connect(space.root / "ledger.db") as raw:
        raw.execute("UPDATE ledger_entry SET time = '2020' WHERE position = 1")
    raw.close()
    with pytest.raises(GateFailed, match="fails its check"):
        back_up(space, in_memory / "backup")
    assert not [p for p in in_memory.iterdir() if "backup" in p.name]


def test_a_ledger_that_went_back_is_not_backed_up(space: Workspace, in_memory: Path) -> None:
    shutil.copytree(space.root, in_memory / "copy")
    record(space, 1)
    with pytest.raises(GateFailed, match="checkpoint of 4 entries"):
        back_up(find_workspace(in_memory / "copy"), in_memory / "backup")
    assert not (in_memory / "backup").exists()


def test_what_cannot_be_in_it_is_said(space: Workspace, in_memory: Path) -> None:
    (in_memory / "leaf.key").write_bytes(b"key")
    (space.root / "chain.pem").write_bytes(b"chain")
    (space.root / "safegen.toml").write_text(
        'format = 1\n[signing]\nchain = "chain.pem"\nkey = "../leaf.key"\n'
    )
    (space.root / "trust" / "link.json").symlink_to(in_memory / "leaf.key")
    backup = back_up(find_workspace(space.root), in_memory / "backup")
    said = " ".join(backup.notes)
    assert "leaf.key lies outside" in said and "trust/link.json is a link" in said
    assert (in_memory / "backup" / "chain.pem").is_file()
    assert not (in_memory / "backup" / "trust" / "link.json").exists()


def test_the_commands(space: Workspace, in_memory: Path) -> None:
    def run(*arguments: str) -> str:
        done = CliRunner().invoke(group, ["workspace", *arguments])
        assert done.exit_code == 0, done.output
        return done.stdout

    target = str(in_memory / "backup")
    assert "3 entries" in run("backup", target, "--workspace", str(space.root))
    there = str(in_memory / "there")
    assert json.loads(run("restore", target, there, "--json")) == {"restored": there, "notes": []}
    more = json.loads(run("backup", str(in_memory / "more"), "--workspace", there, "--json"))
    assert (more["size"], more["format"]) == (3, "safegen-backup/1")


def test_results_say_what_they_are(space: Workspace, in_memory: Path) -> None:
    backup: Backup = back_up(space, in_memory / "backup")
    assert (
        repr(backup)
        == f"<Backup {in_memory / 'backup'} of {backup.origin}, 3 entries, {len(backup.files)} files>"
    )
    with Ledger.open(in_memory / "backup" / "ledger.db", read_only=True) as ledger:
        assert ledger.latest_checkpoint() == backup.checkpoint
