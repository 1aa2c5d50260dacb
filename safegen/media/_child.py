"""The child's side of a sandboxed job: set limits, give up rights, work, say what came of it.

A message is a 4-byte big-endian length, that many bytes of JSON and, where it names ``shape`` or ``bytes``,
that many bytes after it. The first line of the job says which ``module`` does it: its ``preload()`` imports
whatever is needed, ``prepare(job)`` may add to the job, then rights are given up, and only then does
``work(job, out)`` look at the files.

``serve`` makes such children by forking a process that has imported everything and has seen nothing foreign.
"""

from __future__ import annotations

import codecs
import contextlib
import importlib
import json
import os
import struct
import sys
import time
from collections.abc import Sequence
from typing import Any, BinaryIO

from safegen.errors import CheckUnavailable
from safegen.media import _confinement
from safegen.media.handles import Handle, open_descriptor

Job = dict[str, Any]
_ENCODINGS = ("utf-8", "ascii", "latin-1", "utf-16", "utf-16-be", "utf-16-le", "utf-32", "idna", "punycode")
"""What Python would import when bytes become text."""
_LATER = (
    "_strptime",
    "calendar",
    "decimal",
    "heapq",
    "ipaddress",
    "linecache",
    "locale",
    "traceback",
    "zoneinfo",
)
"""Modules of the standard library that others of it import only when they are needed."""


class Refuse(Exception):
    """The file could be read but not processed as it should be; ``hint`` says what helps."""

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.hint = hint


def send(out: BinaryIO, message: Job, payload: Any = b"") -> None:
    """Write one message and its payload."""
    head = json.dumps(message).encode()
    out.write(struct.pack(">I", len(head)) + head)
    if len(payload):
        out.write(payload)


def handle(job: Job, name: str = "input") -> Handle:
    """The file that the parent handed over as *name*, from its start. Raises KeyError."""
    return Handle(int(job["handles"][name]), writable=name in job.get("writes", ()))


def preload(name: str) -> Any:
    """The module called *name*, with everything that it and Python would import later. Raises ImportError."""
    module = importlib.import_module(name)
    module.preload()
    for later in _LATER:
        importlib.import_module(later)
    for encoding in _ENCODINGS:
        codecs.lookup(encoding)
    return module


def main(descriptors: Sequence[int]) -> None:
    """Read the job from stdin, do it and write messages to stdout; *descriptors*: the files handed over."""
    out = sys.stdout.buffer
    job: Job = json.loads(sys.stdin.readline())
    job["handles"] = dict(zip(job["files"], descriptors, strict=False))
    with contextlib.suppress(BrokenPipeError):
        work(job, out, confined=True)
        out.flush()


def work(job: Job, out: BinaryIO, *, confined: bool = False) -> None:
    """Do the job; every failure becomes an error message. Raises BrokenPipeError when nobody reads."""
    try:
        module = preload(job["module"])
        module.prepare(job)
        if confined:
            _confine(job)
        module.work(job, out)
    except BrokenPipeError:
        raise
    except MemoryError:
        send(out, {"type": "error", "kind": "limit", "message": "it needs more memory than allowed"})
    except Refuse as error:
        send(out, {"type": "error", "kind": "refused", "message": str(error), "hint": error.hint})
    except (CheckUnavailable, ImportError) as error:
        hint = getattr(error, "hint", "") or "run `safegen doctor`"
        send(out, {"type": "error", "kind": "unavailable", "message": str(error), "hint": hint})
    except LookupError as error:
        send(out, {"type": "error", "kind": "novideo", "message": str(error)})
    except Exception as error:
        text = getattr(error, "strerror", None) or str(error) or type(error).__name__
        send(out, {"type": "error", "kind": "decode", "message": text})


def _confine(job: Job) -> None:
    """Limits and rights, once everything is imported. Where files are not inherited they are opened first."""
    if os.name != "posix":
        from pathlib import Path

        writes = job.get("writes", ())
        paths = {name: Path(path) for name, path in job["paths"].items()}
        job["handles"] = {name: open_descriptor(path, write=name in writes) for name, path in paths.items()}
    _limit(job)
    _confinement.confine()


def _limit(job: Job) -> None:
    """Bound address space and CPU seconds, where the platform can (POSIX)."""
    try:
        import resource
    except ImportError:  # Windows: the parent's wall-clock limit and the pixel limit remain
        return
    seconds = int(job["max_seconds"])
    memory = _at_most(resource.RLIMIT_AS, int(job["max_bytes"]))
    resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if job.get("streaming"):
        extend(job, first=True)
    else:
        hard = _at_most(resource.RLIMIT_CPU, seconds + 1)
        resource.setrlimit(resource.RLIMIT_CPU, (min(seconds, hard), hard))


def _at_most(kind: int, wanted: int) -> int:
    """*wanted*, or the limit that this process was given if that is lower: nobody may raise it."""
    import resource

    hard = resource.getrlimit(kind)[1]
    return wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)


def extend(job: Job, *, first: bool = False) -> None:
    """Allow another ``max_seconds`` of CPU time: called whenever a job that takes hours has got on."""
    with contextlib.suppress(ImportError):
        import resource

        if resource.getrlimit(resource.RLIMIT_CPU)[0] == resource.RLIM_INFINITY and not first:
            return
        until = _at_most(resource.RLIMIT_CPU, int(time.process_time()) + int(job["max_seconds"]))
        resource.setrlimit(resource.RLIMIT_CPU, (until, resource.getrlimit(resource.RLIMIT_CPU)[1]))
