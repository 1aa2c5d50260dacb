"""Template files: those that come with safegen, the user's own, and broken ones."""

from __future__ import annotations

from pathlib import Path

import pytest

from safegen.errors import UsageError
from safegen.screening import screen
from safegen.templates import Template, catalogue, load
from safegen.templates.fill import fill_placeholders
from safegen.types import Allowed, Request
from training.world import captions, stages

SHIPPED = {t.name: t for t in catalogue()}
WORLD = frozenset(w for stage in stages.STAGES.values() for w in captions.vocabulary(stage))

GOOD = """\
use: marketing
summary: a thing
purpose: to test
title: Test
caption: "For {who}"
name_files_by: who
fields:
  who: {about: a name, goes_into: label, max_length: 10}
  colour: {about: a colour, values: [red, orange], default: red}
small: {prompt: "a {colour} ball", model: tiny}
"""


def own(folder: Path, text: str = GOOD, name: str = "own") -> Path:
    path = folder / f"{name}.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def prompts(template: Template) -> list[str]:
    """Every prompt with each allowed value of each field, the others at their defaults."""
    base = {name: field.default or "Anna" for name, field in template.fields.items()}
    rows = [base, *({**base, n: v} for n, f in template.fields.items() for v in f.values)]
    variants = [template.small] + ([template.rich] if template.rich else [])
    return sorted({fill_placeholders(v.prompt, row) for v in variants for row in rows})


def test_there_is_one_for_every_use() -> None:
    uses = {t.use for t in SHIPPED.values()}
    assert uses == {"marketing", "education", "training", "entertainment", "personalised"}
    assert {"birthday", "wedding"} <= set(SHIPPED)


@pytest.mark.parametrize("name", SHIPPED)
def test_embedded_model_knows_every_word(name: str) -> None:
    template = SHIPPED[name]
    small = template.model_copy(update={"rich": None})
    unknown = {w for p in prompts(small) for w in captions.words(p) if w not in WORLD}
    assert not unknown


@pytest.mark.parametrize("name", SHIPPED)
def test_default_policy_allows_every_prompt(name: str) -> None:
    for prompt in prompts(SHIPPED[name]):
        assert isinstance(screen(Request(prompt)), Allowed), prompt


def test_own_template_by_path_and_by_folder(tmp_path: Path) -> None:
    path = own(tmp_path)
    assert load(str(path)) == load("own", tmp_path)
    assert next(t.name for t in catalogue(tmp_path)) == "own"
    own(tmp_path, name="birthday")
    assert load("birthday", tmp_path).purpose == "to test"
    assert load("birthday").use == "personalised"


BROKEN = {
    "unknown key": (GOOD + "colour: red\n", "line 11"),
    "hole without a field": (GOOD.replace("{colour} ball", "{size} ball"), "{size}"),
    "name in the prompt": (GOOD.replace("{colour} ball", "ball for {who} {colour}"), "{who}"),
    "attribute access": (GOOD.replace("{colour} ball", "{colour.__class__}"), "stray"),
    "index": (GOOD.replace("{colour} ball", "{colour[0]}"), "stray"),
    "format code": (GOOD.replace("{colour} ball", "{colour!r:>90}"), "stray"),
    "field in the title": (GOOD.replace("title: Test", "title: Test {who}"), "title"),
    "field nobody uses": (GOOD.replace("{colour} ball", "ball"), "colour"),
    "default that is not allowed": (GOOD.replace("default: red", "default: pink"), "pink"),
    "name of a field": (GOOD.replace("colour", "__class__"), "__class__"),
    "other use": (GOOD.replace("marketing", "propaganda"), "use"),
    "file name of nothing": (GOOD.replace("by: who", "by: whom"), "whom"),
    "not YAML": ("use: [", "line"),
    "empty": ("", "own.yaml"),
    "a list": ("- a\n- b\n", "own.yaml"),
}


@pytest.mark.parametrize("name", BROKEN)
def test_broken_template_is_one_clear_error(name: str, tmp_path: Path) -> None:
    text, word = BROKEN[name]
    with pytest.raises(UsageError, match=r"own\.yaml") as caught:
        load(str(own(tmp_path, text)))
    assert word in str(caught.value)
    assert caught.value.hint


def test_unknown_template_names_near_ones(tmp_path: Path) -> None:
    with pytest.raises(UsageError) as caught:
        load("brithday")
    assert "birthday" in caught.value.hint
    with pytest.raises(UsageError):
        load(str(tmp_path / "missing.yaml"))
    with pytest.raises(UsageError):
        load("../birthday")
