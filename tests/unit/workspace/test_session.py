"""Opening a workspace: who makes what, who needs a ledger, and that nobody does it elsewhere."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from safegen.errors import KeyUnavailable, UsageError
from safegen.workspace.config import find_workspace
from safegen.workspace.session import (
    open_ledger,
    open_ledger_for_writing,
    open_ledger_if_any,
    open_session,
    require_ledger,
)
from tests.support.architecture import ROOT

PACKAGE = ROOT / "safegen"
OPENING = {"Ledger.open", "Identity.load_or_create", "LogSigner", "recover"}
"""Calls that belong to ``safegen.workspace.session``."""
EXCEPT = {
    "workspace/session.py": "the openers themselves",
    "workspace/own_ledger.py": "a copy of the ledger, in a backup or another database",
    "keys/log_rotation.py": "signs a statement with the log's old key, no ledger",
}


def test_reading_needs_a_ledger_and_makes_nothing(in_memory: Path) -> None:
    space = find_workspace(in_memory / "w")
    for opener in (open_ledger, open_ledger_for_writing):
        with pytest.raises(UsageError, match="no ledger") as refused, opener(space):
            pass
        assert "safegen generate" in refused.value.hint
    with pytest.raises(UsageError):
        require_ledger(space)
    with open_ledger_if_any(space) as ledger:
        assert ledger is None
    assert not space.root.exists()


def test_on_first_use_only_creating_makes_one(in_memory: Path) -> None:
    space = find_workspace(in_memory / "w")
    with open_ledger_for_writing(space, create=True) as ledger:
        index = ledger.append("decision", {"outcome": "allow"}, None)
    assert (space.root / "safegen.toml").is_file() and space.has_ledger
    with open_ledger(space) as ledger, open_ledger_if_any(space) as same:
        assert same is not None
        assert ledger.entry(index) == same.entry(index)
        with pytest.raises(KeyUnavailable):
            ledger.append("decision", {"outcome": "allow"}, None)
    with open_ledger_for_writing(space) as ledger:
        assert ledger.append("decision", {"outcome": "allow"}, None) == index + 1
    with open_session(space) as session:
        assert len(session.ledger) == index + 2


def test_an_identity_is_never_made_for_a_ledger_that_is_there(in_memory: Path) -> None:
    space = find_workspace(in_memory / "w")
    with open_session(space):
        pass
    space.keys.rename(in_memory / "elsewhere")
    with pytest.raises(KeyUnavailable), open_ledger_for_writing(space):
        pass
    assert not space.keys.exists()


def test_nobody_else_opens_them() -> None:
    found = set()
    for file in sorted(PACKAGE.rglob("*.py")):
        name = file.relative_to(PACKAGE).as_posix()
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and ast.unparse(node.func) in OPENING:
                found.add(name)
    assert found == set(EXCEPT)
