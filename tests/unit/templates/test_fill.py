"""Values: what may be put into a prompt, and that nothing in a value is read again."""

from __future__ import annotations

from pathlib import Path

import pytest

from safegen.errors import UsageError
from safegen.templates import Template, load
from safegen.templates.fill import check_names, fill_placeholders, resolve_values
from tests.unit.templates.test_template_files import own


@pytest.fixture
def template(tmp_path: Path) -> Template:
    return load(str(own(tmp_path)))


def test_row_then_fixed_value_then_default(template: Template) -> None:
    assert resolve_values(template, {"who": "Ann", "colour": "ORANGE"})["colour"] == "orange"
    assert resolve_values(template, {"who": "Ann"}, {"colour": "orange"})["colour"] == "orange"
    assert resolve_values(template, {"who": "Ann", "colour": " "})["colour"] == "red"


WRONG = {
    "nothing": "",
    "too long": "x" * 11,
    "line break": "a\nb",
    "another prompt": "a\r\nb",
    "escape": "a\x1b[2J",
    "right to left": "a\u202eb",
    "not UTF-8": "J\udcfcrgen",
    "field": "{colour}",
    "attribute": "{__class__}",
    "closing": "a}",
}


@pytest.mark.parametrize("name", WRONG)
def test_wrong_value_names_its_field(name: str, template: Template) -> None:
    with pytest.raises(UsageError, match="who"):
        resolve_values(template, {"who": WRONG[name]})


def test_value_that_is_not_allowed_says_what_is(template: Template) -> None:
    with pytest.raises(UsageError, match="colour") as caught:
        resolve_values(template, {"who": "Ann", "colour": "rod"})
    assert "'red'" in caught.value.hint


@pytest.mark.parametrize(
    "value", ["{who}", "{colour}", "%s", "{0}", "$colour", "{who.__class__}", "{{", "\\1"]
)
def test_value_is_never_read_again(value: str) -> None:
    assert fill_placeholders("x {who} y {colour}", {"who": value, "colour": "red"}) == f"x {value} y red"


def test_article_fits_the_value() -> None:
    assert (
        fill_placeholders("a {c} ball, A {c} one, la {c}", {"c": "orange"})
        == "an orange ball, An orange one, la orange"
    )
    assert fill_placeholders("a {c} ball", {"c": "red"}) == "a red ball"


def test_names_and_marks_of_all_languages_pass(template: Template) -> None:
    for name in ("Zoë", "Jürgen", "李明", "हिन्दी", "O'Neill", "N'Golo-K."):
        assert resolve_values(template, {"who": name})["who"] == name


def test_name_that_is_no_field(template: Template) -> None:
    with pytest.raises(UsageError) as caught:
        check_names(template, {"color": "red"})
    assert "colour" in caught.value.hint
