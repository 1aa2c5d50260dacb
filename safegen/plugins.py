"""Plug-ins are found by file name.

Each kind is a package; each public module in it that defines ``create()`` is a plug-in named like
its file. Adding a generator, a watermark or a detector is adding one file there.
"""

from __future__ import annotations

import importlib
import pkgutil
from functools import cache
from typing import Any, Literal, TypeAlias

from safegen.errors import UsageError

Kind: TypeAlias = Literal["generators", "watermarks", "prompt", "frames"]

_PACKAGES: dict[str, str] = {
    "generators": "safegen.generators",
    "watermarks": "safegen.watermarks",
    "prompt": "safegen.detectors.prompt",
    "frames": "safegen.detectors.frames",
}


@cache
def names(kind: Kind) -> tuple[str, ...]:
    """Names of the modules of *kind*, sorted; some are helpers without ``create``."""
    package = importlib.import_module(_PACKAGES[kind])
    return tuple(sorted(m.name for m in pkgutil.iter_modules(package.__path__) if not m.name.startswith("_")))


def load(kind: Kind, name: str) -> Any:
    """The plug-in *name* of *kind*, made by its module's ``create()``.

    Raises UsageError for an unknown name; whatever ``create`` raises when it cannot work here.
    """
    module_name = name.replace("-", "_")
    if module_name in names(kind):
        module = importlib.import_module(f"{_PACKAGES[kind]}.{module_name}")
        if hasattr(module, "create"):
            return module.create()
    known = ", ".join(n for n in names(kind))
    raise UsageError(f"there is no {kind} plug-in called {name!r}", hint=f"known: {known}")
