"""Programs import these names and pass these parameters: neither changes."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

import pytest

import safegen
from safegen import api
from safegen.api.options import GenerationOptions

SIGNATURES = {
    "blend": "video next_video prompt= output= **options",
    "describe": "path * folder= video= captions= overwrite= progress=",
    "detect": "path * scheme= key= progress=",
    "extend": "video prompt= output= * backwards= **options",
    "generate": "prompt output= * image= last_image= **options",
    "loop": "video prompt= output= **options",
    "moderate": "path * policy= checks= progress=",
    "protect": "path output= * source_type= policy= watermark= crf= overwrite= allow_damaged= manifest= "
    "label= workspace= passphrase= signer= progress=",
    "remix": "video prompt output= * strength= **options",
    "reproduce": "path output= * prompt= negative_prompt= inputs= model= policy= watermark= overwrite= "
    "approval= workspace= passphrase= progress=",
    "screen": "prompt * policy= negative_prompt=",
    "storyboard": "shots output= **options",
    "verify": "path * workspace= proof= trust= watermark= at= fetch_remote= resolve= resolve_by_content= "
    "fragments= c2pa_list=",
}
"""Parameters in order; ``=``: it has a default; after ``*``: by keyword only."""
OPTIONS = """
    access approval aspect crf fps guidance height label manifest model negative_prompt options overwrite
    passphrase policy progress seconds seed signer size steps watermark width workspace
"""


def written(function: Callable[..., Any]) -> str:
    """The parameters in words; the options that every maker shares, where all are there, as one."""
    parameters = inspect.signature(function).parameters
    shared = set(OPTIONS.split()) if set(OPTIONS.split()) <= set(parameters) else set()
    words, by_name = [], False
    for p in parameters.values():
        if p.name in shared:
            assert p.kind is p.KEYWORD_ONLY and p.default is not p.empty
            continue
        if p.kind is p.KEYWORD_ONLY and not by_name:
            words.append("*")
            by_name = True
        stars = "**" if p.kind is p.VAR_KEYWORD else ""
        words.append(f"{stars}{p.name}{'' if stars or p.default is p.empty else '='}")
    return " ".join([*words, *(["**options"] if shared else [])])


@pytest.mark.parametrize("name", SIGNATURES)
def test_parameters_stay(name: str) -> None:
    assert written(getattr(safegen, name)) == SIGNATURES[name]


def test_options_of_every_way_of_making_a_clip_stay() -> None:
    assert sorted(GenerationOptions.__optional_keys__) == OPTIONS.split()
    assert not GenerationOptions.__required_keys__


def test_public_names_stay() -> None:
    types = {"Allowed", "Held", "Refused", "Release", "Report", "SafegenError", "Shot", "Verdict"}
    assert set(safegen.__all__) == {*SIGNATURES, *types, "__version__"}
    assert all(getattr(safegen, name) is not None for name in safegen.__all__)


@pytest.mark.parametrize("module", [safegen, api])
def test_a_name_that_is_not_there_is_an_attribute_error(module: Any) -> None:
    with pytest.raises(AttributeError, match="no_such_name"):
        _ = module.no_such_name
    assert not hasattr(module, "no_such_name")


@pytest.mark.parametrize("name", api.__all__)
def test_every_function_is_documented(name: str) -> None:
    assert inspect.getdoc(getattr(api, name))
