"""The parent's side of a sandboxed worker: starts the child, sends the job, reads messages until it ends."""

from __future__ import annotations

import contextlib
import json
import math
import struct
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

from safegen._util.logs import logger, waiting
from safegen.errors import CheckUnavailable, UnreadableInput

_log = logger(__name__)

HINT = "check that it is a complete video file: play it, or fetch it again"
_START = (
    "import sys, json; sys.path[:] = json.loads(sys.argv[1]); from safegen.media._worker import main; main()"
)
_PIPE_BYTES = 1 << 20


class NoVideo(UnreadableInput):
    """The file is readable media, but has no video stream."""


class _Watch:
    """Kills the child when one answer takes longer than *seconds*; the reader's own time does not count."""

    def __init__(self, child: subprocess.Popen[bytes], seconds: float) -> None:
        self._child, self._seconds = child, seconds
        self._since: float | None = None
        self._over = threading.Event()
        threading.Thread(target=self._run, daemon=True).start()

    def _run(self) -> None:
        while not self._over.wait(1.0):
            since = self._since
            if since is not None and time.monotonic() - since > self._seconds:
                _log.warning(
                    "sandbox: process %(pid)d killed, no answer within %(seconds)d s",
                    {"pid": self._child.pid, "seconds": self._seconds},
                )
                self._child.kill()

    @contextlib.contextmanager
    def waiting(self) -> Iterator[None]:
        """Within the block we wait for the child."""
        self._since = time.monotonic()
        try:
            yield
        finally:
            self._since = None

    def stop(self) -> None:
        """End the watch."""
        self._over.set()


def worker_messages(
    path: Path, job: dict[str, Any], seconds: float
) -> Iterator[tuple[dict[str, Any], bytearray | None]]:
    """Messages of one worker that does *job* (its ``path`` is filled in), each with its bytes, if it has any.

    One message may take *seconds* at most. Raises UnreadableInput for a missing, empty or undecodable file
    and when the worker crashes, NoVideo for sound only, CheckUnavailable when there is no worker.
    """
    if not path.is_file():
        raise UnreadableInput(f"{path}: no such file", hint="check the path")
    if path.stat().st_size == 0:
        raise UnreadableInput(f"{path}: the file is empty", hint="fetch or create it again")
    search = json.dumps([p for p in sys.path if p])
    with subprocess.Popen(
        [sys.executable, "-I", "-c", _START, search],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    ) as child:
        if child.stdin is None or child.stdout is None:
            raise CheckUnavailable("the sandboxed decoder has no pipes")
        _widen(child.stdout)
        _log.debug("sandbox: process %(pid)d started for %(job)s", {"pid": child.pid, "job": job.get("op")})
        watch = _Watch(child, seconds + 10)
        try:
            child.stdin.write(json.dumps({**job, "path": str(path.resolve())}).encode() + b"\n")
            child.stdin.close()
            yield from _read(child.stdout, path, watch)
            if child.wait(timeout=10) != 0:
                raise UnreadableInput(f"{path}: the decoder crashed or exceeded its limits", hint=HINT)
        finally:
            watch.stop()
            child.kill()
            _log.debug("sandbox: process %(pid)d ended", {"pid": child.pid})


def _widen(pipe: IO[bytes]) -> None:
    """A larger pipe buffer, where the system has such a thing: pictures are megabytes."""
    if sys.platform == "linux":
        import fcntl

        with contextlib.suppress(OSError):
            fcntl.fcntl(pipe.fileno(), fcntl.F_SETPIPE_SZ, _PIPE_BYTES)


def _read(pipe: IO[bytes], path: Path, watch: _Watch) -> Iterator[tuple[dict[str, Any], bytearray | None]]:
    """Parse messages until the pipe ends; an ``error`` message becomes UnreadableInput."""
    while True:
        with watch.waiting(), waiting(_log, "the sandboxed decoder"):
            head = pipe.read(4)
            if len(head) < 4:
                return
            message = json.loads(pipe.read(struct.unpack(">I", head)[0]))
            payload = None
            if "shape" in message or "bytes" in message:
                payload = bytearray(math.prod(int(x) for x in message.get("shape", [message.get("bytes")])))
                if not _fill(pipe, payload):
                    return
        if message["type"] == "error":
            kind = NoVideo if message["kind"] == "novideo" else UnreadableInput
            raise kind(f"{path}: {message['message']}", hint=message.get("hint") or HINT)
        yield message, payload


def _fill(pipe: IO[bytes], into: bytearray) -> bool:
    """Read exactly as much as fits; False when the pipe ends before."""
    view, at = memoryview(into), 0
    while at < len(view):
        got = pipe.readinto(view[at:])  # type: ignore[attr-defined]
        if not got:
            return False
        at += got
    return True
