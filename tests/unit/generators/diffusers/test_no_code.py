"""Model folders that carry code: refused before diffusers looks at them, and nothing in them is run."""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from safegen.errors import GenerationFailed
from safegen.generators.diffusers.no_code import refuse_code
from safegen.generators.registry import find_generator
from safegen.protocols import NoProgress
from safegen.types import Request

TRAP = "import pathlib; pathlib.Path(__file__).with_name('ran').touch()\n"


@pytest.fixture
def folder(pipeline_folder: Any, tmp_path: Path) -> Path:
    return Path(shutil.copytree(pipeline_folder("wan"), tmp_path / "model"))


def change(file: Path, **more: object) -> None:
    file.write_text(json.dumps({**json.loads(file.read_text()), **more}))


def own_module(folder: Path) -> None:
    (folder / "trap_module.py").write_text(TRAP)
    change(folder / "model_index.json", transformer=["trap_module", "Model"])


def named_module(folder: Path) -> None:
    change(folder / "model_index.json", transformer=["antigravity", "Model"])


def modular(folder: Path) -> None:
    text = json.dumps({"_class_name": "ModularPipeline", "transformer": ["trap_module", "Model", {}]})
    (folder / "modular_model_index.json").write_text(text)


def pickled(folder: Path) -> None:
    for file in (folder / "vae").glob("*.safetensors"):
        file.rename(file.with_suffix(".bin"))


CARRIERS: dict[str, Callable[[Path], None]] = {
    "a module beside the index": own_module,
    "a module of this machine": named_module,
    "pipeline.py": lambda f: (f / "pipeline.py").write_text(TRAP) and None,
    "code in a part": lambda f: (f / "transformer" / "my_transformer.py").write_text(TRAP) and None,
    "modular_model_index.json": modular,
    "a class of its own": lambda f: change(f / "model_index.json", _class_name=["pipeline", "Mine"]),
    "auto_map behind much else": lambda f: change(
        f / "text_encoder" / "config.json", padding="x" * (5 << 20), auto_map={"AutoModel": "m.M"}
    ),
    "custom_pipeline": lambda f: change(f / "model_index.json", custom_pipeline="mine"),
    "auto_map of a model": lambda f: change(
        f / "text_encoder" / "config.json", auto_map={"AutoModel": "m.M"}
    ),
    "auto_map, deep": lambda f: change(f / "vae" / "config.json", inner=[{"auto_map": {"AutoModel": "m.M"}}]),
    "pickles": pickled,
}


@pytest.mark.parametrize("carrier", CARRIERS.values(), ids=CARRIERS)
def test_a_folder_with_code_is_refused_before_it_is_loaded(
    folder: Path, carrier: Callable[[Path], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    carrier(folder)
    monkeypatch.syspath_prepend(str(folder))
    loaded = "antigravity" in sys.modules
    with pytest.raises(GenerationFailed) as refused:
        find_generator(str(folder)).generate(Request("a cat", model=str(folder)), progress=NoProgress())
    assert "never" in refused.value.hint
    assert not list(folder.rglob("ran")), "its code was run"
    assert ("antigravity" in sys.modules) is loaded


def test_a_plain_folder_passes(folder: Path) -> None:
    refuse_code(folder, "model")
