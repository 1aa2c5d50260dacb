"""A real HTTP server that speaks ``/v1/videos`` as the engines' documents state it, faults included.

It listens on this machine only, keeps what it was sent (``asked``), and answers from a script where a test
wrote one, else as an honest server would. A clip "takes" a few polls.
"""

from __future__ import annotations

import base64
import email.parser
import email.policy
import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import av
import numpy as np

MODEL = "test/wan"
PATIENCE = 300.0
"""Seconds after which something that never happens fails a test; nothing else hangs on how many they are."""


def until(happened: Callable[[], object]) -> None:
    """Wait until the function *happened* says so."""
    end = time.monotonic() + PATIENCE
    while not happened():
        assert time.monotonic() < end, "it never happened"
        time.sleep(0.01)


@dataclass(frozen=True)
class Answer:
    """One scripted answer. ``cut``: hang up after that many bytes of the body; ``length``: what
    content-length says; ``wait``: seconds of silence first, or until the test is over."""

    status: int = 200
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)
    cut: int | None = None
    length: int | None = None
    wait: float = 0.0

    @classmethod
    def of(cls, value: object, status: int = 200, **more: Any) -> Answer:
        """A JSON answer."""
        headers = {"content-type": "application/json", **more.pop("headers", {})}
        return cls(status, json.dumps(value).encode(), headers, **more)


@dataclass
class Asked:
    """One request as it arrived. ``fields``: of a form or JSON body; ``files``: name -> content."""

    method: str
    path: str
    headers: dict[str, str]
    fields: dict[str, Any]
    files: dict[str, bytes]


@dataclass
class VideoServer:
    """State of the server; ``engine``: openai, sglang, vllm-omni, dynamo or unknown."""

    clip: bytes = b""
    engine: str = "unknown"
    model: str = MODEL
    states: list[dict[str, Any]] = field(
        default_factory=lambda: [
            {"status": "in_progress", "progress": 30},
            {"status": "in_progress", "progress": 70},
            {"status": "completed", "progress": 100},
        ]
    )
    script: dict[str, list[Answer]] = field(default_factory=dict)
    asked: list[Asked] = field(default_factory=list)
    url: str = ""
    on_ask: Callable[[Asked], None] = lambda _asked: None
    silent: int = 0
    over: threading.Event = field(default_factory=threading.Event)
    _polls: int = 0

    @property
    def name(self) -> str:
        """What goes after ``--model``."""
        return f"{self.url}#{self.model}"

    def calls(self, method: str, ending: str = "") -> list[Asked]:
        """The requests with this method whose path ends so."""
        return [a for a in self.asked if a.method == method and a.path.endswith(ending)]

    def heard(self, method: str, ending: str = "") -> list[Asked]:
        """``calls``, once there is one: a client may be done with a server that is slow to listen."""
        until(lambda: self.calls(method, ending))
        return self.calls(method, ending)

    @property
    def created(self) -> Asked:
        """The request for a clip."""
        return self.calls("POST")[-1]

    def answer(self, asked: Asked) -> Answer:
        """The scripted answer for the route, else the honest one."""
        route = self._route(asked)
        self.asked.append(asked)
        self.on_ask(asked)
        if self.script.get(route):
            return self.script[route].pop(0)
        return self._honest(route, asked)

    def _route(self, asked: Asked) -> str:
        path = asked.path.partition("?")[0]
        if asked.method == "POST":
            return "create"
        if asked.method == "DELETE":
            return "delete"
        if path.endswith("/models"):
            return "models"
        return "content" if path.endswith("/content") else "retrieve"

    def _honest(self, route: str, asked: Asked) -> Answer:
        if route == "models":
            return self._models(asked.path)
        if route == "create" and self.engine == "dynamo":
            held = [{"output_format": "mp4", "b64_json": base64.b64encode(self.clip).decode()}]
            return Answer.of(self._job({"status": "completed", "progress": 100}) | {"data": held})
        if route == "create":
            return Answer.of(self._job({"status": "queued", "progress": 0}))
        if route == "delete":
            return Answer.of({"id": "video_1", "deleted": True, "object": "video.deleted"})
        if route == "content":
            return Answer(200, self.clip, {"content-type": "video/mp4"})
        state = self.states[min(self._polls, len(self.states) - 1)]
        self._polls += 1
        return Answer.of(self._job(state))

    def _models(self, path: str) -> Answer:
        owner = {"vllm-omni": "vllm", "dynamo": "nvidia", "openai": "system"}.get(self.engine)
        if owner and path == "/v1/models":
            row = {"id": self.model, "object": "model", "created": 1, "owned_by": owner}
            return Answer.of({"object": "list", "data": [row]})
        if self.engine == "sglang" and path == "/models":
            return Answer.of({"model_path": self.model, "task_type": "T2V", "pipeline_name": "wan_pipeline"})
        return Answer.of({"detail": "Not Found"}, 404)

    def _job(self, state: dict[str, Any]) -> dict[str, Any]:
        fixed = {"id": "video_1", "object": "video", "model": self.model, "created_at": int(time.time())}
        return {**fixed, "size": "64x64", "seconds": "1", **state}


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    state: VideoServer

    def _serve(self) -> None:
        body = self.rfile.read(int(self.headers.get("content-length") or 0))
        fields, files = _parsed(self.headers.get("content-type", ""), body)
        asked = Asked(self.command, self.path, {k.lower(): v for k, v in self.headers.items()}, fields, files)
        answer = self.state.answer(asked)
        if answer.wait:
            self.state.silent += 1
            self.state.over.wait(answer.wait)
            self.state.silent -= 1
        try:
            self.send_response(answer.status)
            for name, value in answer.headers.items():
                self.send_header(name, value)
            length = len(answer.body) if answer.length is None else answer.length
            self.send_header("content-length", str(length))
            self.end_headers()
            self.wfile.write(answer.body if answer.cut is None else answer.body[: answer.cut])
        except OSError:
            self.close_connection = True
        if answer.cut is not None or answer.length is not None:
            self.close_connection = True

    do_GET = do_POST = do_DELETE = _serve

    def log_message(self, *_: object) -> None:
        """Say nothing."""


def _parsed(kind: str, body: bytes) -> tuple[dict[str, Any], dict[str, bytes]]:
    """Fields and files of a JSON or multipart body."""
    if kind.startswith("application/json"):
        return json.loads(body or b"{}"), {}
    if not kind.startswith("multipart/form-data"):
        return {}, {}
    whole = b"content-type: " + kind.encode() + b"\r\n\r\n" + body
    message = email.parser.BytesParser(policy=email.policy.HTTP).parsebytes(whole)
    fields: dict[str, Any] = {}
    files: dict[str, bytes] = {}
    for part in message.iter_parts():
        name = part.get_param("name", header="content-disposition")
        content = part.get_payload(decode=True)
        if part.get_filename():
            files[name] = content
        else:
            fields[name] = content.decode()
    return fields, files


@contextmanager
def serving(**state: Any) -> Iterator[VideoServer]:
    """A server on a free port of this machine; gone afterwards."""
    server = VideoServer(**state)
    handler = type("Handler", (_Handler,), {"state": server})
    http = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    http.daemon_threads = True
    server.url = f"http://127.0.0.1:{http.server_port}/v1"
    thread = threading.Thread(target=http.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.over.set()
        http.shutdown()
        http.server_close()


def encoded(
    path: Path,
    *,
    frames: int = 12,
    size: tuple[int, int] = (64, 64),
    fps: int = 12,
    sound: bool = False,
    black: bool = False,
    seed: int = 0,
) -> bytes:
    """A short real MP4: noise that moves, unless ``black``; a tone with ``sound``."""
    width, height = size
    rng = np.random.default_rng(seed)
    base = rng.integers(40, 255, (height // 8, width // 8, 3), np.uint8).repeat(8, 0).repeat(8, 1)
    with av.open(str(path), "w", format="mp4", options={"movflags": "+faststart"}) as box:
        video = box.add_stream("libx264", rate=fps)
        video.width, video.height, video.pix_fmt = width, height, "yuv420p"
        audio = box.add_stream("aac", rate=48000, layout="mono") if sound else None
        for i in range(frames):
            picture = np.zeros_like(base) if black else np.roll(base, i * 8, 1)
            box.mux(video.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        box.mux(video.encode())
        if audio is not None:
            wave = np.sin(np.arange(48000 * frames // fps) * 0.05, dtype=np.float32)[None] * 0.4
            block = av.AudioFrame.from_ndarray(wave, format="fltp", layout="mono")
            block.sample_rate = 48000
            box.mux(audio.encode(block))
            box.mux(audio.encode())
    return path.read_bytes()
