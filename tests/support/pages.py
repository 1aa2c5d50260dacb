"""The documentation's fenced blocks, and typing what they show: shared by the tests of README and docs.

A block's language says what it is: ``console`` (commands after ``$ ``, each with what it prints), ``sh``
(commands only), ``python`` (a script), ``yaml``, ``toml``, ``json``, ``csv``, ``html``, ``markdown``, or
``text``. A comment above it may say more: ``<!-- not run: REASON -->``, ``<!-- file: NAME -->`` (saved as).
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from safegen import Verdict

ROOT = Path(__file__).resolve().parents[2]
README = ROOT / "README.md"
PAGES = [README, *sorted((ROOT / "docs").glob("*.md"))]
RUN = ("console", "sh", "python")
_BLOCK = re.compile(r"((?:^<!--.*?-->\n+)?)^```([a-z]*)\n(.*?)^```$", re.S | re.M)
_MARK = re.compile(r"<!-- (not run|file): (.*?) -->", re.S)
_PROGRESS = re.compile(r"^\[ *[\d.]+ s\] [^\n]*\n", re.M)
EXIT_CODES = {verdict.name: verdict.exit_code for verdict in Verdict}
"""Of a command whose output begins with a verdict."""


@dataclass(frozen=True)
class Block:
    """A fenced block. ``mark``: what the comment above it says, by its kind."""

    language: str
    text: str
    mark: Mapping[str, str]

    @property
    def not_run(self) -> str:
        """Why it is not run; empty where it is."""
        return self.mark.get("not run", "")


@dataclass(frozen=True)
class Step:
    """A command, who types it, and the lines that have to appear; none: whatever it prints."""

    who: str
    command: str
    expected: tuple[str, ...]


def blocks(page: Path) -> list[Block]:
    """The blocks of *page*, in order."""
    return [
        Block(language, text, dict(_MARK.findall(above)))
        for above, language, text in _BLOCK.findall(page.read_text(encoding="utf-8"))
    ]


def steps(block: Block) -> list[Step]:
    """The commands of a ``console`` or ``sh`` block."""
    lines = block.text.replace("\\\n", " ").splitlines()
    if block.language == "sh":
        return [Step("", line, ()) for line in lines if line.strip()]
    found: list[tuple[str, str, list[str]]] = []
    for line in lines:
        prompt = re.match(r"(\w*)\$ (.*)", line)
        if prompt:
            found.append((prompt[1], prompt[2], []))
        else:
            found[-1][2].append(line)
    return [Step(who, command, tuple(expected)) for who, command, expected in found]


def matches(expected: Sequence[str], actual: str) -> bool:
    """Expected lines in order, each "…" for anything, also over several lines."""
    pattern = r"\s*".join(re.escape(line.strip()).replace("…", ".*") for line in expected)
    return re.fullmatch(r"\s*" + pattern + r"\s*", actual, re.S) is not None


class Desk:
    """A folder in which a reader types: ``safegen`` and ``python`` are those that are tested."""

    def __init__(self, folder: Path) -> None:
        """*folder* gets a workspace of its own, and the programs."""
        self.folder = folder
        programs = folder / ".programs"
        programs.mkdir(parents=True)
        for name, start in {"safegen": "-m safegen", "python": ""}.items():
            path = programs / name
            path.write_text(f'#!/bin/sh\nexec "{sys.executable}" {start} "$@"\n')
            path.chmod(0o755)
        self.env = {
            **os.environ,
            "SAFEGEN_WORKSPACE": str(folder / "workspace"),
            "NO_COLOR": "1",
            "COLUMNS": "200",
            "PYTHONPATH": str(ROOT),
            "PATH": f"{programs}{os.pathsep}{os.environ['PATH']}",
        }

    def type(self, command: str) -> tuple[int, str, str]:
        """Exit code, stdout and stderr of *command*."""
        done = subprocess.run(
            ["bash", "-c", command],
            cwd=self.folder,
            env=self.env,
            capture_output=True,
            text=True,
            timeout=900,
        )
        assert "Traceback" not in done.stderr, done.stderr
        return done.returncode, done.stdout, done.stderr

    def check(self, step: Step) -> None:
        """Type *step*: it prints what it should, and ends as its output or its ``# exit 9`` says."""
        code, out, err = self.type(step.command)
        err = _PROGRESS.sub("", err)
        first = step.expected[0].strip() if step.expected else ""
        said = f"$ {step.command}\n{out}{err}\nexit {code}"
        if first.startswith("error:"):
            assert code != 0 and matches(step.expected, err), said
            return
        shown = out if not matches(step.expected, err) else err
        assert not step.expected or matches(step.expected, shown), said
        noted = re.search(r"# exit (\d+)", step.command)
        blocked = 3 if ": BLOCK" in first else 0
        wanted = int(noted[1]) if noted else EXIT_CODES.get(first.split(" ")[0], blocked)
        assert code == wanted, said

    def run(self, block: Block) -> None:
        """Run the script in a ``python`` block."""
        (self.folder / "script.py").write_text(block.text, encoding="utf-8")
        code, _, err = self.type("python script.py")
        assert code == 0, f"{block.text}\n{err}"
