"""The Hugging Face library, its hub, and its cache, in which models lie: where each is."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from safegen.errors import MissingExtra


def hub_library() -> Any:
    """The ``huggingface_hub`` package. Raises MissingExtra."""
    try:
        import huggingface_hub
        import huggingface_hub.constants
        import huggingface_hub.errors
        import huggingface_hub.file_download
    except ImportError as error:
        raise MissingExtra(
            "models from a hub need huggingface_hub", hint='pip install "safegen[video]"'
        ) from error
    return huggingface_hub


def hub_endpoint() -> str:
    """Address of the hub: ``HF_ENDPOINT``, else the library's."""
    return str(
        os.environ.get("HF_ENDPOINT") or hub_library().constants.ENDPOINT or "https://huggingface.co"
    ).rstrip("/")


def hub_cache() -> Path:
    """The Hugging Face cache: ``HF_HUB_CACHE``, ``HF_HOME``, else the library's."""
    if named := os.environ.get("HF_HUB_CACHE"):
        return Path(named).expanduser()
    if home := os.environ.get("HF_HOME"):
        return Path(home).expanduser() / "hub"
    return Path(hub_library().constants.HF_HUB_CACHE)


def is_offline() -> bool:
    """Whether ``HF_HUB_OFFLINE`` forbids going out."""
    named = os.environ.get("HF_HUB_OFFLINE") or os.environ.get("TRANSFORMERS_OFFLINE") or ""
    return named.upper() in {"1", "TRUE", "YES", "ON"}


def repository_folder(source: str) -> Path:
    """A model's folder in the cache."""
    return hub_cache() / f"models--{source.replace('/', '--')}"


def snapshot_folder(source: str, commit: str) -> Path:
    """Folder of a model's files at one commit, in the cache. It need not exist."""
    return repository_folder(source) / "snapshots" / commit
