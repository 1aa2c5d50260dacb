"""safegen: generate video you can prove.

``safegen.screen``, ``safegen.verify``, ``safegen.protect`` and the ways of making a clip (``generate``,
``remix``, ``extend``, ``loop``, ``blend``, ``storyboard``) are the Python API; they are imported on first
use, so ``import safegen`` costs nothing.
"""

from __future__ import annotations

import os.path
from typing import TYPE_CHECKING

from safegen._version import __version__

if TYPE_CHECKING:
    from safegen.api import (
        blend,
        describe,
        detect,
        extend,
        generate,
        loop,
        moderate,
        protect,
        remix,
        reproduce,
        screen,
        storyboard,
        verify,
    )
    from safegen.errors import SafegenError
    from safegen.types import Allowed, Held, Refused, Release, Report, Shot, Verdict

if os.path.isfile(os.path.join(os.path.dirname(__file__), "cli")):  # noqa: PTH113, PTH118, PTH120
    raise ImportError(
        "the links in safegen/ were not made: run `git config core.symlinks true`, then check out again"
    )

_LAZY = {
    "blend": "safegen.api",
    "extend": "safegen.api",
    "generate": "safegen.api",
    "loop": "safegen.api",
    "remix": "safegen.api",
    "storyboard": "safegen.api",
    "describe": "safegen.api",
    "detect": "safegen.api",
    "moderate": "safegen.api",
    "protect": "safegen.api",
    "reproduce": "safegen.api",
    "screen": "safegen.api",
    "verify": "safegen.api",
    "SafegenError": "safegen.errors",
    "Allowed": "safegen.types",
    "Held": "safegen.types",
    "Refused": "safegen.types",
    "Release": "safegen.types",
    "Report": "safegen.types",
    "Shot": "safegen.types",
    "Verdict": "safegen.types",
}

__all__ = [
    "Allowed",
    "Held",
    "Refused",
    "Release",
    "Report",
    "SafegenError",
    "Shot",
    "Verdict",
    "__version__",
    "blend",
    "describe",
    "detect",
    "extend",
    "generate",
    "loop",
    "moderate",
    "protect",
    "remix",
    "reproduce",
    "screen",
    "storyboard",
    "verify",
]


def __getattr__(name: str) -> object:
    """Import public names on first use (PEP 562)."""
    import importlib

    if name == "templates":
        return importlib.import_module("safegen.templates")
    if name in _LAZY:
        return getattr(importlib.import_module(_LAZY[name]), name)
    raise AttributeError(f"module 'safegen' has no attribute {name!r}")
