"""Whether a repository is a pipeline that safegen can run, and which of its files loading reads."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from safegen.errors import GenerationFailed, MissingExtra
from safegen.generators.diffusers import introspection
from safegen.generators.diffusers.families import family_of
from safegen.generators.diffusers.model_config import PipelineConfig
from safegen.generators.hub.listing import INDEX
from safegen.generators.hub.lockfile import is_loadable_file

PICKLES = frozenset({".bin", ".pt", ".pth", ".ckpt", ".msgpack", ".h5", ".onnx"})
_LIBRARIES = frozenset({"diffusers", "transformers"})


def select_files(source: str, paths: Mapping[str, Any], index: Mapping[str, Any]) -> list[str]:
    """Paths that loading the pipeline of *index* reads, sorted: configurations, tokenizers, safetensors.

    Variants (``*.fp16.safetensors``), pickles and single-file checkpoints are left out. Raises
    GenerationFailed when a component's weights are there as pickles only.
    """
    selected = {INDEX}
    for component in component_folders(source, index):
        inside = [p for p in paths if p.startswith(f"{component}/") and p.count("/") == 1]
        loadable = {p for p in inside if is_loadable_file(p.split("/")[1])}
        weights = {p for p in loadable if p.endswith(".safetensors")}
        if not weights and any(Path(p).suffix in PICKLES for p in inside):
            raise GenerationFailed(
                f"{source} has no safetensors in {component}/",
                hint="choose another model: pickles can run code and are never loaded",
            )
        if not weights and any(p.endswith(".safetensors") for p in inside):
            raise GenerationFailed(f"{source} has only variant weights in {component}/")
        selected |= loadable
    return sorted(selected)


def component_folders(source: str, index: Mapping[str, Any]) -> list[str]:
    """Folders of a pipeline's parts. Raises GenerationFailed when one needs code of the repository."""
    found = []
    for name, value in index.items():
        if name.startswith("_") or not (isinstance(value, list) and len(value) == 2) or value[0] is None:
            continue
        if not re.fullmatch(r"\w+", name):
            raise GenerationFailed(f"{source} names a part {name!r} in {INDEX}")
        if value[0] not in _LIBRARIES and not _known_module(str(value[0])):
            raise GenerationFailed(
                f"{source} needs code from its repository ({name})",
                hint="choose another model: code from a repository is never run",
            )
        found.append(name)
    return found


def check_pipeline_class(source: str, index: Mapping[str, Any]) -> str:
    """Name of the pipeline's class. Raises GenerationFailed unless it is diffusers' own and makes video."""
    name = index.get("_class_name")
    if not isinstance(name, str):
        raise GenerationFailed(
            f"{source} needs code from its repository",
            hint="choose another model: code from a repository is never run",
        )
    _pipelines()
    source_of = introspection.class_source(name)
    if source_of is None:
        raise GenerationFailed(f"the installed diffusers has no {name}", hint="pip install -U diffusers")
    # A video pipeline hands its frames to a VideoProcessor that its constructor keeps under this name.
    if "self.video_processor" not in source_of:
        raise GenerationFailed(
            f"{source} is a {name}, which does not make video", hint="choose a video pipeline"
        )
    if not family_of(PipelineConfig(name)).modes(PipelineConfig(name)):
        raise GenerationFailed(
            f"{source} is a {name}, which needs more than words, pictures or a clip",
            hint="choose another model: safegen cannot supply masks, controls or another stage's output",
        )
    return name


def _known_module(name: str) -> bool:
    """Whether diffusers itself has a pipeline folder of that name (some parts live there)."""
    return bool(re.fullmatch(r"\w+", name)) and (_pipelines() / name).is_dir()


def _pipelines() -> Path:
    """Folder of the installed diffusers' pipelines. Raises MissingExtra."""
    found = introspection.pipelines_folder()
    if found is None:
        raise MissingExtra("models from a hub need diffusers", hint='pip install "safegen[video]"')
    return found
