"""``py.typed`` holds: a caller is checked strictly against the public names, and finds no Any."""

from __future__ import annotations

import importlib.util
import json
import subprocess
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
CALLER = ROOT / "tests" / "data" / "typed_caller.py"
WRONG = CALLER.read_text(encoding="utf-8").replace("seed=7", 'sede="7"').replace("fps=12", 'fps="12"')


def pyright(file: Path, folder: Path) -> list[str]:
    """What pyright says in its strict mode."""
    settings = {"typeCheckingMode": "strict", "include": [str(file)], "extraPaths": [str(ROOT)]}
    (folder / "pyrightconfig.json").write_text(json.dumps(settings), encoding="utf-8")
    module = "basedpyright" if importlib.util.find_spec("basedpyright") else "pyright"
    command = [sys.executable, "-m", f"{module}.cli" if module == "pyright" else module]
    done = subprocess.run(
        [*command, "-p", str(folder), "--outputjson", "--pythonpath", sys.executable],
        capture_output=True,
        text=True,
        check=False,
    )
    found = json.loads(done.stdout)
    assert found["summary"]["filesAnalyzed"] == 1, done.stdout
    return [f"{d['severity']}: {d['message']}" for d in found["generalDiagnostics"]]


def mypy(file: Path) -> list[str]:
    """What mypy says with the project's strict rules, and the cache of ``make check``."""
    command = [sys.executable, "-m", "mypy", "--no-error-summary", str(file)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    return done.stdout.splitlines()


def test_a_caller(tmp_path: Path) -> None:
    """By pyright where it is installed (with its Node it is too large for every developer), else by mypy."""
    check: Callable[[Path], list[str]]
    if importlib.util.find_spec("basedpyright") or importlib.util.find_spec("pyright"):
        check = partial(pyright, folder=tmp_path)
    elif importlib.util.find_spec("mypy"):
        check = mypy
    else:
        pytest.skip("no type checker is installed")
    assert check(CALLER) == []
    wrong = tmp_path / "wrong.py"
    wrong.write_text(WRONG, encoding="utf-8")
    found = "\n".join(check(wrong))
    assert "sede" in found and "fps" in found
