"""Who owns a lease, and whether that process still lives.

A process is known by host, boot, process space (container), number and start time: a number used again after
a restart or a reboot is somebody else. Where that cannot be told (another host, another container, no
``/proc``) the answer is UNKNOWN and the lease's expiry decides.
"""

from __future__ import annotations

import enum
import json
import os
import socket
from dataclasses import asdict, dataclass
from pathlib import Path

ACTIVE_JOBS: set[str] = set()
"""Jobs of this very process that are under way: a lease of ours that is not among them was given up."""


class Liveness(enum.Enum):
    """Whether an owner lives."""

    ALIVE = "alive"
    DEAD = "dead"
    UNKNOWN = "unknown"


@dataclass(frozen=True)
class Owner:
    """A process. Empty strings: not known on this platform."""

    host: str
    boot: str
    space: str
    pid: int
    started: str

    @property
    def text(self) -> str:
        """As stored in a lease."""
        return json.dumps(asdict(self), sort_keys=True)

    @classmethod
    def current(cls) -> Owner:
        """This process."""
        machine = _read(Path("/etc/machine-id"))
        host = f"{socket.gethostname()} {machine}".strip()
        pid = os.getpid()
        return cls(
            host,
            _read(Path("/proc/sys/kernel/random/boot_id")),
            _pid_namespace(),
            pid,
            _process_state(pid)[1],
        )

    @classmethod
    def parse(cls, text: str) -> Owner | None:
        """The owner stored as *text*; ``None`` when it cannot be read."""
        try:
            return cls(**json.loads(text))
        except (ValueError, TypeError):
            return None

    def liveness(self, observer: Owner) -> Liveness:
        """Whether this owner lives, as far as the process *observer* can tell."""
        if self.host != observer.host:
            return Liveness.UNKNOWN
        if self.boot and observer.boot and self.boot != observer.boot:
            return Liveness.DEAD
        if self.space != observer.space:
            return Liveness.UNKNOWN
        if not _process_exists(self.pid):
            return Liveness.DEAD
        state, started = _process_state(self.pid)
        if state in {"Z", "X"}:
            return Liveness.DEAD
        if not started or not self.started:
            return Liveness.UNKNOWN
        return Liveness.ALIVE if started == self.started else Liveness.DEAD


def _process_exists(pid: int) -> bool:
    """Whether a process of that number exists; on Windows, where signal 0 would end it, say yes."""
    if os.name == "nt":
        return True
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _process_state(pid: int) -> tuple[str, str]:
    """State letter and start time (clock ticks after boot) of a process; empty where there is no /proc."""
    fields = _read(Path(f"/proc/{pid}/stat")).rpartition(")")[2].split()
    return (fields[0], fields[19]) if len(fields) > 19 else ("", "")


def _pid_namespace() -> str:
    """The process name space: two containers may both have a process 1."""
    try:
        return str(Path("/proc/self/ns/pid").readlink())
    except OSError:
        return ""


def _read(path: Path) -> str:
    """A small file's text; empty when there is none."""
    try:
        return path.read_text(encoding="utf-8", errors="replace").strip()
    except OSError:
        return ""
