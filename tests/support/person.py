"""Somebody at a desk of their own who types commands: an empty home, an empty folder, no settings at all."""

from __future__ import annotations

import os
import shlex
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

Python = Callable[..., subprocess.CompletedProcess[bytes]]
"""The fixture ``python`` of tests/conftest.py."""
SMALL = "--size 256x256 --seconds 1 --steps 2"
"""Options of a clip that costs little."""
_ANSWERS = {0, 3, 7, 9}
"""Exit codes that can come with an answer instead of an error; verdicts of ``verify`` begin at 10."""


@dataclass(frozen=True)
class Said:
    """What came of a command: exit code, and both streams as text."""

    command: str
    code: int
    out: str
    err: str

    @property
    def first(self) -> str:
        """The first line of the answer."""
        return self.out.splitlines()[0] if self.out else ""

    @property
    def error(self) -> str:
        """The line that says what went wrong."""
        return next(line for line in self.err.splitlines() if line.startswith("error: "))

    @property
    def hint(self) -> str:
        """What to do next, below the error or the file that it is about."""
        lines = (self.err + self.out).splitlines()
        return next((line.strip() for line in lines if line.strip().startswith("hint:")), "")


class Person:
    """Types in ``folder``; ``home`` is theirs alone."""

    def __init__(self, root: Path, python: Python) -> None:
        """*root* gets the two folders."""
        self.home, self.folder, self._python = root / "home", root / "desk", python
        for made in (self.home, self.folder):
            made.mkdir(parents=True)
        self.env = {
            "HOME": str(self.home),
            "PATH": os.environ["PATH"],
            "PYTHONPATH": str(Path(__file__).resolve().parents[2]),
            "OMP_NUM_THREADS": "1",
            "LC_ALL": "C.UTF-8",
            "TZ": "UTC",
        }

    def types(self, command: str, *, code: int = 0, stdin: bytes = b"", **environment: str) -> Said:
        """``safegen ...`` ends with *code*; an error also says what to do next, and none is a bug."""
        words = shlex.split(command)
        assert words[0] == "safegen"
        return self._run(command, ["-m", *words], code, stdin, environment)

    def runs(self, script: str, *, code: int = 0) -> Said:
        """A Python script."""
        return self._run(script, ["-c", script], code, b"", {})

    def has(self, name: str, data: bytes | str = b"") -> Path:
        """A file on the desk."""
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data.encode() if isinstance(data, str) else data)
        return path

    @property
    def files(self) -> set[str]:
        """What lies on the desk, folders left out."""
        return {str(p.relative_to(self.folder)) for p in self.folder.rglob("*") if p.is_file()}

    def _run(self, command: str, arguments: list[str], code: int, stdin: bytes, more: dict[str, str]) -> Said:
        done = self._python(*arguments, cwd=self.folder, env=self.env | more, input=stdin)
        said = Said(command, done.returncode, done.stdout.decode(), done.stderr.decode())
        shown = f"$ {command}\n{said.out}{said.err}\nexit {said.code}"
        assert said.code == code, shown
        assert "Traceback" not in said.err and "bug in safegen" not in said.err, shown
        if code not in _ANSWERS and code < 10:
            assert said.hint, shown
        return said


def altered(data: bytes) -> bytes:
    """*data*, an MP4, with one bit of its pictures changed."""
    changed = bytearray(data)
    changed[data.rfind(b"mdat") + 400] ^= 1
    return bytes(changed)
