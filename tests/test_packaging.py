"""Wheel, sdist -> wheel and editable install hold the same package; the core works without torch."""

from __future__ import annotations

import os
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

from tests.support.once import once

ROOT = Path(__file__).resolve().parent.parent
MUST = [
    "safegen/__init__.py",
    "safegen/py.typed",
    "safegen/cli/__init__.py",
    "safegen/cli/verify.py",
    "safegen/detectors/prompt/normalise.py",
    "safegen/policies/packs/default.yaml",
    "safegen/models/guard/weights.npz",
    "safegen/models/encoder/heads.npz",
    "safegen/models/encoder/card.json",
    "safegen/templates/packs/birthday.yaml",
    "safegen/models/tiny/model_index.json",
    "safegen/keys/c2pa/C2PA-TRUST-LIST.pem",
    "safegen/keys/c2pa/C2PA-TSA-TRUST-LIST.pem",
    "safegen/keys/c2pa/README.md",
]


@pytest.fixture(scope="module")
def wheels(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """A wheel from the tree and one from the sdist of the tree."""

    def build(out: Path) -> None:
        command = [sys.executable, "-m", "build", "--no-isolation", "-o"]
        subprocess.run([*command, str(out / "direct"), "--wheel", str(ROOT)], check=True, capture_output=True)
        subprocess.run([*command, str(out / "via"), str(ROOT)], check=True, capture_output=True)

    out = once(tmp_path_factory, "dist", build)
    return {name: next((out / name).glob("*.whl")) for name in ("direct", "via")}


def names(wheel: Path) -> set[str]:
    with zipfile.ZipFile(wheel) as archive:
        return {n for n in archive.namelist() if ".dist-info/" not in n}


def test_wheel_is_whole_and_holds_nothing_else(wheels: dict[str, Path]) -> None:
    found = names(wheels["direct"])
    assert set(MUST) <= found
    assert {n.split("/")[0] for n in found} == {"safegen"}


def test_wheel_from_the_sdist_is_the_same(wheels: dict[str, Path]) -> None:
    assert names(wheels["via"]) == names(wheels["direct"])


def test_notice_and_licence_come_along(wheels: dict[str, Path]) -> None:
    """The C2PA's lists are under CC BY 4.0: who made them and on which terms goes wherever they go."""
    for wheel in wheels.values():
        with zipfile.ZipFile(wheel) as archive:
            found = {Path(n).name: n for n in archive.namelist() if ".dist-info/licenses/" in n}
            assert set(found) == {"LICENSE", "NOTICE"}
            notice = archive.read(found["NOTICE"]).decode()
    assert "C2PA" in notice and "creativecommons.org/licenses/by/4.0" in notice
    with tarfile.open(next(wheels["via"].parent.glob("*.tar.gz"))) as archive:
        names = {n.partition("/")[2] for n in archive.getnames()}
    assert {"NOTICE", "LICENSE", *MUST[-3:]} <= names


def test_wheel_runs_without_the_checkout(wheels: dict[str, Path], tmp_path: Path) -> None:
    """Unpacked elsewhere, with the checkout off the path: the same commands work."""
    with zipfile.ZipFile(wheels["via"]) as archive:
        archive.extractall(tmp_path / "site")
    done = _core("screen", "a red ball over green grass", site=tmp_path / "site", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "ALLOWED" in done.stdout


def test_bare_folders_are_not_importable_from_the_wheel(wheels: dict[str, Path]) -> None:
    assert not {n.split("/")[0] for n in names(wheels["direct"])} & {"cli", "detectors", "policies"}


_BLOCK = """
import sys
class Absent:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in {"torch", "diffusers", "transformers", "accelerate"}:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)
sys.meta_path.insert(0, Absent())
SITE
from safegen.cli import main
main()
"""


def _core(*arguments: str, site: Path | None = None, cwd: Path) -> subprocess.CompletedProcess[str]:
    """The command line in a process where torch and its kin cannot be imported."""
    first = f"sys.path.insert(0, {str(site)!r})" if site else ""
    env = {**os.environ, "SAFEGEN_WORKSPACE": str(cwd / "workspace"), "NO_COLOR": "1"}
    return subprocess.run(
        [sys.executable, "-P", "-c", _BLOCK.replace("SITE", first), *arguments],
        capture_output=True,
        text=True,
        cwd=cwd,
        env=env,
        timeout=600,
    )


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["--help"], 0),
        (["screen", "a red ball over green grass"], 0),
        (["keys", "init"], 0),
        (["policy", "list"], 0),
        (["policy", "show", "strict"], 0),
        (["trust", "list"], 0),
        (["log", "list"], 2),
        (["doctor"], 0),
        (["models", "list"], 0),
        (["generate", "a red ball over green grass"], 5),
    ],
    ids=lambda value: "-".join(value) if isinstance(value, list) else str(value),
)
def test_core_works_without_torch(tmp_path: Path, arguments: list[str], code: int) -> None:
    done = _core(*arguments, cwd=tmp_path)
    assert done.returncode == code, done.stderr
    assert "Traceback" not in done.stderr
    if code == 5:
        assert 'pip install "safegen[video]"' in done.stderr
        assert not list(tmp_path.glob("*.mp4"))


def test_core_verifies_without_torch(tmp_path: Path, shared: Path) -> None:
    done = _core("verify", str(shared / "data/c2pa/rs_video1.mp4"), cwd=tmp_path)
    assert done.returncode == 11, done.stdout + done.stderr


@pytest.mark.parametrize(
    "arguments", [["--help"], ["verify", "FILE"], ["screen", "a red ball over green grass"]]
)
def test_commands_never_import_torch(tmp_path: Path, shared: Path, arguments: list[str]) -> None:
    file = str(shared / "data/c2pa/py_cloud.jpg")
    arguments = [file if a == "FILE" else a for a in arguments]
    code = (
        "import sys\ntry:\n    from safegen.cli import main; main()\nexcept SystemExit: pass\n"
        "loaded = {m.split('.')[0] for m in sys.modules}\n"
        "print('HEAVY', sorted(loaded & {'torch', 'diffusers', 'transformers'}))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, *arguments],
        capture_output=True,
        text=True,
        env={**os.environ, "SAFEGEN_WORKSPACE": str(tmp_path)},
        timeout=600,
    )
    assert "HEAVY []" in done.stdout, done.stderr


def test_help_is_fast() -> None:
    """``safegen --help`` within 1.5x of importing click; 2x here. Processor time, the best of each: other
    work on the machine lengthens neither.
    """

    resource = pytest.importorskip("resource", reason="processor time of children is POSIX")

    def used() -> float:
        found = resource.getrusage(resource.RUSAGE_CHILDREN)
        return float(found.ru_utime + found.ru_stime)

    def spent(*command: str) -> float:
        before = used()
        subprocess.run([sys.executable, *command], check=True, capture_output=True)
        return used() - before

    ours, click = [], []
    for _ in range(9):
        click.append(spent("-c", "import click"))
        ours.append(
            spent("-c", "import sys; sys.argv = ['safegen', '--help']; from safegen.cli import main; main()")
        )
    assert min(ours) <= 2 * min(click)
