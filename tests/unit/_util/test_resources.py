"""Data that comes with the package, and a checkout in which the links to the folders were not made."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from safegen._util.resources import data_path


@pytest.mark.parametrize(
    "parts",
    [
        ("models", "tiny", "model_index.json"),
        ("models", "guard", "weights.npz"),
        ("policies", "packs", "default.yaml"),
        ("policies", "lists", "violence.yaml"),
        ("templates", "packs", "birthday.yaml"),
    ],
)
def test_data_is_found(parts: tuple[str, ...]) -> None:
    assert data_path(*parts).is_file()


def test_a_checkout_without_links_says_so_in_one_line(root: Path, tmp_path: Path) -> None:
    """Git without symbolic links writes a link as a text file that holds its target."""
    package = tmp_path / "safegen"
    package.mkdir()
    for name in ("__init__.py", "_version.py"):
        (package / name).write_bytes((root / "safegen" / name).read_bytes())
    for name in ("cli", "detectors", "policies"):
        (package / name).write_text(f"../{name}")
    done = subprocess.run(
        [sys.executable, "-c", "import safegen"], cwd=tmp_path, capture_output=True, text=True
    )
    assert done.returncode == 1
    assert done.stderr.strip().splitlines()[-1].startswith("ImportError: the links in safegen/ were not made")
