"""Servers that refuse, fail, lie, dawdle or send rubbish: never a clip, and the reason in plain words."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from safegen.errors import GenerationFailed
from safegen.generators.registry import find_generator
from safegen.generators.remote.deadline import Deadline
from safegen.generators.remote.responses import sanitize
from safegen.media.scratch import scratch_in
from safegen.protocols import NoProgress
from safegen.types import Generated, Request
from tests.support.video_server import PATIENCE, Answer, VideoServer, encoded, serving

pytest.importorskip("openai")
KEY = "sk-s3cret-key"
HTML = b"<!DOCTYPE html><html><body>502 Bad Gateway</body></html>"
DONE = [{"status": "completed", "progress": 100}]


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    return encoded(tmp_path_factory.mktemp("clip") / "plain.mp4")


@pytest.fixture(autouse=True)
def _surroundings(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    monkeypatch.setenv("PYTHON_KEYRING_BACKEND", "keyring.backends.null.Keyring")
    monkeypatch.setenv("SAFEGEN_REMOTE_KEY", KEY)
    monkeypatch.setattr("safegen.generators.remote.keys.is_confirmed", lambda *_: True)
    monkeypatch.setattr("safegen.generators.remote.calls._FIRST_PAUSE", 0.01)
    with scratch_in(tmp_path):
        yield


@pytest.fixture
def server(clip: bytes) -> Iterator[VideoServer]:
    with serving(clip=clip, states=DONE) as running:
        yield running


def ask(server: VideoServer, **options: Any) -> Generated:
    request = Request("a cat", model=server.name, options={"poll": 0.01, **options})
    return find_generator(server.name).generate(request, progress=NoProgress())


def failure(server: VideoServer, **options: Any) -> str:
    """How it fails, with what to do; nowhere is the key."""
    with pytest.raises(GenerationFailed) as error:
        list(ask(server, **options).clip)
    said = f"{error.value} / {error.value.hint}"
    assert KEY not in said and "\x1b" not in said and error.value.exit_code == 5
    return said


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (
            Answer.of({"error": {"message": f"bad key {KEY}"}}, 401),
            "does not accept the key (401: bad key (key))",
        ),
        (Answer.of({"error": {"message": "model not found"}}, 404), "404: model not found"),
        (Answer.of({"detail": [{"loc": ["size"]}]}, 422), "422"),
        (Answer(500, HTML), "did not return a clip (500"),
        (Answer(200, HTML), "not JSON but a web page"),
        (Answer(200, b"{" * 100_000), "not JSON"),
        (Answer(200, b"[" * 100_000), "not JSON"),
        (Answer(200, b""), "not JSON but nothing"),
        (Answer.of({"status": "queued"}), "names no job"),
        (Answer.of({"id": "../../models", "status": "queued"}), "names no job"),
        (Answer.of({"id": "v", "status": "do\x1bne"}), "'do ne'"),
        (Answer.of(["v"]), "names no job"),
        (Answer(200, b'{"id": "' + b"x" * 2_000_000 + b'"}'), "larger than"),
    ],
)
def test_a_clip_is_asked_for_once_and_no_is_no(server: VideoServer, answer: Answer, said: str) -> None:
    server.script["create"] = [answer]
    assert said in failure(server)
    assert len(server.calls("POST")) == 1


def test_too_busy_is_asked_again_after_the_pause_it_names(server: VideoServer) -> None:
    busy = Answer.of({"error": {"message": "slow down"}}, 429, headers={"retry-after": "0.2"})
    server.script["create"] = [busy, busy]
    started = time.monotonic()
    ask(server)
    assert len(server.calls("POST")) == 3 and time.monotonic() - started > 0.4
    server.script["create"] = [busy] * 9
    assert "too busy (429: slow down)" in failure(server, retries=1)
    server.script["create"] = [Answer.of({}, 429, headers={"retry-after": "86400"})]
    assert "too busy" in failure(server)


def test_whatever_may_pass_is_asked_again_where_that_makes_no_second_clip(server: VideoServer) -> None:
    server.script = {
        "models": [Answer(503)],
        "retrieve": [Answer(500), Answer(502), Answer(200, b"", cut=0, length=50)],
        "content": [Answer(500), Answer(200, server.clip, cut=1000)],
    }
    assert len(list(ask(server).clip)) == 12
    assert len(server.calls("POST")) == 1 and len(server.calls("GET", "/content")) == 3


def hours(monkeypatch: pytest.MonkeyPatch, happened: Callable[[], object]) -> None:
    """Let hours pass as soon as *happened* says so."""

    def clock() -> float:
        return time.monotonic() + (36_000 if happened() else 0)

    monkeypatch.setattr("safegen.generators.remote.client.Deadline", partial(Deadline, clock=clock))


def test_a_job_that_never_ends_runs_into_the_deadline_and_is_taken_back(
    server: VideoServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    server.states = [{"status": "in_progress", "progress": 99}]
    hours(monkeypatch, lambda: server.calls("GET", "/videos/video_1"))
    assert "did not finish within 3600 s" in failure(server)
    assert server.heard("DELETE", "/videos/video_1")


def test_a_silent_server_runs_into_the_time_limit(server: VideoServer) -> None:
    server.script["create"] = [Answer(wait=PATIENCE)]
    assert "did not answer within 0.3 s" in failure(server, timeout=0.3, engine="openai")
    assert len(server.heard("POST")) == 1


def test_a_server_that_drips_runs_into_the_deadline(monkeypatch: pytest.MonkeyPatch) -> None:
    """A byte now and then keeps a connection alive for ever, not the job."""
    drops: list[int] = []
    hours(monkeypatch, lambda: len(drops) > 3)
    with socket.create_server(("127.0.0.1", 0)) as slow:
        threading.Thread(target=_drip, args=(slow, drops), daemon=True).start()
        model = f"http://127.0.0.1:{slow.getsockname()[1]}/v1#m"
        options = {"engine": "openai"}
        with pytest.raises(GenerationFailed, match="did not finish"):
            find_generator(model).generate(Request("x", model=model, options=options), progress=NoProgress())
    assert len(drops) < MANY


MANY = 6000


def _drip(server: socket.socket, drops: list[int]) -> None:
    connection, _ = server.accept()
    with connection:
        connection.recv(65536)
        try:
            connection.sendall(b"HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\n{")
            for i in range(MANY):
                time.sleep(0.05)
                connection.sendall(b" ")
                drops.append(i)
        except OSError:
            return


@pytest.mark.parametrize(
    ("state", "said"),
    [
        (
            {"status": "failed", "error": {"code": "x", "message": f"\x1b[2Jout\nof memory {KEY} \u202egpj"}},
            "the job failed: [2Jout of memory (key) gpj",
        ),
        ({"status": "failed", "error": "plain words"}, "the job failed: plain words"),
        ({"status": "failed"}, "no reason given"),
        ({"status": "cancelled"}, "the job cancelled"),
        ({"status": "completed", "id": "another"}, "about a different job"),
        ({"status": "failed", "error": {"message": "y" * 9999}}, "y…"),
    ],
)
def test_a_job_that_fails_says_why(server: VideoServer, state: dict[str, Any], said: str) -> None:
    server.states = [state]
    assert said in failure(server)


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b"", "sent nothing"),
        (HTML, "no video but a web page"),
        (b'{"detail": "Generation is still in-progress"}', "no video but JSON"),
        (b"\x00\x00\x00\x20ftypisom" + bytes(500), "no video that cannot be read"),
    ],
)
def test_a_success_without_a_video_is_a_failure(server: VideoServer, body: bytes, said: str) -> None:
    server.clip = body
    assert said in failure(server)


def test_a_clip_that_breaks_off_is_a_failure(server: VideoServer) -> None:
    server.clip = server.clip[: len(server.clip) // 2]
    said = failure(server)
    assert "truncated" in said or "no video" in said


def test_a_black_clip_is_a_failure(server: VideoServer, tmp_path: Path) -> None:
    server.clip = encoded(tmp_path / "black.mp4", black=True)
    assert "sent a black clip" in failure(server)


def test_a_download_that_is_always_cut_is_a_failure(server: VideoServer) -> None:
    server.script["content"] = [Answer(200, server.clip, cut=1000)] * 9
    assert "arrived incomplete" in failure(server, retries=2)
    assert len(server.calls("GET", "/content")) == 3 and server.calls("DELETE")


@pytest.mark.parametrize("declared", [None, 10**15])
def test_a_huge_download_is_cut_short(server: VideoServer, declared: int | None) -> None:
    server.script["content"] = [Answer(200, bytes(300_000), length=declared)]
    assert "larger than 200000 bytes" in failure(server, max_bytes=200_000)


def test_a_clip_inside_an_answer_is_bounded_and_checked(clip: bytes) -> None:
    with serving(clip=clip, engine="dynamo") as server:
        assert "larger than" in failure(server, max_bytes=100)
        held = {"id": "v", "status": "completed", "data": [{"b64_json": "no base64 \x1b"}]}
        server.script["create"] = [Answer.of(held)]
        assert "not base64" in failure(server)
        assert not server.calls("DELETE")


@pytest.mark.parametrize("route", ["create", "retrieve", "content"])
def test_a_redirect_takes_neither_key_nor_prompt_along(server: VideoServer, route: str) -> None:
    with serving() as other:
        away = Answer(307, headers={"location": f"{other.url}/videos"})
        server.script[route] = [away]
        assert "does not follow redirects" in failure(server)
        assert not other.asked


def test_sound_credentials_are_handed_on_and_broken_ones_are_a_failure(
    server: VideoServer, shared: Path, tmp_path: Path
) -> None:
    signed = bytearray((shared / "data" / "c2pa" / "rs_video1.mp4").read_bytes())
    server.clip = bytes(signed)
    made = ask(server)
    assert made.upstream is not None and made.upstream.parent == tmp_path
    assert made.upstream.read_bytes() == server.clip
    signed[signed.index(b"mdat") + 5000] ^= 1
    server.clip = bytes(signed)
    assert "credentials do not match" in failure(server)


def test_foreign_text_is_made_harmless() -> None:
    assert sanitize("a\x1b]0;title\x07b\u202e\u200bc\r\n d", None) == "a ]0;title b c d"
    assert sanitize(f"x{KEY}y", KEY) == "x(key)y"
    assert len(sanitize("z" * 10**6)) == 300
