"""The house's rules: imports point one way, heavy libraries stay out of the way, rooms stay small."""

from __future__ import annotations

import ast
import subprocess
import sys

import pytest

from tests.support.architecture import (
    DOCS,
    LAYERS,
    ROOT,
    circles,
    imported_modules,
    imports,
    layer_of,
    modules,
    package_of,
    with_table,
)

HEAVY = {"torch", "diffusers", "transformers", "cv2", "rich", "av", "c2pa", "scipy", "sqlmodel", "nltk"}
MAX_LINES = 300
MODULES = modules()
ROOT_MODULES = 10


@pytest.mark.parametrize("name", sorted(MODULES))
def test_imports_point_one_way(name: str) -> None:
    """Lazy imports and those for type checkers count like any other."""
    mine = package_of(name)
    if name in {"safegen", "safegen.detectors"}:
        return
    assert mine, f"{name} has no place in the table of layers"
    for imported in imported_modules(name):
        theirs = package_of(imported)
        if theirs and theirs != mine:
            assert layer_of(theirs) < layer_of(mine), f"{name} ({mine}) imports {imported} ({theirs})"


def test_no_package_imports_the_root() -> None:
    """``import safegen`` inside would be the way round every layer."""
    assert [n for n in MODULES if n != "safegen" and "safegen" in imported_modules(n)] == []


def test_there_are_no_circles_of_modules() -> None:
    assert circles({name: imported_modules(name) for name in MODULES}) == []


def test_circles_are_found() -> None:
    graph = {
        "a": frozenset("b"),
        "b": frozenset("c"),
        "c": frozenset("a"),
        "d": frozenset("a"),
        "e": frozenset(),
    }
    assert circles(graph) == [["a", "b", "c"]]


def test_every_layer_is_real() -> None:
    packages = [p for layer in LAYERS for p in layer]
    assert len(packages) == len(set(packages))
    assert [p for p in packages if f"safegen.{p}" not in MODULES] == []


def test_the_root_is_small() -> None:
    found = [m for m in MODULES.values() if m.file.parent == ROOT / "safegen"]
    assert len(found) <= ROOT_MODULES, sorted(m.file.name for m in found)


def test_the_table_in_the_docs_is_this_one() -> None:
    page = DOCS.read_text(encoding="utf-8")
    assert page == with_table(page), "run: python -m tests.support.architecture"


@pytest.mark.parametrize("name", sorted(MODULES))
def test_nobody_imports_the_bare_folders(name: str) -> None:
    roots = {i.split(".")[0] for i in imports(MODULES[name].tree)}
    assert not roots & {"cli", "detectors", "policies", "training", "benchmarks", "tests"}


@pytest.mark.parametrize("name", sorted(n for n in MODULES if n.startswith("safegen.cli")))
def test_commands_import_heavy_libraries_lazily(name: str) -> None:
    found = imports(MODULES[name].tree, toplevel_only=True)
    assert not {i.split(".")[0] for i in found} & HEAVY


@pytest.mark.parametrize("name", sorted(MODULES))
def test_torch_is_never_imported_at_the_top(name: str) -> None:
    heavy = {i.split(".")[0] for i in imports(MODULES[name].tree, toplevel_only=True)}
    assert not heavy & {"torch", "diffusers", "transformers"}


@pytest.mark.parametrize("name", sorted(MODULES))
def test_rooms_are_small(name: str) -> None:
    lines = MODULES[name].lines
    assert lines <= MAX_LINES, f"{name} has {lines} lines: split it by meaning"


@pytest.mark.parametrize("name", sorted(MODULES))
def test_the_library_never_prints(name: str) -> None:
    nodes = ast.walk(MODULES[name].tree)
    calls = {n.func.id for n in nodes if isinstance(n, ast.Call) and isinstance(n.func, ast.Name)}
    assert "print" not in calls


@pytest.mark.parametrize("name", sorted(MODULES))
def test_no_except_returns_a_pass(name: str) -> None:
    """A bare ``except: pass`` (or continue, or return True/None) hides a check that could not run."""
    for node in ast.walk(MODULES[name].tree):
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
