"""The README's session, run as it stands; its Python too; its links exist."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support import pages
from tests.support.pages import ROOT, Desk

README = pages.README.read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Desk:
    return Desk(tmp_path_factory.mktemp("readme"))


def test_first_screen_is_a_real_session(desk: Desk) -> None:
    [block] = [b for b in pages.blocks(pages.README) if b.language == "console"]
    assert README.index("```console") < README.index("## ")
    steps = pages.steps(block)
    assert len(steps) >= 4
    for step in steps:
        desk.check(step)


def test_python_example_runs(desk: Desk) -> None:
    [block] = [b for b in pages.blocks(pages.README) if b.language == "python"]
    desk.run(block)


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
