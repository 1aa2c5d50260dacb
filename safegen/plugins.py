"""Plug-ins are found by file name.

Each kind is a package; each public module in it that defines ``create()`` is a plug-in named like
its file. Adding a generator, a watermark or a detector is adding one file there.
"""

from __future__ import annotations

import importlib
from functools import cache
from pathlib import Path
from typing import Any, Literal, TypeAlias

from safegen.errors import UsageError

PluginKind: TypeAlias = Literal["generators", "watermarks", "prompt", "frames"]

_PACKAGES: dict[str, str] = {
    "generators": "safegen.generators",
    "watermarks": "safegen.watermarks",
    "prompt": "safegen.detectors.prompt",
    "frames": "safegen.detectors.frames",
}


@cache
def plugin_names(kind: PluginKind) -> tuple[str, ...]:
    """Names of the plug-ins of *kind*, sorted. None of them is imported for it."""
    package = importlib.import_module(_PACKAGES[kind])
    found = []
    for folder in map(Path, package.__path__):
        for file in (*folder.glob("*.py"), *folder.glob("*/__init__.py")):
            name = file.parent.name if file.name == "__init__.py" else file.stem
            if not name.startswith("_") and "\ndef create()" in file.read_text(encoding="utf-8"):
                found.append(name)
    return tuple(sorted(found))


def load_plugin(kind: PluginKind, name: str) -> Any:
    """The plug-in *name* of *kind*, made by its module's ``create()``.

    Raises UsageError for an unknown name; whatever ``create`` raises when it cannot work here.
    """
    module_name = name.replace("-", "_")
    if module_name in plugin_names(kind):
        module = importlib.import_module(f"{_PACKAGES[kind]}.{module_name}")
        if hasattr(module, "create"):
            return module.create()
    known = ", ".join(n for n in plugin_names(kind))
    raise UsageError(f"there is no {kind} plug-in called {name!r}", hint=f"known: {known}")
