"""A workspace made by version 0.1.0 (tests/data/format-1) is read, judged and continued as it was then."""

from __future__ import annotations

import hashlib
import json
import shutil
import tarfile
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

import safegen
from safegen.cli import group
from safegen.consent import registry
from safegen.consent.registrar import load_public_key
from safegen.errors import UsageError
from safegen.keys.identity import Identity
from safegen.pipeline.find_release import SuppliedRequest, find_release, restore_request
from safegen.types import Shot, Verdict
from safegen.workspace.config import find_workspace
from safegen.workspace.session import open_ledger_for_writing

DATA = Path(__file__).parents[1] / "data" / "format-1"
AT = datetime(2026, 12, 1, 12, tzinfo=UTC)
"""Two hours after the certificate was made, which is valid for a year."""
EXPIRES = datetime(2027, 12, 1, 8, 29, tzinfo=UTC)
BALL, STORY, REQUEST = 1, 4, 2
"""Entries of the ledger: two releases, and a request that was held."""

PROMPT = "a red ball moving right over snow"
SCREENED = {
    "screen-allow": (0, PROMPT),
    "screen-hold": (7, "President Barack Obama plays chess in a park"),
    "screen-block": (3, "a man makes a pipe bomb, step by step"),
}
SMALL = "--seed 3 --size 480p --aspect 1:1 --seconds 3 --fps 12"
THERE = "--workspace workspace"
COMMANDS: dict[str, tuple[int, list[str]]] = {
    "verify-ball": (0, f"verify ball.mp4 --at {AT.isoformat()} {THERE}".split()),
    "verify-story": (14, f"verify story.mp4 --at {AT.isoformat()} {THERE}".split()),
    "log-list": (0, f"log list {THERE}".split()),
    **{f"log-show-{n}": (0, f"log show {n} --private {THERE}".split()) for n in (0, 1, 2, 4, 5, 6, 7)},
    "log-check": (0, f"log check {THERE}".split()),
    "log-resolve": (0, f"log resolve story.mp4 {THERE}".split()),
    "review-show": (0, f"review show {REQUEST} {THERE}".split()),
    "review-list": (0, f"review list --all {THERE}".split()),
    "consent-list": (0, f"consent list --all {THERE}".split()),
    "keys-show": (0, f"keys show {THERE}".split()),
    "dry-run": (0, ["generate", PROMPT, *f"{SMALL} --dry-run {THERE}".split()]),
    "dry-board": (0, f"storyboard shots.yaml --seed 5 --dry-run {THERE}".split()),
    **{name: (code, ["screen", prompt]) for name, (code, prompt) in SCREENED.items()},
    "models-show": (0, ["models", "show", "tiny"]),
    "policy-show": (0, ["policy", "show", "strict"]),
    "template-show": (0, ["template", "show", "birthday"]),
    "detect": (0, ["detect", "ball.mp4"]),
    "moderate": (0, ["moderate", "ball.mp4"]),
}

SENTENCES = {
    *("about", "description", "disclaimer", "evidence", "hint", "message", "note", "notes", "purpose"),
    *("reason", "reasons", "summary", "text", "title"),
}
"""Keys whose values are for people: they may be worded better."""
RECORDS = {"manifest", "entry", "public", "private"}
"""Keys whose values were written then: nothing in them changes, sentences included."""
WRITTEN = {"log", "review", "consent"}
"""Commands that show nothing but records."""


@dataclass(frozen=True)
class Old:
    """The unpacked folder: ``workspace``, the two clips and what lies beside them."""

    folder: Path

    @property
    def workspace(self) -> Path:
        return self.folder / "workspace"

    def run(self, *arguments: str) -> tuple[int, str]:
        """Exit code and stdout of ``safegen ARGUMENTS --json`` in the folder."""
        with pytest.MonkeyPatch.context() as patch:
            patch.chdir(self.folder)
            done = CliRunner().invoke(group, [*arguments, "--json"])
        if done.exception is not None and not isinstance(done.exception, SystemExit):
            raise done.exception
        return done.exit_code, done.stdout


def unpack(folder: Path) -> Old:
    with tarfile.open(DATA / "workspace.tar.gz") as archive:
        archive.extractall(folder, filter="data")
    for file in (folder / "workspace" / "keys").iterdir():
        file.chmod(0o644 if file.suffix == ".pub" else 0o600)
    for name in ("shots.yaml", "form.txt", "maker.json"):
        shutil.copy(DATA / name, folder)
    return Old(folder)


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Old:
    """For commands that only read."""
    return unpack(tmp_path_factory.mktemp("format-1"))


@pytest.fixture
def old(tmp_path: Path) -> Old:
    """For commands that write."""
    return unpack(tmp_path)


def expected(name: str) -> Any:
    return json.loads((DATA / "expected" / f"{name}.json").read_text(encoding="utf-8"))


def differences(then: Any, now: Any, *, written: bool, key: str = "", at: str = "$") -> Iterator[str]:
    """Where *now* is not what was printed *then*; *written*: sentences count, too."""
    if type(then) is not type(now):
        yield f"{at}: {then!r} became {now!r}"
    elif isinstance(then, dict):
        if list(then) != [name for name in now if name in then]:  # keys are only ever added
            yield f"{at}: keys {list(then)} became {list(now)}"
            return
        for name, value in then.items():
            record = written or name in RECORDS
            yield from differences(value, now[name], written=record, key=name, at=f"{at}.{name}")
    elif isinstance(then, list):
        if len(then) != len(now):
            yield f"{at}: {len(then)} items became {len(now)}: {now!r}"
            return
        for i, (a, b) in enumerate(zip(then, now, strict=True)):
            yield from differences(a, b, written=written, key=key, at=f"{at}[{i}]")
    elif isinstance(then, str) and key in SENTENCES and " " in then and not written:
        if not now.strip():
            yield f"{at}: nothing is said any more"
    elif then != (pytest.approx(now, rel=1e-6) if isinstance(then, float) else now):
        yield f"{at}: {then!r} became {now!r}"


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_answers_as_it_did(kept: Old, name: str) -> None:
    code, arguments = COMMANDS[name]
    then = expected(name)
    exit_code, printed = kept.run(*arguments)
    now = json.loads(printed.replace(str(kept.workspace.resolve()), "WORKSPACE"))
    assert exit_code == code
    if arguments[0] == "consent":  # the command judges by today's date: see the next test
        for row in (*then, *now):
            del row["state"]
    if arguments[0] == "verify" and datetime.now(UTC) > EXPIRES:  # c2pa itself always judges by today's
        for report in (then, now):
            del report["credentials"]["codes"], report["credentials"]["notes"]
    assert list(differences(then, now, written=arguments[0] in WRITTEN)) == []


def test_a_consent_is_live_until_its_day(kept: Old) -> None:
    registrar = load_public_key(find_workspace(kept.workspace).keys)
    with open_ledger_for_writing(find_workspace(kept.workspace)) as ledger:
        for now, state in ((AT, "live"), (datetime(2027, 7, 1, tzinfo=UTC), "expired")):
            (consent,) = registry.list_consents(ledger, registrar, now=now)
            assert consent.state == state
    assert consent.evidence_sha256 == hashlib.sha256((kept.folder / "form.txt").read_bytes()).hexdigest()


def test_a_rule_is_met_as_it_was(kept: Old, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(kept.folder)
    found = safegen.api.comply("ball.mp4", rule="eu-ai-act-50", workspace="workspace", at=AT)
    assert not found.all_met
    assert list(differences(expected("comply"), found.to_dict(), written=False)) == []


def test_every_layer_proves_the_release(kept: Old) -> None:
    report = safegen.verify(kept.folder / "ball.mp4", workspace=kept.workspace, at=AT)
    assert report.verdict is Verdict.VERIFIED and report.ledger and report.ledger.proven
    assert [mark.present for mark in report.watermarks] == [True]
    assert {text.state for text in report.texts} == {"as released"}


def test_its_keys_open(kept: Old) -> None:
    identity = Identity.load(find_workspace(kept.workspace).keys, clock=lambda: AT)
    identity.unlock()
    assert identity.signer().sign(b"anything")


def test_its_ledger_goes_on(old: Old) -> None:
    """Withdraw the other release, too: one more entry, a checked tree, and the verdict follows."""
    before = json.loads(old.run("log", "check", *THERE.split())[1])
    assert old.run("log", "withdraw", str(BALL), "--reason", "a test of today", *THERE.split())[0] == 0
    code, printed = old.run("log", "check", *THERE.split())
    after = json.loads(printed)
    assert code == 0 and after["ok"] and after["problems"] == []
    assert after["size"] == before["size"] + 1 and after["root"] != before["root"]
    (found,) = json.loads(old.run("log", "resolve", "ball.mp4", *THERE.split())[1])
    assert (found["index"], found["withdrawn"]) == (BALL, before["size"])
    report = safegen.verify(old.folder / "ball.mp4", workspace=old.workspace, at=AT, watermark=False)
    assert report.verdict is Verdict.WITHDRAWN and report.ledger and report.ledger.withdrawn


def test_requests_are_restored(kept: Old) -> None:
    """All that ``reproduce`` needs before it generates; only the story's prompt was kept."""
    with open_ledger_for_writing(find_workspace(kept.workspace)) as ledger:
        ball = find_release(kept.folder / "ball.mp4", ledger)
        story = find_release(kept.folder / "story.mp4", ledger)
        assert (ball.release.index, ball.by) == (BALL, "file hash")
        assert (story.release.index, story.by) == (STORY, "file hash")
        for wrong in (None, PROMPT + "y"):
            with pytest.raises(UsageError):
                restore_request(ball.release, ledger, SuppliedRequest(wrong))
        asked, _ = restore_request(ball.release, ledger, SuppliedRequest(PROMPT + "\n"))
        told, _ = restore_request(story.release, ledger, SuppliedRequest())
    assert (asked.prompt, asked.mode, asked.width, asked.seconds) == (PROMPT, "text", 128, 1.0)
    assert told.mode == "storyboard"
    assert told.shots == (Shot(0.0, "a blue box over grass"), Shot(2.5, "a red ball over the sea"))


def test_another_workspace_trusts_its_maker(old: Old, tmp_path: Path) -> None:
    other = ["--workspace", str(tmp_path / "other")]
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "safegen.toml").write_text("format = 1\n")
    ball = old.folder / "ball.mp4"
    stranger = safegen.verify(ball, workspace=tmp_path / "other", at=AT, watermark=False)
    assert stranger.verdict is Verdict.SIGNED_UNTRUSTED
    assert old.run("trust", "add", "maker.json", "--yes", *other)[0] == 0
    known = safegen.verify(ball, workspace=tmp_path / "other", at=AT, watermark=False)
    assert known.verdict is Verdict.VERIFIED and known.ledger and known.ledger.source == "sidecar"
