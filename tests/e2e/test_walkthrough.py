"""docs/third-party.md, run as it stands: quickly with painted clips, and slowly as a user would."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from safegen.cli import group
from safegen.keys.identity import Identity
from safegen.workspace import config as workspace
from tests.e2e.makers import Maker
from tests.support import pages
from tests.support.pages import EXIT_CODES, Step, matches
from tests.unit.credentials.conftest import Tsa, tsa  # noqa: F401

VERDICTS = {
    "VERIFIED",
    "SIGNED_UNTRUSTED",
    "SIGNED_UNLOGGED",
    "EXPIRED_BUT_LOGGED",
    "WITHDRAWN",
    "TAMPERED",
}
"""What the page shows."""


def steps() -> list[Step]:
    """What nord and anna type on the page, block after block."""
    page = pages.ROOT / "docs/third-party.md"
    return [s for block in pages.blocks(page) if block.language == "console" for s in pages.steps(block)]


class Desk:
    """Two folders with a workspace each, and a way to type there."""

    def __init__(self, root: Path, authority: Tsa, *, real: bool) -> None:
        self.root, self.real, self.made = root, real, 0
        for who in ("nord", "anna"):
            (root / who).mkdir(parents=True)
        space = workspace.find_workspace(root / "nord/workspace")
        space.create()
        (space.root / "safegen.toml").write_text("format = 1\n")
        (root / "nord/tsa.pem").write_bytes(authority.root)
        self.url = authority.url

    def type(self, who: str, command: str) -> tuple[int, str]:
        """Exit code and stdout of *command* in the folder of *who*."""
        words = shlex.split(command)
        if words[:3] == ["safegen", "log", "stamp"]:
            config = f'format = 1\n[signing]\ntsa_url = "{self.url}"\n'
            (self.root / "nord/workspace/safegen.toml").write_text(config)
            code, out = self._run(who, words)
            (self.root / "nord/workspace/safegen.toml").write_text("format = 1\n")
            return code, out
        if words[0] == "cp":
            for name in words[1:-1]:
                target = self.root / who / words[-1]
                shutil.copy(self.root / who / name, target)
            return 0, ""
        if words[:2] == ["safegen", "protect"] and not self.real:
            return self._painted(words[-1])
        return self._run(who, words)

    def _painted(self, name: str) -> tuple[int, str]:
        """A release without the slow parts: no frames gate and no mark."""
        root, self.made = self.root / "nord/workspace", self.made + 1
        maker = Maker(root, Identity.load(workspace.find_workspace(root).keys))
        maker.release(self.root / "nord" / name, content_id=self.made, seed=self.made)
        return 0, f"released   {name}\n"

    def _run(self, who: str, words: list[str]) -> tuple[int, str]:
        folder = self.root / who
        env = {
            **os.environ,
            "SAFEGEN_WORKSPACE": str(folder / "workspace"),
            "NO_COLOR": "1",
            "COLUMNS": "200",
        }
        if words[0] == "safegen" and not self.real:
            more = ["--no-watermark"] if words[1] == "verify" else []
            before = Path.cwd()
            os.chdir(folder)
            try:
                done = CliRunner(env=env).invoke(group, [*words[1:], *more])
            finally:
                os.chdir(before)
            assert done.exception is None or isinstance(done.exception, SystemExit), done.output
            return done.exit_code, done.stdout
        start = [sys.executable, "-m", "safegen"] if words[0] == "safegen" else [sys.executable]
        ran = subprocess.run([*start, *words[1:]], cwd=folder, env=env, capture_output=True, text=True)
        assert "Traceback" not in ran.stderr, ran.stderr
        return ran.returncode, ran.stdout


def walk(desk: Desk) -> set[str]:
    """Type everything; the verdicts that came."""
    seen = set()
    for step in steps():
        code, out = desk.type(step.who, step.command)
        assert matches(step.expected, out) if step.expected else out == "", f"{step}\n{out}"
        first = step.expected[0].split(" ")[0] if step.expected else ""
        assert code == EXIT_CODES.get(first, 0), f"{step}: {code}\n{out}"
        seen.add(first)
    return seen & set(EXIT_CODES)


def test_the_page_is_true(tmp_path: Path, tsa: Tsa) -> None:  # noqa: F811
    assert len(steps()) > 30
    assert walk(Desk(tmp_path, tsa, real=False)) == VERDICTS


@pytest.mark.slow
def test_the_page_is_true_for_a_user(tmp_path: Path, tsa: Tsa) -> None:  # noqa: F811
    desk = Desk(tmp_path, tsa, real=True)
    paint_raw(tmp_path / "nord/raw.mp4")
    assert walk(desk) == VERDICTS


def paint_raw(path: Path) -> None:
    """Two seconds of a moving texture: something that can be protected quickly."""
    from fractions import Fraction

    import numpy as np

    from safegen.media.encode import encode_mp4

    rng = np.random.default_rng(5)
    base = np.kron(rng.integers(40, 215, (12, 20, 3)), np.ones((32, 32, 1))).astype(np.uint8)
    encode_mp4((np.roll(base, 3 * i, axis=1)[:, :512] for i in range(48)), path, fps=Fraction(24))
