"""The parent's side of a sandboxed worker: starts the child, sends the job, reads messages until it ends."""

from __future__ import annotations

import contextlib
import json
import math
import os
import signal
import struct
import sys
import threading
import time
from collections.abc import Generator, Iterator, Mapping
from pathlib import Path
from typing import IO, Any

from safegen._util.logs import logger, waiting
from safegen.errors import CheckUnavailable, UnreadableInput
from safegen.media import _start
from safegen.media.handles import open_descriptor

_log = logger(__name__)

HINT = "check that it is a complete video file: play it, or fetch it again"
_PIPE_BYTES = 1 << 20
_MOST_JSON, _MOST_BYTES, _MOST_TEXT = 1 << 28, 1 << 32, 2000
"""What one message may hold: JSON, bytes after it, characters of an error."""


class NoVideo(UnreadableInput):
    """The file is readable media, but has no video stream."""


class NoAnswer(UnreadableInput):
    """The child crashed, exceeded a limit or did not answer in time (``late``)."""

    late = False


class _Watch:
    """Kills the child when one answer takes longer than *seconds*; the reader's own time does not count."""

    def __init__(self, child: _start.Child, seconds: float) -> None:
        self._child, self._seconds = child, seconds
        self._since: float | None = None
        self._over = threading.Event()
        self.killed = False
        threading.Thread(target=self._run, daemon=True).start()

    def _run(self) -> None:
        while not self._over.wait(min(1.0, self._seconds / 4)):
            since = self._since
            if since is not None and time.monotonic() - since > self._seconds:
                _log.warning(
                    "sandbox: process %(pid)d killed, no answer within %(seconds)d s",
                    {"pid": self._child.pid, "seconds": self._seconds},
                )
                self.killed = True
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
    path: Path,
    job: dict[str, Any],
    seconds: float,
    *,
    reads: Mapping[str, Path] = {},
    writes: Mapping[str, Path] = {},
) -> Iterator[tuple[dict[str, Any], bytearray | None]]:
    """Messages of one decoder that does *job* with the file at *path*, each with its bytes, if it has any.

    It is handed the open file, and those of *reads* and *writes* by their names in the job. One message may
    take *seconds* at most. Raises UnreadableInput for a missing, empty or undecodable file and when the
    child crashes, NoVideo for sound only, CheckUnavailable when there is no child, OSError where a file
    cannot be written.
    """
    whole = {**job, "module": "safegen.media._worker"}
    yield from child_messages({"input": path, **reads}, whole, seconds + 10, writes=writes)


def child_messages(
    reads: Mapping[str, Path], job: dict[str, Any], seconds: float, *, writes: Mapping[str, Path] = {}
) -> Generator[tuple[dict[str, Any], bytearray | None], None, None]:
    """Messages of a child that does *job* (``module``, limits); the file called ``input`` names errors.

    Raises as ``worker_messages``; NoAnswer for a crash, a limit, or more than *seconds* for one answer.
    """
    path, opened = reads["input"], contextlib.ExitStack()
    with opened:
        files: list[int] = []
        for name, file in {**reads, **writes}.items():
            files.append(open_descriptor(file, write=name in writes))
            opened.callback(os.close, files[-1])
        try:
            child = _start.start(job["module"], files)
        except OSError as error:
            raise CheckUnavailable(
                f"the sandboxed child could not be started: {error.strerror}",
                hint="check that this user may start another process",
            ) from error
        with child:
            yield from _talk(child, path, _whole(job, reads, writes), seconds)


def _whole(job: dict[str, Any], reads: Mapping[str, Path], writes: Mapping[str, Path]) -> dict[str, Any]:
    """*job* with the names of its files, and their paths where the system does not hand over descriptors."""
    names = {**reads, **writes}
    paths = {} if os.name == "posix" else {name: str(p.absolute()) for name, p in names.items()}
    return {**job, "files": list(names), "writes": list(writes), "paths": paths}


def _talk(
    child: _start.Child, path: Path, job: dict[str, Any], seconds: float
) -> Iterator[tuple[dict[str, Any], bytearray | None]]:
    """Send the job, pass messages on, and see that the child ended well."""
    if child.stdin is None or child.stdout is None:
        raise CheckUnavailable("the sandboxed child has no pipes")
    _widen(child.stdout)
    _log.debug("sandbox: process %(pid)d started for %(job)s", {"pid": child.pid, "job": job.get("op")})
    watch = _Watch(child, seconds)
    try:
        with contextlib.suppress(BrokenPipeError):
            child.stdin.write(json.dumps(job).encode() + b"\n")
            child.stdin.close()
        yield from _read(child.stdout, path, watch)
        if (code := child.wait(timeout=10)) != 0:
            gone = NoAnswer(f"{path}: the decoder crashed or exceeded its limits", hint=HINT)
            gone.late = watch.killed or code == -getattr(signal, "SIGXCPU", 0)
            raise gone
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
    """Parse messages until the pipe ends; an ``error`` message becomes UnreadableInput.

    The child is as hostile as the file that it reads: what it says has to be well-formed and bounded.
    """
    while True:
        with watch.waiting(), waiting(_log, "the sandboxed decoder"):
            head = pipe.read(4)
            if len(head) < 4:
                return
            message, length = _message(pipe, head, path)
            payload = None if length is None else bytearray(length)
            if payload is not None and not _fill(pipe, payload):
                return
        if message["type"] == "error":
            kind = NoVideo if message.get("kind") == "novideo" else UnreadableInput
            text, hint = str(message.get("message"))[:_MOST_TEXT], str(message.get("hint") or HINT)
            if message.get("kind") == "unavailable":  # no fault of the file's
                raise CheckUnavailable(f"the decoder cannot run: {text}", hint=hint[:_MOST_TEXT])
            raise kind(f"{path}: {text}", hint=hint[:_MOST_TEXT])
        yield message, payload


def _message(pipe: IO[bytes], head: bytes, path: Path) -> tuple[dict[str, Any], int | None]:
    """A message and how many bytes follow it. Raises NoAnswer for nonsense."""
    length = struct.unpack(">I", head)[0]
    try:
        message = json.loads(pipe.read(length)) if length <= _MOST_JSON else None
        if not isinstance(message, dict) or not isinstance(message.get("type"), str):
            raise ValueError
        if "shape" not in message and "bytes" not in message:
            return message, None
        sizes = [int(x) for x in message.get("shape", [message.get("bytes")])]
        if any(x < 0 for x in sizes) or len(sizes) > 4 or math.prod(sizes) > _MOST_BYTES:
            raise ValueError
    except (ValueError, TypeError, RecursionError) as error:
        raise NoAnswer(f"{path}: the decoder's answer makes no sense", hint=HINT) from error
    return message, math.prod(sizes)


def _fill(pipe: IO[bytes], into: bytearray) -> bool:
    """Read exactly as much as fits; False when the pipe ends before."""
    view, at = memoryview(into), 0
    while at < len(view):
        got = pipe.readinto(view[at:])  # type: ignore[attr-defined]
        if not got:
            return False
        at += got
    return True
