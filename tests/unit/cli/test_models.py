"""``safegen models`` as a user meets it, against a hub of one's own."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from safegen.cli import group
from safegen.errors import GenerationFailed, UsageError
from safegen.generators.presets import PRESETS
from tests.support.video_server import until
from tests.unit.generators.hub.hub_server import NAME, Hub, Repo, files_of, serving

pytest.importorskip("huggingface_hub")
pytest.importorskip("diffusers")


@pytest.fixture
def server(in_memory: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    yield from serving(in_memory, monkeypatch)


def models(*words: str, give: str | None = None) -> Any:
    done = CliRunner().invoke(group, ["models", *words], input=give)
    if done.exception and not isinstance(done.exception, SystemExit):
        raise done.exception
    return done


def as_json(*words: str) -> Any:
    return json.loads(models(*words, "--json").stdout)


def test_list_says_what_is_here(server: Hub) -> None:
    before = {row["name"]: row for row in as_json("list")}
    assert before["tiny"]["here"] == "comes with safegen"
    assert {before[name]["here"] for name in PRESETS} == {"no"}
    models("pull", NAME, "--yes")
    row = next(r for r in as_json("list") if r["source"] == NAME)
    assert row["here"] == "pulled" and row["bytes"] > 1_000_000 and row["licence"] == "apache-2.0"
    assert NAME in models("list").output


def test_show_tiny_names_its_world_by_groups() -> None:
    world = as_json("show", "tiny")["world"]
    assert "ball" in world["things"] and "red" in world["colours"] and "rolling" in world["motions"]
    assert "grass" in world["places"]
    assert "things" in models("show", "tiny").output


def test_show_says_what_a_model_can_do() -> None:
    assert as_json("show", "tiny")["ways_of_working"][:2] == ["text", "image"]
    assert "extend_back" in as_json("show", "tiny")["ways_of_working"]
    assert as_json("show", "wan2.2-5b")["ways_of_working"] == [
        "text",
        "image",
        "edit",
        "extend",
        "storyboard",
    ]
    assert "loop, blend" in models("show", "wan2.1-flf2v-14b").output


def test_show_names_sources_and_an_estimate() -> None:
    found = as_json("show", "wan2.2-5b")
    assert found["frame_rule"] == "a multiple of 4, plus 1"
    assert "github.com/Wan-Video/Wan2.2" in found["sources"]["frames"]
    assert found["estimate"]["device_gb"] > 10 and found["estimate"]["basis"]
    assert "rule of thumb" in models("show", "wan2.2-5b").output


def test_dry_run_changes_nothing(server: Hub) -> None:
    plan = as_json("pull", NAME, "--dry-run")
    assert plan["commit"] == server.repos[NAME].shas[0] and plan["bytes_to_fetch"] > 0
    with pytest.raises(GenerationFailed, match="not on this machine"):
        models("verify", NAME)


def test_pull_says_size_and_licence_and_needs_a_yes(server: Hub) -> None:
    with pytest.raises(UsageError, match="would download"):
        models("pull", NAME)
    done = models("pull", NAME, "--yes")
    assert "apache-2.0" in done.stderr and "MB" in done.stderr
    assert server.repos[NAME].shas[0] in done.stdout
    assert as_json("verify", NAME)["verified"] == as_json("pull", NAME)["files"]


def test_a_no_on_a_terminal_downloads_nothing(server: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    from safegen.cli import _models

    monkeypatch.setattr(_models, "on_terminal", lambda: True)
    assert "nothing was downloaded" in models("pull", NAME, give="n\n").stderr
    assert not any(path.startswith("/cdn/") for _, path, _ in server.log)
    assert server.repos[NAME].shas[0] in models("pull", NAME, give="y\n").stdout


def test_terms(server: Hub) -> None:
    from safegen.generators.tiny.generator import FOLDER

    server.repos[PRESETS["hunyuanvideo"].source] = Repo([files_of(FOLDER)])
    with pytest.raises(GenerationFailed, match="European Union") as error:
        models("pull", "hunyuanvideo", "--yes")
    assert "--accept-licence" in error.value.hint
    assert models("pull", "hunyuanvideo", "--yes", "--accept-licence").exit_code == 0


def test_unpin(server: Hub) -> None:
    models("pull", NAME, "--yes")
    assert as_json("unpin", NAME, "--dry-run")["dry_run"] is True
    models("unpin", NAME)
    with pytest.raises(UsageError, match="not pinned"):
        models("unpin", NAME)


@pytest.mark.parametrize("word", ["pull", "verify", "unpin"])
def test_the_embedded_model_is_not_pulled(word: str) -> None:
    with pytest.raises(UsageError, match="comes with safegen"):
        models(word, "tiny")


@pytest.mark.slow
@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_stopped_from_outside(server: Hub, how: signal.Signals, in_memory: Path) -> None:
    """Ctrl-C, TERM and KILL while bytes come: no record, no half file under a final name; then it goes on."""
    server.slowly = 0.05
    command = [sys.executable, "-m", "safegen", "models", "pull", NAME, "--yes", "--plain"]
    environment = {**os.environ, "XDG_DATA_HOME": str(in_memory / "data")}
    process = subprocess.Popen(
        command,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )
    until(lambda: list((in_memory / "cache").rglob("*.safegen-part")))
    process.send_signal(how)
    _, said = process.communicate(timeout=300)
    assert process.returncode == (130 if how != signal.SIGKILL else -9)
    assert "Traceback" not in said
    assert not list((in_memory / "data").rglob("*.json"))
    server.slowly = 0.0
    again = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert again.returncode == 0, again.stderr
    verify = [sys.executable, "-m", "safegen", "models", "verify", NAME]
    assert subprocess.run(verify, env=environment, capture_output=True, check=False).returncode == 0
