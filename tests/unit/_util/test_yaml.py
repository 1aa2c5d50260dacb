"""YAML errors name the file and the line; nothing a hostile file holds takes long or runs."""

from __future__ import annotations

from pathlib import Path

import pytest

from safegen._util import yaml
from safegen.errors import UsageError

FILE = Path("mine.yaml")


def parse(text: str) -> yaml.Document:
    return yaml.parse(text.encode(), FILE)


def test_every_key_and_item_has_its_line() -> None:
    document = parse("name: x\nrules:\n  - a\n  - b: 1\n")
    assert document.data == {"name": "x", "rules": ["a", {"b": 1}]}
    assert document.line(("name",)) == 1 and document.line(("rules", 1, "b")) == 4
    assert document.line(("rules", 1, "c", "d")) == 4, "the nearest thing around it"
    assert document.line(("nothing",)) == 1
    error = document.error(("rules", 0), "no such rule", "see the list")
    assert str(error).startswith("mine.yaml, line 3: no such rule") and error.hint == "see the list"


def test_an_empty_file_is_nothing() -> None:
    assert parse("").data is None and parse("# only a comment\n").data is None


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a: 1\na: 2\n", "line 2: the key 'a' appears twice"),
        ("a:\n  b: 1\n  b: 2\n", "line 3: the key 'b' appears twice"),
        ("1: a\n", "line 1: the key 1 is not text"),
        ("yes: a\n", "the key True is not text"),
        ("a: [1\nb: 2\n", "line 2"),
        ("a: !!python/name:os.system x\n", "line 1"),
        ("[" * 20 + "]" * 20, "nested too deeply"),
        ("a: " + "x" * yaml.MAX_BYTES, "larger than"),
    ],
)
def test_what_makes_no_sense_is_a_usage_error(text: str, message: str) -> None:
    with pytest.raises(UsageError, match=r"mine\.yaml") as caught:
        parse(text)
    assert message in str(caught.value) and caught.value.hint


def test_bytes_that_are_no_text() -> None:
    with pytest.raises(UsageError, match=r"mine\.yaml"):
        yaml.parse(b"a: \xff\xfe\x00", FILE)


def test_aliases_cannot_grow_without_bound() -> None:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 9)]
    with pytest.raises(UsageError):
        parse("\n".join(lines))


def test_a_missing_file(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"cannot read none\.yaml"):
        yaml.read(tmp_path / "none.yaml")
