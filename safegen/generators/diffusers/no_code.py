"""A folder with a model is looked at before diffusers is: it must hold configurations and weights, no code.

diffusers and transformers run a folder's code only when they are told to, and they are not. This is the
second lock: what could be taken for code by some version of either is refused before it is shown to them.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from safegen.errors import GenerationFailed
from safegen.generators.diffusers.repository import PICKLES, component_folders
from safegen.generators.hub.listing import INDEX

_CODE = frozenset({".py", ".pyc", ".pyd", ".so", ".dll", ".dylib"})
_CODE_KEYS = frozenset({"auto_map", "custom_pipeline", "custom_pipelines", "_module"})
"""Entries of a configuration that name a module to be imported."""
_MODULAR = "modular_model_index.json"
_MOST_JSON = 4 * 2**20
_MOST_FILES = 10_000


def refuse_code(folder: Path, name: str) -> None:
    """Raise GenerationFailed when the pipeline in *folder*, called *name*, carries or needs code of its own.

    Also for parts whose weights are there as pickles only, which can run code.
    """
    index = _read(folder / INDEX)
    if not isinstance(index, dict) or not isinstance(index.get("_class_name", ""), str):
        raise _refused(name, f"{INDEX} names a class of its own")
    parts = component_folders(name, index)
    for path in _files(folder, parts):
        if path.suffix.lower() in _CODE:
            raise _refused(name, f"it contains {path.relative_to(folder)}")
        if path.name == _MODULAR:
            raise _refused(name, f"it contains {_MODULAR}, which names modules to be imported")
        if path.name.endswith("config.json") or path.name == INDEX:
            if path.stat().st_size > _MOST_JSON:
                raise _refused(name, f"{path.relative_to(folder)} is too large to be examined")
            found = _code_key(_read(path))
            if found is not None:
                raise _refused(name, f"{path.relative_to(folder)} says {found!r}")
    for part in parts:
        kinds = {p.suffix.lower() for p in _files(folder / part, ())}
        if kinds & PICKLES and ".safetensors" not in kinds:
            raise GenerationFailed(
                f"{name} has no safetensors in {part}/",
                hint="choose another model: pickles can run code and are never loaded",
            )


def _refused(name: str, why: str) -> GenerationFailed:
    return GenerationFailed(
        f"{name} needs or carries code from its repository: {why}",
        hint="code that comes with a model is never run: choose another model, or remove what is not needed",
    )


def _files(folder: Path, parts: list[str] | tuple[str, ...]) -> Iterator[Path]:
    """Files in *folder* and in its *parts*, where loading looks."""
    for place in (folder, *(folder / part for part in parts)):
        if not place.is_dir():
            continue
        for count, path in enumerate(place.iterdir()):
            if count >= _MOST_FILES:
                raise GenerationFailed(f"{place.name} has more than {_MOST_FILES} files")
            if not path.is_dir():
                yield path


def _read(path: Path) -> Any:
    """The JSON in a file; None where there is none. What cannot be read is not loaded either."""
    try:
        if path.stat().st_size > _MOST_JSON:
            return None
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return None


def _code_key(value: Any, depth: int = 0) -> str | None:
    """The first entry, at any depth, that names a module."""
    if depth > 50:
        return "too many levels"
    if isinstance(value, Mapping):
        for key, inner in value.items():
            if key in _CODE_KEYS and inner:
                return str(key)
            if (found := _code_key(inner, depth + 1)) is not None:
                return found
    elif isinstance(value, list):
        for inner in value:
            if (found := _code_key(inner, depth + 1)) is not None:
                return found
    return None
