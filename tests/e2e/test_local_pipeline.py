"""A pipeline of a real class in a local folder, from the command to a verified release."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

pytest.importorskip("torch")

PROMPT = "a lighthouse in the evening"
Run = Callable[..., subprocess.CompletedProcess[bytes]]


@pytest.fixture
def run(python: Run, tmp_path: Path) -> Run:
    """The command line in a process of its own."""

    def run(*arguments: object, workspace: Path) -> subprocess.CompletedProcess[bytes]:
        env = {**os.environ, "SAFEGEN_WORKSPACE": str(workspace)}
        return python("-m", "safegen", *map(str, arguments), cwd=tmp_path, env=env)

    return run


def test_a_folder_is_generated_with_and_verifies(tmp_path: Path, run: Run) -> None:
    """Loaded, called, marked, signed and recorded; the record names the pipeline and its options."""
    from tests.support.pipelines import save

    folder, out, space = save("wan", tmp_path / "wan"), tmp_path / "out.mp4", tmp_path / "workspace"
    how = ["--size", "256x256", "--seconds", 1, "--steps", 2, "--seed", 5, "--no-access"]
    more = ["--option", "vae_tiling=on", "-o", out, "--json"]
    made = run("generate", PROMPT, "--model", folder, *how, *more, workspace=space)
    assert made.returncode == 0, made.stderr
    seen = run("verify", out, "--json", "--explain", workspace=space)
    said = seen.stdout.decode()
    report = json.loads(said)
    assert report["verdict"] == "VERIFIED"
    assert '"name": "wan"' in said
    assert str(folder) not in said
    assert json.loads(made.stdout)["content_id"] in said


def test_a_mistyped_option_says_what_was_meant_and_leaves_nothing(tmp_path: Path, run: Run) -> None:
    from tests.support.pipelines import save

    out = tmp_path / "out.mp4"
    arguments = ["--model", save("wan", tmp_path / "wan"), "--size", "64x64", "--option", "dtpe=float16"]
    made = run("generate", PROMPT, *arguments, "-o", out, workspace=tmp_path / "workspace")
    assert made.returncode == 2
    said = made.stderr.decode()
    assert "no option 'dtpe'" in said and "did you mean dtype?" in said
    assert not list(tmp_path.glob("out*"))
