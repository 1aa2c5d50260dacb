"""Credentials read in a sandboxed child: the same evidence, limits, and no belief in what comes back."""

from __future__ import annotations

import ast
import dataclasses
import json
import os
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from safegen.credentials import in_child, read
from safegen.credentials._plain import from_plain, to_plain
from safegen.errors import CheckUnavailable, UnreadableInput, UsageError
from safegen.types import (
    CredentialsEvidence,
    CredentialState,
    IngredientEvidence,
    SoftBinding,
)

POSIX = pytest.mark.skipif(os.name != "posix", reason="limits and names of POSIX")


def same(path: Path, **more: Any) -> CredentialsEvidence:
    """The evidence, once it is sure that the child finds what this process finds."""
    found = in_child.read_credentials(path, **more)
    here = read.read_credentials(path, **more)
    assert found == here and found.store == here.store
    return found


def test_every_file_of_the_field_is_read_as_it_was(shared: Path) -> None:
    anchors = [p.read_bytes() for p in sorted((shared / "data/cases").glob("*.pem"))]
    files = [p for place in ("c2pa", "cases", "cases/attacks") for p in (shared / "data" / place).iterdir()]
    read_files = [same(p, anchors_pem=anchors) for p in files if p.is_file()]
    assert {e.state for e in read_files} >= {CredentialState.VALID, CredentialState.INVALID}


def test_a_store_from_elsewhere_fragments_and_time_go_along(shared: Path, tmp_path: Path) -> None:
    video = shared / "data/c2pa/rs_video1.mp4"
    store = same(video).store
    assert store is not None
    assert same(video, manifest=store).manifest_id == same(video).manifest_id
    assert same(video, manifest=b"").state is not CredentialState.VALID
    assert same(video, manifest=b"junk").state is not CredentialState.VALID
    start, part = shared / "data/c2pa/rs_dashinit.mp4", shared / "data/c2pa/rs_dash1.m4s"
    assert same(start, fragments=[part]) != same(start)
    assert same(video, at=datetime(2001, 1, 1, tzinfo=UTC)).state is CredentialState.VALID


def test_errors_keep_their_kind(shared: Path, tmp_path: Path) -> None:
    video = shared / "data/c2pa/rs_video1.mp4"
    with pytest.raises(UsageError, match="not certificates"):
        in_child.read_credentials(video, anchors_pem=["no certificate"])
    with pytest.raises(CheckUnavailable):
        in_child.read_credentials(video, crls=[b"no list"])
    for missing in (tmp_path / "nothing.mp4", tmp_path):
        with pytest.raises(UnreadableInput):
            in_child.read_credentials(missing)
    (tmp_path / "empty.mp4").touch()
    with pytest.raises(UnreadableInput, match="empty"):
        in_child.carries_credentials(tmp_path / "empty.mp4")


@POSIX
@pytest.mark.parametrize(
    "name",
    [b"fake%d.jpg", b"x%03d.jpg", b"-i.jpg", b"file:x", b"a\nVERIFIED b.jpg", b"caf\xe9\xff.jpg", b"a|b"],
)
def test_any_name_is_only_a_name(shared: Path, tmp_path: Path, name: bytes) -> None:
    file = tmp_path / os.fsdecode(name)
    file.write_bytes((shared / "data/cases/signed_claim_eku.jpg").read_bytes())
    assert same(file).store is not None
    assert in_child.carries_credentials(file)
    file.write_bytes((shared / "data/cases/picture_plain.jpg").read_bytes())
    assert not in_child.carries_credentials(file)
    assert in_child.read_thumbnail(file) is None


def test_a_thumbnail_is_a_small_picture(shared: Path) -> None:
    from safegen.credentials.thumbnail import read_thumbnail

    files = [p for p in (shared / "data/c2pa").iterdir() if p.suffix in (".jpg", ".mp4")]
    found = {p.name: in_child.read_thumbnail(p) for p in files}
    assert found == {p.name: read_thumbnail(p) for p in files}
    assert any(found.values())


@pytest.mark.parametrize(
    ("what", "said"),
    [
        ("spins", "within 1 s"),
        ("sleeps", "within 1 s"),
        ("aborts", "without a crash"),
        ("grows", "could not be examined"),
        ("ends", "makes no sense"),
        ("boasts", "makes no sense"),
        ("mistypes", "makes no sense"),
        ("accuses", "7"),
        ("answers", "makes no sense"),
    ],
)
@POSIX
def test_a_child_that_was_taken_over_proves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, what: str, said: str
) -> None:
    monkeypatch.setattr(in_child, "_MODULE", "tests.support.unruly")
    monkeypatch.setattr(in_child, "BASE_SECONDS", 1)
    (tmp_path / what).write_bytes(b"x")
    ask: Callable[[Path], object] = in_child.read_credentials
    with pytest.raises(CheckUnavailable, match=said) as caught:
        ask(tmp_path / what)
    assert caught.value.exit_code == 4
    if what == "answers":
        with pytest.raises(CheckUnavailable, match="makes no sense"):
            in_child.carries_credentials(tmp_path / what)


def test_evidence_goes_through_json_whole() -> None:
    full = CredentialsEvidence(
        CredentialState.VALID,
        trusted=True,
        trusted_root="root",
        codes=("a", "b"),
        soft_bindings=(SoftBinding("alg", "value"),),
        ingredients=(IngredientEvidence("t", "parentOf", 2, failures=("x",)),),
        manifest={"a": [1, {"b": None}]},
    )
    assert from_plain(CredentialsEvidence, json.loads(json.dumps(to_plain(full)))) == full
    names = {f.name for f in dataclasses.fields(CredentialsEvidence)}
    assert set(to_plain(full)) == names


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("state", "excellent"),
        ("state", 1),
        ("trusted", 1),
        ("trusted", "true"),
        ("trusted", None),
        ("trusted_root", 7),
        ("codes", "a"),
        ("codes", [1]),
        ("codes", None),
        ("source", "elsewhere"),
        ("soft_bindings", [{"alg": "a"}]),
        ("soft_bindings", [{"alg": "a", "value": "b", "more": 1}]),
        ("soft_bindings", [["a", "b"]]),
        ("ingredients", [{}]),
        ("manifest", []),
        ("store", "text"),
        ("surprise", True),
    ],
)
def test_what_does_not_fit_the_types_is_not_taken(field: str, value: object) -> None:
    plain = to_plain(CredentialsEvidence(CredentialState.ABSENT))
    assert from_plain(CredentialsEvidence, plain).state is CredentialState.ABSENT
    with pytest.raises(ValueError):
        from_plain(CredentialsEvidence, {**plain, field: value})
    with pytest.raises(ValueError):
        from_plain(CredentialsEvidence, {k: v for k, v in plain.items() if k != field} | {"x": 1})


_LOADED = (
    "import json, sys; sys.path[:] = json.loads(sys.argv[1]); from safegen.media._child import preload; "
    "preload('safegen.credentials._examine'); print(json.dumps(sorted(sys.modules)))"
)


def test_everything_that_reading_imports_late_is_imported_before(root: Path) -> None:
    """The child can open no file any more when a function gets to its own imports."""
    search = json.dumps([str(root), *(p for p in sys.path if p)])
    done = subprocess.run([sys.executable, "-I", "-c", _LOADED, search], capture_output=True, check=True)
    loaded = set(json.loads(done.stdout))
    late = set()
    for name in sorted(n for n in loaded if n.startswith(("safegen.credentials", "safegen.keys"))):
        file = root / (name.replace(".", "/") + ".py")
        if file.is_file():
            late |= {(name, wanted) for wanted in _late_imports(ast.parse(file.read_text()))}
    assert late, "there are late imports at all"
    network = {"http.client"}  # asking a responder is no part of reading, and could not be done there
    assert {(name, wanted) for name, wanted in late if wanted not in loaded | network} == set()


def _late_imports(tree: ast.Module) -> set[str]:
    """Names of modules that functions of *tree* import."""
    found: set[str] = set()
    for function in ast.walk(tree):
        if isinstance(function, ast.FunctionDef):
            for node in ast.walk(function):
                if isinstance(node, ast.Import):
                    found |= {alias.name for alias in node.names}
                elif isinstance(node, ast.ImportFrom) and node.module:
                    found.add(node.module)
    return found
