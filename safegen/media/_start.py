"""How a sandboxed child comes into being: forked from a process kept for that (Linux), else started anew.

Its environment is empty but for what the interpreter needs to find its own libraries: passphrases, keys and
settings of the user are not in it.
"""

from __future__ import annotations

import atexit
import contextlib
import json
import os
import select
import socket
import struct
import subprocess
import sys
import threading
from collections.abc import Mapping, Sequence
from typing import IO, Self, TypeAlias

_PATH = "import sys, json; sys.path[:] = json.loads(sys.argv[1]); "
_ALONE = _PATH + "from safegen.media._child import main; main(json.loads(sys.argv[2]))"
_SERVE = _PATH + "from safegen.media._forking import serve; serve()"
_LIBRARIES = ("LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH", "DYLD_FALLBACK_LIBRARY_PATH", "SYSTEMROOT")
_ONE_THREAD = ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS")


def environment(*more: str, environ: Mapping[str, str] = os.environ) -> dict[str, str]:
    """The whole environment of a child: what finding libraries needs, and the variables called *more*."""
    kept = {name: environ[name] for name in (*_LIBRARIES, *more) if name in environ}
    return {**kept, "LC_ALL": "C.UTF-8", **dict.fromkeys(_ONE_THREAD, "1")}


def start(module: str, files: Sequence[int]) -> subprocess.Popen[bytes] | Forked:
    """A child for a job of *module* with the open *files*. Raises OSError."""
    if FORKER.usable:
        with contextlib.suppress(OSError):
            return FORKER.start(module, files)
        FORKER.usable = False
    passed = list(files) if os.name == "posix" else []
    return subprocess.Popen(
        [sys.executable, "-I", "-c", _ALONE, _search(), json.dumps(passed)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env=environment(),
        pass_fds=passed,
    )


def prepare(*modules: str) -> None:
    """Get ready for jobs of *modules*, without waiting: a child that is wanted soon will be there sooner."""
    if FORKER.usable:
        with contextlib.suppress(OSError):
            FORKER.prepare(modules)


def _search() -> str:
    return json.dumps([p for p in sys.path if p])


class Forker:
    """The process that children are forked from; it is started when one is first wanted."""

    def __init__(self) -> None:
        self.usable = sys.platform == "linux" and hasattr(os, "pidfd_open") and _has_pidfd()
        self._lock = threading.Lock()
        self._owner = 0
        self._process: subprocess.Popen[bytes] | None = None
        self._control: socket.socket | None = None

    def control(self) -> socket.socket:
        """The socket that takes jobs; after a fork of ours, another process's is not used. Raises OSError."""
        with self._lock:
            if self._control is None or self._owner != os.getpid():
                ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
                with theirs:
                    self._process = subprocess.Popen(
                        [sys.executable, "-I", "-c", _SERVE, _search()],
                        stdin=theirs.fileno(),
                        stdout=subprocess.DEVNULL,
                        stderr=subprocess.DEVNULL,
                        env=environment(),
                    )
                self._control, self._owner = ours, os.getpid()
                atexit.register(self.stop)
            return self._control

    def use(self, control: socket.socket) -> None:
        """Take children from a process that somebody else keeps, at the other end of *control*."""
        self._control, self._owner, self._process = control, os.getpid(), None

    def start(self, module: str, files: Sequence[int]) -> Forked:
        """A forked child. Raises OSError when the process is gone."""
        return Forked(self.control(), module, files)

    def prepare(self, modules: Sequence[str]) -> None:
        """Import *modules* there. Raises OSError."""
        self.control().send(json.dumps({"modules": modules}).encode())

    def stop(self) -> None:
        """End the process, if it is ours."""
        if self._control is None or self._process is None or self._owner != os.getpid():
            return
        self._control.close()
        self._control = None
        self._process.kill()
        self._process.wait()


def _has_pidfd() -> bool:
    try:
        os.close(os.pidfd_open(os.getpid()))
    except OSError:
        return False
    return True


class Forked:
    """A child of the forking process, with what is used of ``subprocess.Popen``."""

    def __init__(self, control: socket.socket, module: str, files: Sequence[int]) -> None:
        theirs_in, ours_in = os.pipe()
        ours_out, theirs_out = os.pipe()
        self._status, status = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.stdin: IO[bytes] | None = os.fdopen(ours_in, "wb")
        self.stdout: IO[bytes] | None = os.fdopen(ours_out, "rb")
        try:
            head = json.dumps({"modules": [module]}).encode()
            socket.send_fds(control, [head], (theirs_in, theirs_out, status.fileno(), *files))
        except OSError:
            self.__exit__()
            raise
        finally:
            status.close()
            os.close(theirs_in)
            os.close(theirs_out)
        self.returncode: int | None = None
        try:
            self.pid = self._number()
        except OSError:
            self.__exit__()
            raise

    def _number(self) -> int:
        data = self._status.recv(4)
        if len(data) != 4:
            raise ConnectionResetError("the process that sandboxed children are forked from is gone")
        return int(struct.unpack(">i", data)[0])

    def wait(self, timeout: float | None = None) -> int:
        """The exit code, once it has ended. Raises TimeoutExpired."""
        if self.returncode is None:
            if not select.select([self._status], [], [], timeout)[0]:
                raise subprocess.TimeoutExpired("a sandboxed child", timeout or 0.0)
            try:
                self.returncode = self._number()
            except OSError:
                self.returncode = -1
        return self.returncode

    def kill(self) -> None:
        """End it: the other end sees that nobody wants it any more."""
        with contextlib.suppress(OSError):
            self._status.shutdown(socket.SHUT_WR)

    def __enter__(self) -> Self:
        """The child."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close its pipes; it ends by itself."""
        for pipe in (self.stdout, self.stdin):
            if pipe is not None:
                with contextlib.suppress(BrokenPipeError):
                    pipe.close()
        self._status.close()


FORKER = Forker()
Child: TypeAlias = "subprocess.Popen[bytes] | Forked"
"""A child at work."""
