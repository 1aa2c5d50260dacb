"""``py.typed`` holds: a caller is checked strictly against the public names, and finds no Any."""

from __future__ import annotations

import importlib.util
import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
CALLER = ROOT / "tests" / "data" / "typed_caller.py"
WRONG = CALLER.read_text(encoding="utf-8").replace("seed=7", 'sede="7"').replace("fps=12", 'fps="12"')


def mypy(file: Path, tmp_path: Path) -> subprocess.CompletedProcess[str]:
    """Check *file* as a program outside safegen."""
    rules = ["--strict", "--disallow-any-expr", "--follow-imports=silent", "--config-file="]
    cache = ["--cache-dir", str(tmp_path / "cache")]
    command = [sys.executable, "-m", "mypy", *rules, *cache, str(file)]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)


@pytest.mark.skipif(importlib.util.find_spec("mypy") is None, reason="mypy is not installed")
def test_a_caller_under_mypy(tmp_path: Path) -> None:
    done = mypy(CALLER, tmp_path)
    assert done.returncode == 0, done.stdout
    wrong = tmp_path / "wrong.py"
    wrong.write_text(WRONG, encoding="utf-8")
    done = mypy(wrong, tmp_path)
    assert "sede" in done.stdout and '"fps"' in done.stdout, done.stdout


def pyright(file: Path, tmp_path: Path) -> list[str]:
    """What pyright says in its strict mode."""
    settings = {"typeCheckingMode": "strict", "include": [str(file)], "extraPaths": [str(ROOT)]}
    (tmp_path / "pyrightconfig.json").write_text(json.dumps(settings), encoding="utf-8")
    module = "basedpyright" if importlib.util.find_spec("basedpyright") else "pyright"
    command = [sys.executable, "-m", f"{module}.cli" if module == "pyright" else module]
    done = subprocess.run(
        [*command, "-p", str(tmp_path), "--outputjson", "--pythonpath", sys.executable],
        capture_output=True,
        text=True,
        check=False,
    )
    found = json.loads(done.stdout)
    assert found["summary"]["filesAnalyzed"] == 1, done.stdout
    return [f"{d['severity']}: {d['message']}" for d in found["generalDiagnostics"]]


@pytest.mark.skipif(
    not (importlib.util.find_spec("basedpyright") or importlib.util.find_spec("pyright")),
    reason="neither basedpyright nor pyright is installed (with Node they are too large for everybody)",
)
def test_a_caller_under_pyright(tmp_path: Path) -> None:
    assert pyright(CALLER, tmp_path) == []
    wrong = tmp_path / "wrong.py"
    wrong.write_text(WRONG, encoding="utf-8")
    found = "\n".join(pyright(wrong, tmp_path))
    assert "sede" in found and "fps" in found
