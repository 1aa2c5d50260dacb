"""What diffusers' pipeline classes say of themselves: read from their source, not imported.

Importing one takes seconds and needs torch, which neither a dry run nor a download does.
"""

from __future__ import annotations

import ast
import re
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

_PARSING = threading.Lock()
"""Python 3.11 fails now and then where several threads call ``ast.parse`` at once."""
_CLASS = re.compile(r"^class (\w+)\(", re.MULTILINE)
_SIDE = re.compile(r"height % (\d+) != 0")
_RATE = re.compile(r"export_to_video\([^)]*?fps=(\d+)")


@dataclass(frozen=True)
class CallSignature:
    """A pipeline's ``__call__``: names of its arguments, those without a default, numbers that are defaults.

    ``side``: what it checks sides to be multiples of; ``rate``: frames a second of the example in its
    documentation. ``None``: it does not say.
    """

    parameters: frozenset[str]
    required: frozenset[str]
    numbers: Mapping[str, float]
    side: int | None = None
    rate: int | None = None

    def default_number(self, *names: str) -> int | None:
        """The whole number that is the default of the first of these arguments that has one."""
        return next((int(self.numbers[n]) for n in names if n in self.numbers), None)


def pipelines_folder() -> Path | None:
    """Folder of the installed diffusers' pipelines; None where it is not installed."""
    from importlib.util import find_spec

    found = find_spec("diffusers")
    if found is None or not found.submodule_search_locations:
        return None
    return Path(found.submodule_search_locations[0]) / "pipelines"


@cache
def class_source(name: str) -> str | None:
    """Text of one of diffusers' pipeline classes; None when there is none of that name."""
    text = _module(name)
    if text is None:
        return None
    return f"class {name}(" + text.split(f"\nclass {name}(", 1)[1].split("\nclass ", 1)[0]


@cache
def call_signature(name: str) -> CallSignature | None:
    """How a pipeline of class *name* is called; None where that cannot be read."""
    text = class_source(name)
    with _PARSING:
        tree = ast.parse(text).body[0] if text else None
    for method in tree.body if isinstance(tree, ast.ClassDef) else ():
        if isinstance(method, ast.FunctionDef) and method.name == "__call__":
            return _described(method.args, _module(name) or "", text or "")
    return None


def _described(arguments: ast.arguments, module: str, text: str) -> CallSignature:
    listed = [a.arg for a in arguments.args[1:]]
    plain = len(listed) - len(arguments.defaults)
    given = dict(zip(listed[max(0, plain) :], arguments.defaults, strict=False))
    given |= {a.arg: d for a, d in zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True) if d}
    names = frozenset((*listed, *(a.arg for a in arguments.kwonlyargs)))
    numbers = {
        name: float(value.value)
        for name, value in given.items()
        if isinstance(value, ast.Constant)
        and isinstance(value.value, int | float)
        and not isinstance(value.value, bool)
    }
    side, rate = _SIDE.search(text), _RATE.search(module)
    return CallSignature(
        names, names - set(given), numbers, int(side[1]) if side else None, int(rate[1]) if rate else None
    )


@cache
def class_files() -> Mapping[str, Path]:
    """Every class in diffusers' pipelines, and the file it is in; empty where diffusers is not installed."""
    root = pipelines_folder()
    files = sorted(root.glob("*/**/*.py")) if root else []
    found: dict[str, Path] = {}
    for file in files:
        for name in _CLASS.findall(file.read_text(encoding="utf-8")):
            found.setdefault(name, file)
    return found


def _module(name: str) -> str | None:
    """Text of the module that a class is in."""
    file = class_files().get(name)
    return None if file is None else file.read_text(encoding="utf-8")
