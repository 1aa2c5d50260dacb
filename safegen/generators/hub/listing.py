"""What the hub says about a model."""

from __future__ import annotations

import tempfile
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from safegen.errors import GenerationFailed, UsageError
from safegen.generators.hub.cache import hub_endpoint, hub_library
from safegen.generators.hub.errors import translating_errors

INDEX = "model_index.json"
"""The file that makes a folder or a repository a diffusers pipeline: the table of its parts."""


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
    """A model at one commit, as the hub describes it: its files, and its pipeline's table of parts."""

    source: str
    commit: str
    licence: str
    licence_link: str
    gated: str
    index: Mapping[str, Any]
    files: tuple[HubFile, ...]

    @property
    def pipeline(self) -> str:
        """Name of the pipeline's class."""
        return str(self.index.get("_class_name", ""))

    @property
    def bytes(self) -> int:
        """Size of the files."""
        return sum(file.size for file in self.files)

    def only(self, paths: Collection[str]) -> ModelListing:
        """The same with the files at *paths* alone."""
        return replace(self, files=tuple(file for file in self.files if file.path in paths))


def fetch_listing(source: str, revision: str) -> ModelListing:
    """Ask the hub about *source* at *revision*; nothing is kept on disk.

    Raises UsageError for an unknown id or revision, GenerationFailed when the hub cannot be asked or the
    repository is no diffusers pipeline.
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
    card = info.card_data.to_dict() if info.card_data else {}
    licence = str(card.get("license_name") or card.get("license") or "")
    return ModelListing(
        source,
        str(info.sha),
        licence,
        str(card.get("license_link") or ""),
        str(info.gated or ""),
        index,
        tuple(listed[path] for path in sorted(listed)),
    )


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
