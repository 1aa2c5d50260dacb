"""Somebody else's folder with a workspace in it: no command writes, signs or recovers there unasked."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner
from sqlalchemy import insert

from safegen.cli import _run, group
from safegen.errors import SafegenError, UnconfirmedWorkspace
from safegen.ledger.models import LeaseRow, OutboxRow, table
from safegen.ledger.records import ReleaseRecord
from safegen.workspace import config, confirmed
from safegen.workspace.session import open_ledger_for_writing

JOB = "0" * 32
WRITING = [
    ["generate", "a red ball", "-o", "made.mp4"],
    ["protect", "in.mp4", "-o", "made.mp4"],
    ["log", "withdraw", "1", "--reason", "x"],
    ["log", "supersede", "1", "2"],
    ["log", "redact", "0", "--yes"],
    ["log", "checkpoint"],
    ["log", "stamp"],
    ["consent", "grant", "A", "--evidence", "in.mp4", "--expires", "2030-01-01"],
    ["consent", "revoke", "0"],
    ["review", "approve", "0", "--reviewer", "a"],
    ["review", "deny", "0", "--reviewer", "a"],
    ["keys", "init"],
    ["keys", "rotate"],
    ["keys", "rotate-log"],
    ["keys", "revoke", "leaf"],
]
READING = [["log", "list"], ["log", "check"], ["log", "export"], ["review", "list"], ["keys", "show"]]


@pytest.fixture
def foreign(in_memory: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A workspace whose rows name a victim's files; the current folder. The victim must stay as it is."""
    victim = in_memory / "victim"
    (victim / f".safegen-tmp/{JOB}").mkdir(parents=True, mode=0o700)
    (victim / ".safegen-tmp").chmod(0o700)
    for name in ("precious.txt", "empty", f".safegen-tmp/{JOB}/new"):
        (victim / name).write_text("" if name == "empty" else name)
    monkeypatch.setattr(config, "_user_folder", lambda: in_memory / "home")
    monkeypatch.setenv("XDG_STATE_HOME", str(in_memory / "their-state"))
    folder = in_memory / "foreign"
    space = config.find_workspace(folder)
    with open_ledger_for_writing(space, create=True) as ledger:
        ledger.append("decision", {"outcome": "allow"}, {"prompt": "p"})
        with ledger.transaction() as batch:
            for n in (1, 2):
                record = ReleaseRecord(f"urn:c2pa:{n}", b"manifest", n, "tile")
                batch.release(record, sha256=f"{n:064x}", size=1)
        plant(ledger, victim)
    (folder / "in.mp4").write_bytes(b"no video")
    monkeypatch.setenv("XDG_STATE_HOME", str(in_memory / "state"))
    monkeypatch.delenv("SAFEGEN_WORKSPACE", raising=False)
    monkeypatch.chdir(folder)
    before = seen(victim)
    yield folder
    assert seen(victim) == before


def plant(ledger: object, victim: Path) -> None:
    """Rows that a recovery without suspicion would act upon."""
    old = {"owner": "{}", "expires": "2020-01-01T00:00:00.000Z", "name": "precious.txt"}
    content = {
        "files": [{"name": "precious.txt", "temporary": "new", "sha256": "0" * 64, "text": "gone"}],
        "placeholder": True,
    }
    with ledger.database.writing() as connection:
        connection.execute(insert(table(LeaseRow)).values(job=JOB, folder=str(victim), **old))
        connection.execute(
            insert(table(OutboxRow)).values(
                job=JOB,
                position=1,
                state="recorded",
                folder=str(victim),
                files=json.dumps(content),
                overwrite=True,
            )
        )


def seen(folder: Path) -> dict[str, bytes]:
    return {str(p.relative_to(folder)): p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()}


@pytest.mark.parametrize("arguments", [*WRITING, *READING], ids=" ".join)
def test_found_it_is_not_touched(foreign: Path, arguments: list[str]) -> None:
    (foreign / "safegen.toml").write_text(
        '[ledger]\nurl = "postgresql://elsewhere.example/x"\n[signing]\nkey = "/elsewhere.p12"\n'
        'tsa_url = "http://elsewhere.example/"\n'
    )
    before = seen(foreign)
    done = CliRunner().invoke(group, arguments)
    assert isinstance(done.exception, UnconfirmedWorkspace | SystemExit), done.exception
    if isinstance(done.exception, UnconfirmedWorkspace):
        assert f"safegen workspace trust {foreign}" in done.exception.hint
    else:
        assert done.exit_code == 2, "the command line itself was refused"
    assert seen(foreign) == before


@pytest.mark.parametrize("arguments", WRITING, ids=" ".join)
def test_named_or_confirmed_its_rows_are_left_alone(foreign: Path, arguments: list[str]) -> None:
    for more in (["--workspace", str(foreign)], []):
        if not more:
            confirmed.confirm_workspace(foreign)
        done = CliRunner().invoke(group, [*arguments, *more], input="n\n")
        assert done.exception is None or isinstance(done.exception, SafegenError | SystemExit)
        assert not isinstance(done.exception, UnconfirmedWorkspace)


def test_the_commands_that_keep_the_record(foreign: Path) -> None:
    def run(*arguments: str) -> object:
        done = CliRunner().invoke(group, ["workspace", *arguments, "--json"])
        assert done.exit_code == 0, done.output
        return json.loads(done.stdout)

    assert run("list") == []
    assert run("trust") == {"trusted": str(foreign)}
    assert run("list") == [{"path": str(foreign), "unchanged": True}]
    assert CliRunner().invoke(group, ["log", "check"]).exit_code == 0
    assert "unchanged" not in CliRunner().invoke(group, ["workspace", "list"]).output
    run("untrust", str(foreign))
    assert run("list") == []
    assert isinstance(CliRunner().invoke(group, ["log", "check"]).exception, UnconfirmedWorkspace)


@pytest.mark.parametrize(("said", "code"), [("y\n", 0), ("n\n", 130)])
def test_on_a_terminal_it_is_asked_once(
    foreign: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], said: str, code: int
) -> None:
    asked = []

    def confirm(question: str, **_more: object) -> bool:
        asked.append(question)
        return said == "y\n"

    monkeypatch.setattr(_run.click, "confirm", confirm)
    for stream in ("stdin", "stderr"):
        monkeypatch.setattr(getattr(_run.sys, stream), "isatty", lambda: True, raising=False)
    monkeypatch.setattr(_run.sys, "argv", ["safegen", "log", "check"])
    for _ in range(2):
        with pytest.raises(SystemExit) as ended:
            _run.run(group)
        assert ended.value.code == code
    assert len(asked) == (1 if code == 0 else 2)
    assert str(foreign) in capsys.readouterr().err


def test_without_a_terminal_it_is_refused(foreign: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_run.sys, "argv", ["safegen", "log", "check"])
    monkeypatch.setattr(_run.sys, "stdin", open(os.devnull))  # noqa: SIM115
    with pytest.raises(SystemExit) as ended:
        _run.run(group)
    assert ended.value.code == 2


@pytest.mark.parametrize("missing", ["keys", "one key too many"])
def test_a_check_without_the_key_is_no_pass(foreign: Path, missing: str) -> None:
    arguments = ["log", "check", "--workspace", str(foreign)]
    vkey = json.loads((foreign / "keys/identity.json").read_text())["log_vkey"]
    if missing == "keys":
        (foreign / "keys").rename(foreign / "away")
        done = CliRunner().invoke(group, arguments)
        assert "keys-missing" in done.output and "complete and unchanged" not in done.output
        assert isinstance(done.exception, SafegenError) and done.exception.exit_code == 9
        assert "--key" in done.exception.hint
        assert "complete and unchanged" in CliRunner().invoke(group, [*arguments, "--key", vkey]).output
    else:
        other = "example.com/x+6c7dbb09+AQECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8g"
        done = CliRunner().invoke(group, [*arguments, "--key", vkey, "--key", other])
        assert done.exit_code != 0 and "complete and unchanged" not in done.output
