"""Data that comes with the package: weights, lists, packs, suites."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path

from safegen.errors import UsageError


def data_path(*parts: str) -> Path:
    """Path of a file or folder in the package: ``data_path("models", "tiny")``. It may be absent.

    Raises UsageError where the package is no folder (imported from an archive).
    """
    found = files("safegen").joinpath(*parts)
    if not isinstance(found, Path):
        raise UsageError("safegen cannot run from an archive", hint="install it: pip install safegen")
    return found
