"""The layers of the house: which package may import which, measured from every import in the code.

``python -m tests.support.architecture`` rewrites the table in docs/architecture.md.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs" / "architecture.md"
FOLDERS = {
    "safegen": "safegen",
    "cli": "safegen.cli",
    "detectors": "safegen.detectors",
    "policies": "safegen.policies",
}
LAYERS: tuple[tuple[str, ...], ...] = (
    ("_text",),
    ("_version", "types"),
    ("errors",),
    ("_util", "protocols"),
    ("detectors.prompt", "detectors.provenance", "ledger", "media", "plugins", "policies", "watermarks"),
    ("accessibility", "detectors.frames", "keys", "release", "review", "screening"),
    ("credentials",),
    ("generators", "workspace"),
    ("consent", "request", "verification"),
    ("compliance", "moderation"),
    ("pipeline",),
    ("api", "audit", "templates"),
    ("doctor",),
    ("cli",),
    ("__main__",),
)
"""From the ground up. A package imports itself and packages of lower layers; never one of its own layer."""
SECTION = ("<!-- layers: made by `python -m tests.support.architecture` -->", "<!-- end of layers -->")


@dataclass(frozen=True)
class Module:
    """A module by its installed name: its source, parsed once, and every node of it, outer ones first."""

    name: str
    file: Path
    tree: ast.Module
    nodes: tuple[ast.AST, ...]
    lines: int


@cache
def modules() -> dict[str, Module]:
    """Every module of the package by its installed name, each parsed once."""
    found = {}
    for folder, package in FOLDERS.items():
        for file in sorted((ROOT / folder).rglob("*.py")):
            relative = file.relative_to(ROOT / folder)
            if folder == "safegen" and relative.parts[0] in {"cli", "detectors", "policies"}:
                continue
            parts = [package, *relative.with_suffix("").parts]
            name = ".".join(p for p in parts if p != "__init__")
            found[name] = _parsed(name, file)
    return found


@cache
def modules_of_tests() -> dict[str, Module]:
    """Every module of the tests by its name (``tests.unit...``), each parsed once."""
    files = sorted((ROOT / "tests").rglob("*.py"))
    names = [".".join(file.relative_to(ROOT).with_suffix("").parts) for file in files]
    return {name: _parsed(name, file) for name, file in zip(names, files, strict=True)}


def _parsed(name: str, file: Path) -> Module:
    text = file.read_text(encoding="utf-8")
    tree = ast.parse(text)
    return Module(name, file, tree, tuple(ast.walk(tree)), text.count("\n"))


def package_of(name: str) -> str:
    """The entry of ``LAYERS`` that *name* belongs to; ``""`` for the root and for bare ``detectors``."""
    rest = name.removeprefix("safegen").removeprefix(".")
    known = {package for layer in LAYERS for package in layer}
    parts = rest.split(".")
    return next((p for p in (rest, ".".join(parts[:2]), parts[0]) if p in known), "")


def layer_of(package: str) -> int:
    """Number of the layer, from 0 (ground)."""
    return next(i for i, layer in enumerate(LAYERS) if package in layer)


@cache
def imported_roots(name: str, *, at_the_top: bool = False) -> frozenset[str]:
    """The top-level packages that the module *name* imports: anywhere, or whenever it is imported itself."""
    found = _imports(modules()[name].nodes, toplevel_only=at_the_top)
    return frozenset(imported.split(".")[0] for imported in found)


def _imports(nodes: Sequence[ast.AST], *, toplevel_only: bool) -> Iterator[str]:
    """Imported modules, and names that may be modules: lazy and type-checking ones, too."""
    skip: set[int] = set()
    for node in nodes:
        if toplevel_only:
            typing_only = isinstance(node, ast.If) and "TYPE_CHECKING" in ast.dump(node.test)
            if typing_only or isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                skip.update(id(n) for n in ast.walk(node))
        if id(node) in skip:
            continue
        if isinstance(node, ast.Import):
            yield from (a.name for a in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.module
            yield from (f"{node.module}.{a.name}" for a in node.names)


@cache
def imported_modules(name: str) -> frozenset[str]:
    """The project's modules that the module *name* imports anywhere, itself left out.

    ``from package import module`` counts as the module alone: the package's own ``__init__`` adds nothing.
    """
    found = set()
    known = modules()
    for node in known[name].nodes:
        if isinstance(node, ast.Import):
            found.update(a.name for a in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            for alias in node.names:
                full = f"{node.module}.{alias.name}"
                found.add(full if full in known else node.module)
    return frozenset(m for m in found if m in known and m != name)


def circles(graph: dict[str, frozenset[str]]) -> list[list[str]]:
    """Groups of two or more nodes that can all reach each other (Tarjan's strongly connected components)."""
    number: dict[str, int] = {}
    low: dict[str, int] = {}
    stack: list[str] = []
    found: list[list[str]] = []

    def visit(node: str) -> None:
        number[node] = low[node] = len(number)
        stack.append(node)
        for other in sorted(graph.get(node, ())):
            if other not in number:
                visit(other)
                low[node] = min(low[node], low[other])
            elif other in stack:
                low[node] = min(low[node], number[other])
        if low[node] == number[node]:
            group = stack[stack.index(node) :]
            del stack[stack.index(node) :]
            if len(group) > 1:
                found.append(sorted(group))

    for node in sorted(graph):
        if node not in number:
            visit(node)
    return found


def purpose(package: str) -> str:
    """The first line of the package's docstring."""
    module = modules()[f"safegen.{package}"]
    return (ast.get_docstring(module.tree) or "").split("\n")[0]


def table() -> str:
    """The layers as a Markdown table, from the ground up."""
    rows = ["| layer | package | what it holds |", "|---|---|---|"]
    for number, layer in enumerate(LAYERS, 1):
        rows += [f"| {number} | `{package}` | {purpose(package)} |" for package in layer]
    return "\n".join(rows)


def with_table(text: str) -> str:
    """The page *text* with the table between its two marks as it should be."""
    before, rest = text.split(SECTION[0], 1)
    _, after = rest.split(SECTION[1], 1)
    return f"{before}{SECTION[0]}\n{table()}\n{SECTION[1]}{after}"


if __name__ == "__main__":
    DOCS.write_text(with_table(DOCS.read_text(encoding="utf-8")), encoding="utf-8")
