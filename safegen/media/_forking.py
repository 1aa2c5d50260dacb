"""The process that sandboxed children are forked from (Linux): it imports once, and touches nothing foreign.

It is given one socket. A message on it is JSON, ``{"modules": [...]}``, with the descriptors of a job:
stdin, stdout, a status socket, then the files. Without descriptors the modules are only imported. On the
status socket go the child's process number and, when it has ended, its exit code (big-endian, 4 bytes each);
when the parent closes it, the child is killed. When the parent is gone, so is everything here.
"""

from __future__ import annotations

import contextlib
import ctypes
import gc
import json
import os
import select
import signal
import socket
import struct
from collections.abc import Sequence

from safegen.errors import CheckUnavailable
from safegen.media._child import main, preload

_DIE_WITH_PARENT = 1
_MOST_FILES = 64
_MOST_BYTES = 1 << 16


def serve() -> None:
    """Fork children until the other end of the socket on descriptor 0 closes."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    control = socket.socket(fileno=os.dup(0))
    poll = select.poll()
    poll.register(control, select.POLLIN)
    jobs: dict[int, _Child] = {}
    while True:
        descriptor = poll.poll()[0][0]  # one at a time: what it leads to may make the others void
        if descriptor == control.fileno():
            data, given, _, _ = socket.recv_fds(control, _MOST_BYTES, _MOST_FILES)
            if not data:
                os._exit(0)
            _import(json.loads(data)["modules"])
            if given:
                job = _Child(given)
                for number in (job.ended, job.status.fileno()):
                    jobs[number] = job
                    poll.register(number, select.POLLIN)
        elif (job := jobs.pop(descriptor)).ended == descriptor:
            poll.unregister(descriptor)
            if jobs.pop(job.status.fileno(), None) is not None:
                poll.unregister(job.status.fileno())
            job.bury()
        else:
            poll.unregister(descriptor)
            job.kill()


def _import(modules: Sequence[str]) -> None:
    for module in modules:
        with contextlib.suppress(ImportError, CheckUnavailable):  # the child will say so
            preload(module)


class _Child:
    """One forked job."""

    def __init__(self, given: Sequence[int]) -> None:
        stdin, stdout, status, *files = given
        gc.freeze()
        self.pid = os.fork()
        if self.pid == 0:
            _work(stdin, stdout, files)
        self.ended = os.pidfd_open(self.pid)
        self.status = socket.socket(fileno=status)
        self._say(self.pid)
        for descriptor in (stdin, stdout, *files):
            os.close(descriptor)

    def _say(self, number: int) -> None:
        with contextlib.suppress(OSError):
            self.status.send(struct.pack(">i", number))

    def kill(self) -> None:
        """End it; it has not been waited for, so its number is still its own."""
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.pid, signal.SIGKILL)

    def bury(self) -> None:
        """Say how it ended."""
        self._say(os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1]))
        os.close(self.ended)
        self.status.close()


def _work(stdin: int, stdout: int, files: Sequence[int]) -> None:
    """In the child: nothing of the process it was forked from stays open. Does not return."""
    code = 1
    try:
        signal.signal(signal.SIGINT, signal.SIG_DFL)
        ctypes.CDLL(None).prctl(_DIE_WITH_PARENT, signal.SIGKILL, 0, 0, 0)
        os.dup2(stdin, 0)
        os.dup2(stdout, 1)
        last = 2
        for descriptor in sorted(files):
            os.closerange(last + 1, descriptor)
            last = descriptor
        os.closerange(last + 1, 1 << 20)
        main(files)
        code = 0
    finally:
        os._exit(code)
