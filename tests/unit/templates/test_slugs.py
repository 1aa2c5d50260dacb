"""File names: safe on every system, never twice."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from safegen.templates.file_names import MAX_BYTES, MAX_CHARACTERS, FileNames, slug


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("Anna", "anna"),
        ("Müller, Jürgen", "müller-jürgen"),
        ("../../etc/passwd", "etc-passwd"),
        ("C:\\Windows\\system32", "c-windows-system32"),
        ("CON", "con-clip"),
        ("com\u00b9", "com1-clip"),
        ("nul.txt", "nul-txt"),
        (".hidden", "hidden"),
        ("--force", "force"),
        ("", "clip"),
        ("...", "clip"),
        ("\U0001f382", "clip"),
        ("李明", "李明"),
        ("हिन्दी", "हिन्दी"),
        ("a\x00b\u202ec", "a-b-c"),
    ],
)
def test_slug(text: str, name: str) -> None:
    assert slug(text) == name


@given(st.text(max_size=300))
def test_slug_is_always_a_plain_name(text: str) -> None:
    name = slug(text)
    assert name == Path(name).name
    assert 0 < len(name) <= MAX_CHARACTERS + 5
    assert len(name.encode()) <= MAX_BYTES + 5
    assert not set(name) & set('<>:"/\\|?*. \x00\n')
    assert slug(name) in {name, f"{name}-clip"}


def test_names_are_handed_out_once(tmp_path: Path) -> None:
    (tmp_path / "Anna.mp4").touch()
    names = FileNames(tmp_path)
    assert [names.allocate("anna") for _ in range(3)] == ["anna-2.mp4", "anna-3.mp4", "anna-4.mp4"]
    assert names.allocate("anna-5") == "anna-5.mp4"
    assert names.allocate("anna") == "anna-6.mp4"
    assert names.allocate("STRASSE") != names.allocate("straße")
