"""A pipeline of a real class in a local folder, from the command to a verified release."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("torch")

PROMPT = "a lighthouse in the evening"


def _run(*arguments: object, workspace: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "safegen", *map(str, arguments)],
        capture_output=True,
        text=True,
        env={**os.environ, "SAFEGEN_WORKSPACE": str(workspace)},
    )


def test_a_folder_is_generated_with_and_verifies(tmp_path: Path) -> None:
    """Loaded, called, marked, signed and recorded; the record names the pipeline and its options."""
    from tests.unit.generators.pipelines import save

    folder, out, space = save("wan", tmp_path / "wan"), tmp_path / "out.mp4", tmp_path / "workspace"
    how = ["--size", "256x256", "--seconds", 1, "--steps", 2, "--seed", 5, "--no-access"]
    more = ["--option", "vae_tiling=on", "-o", out, "--json"]
    made = _run("generate", PROMPT, "--model", folder, *how, *more, workspace=space)
    assert made.returncode == 0, made.stderr
    seen = _run("verify", out, "--json", "--explain", workspace=space)
    report = json.loads(seen.stdout)
    assert report["verdict"] == "VERIFIED"
    assert '"name": "wan"' in seen.stdout
    assert str(folder) not in seen.stdout
    assert json.loads(made.stdout)["content_id"] in seen.stdout


def test_a_mistyped_option_says_what_was_meant_and_leaves_nothing(tmp_path: Path) -> None:
    from tests.unit.generators.pipelines import save

    out = tmp_path / "out.mp4"
    arguments = ["--model", save("wan", tmp_path / "wan"), "--size", "64x64", "--option", "dtpe=float16"]
    made = _run("generate", PROMPT, *arguments, "-o", out, workspace=tmp_path / "workspace")
    assert made.returncode == 2
    assert "no option 'dtpe'" in made.stderr and "did you mean dtype?" in made.stderr
    assert not list(tmp_path.glob("out*"))
