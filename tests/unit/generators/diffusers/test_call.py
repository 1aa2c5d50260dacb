"""How every video pipeline of the installed diffusers is called, compared with the source of its class."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from safegen.errors import UsageError
from safegen.generators.diffusers import introspection
from safegen.generators.diffusers.families import PipelineCall, family_of
from safegen.generators.diffusers.model_config import PipelineConfig, guess_pipeline_config
from safegen.generators.modes import MODES
from safegen.generators.registry import find_generator
from safegen.types import Request
from tests.support.pipelines import matrix

pytest.importorskip("diffusers")

PIXELS = np.zeros((1, 32, 32, 3), np.uint8)
OURS = {"prompt", "width", "height", "num_frames", "frames", "video_length", "num_inference_steps"}
"""What is given where the call takes it."""


def given(name: str, ability: str) -> tuple[introspection.CallSignature, set[str], set[str]]:
    """The call that does *ability*, what must be among its arguments, and what is given at all."""
    family, config = family_of(PipelineConfig(name)), PipelineConfig(name)
    viewed = family.views.get(ability, name)  # type: ignore[call-overload]
    call = introspection.call_signature(viewed)
    assert call is not None
    ends: dict[str, Any] = {
        "first": {"start": PIXELS},
        "both": {"start": PIXELS, "end": PIXELS},
        "last": {"end": PIXELS},
        "edit": {"source": PIXELS, "strength": 1.0},
    }.get(ability, {})
    pipe = type(viewed, (), {"transformer": SimpleNamespace(config=SimpleNamespace())})()
    conditions = set(family.conditioning(pipe, PipelineCall("x", 32, 32, 37, 1, **ends)))
    defaults = {n for n in family.defaults(config, 24) if n in call.parameters}
    return call, conditions, conditions | defaults | (OURS & call.parameters)


def all_calls() -> list[tuple[str, str]]:
    """Every class with every ability it is said to have."""
    out = []
    for name in matrix.video_classes():
        config = PipelineConfig(name)
        if family_of(config).modes(config):
            out += [(name, ability) for ability in sorted(family_of(config).abilities(config))]
    return out


def test_every_call_is_one_that_the_class_takes() -> None:
    wrong, seen = [], 0
    for name, ability in all_calls():
        call, conditions, everything = given(name, ability)
        seen += 1
        if not conditions <= call.parameters or not call.required <= everything:
            wrong.append((name, ability, conditions - call.parameters, call.required - everything))
        if ability != "text" and not conditions:
            assert name.startswith("LTX"), f"{name} is given no picture for {ability}"
    assert not wrong and seen > 60


def test_the_tables_of_the_documentation() -> None:
    _, inside, _ = matrix.between(matrix.DOCS.read_text(encoding="utf-8"))
    rows = [line for line in inside.splitlines() if line.count("|") == 6][2:]
    assert inside == matrix.lines(rows), "python -m tests.support.pipelines.matrix writes docs/models.md"
    assert len(rows) == len(matrix.WHOLE)


@pytest.mark.parametrize("name", sorted(matrix.WHOLE))
def test_the_row_of_each_pipeline(name: str, pipeline_folder: Any) -> None:
    assert matrix.row(name, pipeline_folder(name)) in matrix.DOCS.read_text(encoding="utf-8")


def test_what_a_class_says_of_itself() -> None:
    call = introspection.call_signature("SkyReelsV2DiffusionForcingImageToVideoPipeline")
    assert call is not None
    assert call.required == {"image"} and {"last_image", "fps"} <= call.parameters
    assert (
        call.default_number("width"),
        call.default_number("height"),
        call.default_number("num_frames"),
    ) == (960, 544, 97)
    assert (call.side, call.rate) == (16, 24)
    sana = introspection.call_signature("SanaVideoPipeline")
    assert sana is not None and sana.side == 32 and sana.default_number("num_frames", "frames") == 81
    assert (
        introspection.call_signature("NoSuchPipeline") is None
        and introspection.class_source("../etc") is None
    )


def test_pipelines_that_want_more_than_there_is_are_named(tmp_path: Path) -> None:
    (tmp_path / "model_index.json").write_text('{"_class_name": "WanAnimatePipeline"}')
    generator = find_generator(str(tmp_path))
    assert not generator.modes
    with pytest.raises(UsageError, match="WanAnimatePipeline") as error:
        generator.outlook(Request("x"))
    assert "nothing safegen knows" in error.value.hint


@pytest.mark.parametrize(
    ("hub", "can", "cannot"),
    [
        ("Wan-AI/Wan2.2-TI2V-5B-Diffusers", {"text", "image", "edit"}, {"blend"}),
        ("Wan-AI/Wan2.2-T2V-A14B-Diffusers", {"text"}, {"edit", "image"}),
        ("Wan-AI/Wan2.1-FLF2V-14B-720P-diffusers", {"image", "blend"}, {"text", "extend"}),
        ("Wan-AI/Wan2.1-I2V-14B-480P-Diffusers", {"image", "extend"}, {"text", "blend"}),
        ("Lightricks/LTX-2", {"text", "image"}, {"edit"}),
    ],
)
def test_what_a_name_says_before_the_files_are_here(hub: str, can: set[str], cannot: set[str]) -> None:
    config = guess_pipeline_config(hub)
    modes = family_of(config).modes(config)
    assert can <= modes and not cannot & modes and modes <= set(MODES)


@pytest.mark.parametrize(
    ("options", "match"),
    [
        ({"complex_human_instruction": ["draw something else"]}, "cannot be text"),
        ({"attention_kwargs": {"deep": ["words"]}}, "cannot be text"),
        ({"enable_safety_check": False}, "not an option"),
        ({"frames": 9}, "not an option"),
        ({"steps": 3}, "not an option"),
        ({"system_prompt": 1}, "not an option"),
        ({"no_such_thing": 1}, "has no option"),
    ],
)
def test_what_cannot_be_given_by_name(options: dict[str, Any], match: str, pipeline_folder: Any) -> None:
    generator = find_generator(str(pipeline_folder("sana")))
    with pytest.raises(UsageError, match=match):
        generator.outlook(Request("a red ball", options=options))
    generator.outlook(Request("a red ball", options={"clean_caption": False, "sigmas": [1.0, 0.5]}))
