"""The embedded model makes the same frames again in another process; the answer is given by the command."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

from tests.e2e.conftest import PROMPT, Studio


def test_release_is_reproduced_bit_by_bit_in_another_process(studio: Studio, tmp_path: Path) -> None:
    prompt = tmp_path / "prompt.txt"
    prompt.write_text(PROMPT + "\n")
    arguments = ["reproduce", str(studio.first.path), "--prompt-file", str(prompt), "--json"]
    done = subprocess.run(
        [sys.executable, "-m", "safegen", *arguments],
        capture_output=True,
        text=True,
        env={**os.environ, "SAFEGEN_WORKSPACE": str(studio.workspace)},
    )
    assert done.returncode == 0, done.stdout + done.stderr
    answer = json.loads(done.stdout)
    assert answer["result"] == "identical"
    assert answer["frames_sha256"]["now"] == answer["frames_sha256"]["recorded"]
    assert not answer["differences"]
    assert answer["psnr_db"] > 30
    assert answer["released"] is None
