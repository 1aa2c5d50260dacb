"""CONTRIBUTING's example of a frames check: its code, its test, its session and its policy, as they stand."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
import yaml
from click.testing import CliRunner

from safegen import plugins
from safegen.cli import group
from safegen.detectors import frames
from safegen.media.encode import encode_mp4
from safegen.policies.schema import Policy
from tests.support.architecture import ROOT

PAGE = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
CHECK = "detectors/frames/dark.py"
TEST = "tests/unit/detectors/frames/test_dark.py"
FIND_IT = """
from safegen.detectors import frames

frames.__path__.append({folder!r})
"""


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", PAGE, re.S | re.M)


def after(place: str) -> str:
    """The Python that stands right after the mention of the file *place*."""
    return re.findall(rf"`{re.escape(place)}`:\n\n```python\n(.*?)^```", PAGE, re.S | re.M)[0]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Where the check lies, outside the checkout."""
    place = tmp_path / "plugged"
    place.mkdir()
    (place / "dark.py").write_text(after(CHECK), encoding="utf-8")
    return place


@pytest.fixture
def installed(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """As if the check lay with the shipped ones, on a machine without any model."""
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path / "hub"))
    for name in ("FREEPIK", "KNOWN"):
        monkeypatch.delenv(f"SAFEGEN_{name}", raising=False)
    frames.__path__.append(str(folder))
    plugins.names.cache_clear()
    yield
    frames.__path__.remove(str(folder))
    sys.modules.pop("safegen.detectors.frames.dark", None)
    plugins.names.cache_clear()


@pytest.fixture
def night(tmp_path: Path) -> Path:
    """Two seconds in which something hardly visible moves."""
    rng = np.random.default_rng(1)
    scene = rng.integers(0, 40, (4, 64, 3)).repeat(16, 0).repeat(16, 1).astype(np.uint8)
    film = tmp_path / "night.mp4"
    encode_mp4((scene[:, i * 8 : i * 8 + 96] for i in range(48)), film, fps=Fraction(24))
    return film


def test_there_is_no_such_check_yet() -> None:
    """Else the example would be tried on the one that is there."""
    assert not (ROOT / CHECK).exists()
    assert "dark" not in plugins.names("frame detector")


def test_its_test_passes(folder: Path, tmp_path: Path) -> None:
    suite = tmp_path / "suite"
    suite.mkdir()
    (suite / "conftest.py").write_text(FIND_IT.format(folder=str(folder)), encoding="utf-8")
    (suite / "test_dark.py").write_text(after(TEST), encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-c", os.devnull, str(suite)],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    shown = next(line for line in blocks("console")[0].splitlines() if line.endswith("[100%]"))
    assert done.stdout.splitlines()[0] == shown


def test_it_is_a_check_and_its_clip_is_blocked_as_shown(
    installed: None, night: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(night.parent)
    assert "dark" in plugins.names("frame detector")
    session = blocks("console")[0]
    assert f"pytest {TEST}" in session
    shown = session.split("$ safegen moderate night.mp4 --check dark\n")[1]
    run = CliRunner().invoke(group, ["moderate", night.name, "--check", "dark"])
    assert run.exit_code == 3, run.output
    lines = [line for line in run.stdout.splitlines() if not line.startswith("  note: not checked: ")]
    assert lines == shown.splitlines()


def test_its_policy_holds_the_clip_instead(installed: None, night: Path, tmp_path: Path) -> None:
    [text] = [b for b in blocks("yaml") if "dark_output" in b]
    assert "dark" in Policy(**{**yaml.safe_load(text), "categories": {}}).frames.required
    path = tmp_path / "my-policy.yaml"
    path.write_text(text, encoding="utf-8")
    run = CliRunner().invoke(group, ["moderate", str(night), "--policy", str(path)])
    assert run.exit_code == 7, run.output
    assert "REVIEW" in run.output and "dark_output" in run.output
