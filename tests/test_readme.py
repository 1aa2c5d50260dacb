"""The README's session, run as it stands; its Python too; its links exist."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", README, re.S | re.M)


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, str]]:
    folder = tmp_path_factory.mktemp("readme")
    env = {**os.environ, "SAFEGEN_WORKSPACE": str(folder / "workspace"), "NO_COLOR": "1", "COLUMNS": "120"}
    env["PATH"] = str(Path(sys.executable).parent) + os.pathsep + env["PATH"]
    return folder, env


def run(command: str, place: tuple[Path, dict[str, str]]) -> str:
    folder, env = place
    done = subprocess.run(
        command, shell=True, cwd=folder, env=env, capture_output=True, text=True, timeout=600
    )
    assert "Traceback" not in done.stderr
    return done.stdout


def matches(expected: list[str], actual: str) -> bool:
    """Expected lines in order; "…" stands for anything, also for whole lines."""
    pattern = r"\n".join(re.escape(line).replace("…", ".*") for line in expected)
    return re.fullmatch(pattern.replace("\n.*\n", "\n.*") + r"\n?", actual, re.S) is not None


def test_first_screen_is_a_real_session(place: tuple[Path, dict[str, str]]) -> None:
    lines = blocks("console")[0].splitlines()
    assert README.index("```console") < README.index("## ")
    commands: list[tuple[str, list[str]]] = []
    for line in lines:
        if line.startswith("$ "):
            commands.append((line[2:], []))
        else:
            commands[-1][1].append(line)
    assert len(commands) >= 4
    for command, expected in commands:
        actual = run(command, place)
        assert matches(expected, actual) if expected else actual == "", f"$ {command}\n{actual}"


def test_python_example_runs(place: tuple[Path, dict[str, str]]) -> None:
    folder, env = place
    code = blocks("python")[0]
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=folder, env=env, capture_output=True, text=True, timeout=600
    )
    assert done.returncode == 0, done.stderr


def test_commands_of_the_table_exist(
    python: Callable[..., subprocess.CompletedProcess[bytes]], tmp_path: Path
) -> None:
    for name in re.findall(r"`safegen ([a-z]+)", README):
        assert python("-m", "safegen", name, "--help", cwd=tmp_path).returncode == 0, name


def test_links_exist() -> None:
    for document in [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]:
        for link in re.findall(r"\]\(([^)#]+?)(?:#[^)]*)?\)", document.read_text(encoding="utf-8")):
            if "://" not in link:
                assert (document.parent / link).exists(), f"{document.name}: {link}"


def test_files_that_are_named_exist() -> None:
    """``NAME`` and ``X`` stand for any name; CONTRIBUTING's example writes two files that are not there."""
    example = {"detectors/frames/dark.py", "tests/unit/detectors/frames/test_dark.py"}
    folders = "tests|safegen|cli|detectors|policies|training|benchmarks|examples|docs"
    for document in [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]:
        page = document.read_text(encoding="utf-8")
        for name in re.findall(rf"(?<![\w/.])((?:{folders})/[\w./-]*\w)", page):
            if not {"NAME", "X"} & set(re.split(r"[/._]", name)) and name not in example:
                assert (ROOT / name).exists(), f"{document.name}: {name}"
