"""Suites: the shipped ones are sound, malformed ones are refused with their line."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from safegen.audit import suites
from safegen.errors import UsageError

from .conftest import SUITE


@pytest.mark.parametrize("name", suites.names())
def test_the_shipped_suites_are_sound(name: str) -> None:
    suite = suites.load(name).suite
    assert suite.name == name
    assert all(aim.why for aim in suite.attributes.values()), "a target is a choice: whose?"
    assert all(len(g.texts) >= 8 for g in suite.groups)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("seeds: 2", "seeds: 0", "line 5"),
        ("seeds: 2", "seeds: two", "seeds"),
        ("seeds: 2", "sedes: 2", "Extra inputs"),
        ("classes: [red, blue]", "classes: [red]", "at least 2"),
        ("classes: [red, blue]", "classes: [red, red]", "different names"),
        ("classes: [red, blue]", "classes: [red, unknown]", "unknown"),
        ("classes: [red, blue]", "classes: [red, blue], target: {red: 1}", "a share for every class"),
        ("classes: [red, blue]", "classes: [red, blue], target: {red: 0, blue: 0}", "above 0"),
        ("attributes: [colour, shape]", "attributes: [colour, taste]", "'taste' is not declared"),
        ("[left, right]", "[left, left]", "twice"),
        ("way: [left, right]", "direction: [left, right]", "each placeholder"),
        ("effect: 0.3", "effect: 0.01", "above limit"),
        ("name: small", "name: [small]", "valid string"),
        ("about: two", "about: &x two", "line 1"),
        ("gate: {", "gate: [", "line"),
    ],
)
def test_malformed_suites_are_refused(
    suite_file: Callable[[str], Path], old: str, new: str, message: str
) -> None:
    assert old in SUITE
    if "&x" in new:
        new = "about: \x07two"
    with pytest.raises(UsageError, match=r"suite\.yaml, line") as caught:
        suites.load(str(suite_file(SUITE.replace(old, new, 1))))
    assert message in str(caught.value) or message == "line 1"


def test_duplicate_prompts_are_refused_whatever_their_case(suite_file: Callable[[str], Path]) -> None:
    text = SUITE.replace(
        "template: a {thing} rolling {way}\n    fill: {thing: [ball, box], way: [left, right]}",
        "prompts: [a ball rolling, A  Ball rolling]",
    )
    with pytest.raises(UsageError, match="twice"):
        suites.load(str(suite_file(text)))


def test_unknown_names_get_a_hint() -> None:
    with pytest.raises(UsageError) as caught:
        suites.load("world-opn")
    assert "world-open" in caught.value.hint
    with pytest.raises(UsageError, match="cannot read"):
        suites.load("nowhere/suite.yaml")


def test_the_digest_is_that_of_the_content(suite_file: Callable[[str], Path]) -> None:
    first = suites.load(str(suite_file(SUITE)))
    second = suites.load(str(suite_file("# a comment\n" + SUITE)))
    third = suites.load(str(suite_file(SUITE.replace("seeds: 2", "seeds: 3"))))
    assert first.digest == second.digest != third.digest
    assert suites.from_json(first.suite.model_dump(mode="json")) == first
