"""Other programs that are started see nothing of the user's environment either."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import numpy as np
import pytest

from safegen.accessibility.espeak import Espeak
from safegen.accessibility.speech import SpeechFailed
from safegen.detectors.frames.text import read_text
from safegen.errors import CheckUnavailable
from safegen.media._start import environment
from safegen.screening import batch

PASS = "correct horse"
pytestmark = pytest.mark.skipif(os.name != "posix", reason="the stand-in program is a shell script")


@pytest.fixture
def program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Stands for a program: writes down its environment and fails."""
    for name in ("SAFEGEN_KEY_PASSPHRASE", "SAFEGEN_REMOTE_KEY", "OPENAI_API_KEY", "HF_TOKEN"):
        monkeypatch.setenv(name, PASS)
    monkeypatch.setenv("TESSDATA_PREFIX", "/tess")
    monkeypatch.setenv("ESPEAK_DATA_PATH", "/speech")
    file = tmp_path / "program"
    file.write_text(f"#!/bin/sh\nexport -p > {tmp_path}/seen\nexit 1\n")
    file.chmod(file.stat().st_mode | stat.S_IXUSR)
    return file


def test_the_text_reader_and_the_speech_are_told_no_secret(program: Path) -> None:
    seen = program.with_name("seen")
    with pytest.raises(CheckUnavailable):
        read_text(np.zeros((8, 8, 3), np.uint8), str(program))
    assert "/tess" in seen.read_text() and PASS not in seen.read_text()
    with pytest.raises(SpeechFailed):
        Espeak(str(program), "1").say("hello")
    assert "/speech" in seen.read_text() and PASS not in seen.read_text()


def test_an_environment_is_made_of_what_is_named() -> None:
    given = {"SAFEGEN_REMOTE_KEY": PASS, "LD_LIBRARY_PATH": "/lib", "PATH": "/bin", "WANTED": "1"}
    found = environment("WANTED", "MISSING", environ=given)
    assert found.items() >= {"LD_LIBRARY_PATH": "/lib", "WANTED": "1", "LC_ALL": "C.UTF-8"}.items()
    assert PASS not in found.values() and "PATH" not in found


def _secrets(_: list[int]) -> list[list[str]]:
    return [[name for name, value in os.environ.items() if value == PASS]]


def test_workers_that_screen_prompts_forget_secrets(program: Path) -> None:
    assert list(batch.map_ordered(_secrets, [1], 1, 2)) == [[]]
    assert os.environ["SAFEGEN_REMOTE_KEY"] == PASS, "here it is still known"
