"""``make test-matrix``: a part of the tests on each Python there is, with lowest and newest dependencies.

Environments are made in ``out/matrix`` and kept for the next time. "Lowest" pins every dependency in
pyproject.toml to the lowest version that is declared and exists as a wheel for that Python.
"""

from __future__ import annotations

import argparse
import re
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterator, Sequence
from pathlib import Path

from safegen._util.versions import bounds, numbers

ROOT = Path(__file__).resolve().parent.parent.parent
PLACE = ROOT / "out" / "matrix"
PYTHONS = ("3.11", "3.12", "3.13")
KINDS = ("lowest", "newest")
WHEELS = ("--only-binary", ":all:")
BESIDE = ("pytest>=8.3", "hypothesis>=6.100", "jsonschema>=4.20", "Pillow>=10")
"""What the tests themselves need."""
SMOKE = (
    "tests/unit/media",
    "tests/unit/test_doctor.py",
    "tests/unit/_util",
    "tests/unit/keys",
    "tests/unit/ledger",
    "tests/e2e/test_protect_kinds.py",
    "tests/e2e/test_ordinary_files.py",
)
_MOST_TRIES = 12


def interpreter(version: str) -> Path | None:
    """A Python of that version: on the path, or where pyenv keeps them. ``None`` where there is none."""
    named = shutil.which(f"python{version}")
    kept = sorted((Path.home() / ".pyenv" / "versions").glob(f"{version}.*/bin/python"))
    for found in (*([Path(named)] if named else []), *kept):
        said = subprocess.run([found, "-V"], capture_output=True, text=True, check=False)
        if said.returncode == 0 and said.stdout.startswith(f"Python {version}."):
            return found
    return None


def dependencies() -> Iterator[str]:
    """The requirements of the core, as pyproject.toml has them."""
    yield from tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["dependencies"]


def name_of(requirement: str) -> str:
    """The package in a requirement."""
    return re.split(r"[<>=!~;\[ ]", requirement, maxsplit=1)[0]


def lowest(python: Path, requirement: str) -> str:
    """``name==version``: the lowest that is declared and has a wheel for *python*. Raises LookupError."""
    name, (low, high) = name_of(requirement), bounds(requirement)
    if _fits(python, f"{name}=={low}"):
        return f"{name}=={low}"
    said = subprocess.run(
        [python, "-m", "pip", "index", "versions", name], capture_output=True, text=True, check=False
    ).stdout
    listed = re.search(r"Available versions: (.*)", said)
    versions = sorted(listed[1].split(", "), key=numbers) if listed else []
    meant = [v for v in versions if numbers(v) >= numbers(low) and not (high and numbers(v) >= numbers(high))]
    for version in meant[:_MOST_TRIES]:
        if _fits(python, f"{name}=={version}"):
            return f"{name}=={version}"
    raise LookupError(f"no wheel of {requirement} for this Python")


def _fits(python: Path, pinned: str) -> bool:
    command = [python, "-m", "pip", "install", "-q", "--dry-run", "--no-deps", "--ignore-installed", *WHEELS]
    return subprocess.run([*command, pinned], capture_output=True, check=False).returncode == 0


def prepare(version: str, kind: str) -> Path:
    """The environment's Python, with everything installed. Raises LookupError, CalledProcessError."""
    base = interpreter(version)
    if base is None:
        raise LookupError("no such Python here")
    folder = PLACE / f"{version}-{kind}"
    python = folder / ("Scripts/python.exe" if sys.platform == "win32" else "bin/python")
    if not python.exists():
        subprocess.run([base, "-m", "venv", folder], check=True)
    constraints = folder / "constraints.txt"
    pins = [lowest(python, d) for d in dependencies()] if kind == "lowest" else []
    constraints.write_text("\n".join(pins) + "\n")
    upgrade = ["--upgrade", "--upgrade-strategy", "eager"] if kind == "newest" else []
    subprocess.run(
        [python, "-m", "pip", "install", "-q", *upgrade, *WHEELS, "-c", constraints, "-e", ROOT, *BESIDE],
        check=True,
    )
    return python


def try_out(version: str, kind: str, tests: Sequence[str]) -> tuple[str, str]:
    """(outcome, versions) of one environment."""
    try:
        python = prepare(version, kind)
    except LookupError as error:
        return "not tried", str(error)
    except subprocess.CalledProcessError:
        return "NOT INSTALLED", "pip says why, above"
    command = [python, "-m", "pytest", *tests, "-m", "not slow and not gpu", "-q", "-p", "no:cacheprovider"]
    done = subprocess.run(command, cwd=ROOT, check=False)
    return ("passed" if done.returncode == 0 else "FAILED"), _installed(python)


def _installed(python: Path) -> str:
    """The versions of the core's dependencies."""
    names = [name_of(d) for d in dependencies()]
    code = "import sys; from importlib.metadata import version as of\n"
    code += "print(*(f'{n} {of(n)}' for n in sys.argv[1:]), sep=', ')"
    return subprocess.run(
        [python, "-c", code, *names], capture_output=True, text=True, check=False
    ).stdout.strip()


def main(arguments: Sequence[str]) -> int:
    """Try what is asked for; 1 where something failed."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--python", action="append", choices=PYTHONS, help="only this one (repeatable)")
    parser.add_argument("--kind", action="append", choices=KINDS, help="only these dependencies (repeatable)")
    parser.add_argument("tests", nargs="*", default=list(SMOKE), help="other tests than the usual ones")
    asked = parser.parse_args(arguments)
    rows = []
    for version in asked.python or PYTHONS:
        for kind in asked.kind or KINDS:
            print(f"== Python {version}, {kind} dependencies", flush=True)
            rows.append((version, kind, *try_out(version, kind, asked.tests)))
    print("\n| Python | dependencies | outcome | versions |\n|---|---|---|---|")
    for row in rows:
        print("| " + " | ".join(row) + " |")
    return int(any(outcome.isupper() for _, _, outcome, _ in rows))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
