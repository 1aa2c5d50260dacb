"""A job for a sandboxed child that tries what it must not be able to do, and says how far it got."""

from __future__ import annotations

import os
import socket
import sys
import threading
from collections.abc import Callable
from typing import Any, BinaryIO

from safegen.media._child import Job, handle, send


def preload() -> None:
    """Everything is imported above."""


def prepare(job: Job) -> None:
    """Nothing more."""


def work(job: Job, out: BinaryIO) -> None:
    """Send ``probe``: for each attempt, an empty text where it succeeded, else the error's name."""
    tries: dict[str, Callable[[], Any]] = {
        "read by name": lambda: os.open(job["secret"], os.O_RDONLY),
        "read by descriptor": lambda: os.open(f"/proc/self/fd/{handle(job).fileno()}", os.O_RDONLY),
        "read the environment of the parent": lambda: os.open(f"/proc/{job['parent']}/environ", os.O_RDONLY),
        "write by name": lambda: os.open(job["fresh"], os.O_WRONLY | os.O_CREAT),
        "list a folder": lambda: os.listdir("/"),
        "remove": lambda: os.unlink(job["secret"]),
        "rename": lambda: os.rename(job["secret"], job["fresh"]),
        "link": lambda: os.link(job["secret"], job["fresh"]),
        "symlink": lambda: os.symlink(job["secret"], job["fresh"]),
        "make a folder": lambda: os.mkdir(job["fresh"]),
        "change a mode": lambda: os.chmod(job["secret"], 0o777),
        "truncate": lambda: os.truncate(job["secret"], 0),
        "tcp socket": lambda: socket.socket(socket.AF_INET, socket.SOCK_STREAM),
        "unix socket": lambda: socket.socket(socket.AF_UNIX, socket.SOCK_STREAM),
        "socket pair": socket.socketpair,
        "execute": lambda: os.execv(sys.executable, [sys.executable, "-c", ""]),
        "fork": os.fork,
        "signal the parent": lambda: os.kill(job["parent"], 0),
        "more limits": lambda: _more_time(),
    }
    found = {name: _attempt(action) for name, action in tries.items()}
    thread = threading.Thread(target=lambda: found.update(thread=""))
    thread.start()
    thread.join()
    read = handle(job).read().decode()
    written = handle(job, "made").write(b"made") if "made" in job["handles"] else 0
    descriptors = sorted(_open_descriptors())
    send(
        out,
        {
            "type": "probe",
            "found": found,
            "read": read,
            "written": written,
            "environment": dict(os.environ),
            "descriptors": descriptors,
            "handles": job["handles"],
        },
    )


def _attempt(action: Callable[[], Any]) -> str:
    try:
        action()
    except OSError as error:
        return type(error).__name__
    return ""


def _more_time() -> None:
    import resource

    try:
        resource.setrlimit(resource.RLIMIT_CPU, (10**6, 10**6))
    except ValueError as error:  # how Python says that it is not permitted
        raise PermissionError from error
    if os.geteuid() == 0:  # who may do anything may do this, too
        raise PermissionError


def _open_descriptors() -> list[int]:
    found = []
    for number in range(256):
        try:
            os.fstat(number)
        except OSError:
            continue
        found.append(number)
    return found
