"""A model on a server through the command line: released like any other, or not at all."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import safegen
from safegen.workspace.config import find_workspace
from safegen.workspace.session import open_session
from tests.support.video_server import VideoServer, encoded, serving, until

pytest.importorskip("openai")
PROMPT = "a quiet harbour at dawn"
REFUSED = "a naked child"


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    return encoded(tmp_path_factory.mktemp("clip") / "clip.mp4", size=(512, 512), frames=48, fps=16)


@pytest.fixture
def server(clip: bytes) -> Iterator[VideoServer]:
    with serving(clip=clip, engine="sglang") as running:
        yield running


def command(folder: Path, *arguments: str) -> subprocess.Popen[str]:
    """``safegen ARGUMENTS`` in *folder* with a workspace there and no keyring."""
    env = {k: v for k, v in os.environ.items() if not k.startswith("SAFEGEN_")}
    env |= {"NO_COLOR": "1", "PYTHON_KEYRING_BACKEND": "keyring.backends.null.Keyring"}
    env |= {"SAFEGEN_WORKSPACE": str(folder / "workspace"), "SAFEGEN_REMOTE_KEY": "sk-s3cret-key"}
    return subprocess.Popen(
        [sys.executable, "-m", "safegen", *arguments],
        cwd=folder,
        env=env,
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        # A test run that was started in the background ignores Ctrl-C, and hands that down.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )


def generate(folder: Path, server: VideoServer, prompt: str = PROMPT) -> subprocess.Popen[str]:
    return command(
        folder, "generate", prompt, "--model", server.name, "-o", "out.mp4", "--option", "poll=0.05", "--json"
    )


def left(folder: Path) -> list[str]:
    """What lies in *folder* besides the workspace."""
    return sorted(str(p.relative_to(folder)) for p in folder.rglob("*") if "workspace" not in p.parts)


@pytest.mark.slow
def test_a_clip_from_a_server_is_released_with_the_servers_own_credentials(
    server: VideoServer, in_memory: Path
) -> None:
    """The server signs with safegen, in a workspace of its own; ours knows neither its key nor its log."""
    plain = in_memory / "theirs.mp4"
    plain.write_bytes(server.clip)
    theirs = safegen.protect(plain, in_memory / "signed.mp4", workspace=in_memory / "their-workspace")
    server.clip = theirs.path.read_bytes()
    out, err = (done := generate(in_memory, server)).communicate(timeout=300)
    assert done.returncode == 0, err
    assert "sk-s3cret-key" not in out + err
    report = safegen.verify(in_memory / "out.mp4", workspace=in_memory / "workspace")
    assert report.verdict.name == "VERIFIED"
    manifest = report.credentials.manifest or {}
    ingredient = manifest["ingredients"][0]
    assert ingredient["relationship"] == "parentOf"
    assert ingredient["active_manifest"] == theirs.manifest_id
    stated = {a["label"]: a["data"] for a in manifest["assertions"]}
    made = stated["org.safegen.generation"]
    assert made["model"]["name"] == server.model and made["model"]["identifier"] == server.name
    assert made["model"]["version"] == "unknown" and "sha256" not in made["model"]
    assert made["settings"]["engine"] == "sglang" and made["settings"]["seed"] == made["seed"]
    actions = stated["c2pa.actions.v2"]["actions"]
    assert [a["action"] for a in actions] == ["c2pa.opened", "c2pa.transcoded", "c2pa.watermarked.bound"]
    assert actions[1]["digitalSourceType"].endswith("/trainedAlgorithmicMedia")
    assert "sk-s3cret-key" not in json.dumps(manifest)
    assert server.created.headers["authorization"] == "Bearer sk-s3cret-key"


def test_a_refused_prompt_makes_no_connection(server: VideoServer, in_memory: Path) -> None:
    done = generate(in_memory, server, REFUSED)
    out, err = done.communicate(timeout=300)
    assert done.returncode == 3, out + err
    assert not server.asked and not left(in_memory)


def test_a_dry_run_makes_no_connection(server: VideoServer, in_memory: Path) -> None:
    done = command(in_memory, "generate", PROMPT, "--model", server.name, "--dry-run")
    out, err = done.communicate(timeout=300)
    assert done.returncode == 0, err
    assert server.url in out and "is sent to" in out and not server.asked


@pytest.mark.slow
@pytest.mark.parametrize("body", [b"<!DOCTYPE html><html>busy</html>", b""])
def test_a_success_without_a_video_releases_nothing(
    server: VideoServer, in_memory: Path, body: bytes
) -> None:
    server.clip = body
    done = generate(in_memory, server)
    out, _ = done.communicate(timeout=300)
    assert done.returncode == 5 and json.loads(out)["error"]["hint"] is not None
    assert not [name for name in left(in_memory) if name.endswith(".mp4")]


def test_ctrl_c_stops_the_server_and_leaves_nothing(server: VideoServer, in_memory: Path) -> None:
    server.states = [{"status": "in_progress", "progress": 10}]
    running = generate(in_memory, server)
    until(lambda: server.calls("GET", "/videos/video_1"))
    running.send_signal(signal.SIGINT)
    out, err = running.communicate(timeout=300)
    assert running.returncode == 130, out + err
    assert server.heard("DELETE", "/videos/video_1")
    assert not [name for name in left(in_memory) if name.endswith((".mp4", ".raw"))]


@pytest.mark.slow
def test_a_kill_leaves_nothing_that_stays(server: VideoServer, in_memory: Path) -> None:
    server.states = [{"status": "in_progress", "progress": 10}]
    running = generate(in_memory, server)
    until(lambda: server.calls("GET", "/videos/video_1"))
    running.kill()
    running.communicate(timeout=300)
    assert not (in_memory / "out.mp4").exists()
    with open_session(find_workspace(in_memory / "workspace")):
        pass  # the next start clears up after the killed one
    assert not list((in_memory / ".safegen-tmp").glob("*"))
