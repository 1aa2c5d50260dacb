"""What the hub says about a model, and which of its files loading needs."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from safegen.errors import GenerationFailed, MissingExtra, UsageError
from safegen.generators.diffusers import introspection
from safegen.generators.diffusers.families import family_of
from safegen.generators.diffusers.model_config import PipelineConfig
from safegen.generators.hub.errors import hub_endpoint, hub_library, translating_errors

INDEX = "model_index.json"
_SMALL = frozenset({".json", ".txt", ".model", ".jinja"})
_PICKLES = frozenset({".bin", ".pt", ".pth", ".ckpt", ".msgpack", ".h5", ".onnx"})
_PLAIN_WEIGHTS = re.compile(r"[A-Za-z0-9_]+(-\d{5}-of-\d{5})?\.safetensors")
_VARIANT_INDEX = re.compile(r"[A-Za-z0-9_]+\.(safetensors|bin)\.index\.[^.]+\.json|.*\.bin\.index\.json")
_LIBRARIES = frozenset({"diffusers", "transformers"})


@dataclass(frozen=True)
class HubFile:
    """A file as the hub lists it: bytes, its name in the cache (``etag``) and what its content must hash to.

    ``sha256`` (hex) is given for files in LFS; the others have ``etag``, a git blob id, as their hash.
    """

    path: str
    size: int
    etag: str
    sha256: str | None


@dataclass(frozen=True)
class ModelListing:
    """A model at one commit, as the hub describes it."""

    source: str
    commit: str
    licence: str
    licence_link: str
    gated: str
    pipeline: str
    files: tuple[HubFile, ...]

    @property
    def bytes(self) -> int:
        """Size of the files that would be fetched."""
        return sum(file.size for file in self.files)


def fetch_listing(source: str, revision: str) -> ModelListing:
    """Ask the hub about *source* at *revision*; nothing is kept on disk.

    Raises UsageError for an unknown id or revision, GenerationFailed when the hub cannot be asked, when the
    repository is no diffusers video pipeline, has no safetensors or needs code of its own.
    """
    with translating_errors(source, revision):
        api = hub_library().HfApi(endpoint=hub_endpoint(), library_name="safegen")
        info = api.model_info(source, revision=revision, files_metadata=True, timeout=30)
        listed = {item.path: item for item in map(_listed, info.siblings or [])}
    if INDEX not in listed:
        raise GenerationFailed(
            f"{source} is not a diffusers pipeline: it has no {INDEX}",
            hint="use a repository in diffusers format; its name often ends in -Diffusers",
        )
    index = _index(source, str(info.sha))
    pipeline = check_pipeline_class(source, index)
    files = tuple(listed[path] for path in select_files(source, listed, index))
    card = info.card_data.to_dict() if info.card_data else {}
    licence = str(card.get("license_name") or card.get("license") or "")
    return ModelListing(
        source,
        str(info.sha),
        licence,
        str(card.get("license_link") or ""),
        str(info.gated or ""),
        pipeline,
        files,
    )


def select_files(source: str, paths: Mapping[str, Any], index: Mapping[str, Any]) -> list[str]:
    """Paths that loading the pipeline of *index* reads, sorted: configurations, tokenizers, safetensors.

    Variants (``*.fp16.safetensors``), pickles and single-file checkpoints are left out. Raises
    GenerationFailed when a component's weights are there as pickles only.
    """
    chosen = {INDEX}
    for component in component_folders(source, index):
        inside = [p for p in paths if p.startswith(f"{component}/") and p.count("/") == 1]
        here = {p for p in inside if is_loadable_file(p.split("/")[1])}
        weights = {p for p in here if p.endswith(".safetensors")}
        if not weights and any(Path(p).suffix in _PICKLES for p in inside):
            raise GenerationFailed(
                f"{source} has no safetensors in {component}/",
                hint="choose another model: pickles can run code and are never loaded",
            )
        if not weights and any(p.endswith(".safetensors") for p in inside):
            raise GenerationFailed(f"{source} has only variant weights in {component}/")
        chosen |= here
    return sorted(chosen)


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


def is_loadable_file(name: str) -> bool:
    """Whether loading reads a file of that name."""
    if name.endswith(".safetensors"):
        return _PLAIN_WEIGHTS.fullmatch(name) is not None
    return Path(name).suffix in _SMALL and _VARIANT_INDEX.fullmatch(name) is None


def _index(source: str, commit: str) -> Mapping[str, Any]:
    """The pipeline's table of parts, read from the hub without keeping it."""
    import json

    with tempfile.TemporaryDirectory(prefix="safegen-") as folder, translating_errors(source, commit):
        file = hub_library().hf_hub_download(
            source, INDEX, revision=commit, local_dir=folder, endpoint=hub_endpoint(), library_name="safegen"
        )
        data = json.loads(Path(file).read_text(encoding="utf-8"))
    if not isinstance(data, dict):
        raise GenerationFailed(f"the {INDEX} of {source} does not list the pipeline's parts")
    return data


def _listed(sibling: Any) -> HubFile:
    """A file of the hub's answer. Paths that point elsewhere are refused."""
    path = str(sibling.rfilename)
    if path.startswith("/") or "\\" in path or ".." in path.split("/"):
        raise UsageError(f"the hub lists a file outside the model: {path!r}")
    if sibling.lfs is not None:
        return HubFile(path, int(sibling.lfs["size"]), str(sibling.lfs["sha256"]), str(sibling.lfs["sha256"]))
    return HubFile(path, int(sibling.size), str(sibling.blob_id), None)
