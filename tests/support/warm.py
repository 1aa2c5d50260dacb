"""A warm process from which a test run forks commands.

A command imports half of the package before it looks at its job: a third of a second or more each time, where
the job itself often takes milliseconds. Here all that is imported once. Each job still has a process of its
own, with its own pipes, folder, environment and end; only the way it comes into being is another. What the
start of a process itself has to keep is tested without this: some tests start commands as users do.

Sandboxed children are forked by the product itself (``safegen.media._start``); forked commands share the
process that the test run has for it.
"""

from __future__ import annotations

import atexit
import contextlib
import importlib
import json
import os
import runpy
import select
import signal
import socket
import struct
import subprocess
import sys
import threading
import traceback
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import IO

from safegen.media import _start

_ROOT = str(Path(__file__).resolve().parents[2])
_START = (
    "import sys, json; sys.path[:] = json.loads(sys.argv[1]); "
    "from tests.support.warm import serve; serve(json.loads(sys.argv[2]))"
)
COMMAND = (
    "av",
    "c2pa",
    "cv2",
    "numpy",
    "scipy.fft",
    "sqlmodel",
    "alembic.config",
    "rich.console",
    "safegen.api",
    "safegen.cli",
    "safegen.cli.generate",
    "safegen.cli.protect",
    "safegen.cli.verify",
    "safegen.detectors.prompt.classifier",
    "safegen.keys.identity",
    "safegen.ledger",
    "safegen.media.sandbox",
    "safegen.pipeline.protect",
    "safegen.release",
    "safegen.verification.run",
    "safegen.watermarks.tile",
)
"""What most commands need."""


# --- in the warm process --------------------------------------------------------------------------


def _command(stdin: int, stdout: int, stderr: int, job: int, sandbox: int) -> int:
    """Run what a command line says: ``-m MODULE ...`` or ``-c CODE ...``; the exit code."""
    with os.fdopen(job, "rb") as file:
        file.seek(0)
        wanted = json.load(file)
    with socket.socket(fileno=sandbox) as given:
        control = given.dup()
    for number, descriptor in enumerate((stdin, stdout, stderr)):
        os.dup2(descriptor, number)
        os.close(descriptor)
    os.chdir(wanted["cwd"])
    os.environ.clear()
    os.environ.update(wanted["env"])
    _start.FORKER.use(control)
    kind, what, *arguments = wanted["arguments"]
    sys.argv = ["-c", *arguments]
    sys.path.insert(0, wanted["cwd"])
    code: object = 0
    try:
        if kind == "-m":
            runpy.run_module(what, run_name="__main__", alter_sys=True)
        else:
            exec(compile(what, "<string>", "exec"), {"__name__": "__main__"})
    except SystemExit as end:
        code = end.code
    except BaseException:
        traceback.print_exc()
        code = 1
    if not isinstance(code, int | None):
        print(code, file=sys.stderr)
        code = 1
    threading._shutdown()  # type: ignore[attr-defined]
    atexit._run_exitfuncs()
    sys.stdout.flush()
    sys.stderr.flush()
    return code or 0


def _forked(work: Callable[[], int]) -> int:
    """Run *work* in a forked child; its process id."""
    pid = os.fork()
    if pid == 0:
        code = 1
        try:
            signal.signal(signal.SIGINT, signal.default_int_handler)
            code = work()
        finally:
            os._exit(code)
    return pid


def _watch_over(status: int, given: Sequence[int]) -> int:
    """Start one job, say its process id and, when it has ended, how."""

    def work() -> int:
        os.close(status)
        return _command(*given)

    pid = _forked(work)
    for descriptor in given:
        os.close(descriptor)
    with contextlib.suppress(BrokenPipeError):
        os.write(status, struct.pack(">i", pid))
        os.write(status, struct.pack(">i", os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])))
    return 0


def serve(modules: Sequence[str]) -> None:
    """Import *modules*, then fork a job for every set of descriptors, until the other end closes."""
    for module in modules:
        importlib.import_module(module)
    importlib.import_module("cv2").setNumThreads(1)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    with socket.socket(fileno=os.dup(0)) as control:
        while True:
            message, descriptors, _, _ = socket.recv_fds(control, 16, 8)
            with contextlib.suppress(ChildProcessError):  # their time counts as ours once they are waited for
                while os.waitpid(-1, os.WNOHANG if message else 0)[0]:
                    pass
            if not message:
                return
            status, *given = descriptors
            _forked(lambda: _watch_over(status, given))  # noqa: B023 - used within this turn
            for descriptor in descriptors:
                os.close(descriptor)


# --- in the tests' process ------------------------------------------------------------------------


class Server:
    """A warm process that has imported *modules*, started when it is first wanted."""

    def __init__(self, modules: Sequence[str]) -> None:
        self._modules = modules
        self._lock = threading.Lock()
        self._owner = os.getpid()
        self._process: subprocess.Popen[bytes] | None = None
        self._control: socket.socket | None = None

    def control(self) -> socket.socket:
        """The socket that takes jobs."""
        with self._lock:
            if self._control is None:
                ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
                search = json.dumps([_ROOT, *(p for p in sys.path if p and p != _ROOT)])
                with theirs:
                    self._process = subprocess.Popen(
                        [sys.executable, "-I", "-c", _START, search, json.dumps(self._modules)],
                        stdin=theirs,
                        stdout=subprocess.DEVNULL,
                        stderr=subprocess.DEVNULL,
                    )
                self._control = ours
            return self._control

    def stop(self) -> None:
        """End the warm process."""
        if self._control is not None:
            self._control.close()
        if self._process is not None and self._owner == os.getpid():
            self._process.wait()


class Child:
    """A forked job, with what is used of ``subprocess.Popen``."""

    def __init__(self, control: socket.socket, *more: int) -> None:
        theirs_in, ours_in = os.pipe()
        ours_out, theirs_out = os.pipe()
        ours_status, theirs_status = os.pipe()
        try:
            socket.send_fds(control, [b"job"], (theirs_status, theirs_in, theirs_out, *more))
        finally:
            for descriptor in (theirs_in, theirs_out, theirs_status):
                os.close(descriptor)
        self.stdin: IO[bytes] = os.fdopen(ours_in, "wb")
        self.stdout: IO[bytes] = os.fdopen(ours_out, "rb")
        self._status = os.fdopen(ours_status, "rb", buffering=0)
        self.pid = self._number()
        self.returncode: int | None = None

    def _number(self) -> int:
        data = self._status.read(4)
        assert data is not None and len(data) == 4, "the warm process is gone"
        return int(struct.unpack(">i", data)[0])

    def wait(self, timeout: float | None = None) -> int:
        """The exit code, once the job has ended."""
        if self.returncode is None:
            if not select.select([self._status], [], [], timeout)[0]:
                raise subprocess.TimeoutExpired("a forked job", timeout or 0.0)
            self.returncode = self._number()
        return self.returncode

    def kill(self) -> None:
        """End it, unless it is known to have ended; also from another thread than the one that waits."""
        if self.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, signal.SIGKILL)

    def __enter__(self) -> Child:
        return self

    def __exit__(self, *_: object) -> None:
        self.stdout.close()
        with contextlib.suppress(BrokenPipeError):
            self.stdin.close()
        self.wait()
        self._status.close()


class Commands:
    """Runs Python commands as ``subprocess.run`` does, forked from a warm process, their output captured."""

    def __init__(self, server: Server) -> None:
        self._server = server

    def run(
        self,
        *arguments: str,
        cwd: Path,
        env: Mapping[str, str] | None = None,
        input: bytes = b"",
    ) -> subprocess.CompletedProcess[bytes]:
        """``python ARGUMENTS``, which begin with ``-m MODULE`` or ``-c CODE``."""
        job = os.memfd_create("job")
        with os.fdopen(job, "wb") as written:
            wanted = {
                "arguments": arguments,
                "cwd": str(cwd),
                "env": dict(os.environ if env is None else env),
            }
            written.write(json.dumps(wanted).encode())
            written.flush()
            ours, theirs = os.pipe()
            try:
                sandbox = _start.FORKER.control().fileno()
                child = Child(self._server.control(), theirs, job, sandbox)
            finally:
                os.close(theirs)
        streams: dict[str, bytes] = {}
        errors = os.fdopen(ours, "rb")
        with child, errors:
            readers = [
                threading.Thread(target=lambda n, f: streams.update({n: f.read()}), args=pair)
                for pair in (("out", child.stdout), ("err", errors))
            ]
            for reader in readers:
                reader.start()
            with contextlib.suppress(BrokenPipeError):
                child.stdin.write(input)
                child.stdin.close()
            for reader in readers:
                reader.join()
            code = child.wait()
        return subprocess.CompletedProcess(list(arguments), code, streams["out"], streams["err"])
