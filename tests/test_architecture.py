"""The house's rules: imports point one way, heavy libraries stay out of the way, rooms stay small."""

from __future__ import annotations

import ast
import functools
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent

LAYERS: list[tuple[str, ...]] = [
    ("safegen.errors", "safegen.types"),
    (
        "safegen.protocols",
        "safegen.plugins",
        "safegen._util.files",
        "safegen._util.html",
        "safegen._util.http",
    ),
    (
        "safegen.media",
        "safegen.accessibility",
        "safegen.credentials",
        "safegen.keys",
        "safegen.ledger",
        "safegen.workspace.schema",
        "safegen.workspace.config",
        "safegen.watermarks",
        "safegen.generators",
        "safegen.models",
        "safegen.detectors",
        "safegen.policies",
        "safegen.screening",
        "safegen.screening.jsonl",
        "safegen.request.sizes",
    ),
    (
        "safegen.release",
        "safegen.review.queue",
        "safegen.review.export",
        "safegen.review.matching",
        "safegen.consent",
    ),
    ("safegen.moderation", "safegen.pipeline", "safegen.verification"),
    (
        "safegen.audit",
        "safegen.compliance",
        "safegen.templates",
        "safegen.request.build",
        "safegen.request.variations",
        "safegen.api.generation",
        "safegen.api.inspection",
        "safegen.request.storyboard",
    ),
    ("safegen.api", "safegen.doctor"),
    ("safegen.cli", "safegen.__main__"),
]
"""Each layer may import itself and those before it; the last is the top."""

HEAVY = {"torch", "diffusers", "transformers", "cv2", "rich", "av", "c2pa", "scipy", "sqlmodel", "nltk"}
FOLDERS = {
    "safegen": "safegen",
    "cli": "safegen.cli",
    "detectors": "safegen.detectors",
    "policies": "safegen.policies",
}
MAX_LINES = 300


def modules() -> dict[str, Path]:
    """Every module of the package by its installed name."""
    found = {}
    for folder, package in FOLDERS.items():
        for file in sorted((ROOT / folder).rglob("*.py")):
            relative = file.relative_to(ROOT / folder)
            if folder == "safegen" and relative.parts[0] in {"cli", "detectors", "policies"}:
                continue
            parts = [package, *relative.with_suffix("").parts]
            found[".".join(p for p in parts if p != "__init__")] = file
    return found


MODULES = modules()


@functools.cache
def text(name: str) -> str:
    """A module's text, read once."""
    return MODULES[name].read_text(encoding="utf-8")


@functools.cache
def parsed(name: str) -> ast.Module:
    """A module's syntax tree, made once."""
    return ast.parse(text(name))


def layer(name: str) -> int | None:
    """The layer of a module; None for the package's own root."""
    for i, group in enumerate(LAYERS):
        if any(name == g or name.startswith(g + ".") for g in group):
            return i
    return None


@functools.cache
def imports(tree: ast.AST, *, toplevel_only: bool) -> frozenset[str]:
    """Absolute names of imported modules."""
    nodes = ast.walk(tree)
    found: set[str] = set()
    skip: set[int] = set()
    for node in nodes:
        typing_only = isinstance(node, ast.If) and "TYPE_CHECKING" in ast.dump(node.test)
        if typing_only or (toplevel_only and isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)):
            skip.update(id(n) for n in ast.walk(node))
        if id(node) in skip:
            continue
        if isinstance(node, ast.Import):
            found.update(a.name for a in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            found.update({node.module, *(f"{node.module}.{a.name}" for a in node.names)})
    return frozenset(found)


@pytest.mark.parametrize("name", sorted(MODULES))
def test_imports_point_one_way(name: str) -> None:
    tree = parsed(name)
    mine = layer(name)
    if name == "safegen":
        return
    assert mine is not None, f"{name} has no place in the table of layers"
    for imported in imports(tree, toplevel_only=False):
        theirs = layer(imported)
        if imported.startswith("safegen.") and theirs is not None:
            assert theirs <= mine, f"{name} (layer {mine}) imports {imported} (layer {theirs})"


@pytest.mark.parametrize("name", sorted(MODULES))
def test_nobody_imports_the_bare_folders(name: str) -> None:
    tree = parsed(name)
    roots = {i.split(".")[0] for i in imports(tree, toplevel_only=False)}
    assert not roots & {"cli", "detectors", "policies", "training", "benchmarks", "tests"}


@pytest.mark.parametrize("name", sorted(n for n in MODULES if n.startswith("safegen.cli")))
def test_commands_import_heavy_libraries_lazily(name: str) -> None:
    tree = parsed(name)
    assert not {i.split(".")[0] for i in imports(tree, toplevel_only=True)} & HEAVY


@pytest.mark.parametrize("name", sorted(MODULES))
def test_torch_is_never_imported_at_the_top(name: str) -> None:
    tree = parsed(name)
    heavy = {i.split(".")[0] for i in imports(tree, toplevel_only=True)}
    assert not heavy & {"torch", "diffusers", "transformers"}


@pytest.mark.parametrize("name", sorted(MODULES))
def test_rooms_are_small(name: str) -> None:
    lines = text(name).count("\n")
    assert lines <= MAX_LINES, f"{name} has {lines} lines: split it by meaning"


@pytest.mark.parametrize("name", sorted(MODULES))
def test_the_library_never_prints(name: str) -> None:
    tree = parsed(name)
    calls = {n.func.id for n in ast.walk(tree) if isinstance(n, ast.Call) and isinstance(n.func, ast.Name)}
    assert "print" not in calls


@pytest.mark.parametrize("name", sorted(MODULES))
def test_no_except_returns_a_pass(name: str) -> None:
    """A bare ``except: pass`` (or continue, or return True/None) hides a check that could not run."""
    tree = parsed(name)
    for node in ast.walk(tree):
        if not isinstance(node, ast.ExceptHandler):
            continue
        caught = ast.unparse(node.type) if node.type else ""
        broad = caught in {"", "Exception", "BaseException"}
        silent = all(isinstance(s, ast.Pass | ast.Continue) for s in node.body)
        lenient = (
            len(node.body) == 1
            and isinstance(node.body[0], ast.Return)
            and (node.body[0].value is None or getattr(node.body[0].value, "value", 0) in (True, None))
        )
        assert not (broad and (silent or lenient)), f"{name}:{node.lineno} lets a failure pass"


def test_importing_safegen_is_light() -> None:
    code = "import sys, safegen; print(*sorted({m.split('.')[0] for m in sys.modules}))"
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert not set(out.stdout.split()) & (HEAVY | {"numpy", "click", "pydantic"})
