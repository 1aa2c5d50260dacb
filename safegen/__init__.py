"""safegen: generate video you can prove.

``safegen.screen``, ``safegen.generate``, ``safegen.verify`` and ``safegen.protect`` are the whole
Python API; they are imported on first use, so ``import safegen`` costs nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

__version__ = "0.1.0"

if TYPE_CHECKING:
    from safegen.api import generate, protect, screen, verify
    from safegen.errors import SafegenError
    from safegen.types import Allowed, Held, Refused, Release, Report, Verdict

_LAZY = {
    "generate": "safegen.api",
    "protect": "safegen.api",
    "screen": "safegen.api",
    "verify": "safegen.api",
    "SafegenError": "safegen.errors",
    "Allowed": "safegen.types",
    "Held": "safegen.types",
    "Refused": "safegen.types",
    "Release": "safegen.types",
    "Report": "safegen.types",
    "Verdict": "safegen.types",
}

__all__ = [
    "Allowed",
    "Held",
    "Refused",
    "Release",
    "Report",
    "SafegenError",
    "Verdict",
    "__version__",
    "generate",
    "protect",
    "screen",
    "verify",
]


def __getattr__(name: str) -> object:
    """Import public names on first use (PEP 562)."""
    if name in _LAZY:
        import importlib

        return getattr(importlib.import_module(_LAZY[name]), name)
    raise AttributeError(f"module 'safegen' has no attribute {name!r}")
