"""The house's rules: imports point one way, heavy libraries stay out of the way, rooms stay small.

Every module is parsed once (``tests.support.architecture``); a test looks at all of them and names those that
break its rule.
"""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterable, Iterator

from tests.support.architecture import (
    DOCS,
    LAYERS,
    ROOT,
    Module,
    circles,
    imported_modules,
    imported_roots,
    layer_of,
    modules,
    modules_of_tests,
    package_of,
    with_table,
)

HEAVY = {"torch", "diffusers", "transformers", "cv2", "rich", "av", "c2pa", "scipy", "sqlmodel", "nltk"}
OUTSIDE = {"cli", "detectors", "policies", "training", "benchmarks", "tests"}
MAX_LINES = 300
MODULES = modules()
TESTS = modules_of_tests()
ROOT_MODULES = 10
LEFTOVERS = ("_more", "_last", "_others", "_odd", "_misc", "_extra", "_2")
"""Ends of file names that say nothing about what is inside."""


def assert_none(offenders: Iterable[object]) -> None:
    """Names every offender where there is one."""
    found = [str(offender) for offender in offenders]
    assert not found, "\n".join(["", *found])


# --- layers


def test_every_module_has_a_place() -> None:
    assert_none(n for n in MODULES if n not in {"safegen", "safegen.detectors"} and not package_of(n))


def test_imports_point_one_way() -> None:
    """Lazy imports and those for type checkers count like any other."""
    assert_none(
        f"{name} imports {imported}"
        for name in MODULES
        for imported in sorted(imported_modules(name))
        if (mine := package_of(name)) and (theirs := package_of(imported)) and mine != theirs
        if layer_of(theirs) >= layer_of(mine)
    )


def test_no_package_imports_the_root() -> None:
    """``import safegen`` inside would be the way round every layer."""
    assert_none(n for n in MODULES if n != "safegen" and "safegen" in imported_modules(n))


def test_there_are_no_circles_of_modules() -> None:
    assert_none(circles({name: imported_modules(name) for name in MODULES}))


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
    assert_none(p for p in packages if f"safegen.{p}" not in MODULES)


def test_the_root_is_small() -> None:
    found = [m for m in MODULES.values() if m.file.parent == ROOT / "safegen"]
    assert len(found) <= ROOT_MODULES, sorted(m.file.name for m in found)


def test_the_table_in_the_docs_is_this_one() -> None:
    page = DOCS.read_text(encoding="utf-8")
    assert page == with_table(page), "run: python -m tests.support.architecture"


# --- imports


def test_nobody_imports_the_bare_folders() -> None:
    """``cli`` is ``safegen.cli`` once it is installed; recipes, benchmarks and tests are not installed."""
    assert_none(f"{n}: {found}" for n in MODULES if (found := imported_roots(n) & OUTSIDE))


def test_commands_import_heavy_libraries_lazily() -> None:
    commands = [n for n in MODULES if n.startswith("safegen.cli")]
    assert commands
    assert_none(f"{n}: {found}" for n in commands if (found := imported_roots(n, at_the_top=True) & HEAVY))


def test_torch_is_never_imported_at_the_top() -> None:
    models = {"torch", "diffusers", "transformers"}
    assert_none(f"{n}: {found}" for n in MODULES if (found := imported_roots(n, at_the_top=True) & models))


def test_importing_safegen_is_light() -> None:
    code = "import sys, safegen; print(*sorted({m.split('.')[0] for m in sys.modules}))"
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert not set(out.stdout.split()) & (HEAVY | {"numpy", "click", "pydantic"})


# --- what is in a module


def test_rooms_are_small() -> None:
    """A module that is longer holds two subjects: split it by meaning."""
    assert_none(f"{name}: {m.lines} lines" for name, m in MODULES.items() if m.lines > MAX_LINES)


def test_the_library_never_prints() -> None:
    assert_none(
        f"{name}:{node.lineno}"
        for name, module in MODULES.items()
        for node in module.nodes
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "print"
    )


def test_no_except_returns_a_pass() -> None:
    """A bare ``except: pass`` (or continue, or return True/None) hides a check that could not run."""
    assert_none(
        f"{name}:{node.lineno} lets a failure pass"
        for name, module in MODULES.items()
        for node in module.nodes
        if isinstance(node, ast.ExceptHandler) and _is_broad(node) and _passes(node)
    )


def _is_broad(handler: ast.ExceptHandler) -> bool:
    return (ast.unparse(handler.type) if handler.type else "") in {"", "Exception", "BaseException"}


def _passes(handler: ast.ExceptHandler) -> bool:
    if all(isinstance(s, ast.Pass | ast.Continue) for s in handler.body):
        return True
    first = handler.body[0]
    if len(handler.body) > 1 or not isinstance(first, ast.Return):
        return False
    return first.value is None or (
        isinstance(first.value, ast.Constant) and first.value.value in (True, None)
    )


def test_a_broad_except_that_passes_is_found() -> None:
    bodies = {"pass": True, "continue": True, "return": True, "return True": True, "return None": True}
    bodies |= {"raise": False, "return False": False, "x = 1": False, "return error": False}
    for body, passes in bodies.items():
        code = f"def f():\n  for x in y:\n    try: g()\n    except Exception: {body}"
        (handler,) = (n for n in ast.walk(ast.parse(code)) if isinstance(n, ast.ExceptHandler))
        assert (_is_broad(handler), _passes(handler)) == (True, passes), body


def test_private_names_are_used() -> None:
    """vulture takes a leading underscore for "unused on purpose": here it means "used in this file"."""
    read = {word for module in MODULES.values() for word in _words(module)}
    assert_none(
        f"{name}: {word}"
        for name, module in MODULES.items()
        for word in _assigned(module)
        if word.startswith("_") and not word.endswith("__") and word not in read
    )


def _assigned(module: Module) -> Iterator[str]:
    """Names that the module gives a value at its top level."""
    for statement in module.tree.body:
        if isinstance(statement, ast.Assign | ast.AnnAssign):
            targets = statement.targets if isinstance(statement, ast.Assign) else [statement.target]
            yield from (n.id for t in targets for n in ast.walk(t) if isinstance(n, ast.Name))


def _words(module: Module) -> Iterator[str]:
    """Names that the module reads or imports."""
    for node in module.nodes:
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load):
            yield node.id
        elif isinstance(node, ast.Attribute):
            yield node.attr
        elif isinstance(node, ast.alias):
            yield node.name


# --- tests


def test_tests_mirror_the_packages() -> None:
    """Tests of ``safegen.X`` lie in tests/unit/X; those of a module at the root in a file of that name."""
    unit = ROOT / "tests" / "unit"
    folders = {f.parent.relative_to(unit).as_posix().replace("/", ".") for f in unit.rglob("*.py")} - {"."}
    packages = {
        n.removeprefix("safegen.")
        for n, m in MODULES.items()
        if m.file.name == "__init__.py" and n != "safegen"
    }
    beside = {
        file.parent.relative_to(ROOT).as_posix().replace("/", ".")
        for root in ("training", "benchmarks")
        for file in (ROOT / root).rglob("__init__.py")
    }
    assert_none(sorted(folders - packages - beside))
    first = {p for layer in LAYERS for p in layer if p in packages}
    assert_none(p for p in first if not any(f == p or f.startswith(f"{p}.") for f in folders))
    alone = {f.stem.removeprefix("test_") for f in unit.glob("test_*.py")}
    assert_none(f"safegen.{name}" for name in alone if f"safegen.{name}" not in MODULES)


def test_names_of_test_files_say_what_is_tested() -> None:
    assert_none(name for name in TESTS if name.endswith(LEFTOVERS))


def test_every_function_of_a_test_file_is_a_test_or_used() -> None:
    """A test whose name does not begin with ``test_`` would never run."""
    used = {word for module in TESTS.values() for word in _words(module)}
    assert_none(
        f"{name}: {node.name}"
        for name, module in TESTS.items()
        if name.split(".")[-1].startswith("test_")
        for node in module.tree.body
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        if not node.name.startswith("test_") and not node.decorator_list and node.name not in used
    )
