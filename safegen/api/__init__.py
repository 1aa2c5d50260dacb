"""The Python API, of which the command line is a skin: each function is imported on first use.

``generation`` makes clips, ``protection`` works on files that are there, ``inspection`` only looks at them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from safegen.api.generation import blend as blend
    from safegen.api.generation import extend as extend
    from safegen.api.generation import generate as generate
    from safegen.api.generation import generate_request as generate_request
    from safegen.api.generation import loop as loop
    from safegen.api.generation import new_seed as new_seed
    from safegen.api.generation import plan as plan
    from safegen.api.generation import remix as remix
    from safegen.api.generation import storyboard as storyboard
    from safegen.api.inspection import comply as comply
    from safegen.api.inspection import detect as detect
    from safegen.api.inspection import moderate as moderate
    from safegen.api.inspection import screen as screen
    from safegen.api.inspection import verify as verify
    from safegen.api.protection import describe as describe
    from safegen.api.protection import protect as protect
    from safegen.api.protection import reproduce as reproduce

_MODULES = {
    "generation": (
        "blend",
        "extend",
        "generate",
        "generate_request",
        "loop",
        "new_seed",
        "plan",
        "remix",
        "storyboard",
    ),
    "inspection": ("comply", "detect", "moderate", "screen", "verify"),
    "protection": ("describe", "protect", "reproduce"),
}
_MODULE_OF = {name: module for module, names in _MODULES.items() for name in names}

__all__ = [
    *_MODULE_OF,
]


def __getattr__(name: str) -> object:
    """Import a function on first use (PEP 562)."""
    import importlib

    if name in _MODULE_OF:
        return getattr(importlib.import_module(f"safegen.api.{_MODULE_OF[name]}"), name)
    raise AttributeError(f"module 'safegen.api' has no attribute {name!r}")
