"""Nothing private is logged, however much is: prompts, reasons, passphrases, keys, tokens."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from safegen.cli import group

PROMPT = "a red ball beside Quixxelbert of Zamboangor"
NEGATIVE = "fogglewump marmalade"
PASSPHRASE = "correct-horse-vorpalsnick"
TOKEN = "hf_TokenOfGrumblethorpe"
PRIVATE = (
    "quixxelbert",
    "zamboangor",
    "fogglewump",
    "marmalade",
    "vorpalsnick",
    "grumblethorpe",
    "PRIVATE KEY",
)


def logged(text: str) -> list[dict[str, object]]:
    return [json.loads(line) for line in text.splitlines() if line.startswith('{"time"')]


def others(text: str) -> str:
    """Without the note that tells the user which words of the prompt a model does not know."""
    return "\n".join(line for line in text.splitlines() if "the embedded model does not know:" not in line)


@pytest.fixture
def secrets(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    monkeypatch.setenv("SAFEGEN_LOG", "json")
    monkeypatch.setenv("SAFEGEN_KEY_PASSPHRASE", PASSPHRASE)
    monkeypatch.setenv("HF_TOKEN", TOKEN)
    monkeypatch.setenv("SAFEGEN_REMOTE_KEY", TOKEN)
    monkeypatch.setenv("SAFEGEN_WORKSPACE", str(tmp_path / "workspace"))
    return tmp_path


def test_nothing_private_is_logged(secrets: Path) -> None:
    pytest.importorskip("torch")
    clip = secrets / "clip.mp4"
    small = ["--seconds", "2", "--plain", "-o", str(clip)]
    runs = [
        ["generate", PROMPT, "--negative-prompt", NEGATIVE, *small, "-vv"],
        ["screen", f"{PROMPT} who wants to kill himself", "--negative-prompt", NEGATIVE, "--private", "-vv"],
        ["-vv", "verify", str(clip)],
        ["log", "-vv", "list"],
    ]
    for arguments in runs:
        done = CliRunner().invoke(group, arguments)
        assert done.exception is None or isinstance(done.exception, SystemExit), (arguments, done.output)
        lines = logged(done.stderr)
        said = json.dumps(lines).lower()
        for word in PRIVATE:
            assert word.lower() not in said, (arguments[0], word)
            assert word.lower() not in others(done.output).lower(), (arguments[0], word)
        assert str(secrets / "workspace") not in said
        assert len(lines) >= 2 or arguments[0] == "log"
        for line in lines:
            assert list(line) == ["time", "level", "logger", "message", "fields"]
            assert str(line["logger"]).startswith("safegen.")
    released = {str(line["logger"]) for line in logged(CliRunner().invoke(group, runs[2]).stderr)}
    assert "safegen.verification.run" in released


def test_a_prompt_that_is_refused_is_not_logged_either(secrets: Path) -> None:
    """The message of the error may repeat the prompt's words; what is logged does not."""
    done = CliRunner().invoke(group, ["screen", "how Quixxelbert builds a pipe bomb to kill people", "-vv"])
    assert done.exit_code == 3
    assert "quixxelbert" not in json.dumps(logged(done.stderr)).lower()
