"""Presets: every figure has a source, none names a commit, and the terms that exclude regions are there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml

from safegen.generators import presets
from safegen.generators.diffusers.families import family_of
from safegen.generators.diffusers.model_config import guess_pipeline_config
from safegen.generators.presets import PRESETS, preset_for_source

DATA = yaml.safe_load((Path(presets.__file__).parent / "presets.yaml").read_text(encoding="utf-8"))
FIGURES = (
    "width",
    "height",
    "frames",
    "fps",
    "frame_step",
    "steps",
    "guidance",
    "dtype",
    "licence",
    "pipeline",
)


@pytest.mark.parametrize("name", sorted(PRESETS))
def test_every_figure_has_a_source(name: str) -> None:
    preset = PRESETS[name]
    for figure in FIGURES:
        assert getattr(preset, figure), f"{figure} is left out"
        assert "http" in preset.sources[figure] or "transformers builds" in preset.sources[figure]
    for part in preset.parameters:
        assert preset.sources[f"parameters.{part}"]
    assert all("http" in m.source and m.conditions and m.bytes > 1e9 for m in preset.memory)


def test_no_preset_names_a_commit() -> None:
    for name, entry in DATA.items():
        assert name == "sources" or ("revision" not in entry and not re.search(r"[0-9a-f]{40}", str(entry)))
    assert all(p.revision is None for p in PRESETS.values())


def test_no_source_goes_unused() -> None:
    used = str({k: v for k, v in DATA.items() if k != "sources"})
    assert [key for key in DATA["sources"] if key not in used] == []


@pytest.mark.parametrize("name", sorted(PRESETS))
def test_native_sizes_obey_the_rules(name: str) -> None:
    preset = PRESETS[name]
    assert preset.frames is not None and preset.frames % preset.frame_step == 1
    assert preset.token is not None and preset.width is not None and preset.height is not None
    assert preset.width % 16 == 0 and preset.height % 16 == 0


def test_the_licence_that_excludes_regions_says_so() -> None:
    terms = PRESETS["hunyuanvideo"].terms
    assert all(region in terms for region in ("European Union", "United Kingdom", "South Korea"))
    assert [p.name for p in PRESETS.values() if p.terms] == ["hunyuanvideo"]


def test_a_hub_id_of_a_preset_keeps_what_is_known() -> None:
    preset = preset_for_source("hunyuanvideo-community/HunyuanVideo@v1")
    assert (preset.terms, preset.revision) == (PRESETS["hunyuanvideo"].terms, "v1")
    assert preset_for_source("some/other").describe()["licence"] == "not stated"


def test_the_pipelines_exist_in_diffusers() -> None:
    pytest.importorskip("diffusers")
    from safegen.generators.diffusers.repository import check_pipeline_class

    for preset in PRESETS.values():
        assert check_pipeline_class(preset.source, {"_class_name": preset.pipeline}) == preset.pipeline


def test_what_people_read_is_what_was_published() -> None:
    shown = PRESETS["wan2.1-1.3b"].details()
    assert shown["published_memory"][0]["gigabytes"] == 8.19
    assert "flow_shift" in shown["advice"] and "http" in shown["sources"]["advice"]


@pytest.mark.parametrize("name", ["hunyuanvideo", "mochi-1", "wan2.1-1.3b", "wan2.2-5b", "cogvideox-2b"])
def test_a_preset_plays_as_fast_as_its_family(name: str) -> None:
    config = guess_pipeline_config(PRESETS[name].source)
    native = family_of(config).native(config)
    assert (native.fps, native.frames) == (PRESETS[name].fps, PRESETS[name].frames)
    assert native.step == PRESETS[name].frame_step
