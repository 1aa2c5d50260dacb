"""From what a user wrote after --model to a generator."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from safegen.errors import UsageError
from safegen.generators.diffusers.generator import DiffusersGenerator
from safegen.generators.presets import PRESETS
from safegen.generators.registry import find_generator
from safegen.generators.tiny.generator import TinyGenerator


def test_embedded() -> None:
    assert isinstance(find_generator("tiny"), TinyGenerator)


@pytest.mark.parametrize("name", sorted(PRESETS))
def test_presets(name: str) -> None:
    generator = find_generator(name)
    assert isinstance(generator, DiffusersGenerator)
    preset = generator.preset
    assert preset.frames is not None and preset.frames % preset.frame_step == 1
    assert preset.licence


def test_hub_id_with_revision() -> None:
    generator = find_generator("someone/some-model@v1.0")
    assert isinstance(generator, DiffusersGenerator)
    assert (generator.preset.source, generator.preset.revision) == ("someone/some-model", "v1.0")


def test_local_folder(tmp_path: Path) -> None:
    (tmp_path / "model_index.json").write_text("{}")
    assert find_generator(str(tmp_path)).name == str(tmp_path)


@pytest.mark.parametrize("name", ["nonsense", "a/b/c/d", "../up", "present", "weights", "", "http://x/y z"])
def test_anything_else_is_a_usage_error(name: str) -> None:
    with pytest.raises(UsageError) as error:
        find_generator(name)
    assert "tiny" in error.value.hint


def test_a_folder_without_pipeline(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="not a diffusers pipeline"):
        find_generator(str(tmp_path))


def test_finding_does_not_import_torch() -> None:
    code = (
        "import sys; from safegen.generators.registry import find_generator; "
        "find_generator('tiny'); print('torch' in sys.modules)"
    )
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert out.stdout.strip() == "False"
