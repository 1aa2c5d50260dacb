"""A model on a server, over real HTTP: every engine's way of being asked, and what is kept of the answer."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from safegen._util import logs
from safegen.errors import GenerationFailed, Interrupted, MissingExtra, UsageError
from safegen.generators.registry import embedded_names, find_generator
from safegen.generators.remote.generator import RemoteGenerator
from safegen.generators.remote.origins import confirm
from safegen.media.scratch import scratch_in
from safegen.protocols import NoProgress
from safegen.types import Clip, Condition, Generated, Input, Request
from tests.support.video_server import PATIENCE, Answer, Asked, VideoServer, encoded, serving

pytest.importorskip("openai")
KEY = "sk-s3cret-key"


@pytest.fixture(scope="module")
def clips(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    folder = tmp_path_factory.mktemp("clips")
    return {
        "plain": encoded(folder / "plain.mp4"),
        "sound": encoded(folder / "sound.mp4", sound=True),
    }


@pytest.fixture(autouse=True)
def _no_keyring(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHON_KEYRING_BACKEND", "keyring.backends.null.Keyring")
    monkeypatch.delenv("SAFEGEN_REMOTE_KEY", raising=False)


@pytest.fixture
def server(clips: dict[str, bytes]) -> Iterator[VideoServer]:
    with serving(clip=clips["plain"]) as running:
        yield running


def ask(server: VideoServer, progress: Any = None, conditions: Any = (), **more: Any) -> Generated:
    """Have a clip made, polled quickly."""
    options = {"poll": 0.01, **more.pop("options", {})}
    request = Request("a cat", model=server.name, options=options, **more)
    confirm(server.name)
    generator = find_generator(server.name)
    assert isinstance(generator, RemoteGenerator)
    return generator.generate(request, progress=progress or NoProgress(), conditions=conditions)


def picture(width: int = 96, height: int = 64) -> Condition:
    frames = np.zeros((1, height, width, 3), np.uint8)
    frames[:, :, : width // 2] = (200, 30, 30)
    return Condition("first_frame", Clip.from_array(frames, 1), "red.png")


def test_it_is_no_embedded_model() -> None:
    assert "remote" not in embedded_names() and not any("remote" in name for name in embedded_names())


def refused(server: VideoServer, **more: Any) -> Any:
    """What the server was asked for, when it then says no: for tests about the asking."""
    server.script["create"] = [Answer.of({"detail": "no"}, 400)]
    with pytest.raises(GenerationFailed, match="400: no"):
        ask(server, **more)
    return server.created


@pytest.mark.parametrize("engine", ["sglang", "dynamo"])
def test_a_clip_is_made_and_recorded_for_what_is_known(
    clips: dict[str, bytes], engine: str, tmp_path: Path
) -> None:
    with serving(clip=clips["sound"], engine=engine) as server, scratch_in(tmp_path):
        made = ask(server, seed=5, width=64, height=64, seconds=1)
        frames = list(made.clip)
    assert (len(frames), frames[0].shape, float(made.clip.fps)) == (12, (64, 64, 3), 12.0)
    assert made.clip.audio is not None and made.clip.audio.rate == 48000
    assert made.settings["engine"] == engine and made.settings["server"] == server.url
    assert made.settings["seed"] == 5
    assert len(made.settings["received_sha256"]) == 64
    assert (made.model.name, made.model.digest, made.model.version) == (server.model, None, "unknown")
    assert made.model.identifier == server.name
    assert made.upstream is None
    assert {p.name for p in tmp_path.iterdir()} == {"upstream.mp4"}


@pytest.mark.parametrize("engine", ["openai", "sglang", "vllm-omni", "dynamo"])
def test_every_engine_is_recognised_and_asked_in_its_own_way(engine: str) -> None:
    with serving(engine=engine) as server:
        asked = refused(server, seed=5, width=64, height=64, seconds=1)
    form = asked.headers["content-type"].startswith("multipart/form-data")
    assert form == (engine in ("openai", "vllm-omni"))
    seed = asked.fields.get("nvext", asked.fields).get("seed")
    assert seed == {"openai": None, "vllm-omni": "5"}.get(engine, 5)
    assert (asked.fields["prompt"], asked.fields["model"]) == ("a cat", server.model)


def test_an_unknown_server_gets_the_plain_fields_and_differences_are_said(server: VideoServer) -> None:
    server.states[-1]["model"] = "other\x1b[31m/model"
    made = ask(server, width=128, height=64, seconds=3)
    assert server.created.fields == {
        "prompt": "a cat", "model": server.model, "size": "128x64", "seconds": "3",
    }  # fmt: skip
    said = " | ".join(made.warnings)
    assert "requested 128x64" in said and "made 64x64" in said and "requested 3 s" in said
    assert "reports other [31m/model" in said and "\x1b" not in said


def test_only_needed_headers_leave_and_the_key_only_when_there_is_one(
    server: VideoServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("OPENAI_API_KEY", "OPENAI_ORG_ID", "OPENAI_PROJECT_ID", "OPENAI_ADMIN_KEY"):
        monkeypatch.setenv(name, "s3cret-of-another-service")
    monkeypatch.setenv("OPENAI_CUSTOM_HEADERS", "x-other: s3cret-of-another-service")
    refused(server)
    before = list(server.asked)
    assert "s3cret" not in str([a.headers for a in before])
    assert not [h for a in before for h in a.headers if h.startswith("x-") or h == "authorization"]
    monkeypatch.setenv("SAFEGEN_REMOTE_KEY", KEY)
    refused(server)
    assert {a.headers["authorization"] for a in server.asked[len(before) :]} == {f"Bearer {KEY}"}


def test_progress_is_the_servers(server: VideoServer, counting: Any) -> None:
    progress = counting()
    ask(server, progress)
    names = [name for name, _ in progress.stages]
    assert names == ["connecting", "queued", "generating", "downloading"]
    assert progress.units == 100


@pytest.mark.parametrize("engine", ["openai", "sglang", "vllm-omni"])
def test_a_picture_goes_along_as_png(engine: str) -> None:
    import cv2

    inputs = (Input("first_frame", Path("/home/someone/red.png")),)
    size = {"width": 64, "height": 64, "seconds": 1}
    with serving(engine=engine) as server:
        asked = refused(server, conditions=(picture(),), mode="image", inputs=inputs, **size)
    data = asked.files["input_reference"]
    sent = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)
    assert sent.shape == ((64, 64, 3) if engine == "openai" else (64, 96, 3))
    assert tuple(sent[32, 8]) == (30, 30, 200)
    assert b"someone" not in data


def test_a_picture_goes_along_in_the_text_where_the_engine_wants_it_so() -> None:
    inputs = (Input("first_frame", Path("red.png")),)
    with serving(engine="dynamo") as server:
        asked = refused(server, conditions=(picture(),), mode="image", inputs=inputs)
    assert asked.fields["input_reference"].startswith("data:image/png;base64,")


@pytest.mark.parametrize(
    ("engine", "mode", "path", "field"),
    [
        ("openai", "edit", "/v1/videos/edits", "video"),
        ("openai", "extend", "/v1/videos/extensions", "video"),
        ("vllm-omni", "edit", "/v1/videos", "input_reference"),
    ],
)
def test_a_clip_goes_along_as_mp4(
    engine: str, mode: Any, path: str, field: str, moving_square: np.ndarray, tmp_path: Path
) -> None:
    source = Condition("video", Clip.from_array(moving_square, 9), "mine.mp4")
    inputs = (Input("video", Path("mine.mp4")),)
    with serving(engine=engine) as server, scratch_in(tmp_path):
        asked = refused(server, conditions=(source,), mode=mode, inputs=inputs)
    assert asked.path == path
    assert asked.files[field][4:8] == b"ftyp"
    assert not list(tmp_path.iterdir())


def test_a_model_that_is_not_served_is_a_usage_error_before_the_prompt_leaves(
    clips: dict[str, bytes],
) -> None:
    with serving(clip=clips["plain"], engine="vllm-omni") as server:
        wrong = server.url + "#other"
        with pytest.raises(UsageError, match="does not serve other") as error:
            find_generator(wrong).generate(Request("a cat", model=wrong), progress=NoProgress())
    assert server.model in error.value.hint
    assert not server.calls("POST")


def test_what_the_engine_cannot_is_said_before_the_prompt_leaves(server: VideoServer) -> None:
    with pytest.raises(UsageError, match="--steps"):
        ask(server, steps=5)
    assert not server.calls("POST")


def test_a_copy_on_the_server_is_deleted_when_asked(server: VideoServer) -> None:
    assert "did not delete" not in str(ask(server, options={"delete": True}).warnings)
    assert len(server.calls("DELETE", "/videos/video_1")) == 1
    server.script["delete"] = [Answer.of({"detail": "no"}, 405)]
    assert "did not delete" in str(ask(server, options={"delete": True}).warnings)


class Cancel(NoProgress):
    """A user who presses stop once the server has been asked how far it is."""

    def __init__(self, server: VideoServer) -> None:
        self.server = server

    def cancelled(self) -> bool:
        return bool(self.server.calls("GET", "/videos/video_1"))


def test_stopping_stops_the_server_too(server: VideoServer) -> None:
    server.states = [{"status": "in_progress", "progress": 5}]
    with pytest.raises(Interrupted):
        ask(server, Cancel(server))
    assert server.heard("DELETE", "/videos/video_1")


def test_stopping_does_not_wait_for_a_silent_server(server: VideoServer) -> None:
    server.script["retrieve"] = [Answer(wait=PATIENCE)]
    with pytest.raises(Interrupted):
        ask(server, Cancel(server))
    assert server.silent == 1


@pytest.fixture
def listening() -> Iterator[None]:
    """Ctrl-C raises, also where the test run itself was started to ignore it."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


def test_ctrl_c_stops_the_server_too(server: VideoServer, listening: None) -> None:
    import _thread

    server.states = [{"status": "in_progress", "progress": 5}]
    pressed: list[str] = []

    def press(asked: Asked) -> None:
        if asked.path.endswith("/videos/video_1") and not pressed:
            pressed.append(asked.path)
            _thread.interrupt_main()

    server.on_ask = press
    with pytest.raises(KeyboardInterrupt):
        ask(server)
    assert server.heard("DELETE", "/videos/video_1")


def test_without_the_client_library(server: VideoServer, monkeypatch: pytest.MonkeyPatch) -> None:
    import sys

    monkeypatch.setitem(sys.modules, "openai", None)
    with pytest.raises(MissingExtra) as error:
        ask(server)
    assert "safegen[remote]" in error.value.hint


def test_nobody_there_is_said() -> None:
    model = "http://127.0.0.1:9/v1#m"
    with pytest.raises(GenerationFailed, match=r"127\.0\.0\.1:9 cannot be reached"):
        find_generator(model).generate(
            Request("x", model=model, options={"retries": 0}), progress=NoProgress()
        )


def test_the_wait_for_a_job_is_logged_and_nothing_private(
    server: VideoServer, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    class AtOnce:
        def __init__(self, _seconds: float, function: Any) -> None:
            self.start = function

        def cancel(self) -> None: ...

    monkeypatch.setattr(logs, "make_timer", AtOnce)
    monkeypatch.setenv("SAFEGEN_REMOTE_KEY", KEY)
    caplog.set_level("DEBUG", "safegen")
    ask(server)
    host = find_generator(server.name).address.host  # type: ignore[attr-defined]
    assert f"waiting for the job at {host}" in caplog.messages
    assert any(m.startswith(f"network: {host}, asked for a clip") for m in caplog.messages)
    said = "".join(
        m for r, m in zip(caplog.records, caplog.messages, strict=True) if r.name.startswith("safegen")
    )
    assert KEY not in said and "a cat" not in said
