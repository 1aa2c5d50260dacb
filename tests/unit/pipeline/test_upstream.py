"""A clip that a server made and signed: what our manifest says about it."""

from __future__ import annotations

from pathlib import Path

from safegen.credentials.manifest import build_manifest
from safegen.pipeline.manifest import add_upstream, build_ingredients, digital_source_type
from safegen.pipeline.stages import IngredientFile
from tests.e2e.makers import inputs

SOURCE = IngredientFile(Path("mine.mp4"), "mine.mp4", "parentOf", "input-1")


def test_without_a_signed_file_nothing_changes() -> None:
    assert add_upstream((SOURCE,), None) == (SOURCE,)


def test_the_servers_file_is_the_parent_and_what_went_in_is_an_input() -> None:
    parts = add_upstream((SOURCE,), Path("upstream.mp4"))
    assert [(p.relationship, p.label) for p in parts] == [("inputTo", "input-1"), ("parentOf", "upstream")]
    assert digital_source_type(parts).endswith("/compositeWithTrainedAlgorithmicMedia")
    assert digital_source_type(add_upstream((), Path("upstream.mp4"))).endswith("/trainedAlgorithmicMedia")


def test_a_rendition_was_transcoded_not_edited() -> None:
    parts = add_upstream((SOURCE,), Path("upstream.mp4"))
    stated = inputs(
        7, ingredients=build_ingredients(parts, ()), source_type=digital_source_type(parts), rendition=True
    )
    actions = build_manifest(stated)["assertions"][0]["data"]["actions"]
    assert [a["action"] for a in actions] == ["c2pa.opened", "c2pa.transcoded", "c2pa.watermarked.bound"]
    assert actions[0]["parameters"]["ingredientIds"] == ["upstream"]
    assert actions[1]["parameters"]["ingredientIds"] == ["input-1"]
    assert actions[1]["softwareAgent"]["name"] == "safegen"
