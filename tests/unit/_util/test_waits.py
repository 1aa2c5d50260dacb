"""Long waits say what they wait for, and that they are over; short ones say nothing."""

from __future__ import annotations

import http.client
import io
import json
import logging
import os
import struct
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from safegen._util import http as posting
from safegen._util import logs
from safegen.credentials import remote
from safegen.errors import CheckUnavailable, UnreadableInput
from safegen.keys.files import locked_folder
from safegen.ledger.database import Database
from safegen.media import _channel

LOG = logs.logger("safegen.test")


class Clock:
    """Timers that run out when the test says so, or as soon as they start."""

    def __init__(self, *, at_once: bool) -> None:
        self.at_once = at_once
        self.started: list[float] = []
        self.cancelled = 0

    def __call__(self, seconds: float, function: Callable[[], None]) -> logs.Timer:
        clock = self

        class Made:
            def start(self) -> None:
                clock.started.append(seconds)
                if clock.at_once:
                    function()

            def cancel(self) -> None:
                clock.cancelled += 1

        return Made()


@pytest.fixture
def late(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> Clock:
    """Every wait is a long one."""
    clock = Clock(at_once=True)
    monkeypatch.setattr(logs, "make_timer", clock)
    caplog.set_level(logging.INFO, "safegen")
    return clock


def test_a_long_wait_says_so_and_when_it_is_over(late: Clock, caplog: pytest.LogCaptureFixture) -> None:
    with logs.waiting(LOG, "the moon"):
        assert caplog.messages == ["waiting for the moon"]
    assert caplog.messages[1].startswith("waited 0.0 s for the moon")
    assert late.started == [2.0] and late.cancelled == 1
    assert caplog.records[0].args == {"what": "the moon"}


def test_a_short_wait_says_nothing(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    clock = Clock(at_once=False)
    monkeypatch.setattr(logs, "make_timer", clock)
    caplog.set_level(logging.INFO, "safegen")
    with pytest.raises(KeyError), logs.waiting(LOG, "the moon"):
        raise KeyError
    assert caplog.messages == [] and clock.cancelled == 1


def test_where_nobody_listens_there_is_no_timer(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = Clock(at_once=True)
    monkeypatch.setattr(logs, "make_timer", clock)
    with logs.waiting(LOG, "the moon"):
        pass
    assert clock.started == []


def test_the_real_timer_does_not_keep_the_program_alive() -> None:
    timer = logs._timer(3600, lambda: None)
    assert isinstance(timer, threading.Timer) and timer.daemon


def test_the_ledgers_lock(late: Clock, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    database = Database(f"sqlite:///{tmp_path / 'ledger.db'}", read_only=False, timeout=1.0)
    database.prepare()
    caplog.clear()
    with database.writing():
        pass
    database.close()
    assert "waiting for another process that is writing to the ledger" in caplog.messages


@pytest.mark.skipif(os.name == "nt", reason="no such lock")
def test_the_lock_of_the_keys(late: Clock, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    with locked_folder(tmp_path):
        assert caplog.messages[0] == "waiting for another process that is changing the keys"


def test_the_sandbox(late: Clock, caplog: pytest.LogCaptureFixture) -> None:
    class Child:
        def kill(self) -> None: ...

    body = json.dumps({"type": "info"}).encode()
    pipe = io.BytesIO(struct.pack(">I", len(body)) + body)
    watch = _channel._Watch(Child(), 60)  # type: ignore[arg-type]
    found = [message for message, _ in _channel._read(pipe, Path("a.mp4"), watch)]
    watch.stop()
    assert found == [{"type": "info"}]
    assert "waiting for the sandboxed decoder" in caplog.messages


def test_a_service(late: Clock, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise ConnectionRefusedError

    monkeypatch.setattr(http.client.HTTPConnection, "request", refuse)
    with pytest.raises(ConnectionRefusedError):
        posting.post(("tsa.example", 80, "/secret?token=1", False), b"x", media_type="a/b", seconds=1)
    assert caplog.messages[0] == "network: tsa.example, POST 1 bytes of a/b"
    assert "waiting for an answer from tsa.example" in caplog.messages
    assert "secret" not in caplog.text and "token" not in caplog.text


def test_a_remote_manifest(
    late: Clock, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def unknown(*_: object, **__: object) -> None:
        raise OSError("no such host")

    monkeypatch.setattr(remote.socket, "getaddrinfo", unknown)
    with pytest.raises(UnreadableInput):
        remote.fetch_manifest("https://cdn.example/a/secret.c2pa", ["cdn.example"])
    assert caplog.messages[:2] == ["network: cdn.example, GET", "waiting for an answer from cdn.example"]
    assert "secret" not in caplog.text


def test_a_model_that_loads(
    late: Clock, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    pytest.importorskip("torch")
    from safegen.detectors.prompt.guards._engine import Engine

    with pytest.raises(CheckUnavailable):
        Engine(Path("nowhere"), None)  # type: ignore[arg-type]
    assert caplog.messages[0] == "waiting for the guard model to load"


@pytest.mark.parametrize(
    ("model", "shown"),
    [
        ("tiny", "tiny"),
        ("Wan-AI/Wan2.2-TI2V-5B-Diffusers@main", "Wan-AI/Wan2.2-TI2V-5B-Diffusers@main"),
        ("/home/ann/clients/acme/pipeline", "pipeline"),
        ("./acme/pipeline/", "pipeline"),
        ("~/acme", "acme"),
        ("C:\\clients\\acme\\pipeline", "pipeline"),
        ("https://gpu.example:8443/tenant/token-abc/v1#wan", "gpu.example#wan"),
    ],
)
def test_a_log_names_no_folder_and_no_address(model: str, shown: str) -> None:
    assert logs.public_name(model) == shown


def test_a_folder_is_known_by_being_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "acme" / "pipeline").mkdir(parents=True)
    monkeypatch.chdir(tmp_path)
    assert logs.public_name("acme/pipeline") == "pipeline"
