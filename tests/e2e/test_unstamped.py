"""Authorities that do not answer: the clip is released and its record says so, or nothing is visible."""

from __future__ import annotations

import json
from pathlib import Path

import cv2
import pytest
from click.testing import CliRunner, Result

import safegen
from safegen.cli import group
from safegen.errors import LedgerError, ReleaseFailed, SigningFailed
from safegen.workspace.config import find_workspace
from safegen.workspace.session import open_ledger
from tests.e2e.test_protect import scene
from tests.unit.credentials.conftest import Tsa, tsa  # noqa: F401

DEAD = "http://127.0.0.1:9/"


@pytest.fixture
def picture(tmp_path: Path) -> Path:
    file = tmp_path / "in" / "picture.png"
    file.parent.mkdir()
    cv2.imwrite(str(file), scene(1)[0])
    return file


def protect(picture: Path, tmp_path: Path, signing: str) -> tuple[Result, Path]:
    """``safegen protect --json`` in a workspace with these lines under ``[signing]``."""
    root, out = tmp_path / "ws", tmp_path / "out"
    root.mkdir()
    out.mkdir()
    (root / "safegen.toml").write_text(f"format = 1\n[signing]\n{signing}\n")
    arguments = ["protect", str(picture), "-o", str(out / "made.png"), "--workspace", str(root), "--json"]
    return CliRunner().invoke(group, arguments), out


@pytest.mark.parametrize(
    ("setting", "member", "words"),
    [
        ("tsa_url", "time_stamp", "the signature has no time stamp"),
        ("ocsp_url", "revocation", "the signature has no revocation information"),
    ],
)
def test_the_finished_clip_is_released_and_the_record_says_so(
    picture: Path, tmp_path: Path, setting: str, member: str, words: str
) -> None:
    done, out = protect(picture, tmp_path, f'{setting} = "{DEAD}"')
    assert done.exit_code == 0, done.output
    made = json.loads(done.stdout)
    assert any(words in warning for warning in made["warnings"])
    root = tmp_path / "ws"
    with open_ledger(find_workspace(root)) as ledger:
        said = ledger.release(made["ledger_index"]).entry.public[member]
    assert said["made"] is False
    assert "127.0.0.1" in said["reason"] and "ConnectionRefusedError" in said["reason"]
    report = safegen.verify(out / "made.png", workspace=root)
    assert report.verdict is safegen.Verdict.VERIFIED
    assert not report.credentials.time_stamped


@pytest.mark.parametrize("name", ["tsa", "ocsp"])
def test_nothing_is_visible_where_it_is_required(picture: Path, tmp_path: Path, name: str) -> None:
    done, out = protect(picture, tmp_path, f'{name}_url = "{DEAD}"\n{name}_required = true')
    assert isinstance(done.exception, SigningFailed)
    assert done.exception.exit_code == 6
    assert f"{name}_required = false" in done.exception.hint
    assert [p.name for p in out.iterdir() if p.name != ".safegen-tmp"] == []
    with open_ledger(find_workspace(tmp_path / "ws")) as ledger:
        assert ledger.entries("release") == []


def test_a_checkpoint_without_the_stamp_that_is_required(
    picture: Path,
    tmp_path: Path,
    tsa: Tsa,  # noqa: F811
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The signature has its stamp, and then the authority falls silent: recorded, withdrawn, not visible."""

    def fail(*_: object, **__: object) -> bytes:
        raise LedgerError("no answer")

    monkeypatch.setattr("safegen.ledger.timestamp.request_stamp", fail)
    done, out = protect(picture, tmp_path, f'tsa_url = "{tsa.url}"\ntsa_required = true')
    assert isinstance(done.exception, ReleaseFailed)
    assert "nothing was released" in done.exception.hint
    assert [p.name for p in out.iterdir() if p.name != ".safegen-tmp"] == []
    with open_ledger(find_workspace(tmp_path / "ws")) as ledger:
        (entry,) = ledger.entries("release")
        assert ledger.release(entry.index).withdrawn is not None


def test_a_stamp_of_an_authority_that_answers(
    picture: Path,
    tmp_path: Path,
    tsa: Tsa,  # noqa: F811
) -> None:
    done, _ = protect(picture, tmp_path, f'tsa_url = "{tsa.url}"\ntsa_required = true')
    assert done.exit_code == 0, done.output
    made = json.loads(done.stdout)
    assert not [w for w in made["warnings"] if "stamp" in w]
    with open_ledger(find_workspace(tmp_path / "ws")) as ledger:
        assert "time_stamp" not in ledger.release(made["ledger_index"]).entry.public
