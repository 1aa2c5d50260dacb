"""The Python API shows itself: every keyword, its default and its meaning, without a look into the code."""

from __future__ import annotations

import inspect
import pydoc
import re
from collections.abc import Callable
from typing import Any

import pytest

import safegen
from safegen import api, templates
from safegen.api import generation
from safegen.api.options import RELEASE_OPTIONS, GenerationOptions, ReleaseOptions
from safegen.errors import UsageError
from safegen.media.encode import Encoding
from safegen.request.settings import settings_for
from safegen.types import Request

WAYS = ("generate", "remix", "extend", "loop", "blend", "storyboard")
PUBLIC = sorted({n for n in (*safegen.__all__, *api.__all__) if inspect.isfunction(getattr(api, n, None))})


def help_of(function: Callable[..., Any]) -> str:
    """What ``help()`` shows."""
    return pydoc.plain(pydoc.render_doc(function))


@pytest.mark.parametrize("name", PUBLIC)
def test_every_keyword_is_shown_with_its_default(name: str) -> None:
    function = getattr(api, name)
    parameters = inspect.signature(function).parameters.values()
    assert not [p for p in parameters if p.kind in (p.VAR_KEYWORD, p.VAR_POSITIONAL)]
    shown = help_of(function)
    for parameter in parameters:
        if parameter.default is parameter.empty:
            assert f"{parameter.name}: " in shown
        else:
            assert f"{parameter.name}: {parameter.annotation!r} = {parameter.default!r}" in shown
    assert " at 0x" not in shown
    assert "**" not in shown.splitlines()[2]


@pytest.mark.parametrize("name", PUBLIC)
def test_every_keyword_is_mentioned_in_the_docstring(name: str) -> None:
    function = getattr(api, name)
    text = inspect.getdoc(function) or ""
    missing = [p for p in inspect.signature(function).parameters if not re.search(rf"\b{p}\b", text)]
    assert missing == []


def test_defaults_are_told_once() -> None:
    table = {o.name: o.default for o in (*settings_for("clip"), *RELEASE_OPTIONS)}
    for function, names in (
        (safegen.protect, ("policy", "watermark", "crf", "overwrite")),
        (safegen.screen, ("policy", "negative_prompt")),
        (safegen.reproduce, ("watermark", "overwrite", "approval")),
        (Encoding, ("crf",)),
        (templates.Options, ("policy", "watermark", "crf")),
    ):
        parameters = inspect.signature(function).parameters
        assert {n: parameters[n].default for n in names} == {n: table[n] for n in names}


@pytest.mark.parametrize("name", WAYS)
def test_every_option_is_explained(name: str) -> None:
    function = getattr(safegen, name)
    parameters = inspect.signature(function).parameters
    text = " ".join(help_of(function).split())
    for option in (*settings_for("clip"), *RELEASE_OPTIONS):
        assert parameters[option.name].default == option.default
        assert parameters[option.name].kind is inspect.Parameter.KEYWORD_ONLY
        assert f"{option.name}: {option.describe()}" in text
    assert not [line for line in (function.__doc__ or "").splitlines() if len(line) > 110]


def test_the_classes_for_type_checkers_have_the_same_names() -> None:
    assert list(ReleaseOptions.__annotations__) == [o.name for o in RELEASE_OPTIONS]
    both = [o.name for o in (*settings_for("clip"), *RELEASE_OPTIONS)]
    assert list(GenerationOptions.__annotations__) == both


@pytest.mark.parametrize(
    ("function", "positional", "wrong", "hint"),
    [
        ("generate", ("a red ball",), "sede", "seed"),
        ("remix", ("a.mp4", "a red ball"), "strenght", ""),
        ("extend", ("a.mp4",), "heigth", "height"),
        ("loop", ("a.mp4",), "secs", ""),
        ("blend", ("a.mp4", "b.mp4"), "overwite", "overwrite"),
        ("storyboard", ([],), "neg_prompt", "negative_prompt"),
    ],
)
def test_a_misspelt_keyword_is_a_mistake_of_the_caller(
    function: str, positional: tuple[Any, ...], wrong: str, hint: str
) -> None:
    with pytest.raises(TypeError, match=wrong) as caught:
        getattr(safegen, function)(*positional, **{wrong: 3})
    assert f"{function}() got an unexpected keyword argument" in str(caught.value)
    assert f"did you mean '{hint}'" in str(caught.value) if hint else True


def test_a_misspelt_release_option_too() -> None:
    with pytest.raises(TypeError, match="did you mean 'watermark'"):
        generation.generate_request(Request("a red ball"), watermrak="tile")  # type: ignore[call-arg]
    with pytest.raises(TypeError, match="release_request"):
        generation.release_request(generation.build.generate("x"), seed=3)  # type: ignore[call-arg]


@pytest.mark.parametrize("crf", [-1, 52, "18", True, 18.5, None])
def test_a_quality_out_of_range_is_refused_before_anything_is_opened(crf: Any) -> None:
    with pytest.raises(UsageError, match="crf cannot be"):
        safegen.generate("a red ball", crf=crf)
    with pytest.raises(UsageError, match="crf cannot be"):
        safegen.protect("missing.mp4", crf=crf)


def test_a_request_of_the_caller_is_held_to_whole_numbers() -> None:
    with pytest.raises(UsageError, match=r"fps cannot be 23\.976"):
        generation.generate_request(Request("a red ball", fps=23.976))  # type: ignore[arg-type]
    with pytest.raises(UsageError, match=r"steps cannot be 2\.5"):
        generation.plan(Request("a red ball", steps=2.5))  # type: ignore[arg-type]
