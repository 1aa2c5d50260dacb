"""``safegen doctor``: every part is tried, and whatever breaks is one row with what to do about it."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from importlib import metadata
from pathlib import Path

import pytest
from click.testing import CliRunner

from safegen import doctor
from safegen.accessibility import engines
from safegen.cli import group
from safegen.doctor import DoctorCheck, diagnose
from safegen.errors import CheckUnavailable


def row(rows: list[DoctorCheck], name: str) -> DoctorCheck:
    (found,) = (r for r in rows if r.name == name)
    return found


@pytest.fixture(autouse=True)
def _no_speech(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engines, "find_engine", lambda: None)


def test_what_is_needed_works_here(tmp_path: Path) -> None:
    rows = diagnose(tmp_path / "workspace")
    assert [r.name for r in rows if r.needed and not r.ok] == []
    assert len({r.name for r in rows}) == len(rows)
    assert row(rows, "c2pa-python").detail == metadata.version("c2pa-python")
    assert str(tmp_path / "workspace") in row(rows, "workspace").detail
    assert list(tmp_path.iterdir()) == [], "looking makes no workspace"


def test_a_missing_part_says_what_installs_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor, "find_spec", lambda name: None)
    rows = diagnose(tmp_path)
    for name in ("av", "torch", "iscc-core", "invisible-watermark", "speech"):
        assert not row(rows, name).ok and "install" in row(rows, name).hint
    assert row(rows, "av").needed and not row(rows, "torch").needed


def test_a_broken_library_is_told_from_a_missing_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(name: str) -> None:
        raise OSError("libavcodec.so: cannot open shared object file")

    monkeypatch.setattr(doctor.importlib, "import_module", fails)
    found = row(diagnose(tmp_path), "av")
    assert not found.ok and "libavcodec" in found.detail and found.hint


@pytest.mark.parametrize("has", [("landlock", "seccomp"), ("seccomp",), ()])
def test_what_the_system_lacks_for_the_sandbox_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, has: tuple[str, ...]
) -> None:
    from safegen.media import _confinement

    monkeypatch.setattr(_confinement, "available", lambda: has)
    found = row(diagnose(tmp_path), "sandbox")
    assert not found.needed, "foreign files are read all the same, within limits"
    lacking = {"landlock", "seccomp"} - set(has)
    assert found.ok is not bool(lacking)
    assert all(name in found.detail for name in (lacking or has))


@pytest.mark.parametrize("error", [CheckUnavailable("weights changed", hint="pull again"), ValueError("odd")])
def test_a_check_that_fails_is_a_row_and_not_the_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    def fails() -> str:
        raise error

    monkeypatch.setattr(doctor, "_policy", fails)
    rows = diagnose(tmp_path)
    found = row(rows, "prompt policy")
    assert found.needed and not found.ok and str(error) in found.detail
    assert found.hint == getattr(error, "hint", "")
    assert row(rows, "workspace").ok


@pytest.mark.skipif(os.name == "nt", reason="Windows has no modes")
def test_a_workspace_that_cannot_be_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor.os, "access", lambda *_: False)
    found = row(diagnose(tmp_path / "a" / "b"), "workspace")
    assert not found.ok and str(tmp_path) in found.detail and "--workspace" in found.hint


@pytest.mark.parametrize(("broken", "code"), [(False, 0), (True, 4)])
def test_the_command_fails_only_for_what_is_needed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, broken: bool, code: int
) -> None:
    def policy() -> str:
        if broken:
            raise CheckUnavailable("no classifier")
        return "default"

    answer: Callable[[], str] = policy
    monkeypatch.setattr(doctor, "_policy", answer)
    done = CliRunner().invoke(group, ["doctor", "--workspace", str(tmp_path), "--json"])
    assert done.exit_code == code
    assert [r["ok"] for r in json.loads(done.stdout) if r["name"] == "prompt policy"] == [not broken]
