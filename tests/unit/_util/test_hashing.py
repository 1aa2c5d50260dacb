"""A file's hash, in the foreground and beside other work."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from safegen._util.hashing import file_sha256, hash_in_background, require_readable
from safegen.errors import UnreadableInput


def test_both_ways_give_the_same_hash(tmp_path: Path) -> None:
    path = tmp_path / "a"
    path.write_bytes(b"x" * 1_000_000)
    expected = hashlib.sha256(path.read_bytes()).hexdigest()
    with hash_in_background(path) as wait:
        assert wait() == wait() == expected
    assert file_sha256(path) == expected


def test_the_background_raises_where_one_waits(tmp_path: Path) -> None:
    with hash_in_background(tmp_path / "none") as wait, pytest.raises(UnreadableInput):
        wait()
    with hash_in_background(tmp_path / "none"):
        pass  # nobody asked: nothing to say


@pytest.mark.parametrize(
    ("kind", "message"), [("none", "no such file"), ("empty", "empty"), ("folder", "is a folder")]
)
def test_what_cannot_be_read_is_refused(tmp_path: Path, kind: str, message: str) -> None:
    path = tmp_path / kind
    if kind == "empty":
        path.touch()
    elif kind == "folder":
        path.mkdir()
    with pytest.raises(UnreadableInput, match=message) as caught:
        require_readable(path)
    assert caught.value.hint
