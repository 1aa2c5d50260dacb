"""Every family of pipelines through the real path: saved as a hub would have it, loaded, called, stopped."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import Any

import pytest

from safegen.errors import GenerationFailed, Interrupted, MissingExtra, UsageError
from safegen.generators.registry import find_generator
from safegen.protocols import NoProgress
from safegen.types import Request
from tests.support.pipelines.requests import (
    FAMILIES,
    FIXED,
    MODES,
    SIDE,
    STEP,
    UNSIZED,
    UNSTEADY,
    digest,
    each,
    inputs,
    smallest_request,
)

pytest.importorskip("diffusers")


@pytest.mark.parametrize("name", each())
def test_load_call_progress_and_what_is_said(name: str, generators: Any, counting: Any) -> None:
    generator, request, progress = generators(name), smallest_request(name), counting()
    outlook = generator.outlook(request)
    made = generator.generate(request, progress=progress, conditions=inputs(request, name))
    assert progress.stages[0] == ("loading", None)
    assert ("denoising", 2) in progress.stages and progress.units == 2
    if name not in UNSIZED:
        assert (outlook.width, outlook.height) == (made.clip.width, made.clip.height)
    assert outlook.seconds == pytest.approx(made.clip.seconds) and outlook.fps == made.clip.fps
    assert not [n for n in made.warnings if "instead" in n]
    assert made.settings["num_inference_steps"] == 2 and made.settings["mode"] == request.mode
    assert len(str(made.model.digest)) == 64
    assert "red ball" not in repr(made.settings) and str(generator.preset.source) not in repr(made.settings)


@pytest.mark.parametrize("name", each())
def test_stopping_leaves_nothing_behind(name: str, generators: Any, counting: Any) -> None:
    generator, request, progress = generators(name), smallest_request(name), counting(stop_after=1)
    with pytest.raises(Interrupted):
        generator.generate(request, progress=progress, conditions=inputs(request, name))
    assert progress.units == 1
    assert "step" not in vars(generator.loaded_pipeline().pipe.scheduler)


@pytest.mark.parametrize("name", each(UNSTEADY))
def test_the_seed_decides_every_byte(name: str, generators: Any) -> None:
    generator = generators(name)

    def run(seed: int) -> str:
        request = smallest_request(name, seed=seed)
        return digest(generator.generate(request, progress=NoProgress(), conditions=inputs(request, name)))

    assert run(5) == run(5) != run(6)


@pytest.mark.parametrize("name", FAMILIES)
def test_modes(name: str, pipeline_folder: Any) -> None:
    generator = find_generator(str(pipeline_folder(name)))
    assert generator.modes == MODES[name]
    for mode in {"text", "image", "extend_back", "blend"} - MODES[name]:
        with pytest.raises(UsageError, match="cannot do") as error:
            generator.outlook(smallest_request(name, mode))
        assert "tiny" in error.value.hint


@pytest.mark.parametrize("name", each(FIXED | UNSIZED, set()))
def test_sizes_are_rounded_aloud(name: str, pipeline_folder: Any) -> None:
    generator = find_generator(str(pipeline_folder(name)))
    mode = smallest_request(name).mode
    outlook = generator.outlook(Request("x", width=70, height=90, seconds=1.0, mode=mode))
    step, side = STEP.get(name, 4), SIDE.get(name, 16)
    assert outlook.width and outlook.height and outlook.seconds and outlook.fps
    assert outlook.width % side == 0 and outlook.height % side == 0
    assert round(outlook.seconds * outlook.fps) % step == 1
    assert any(f"will make {outlook.width}x{outlook.height}" in note for note in outlook.notes)
    with pytest.raises(UsageError) as error:
        generator.outlook(Request("x", width=side // 2 - 1, height=64, mode=mode))
    assert f"multiples of {side}" in error.value.hint


@pytest.mark.parametrize("name", sorted(FIXED))
def test_one_size_only(name: str, pipeline_folder: Any) -> None:
    generator = find_generator(str(pipeline_folder(name)))
    with pytest.raises(UsageError, match="64x64"):
        generator.outlook(smallest_request(name, width=96, height=96))


def test_a_pipeline_that_answers_with_nan(generators: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    import torch

    generator = generators("wan")
    pipe = generator.loaded_pipeline().pipe
    with torch.no_grad():
        before = pipe.transformer.proj_out.bias.clone()
        pipe.transformer.proj_out.bias.fill_(float("nan"))
    try:
        with pytest.raises(GenerationFailed, match="NaN") as error:
            generator.generate(smallest_request("wan"), progress=NoProgress())
        assert "dtype" in error.value.hint
    finally:
        with torch.no_grad():
            pipe.transformer.proj_out.bias.copy_(before)


@pytest.mark.parametrize("kind", ["cuda", "cpu", "python"])
def test_too_little_memory_says_what_to_lower(
    kind: str, generators: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    import torch

    errors = {
        "cuda": torch.OutOfMemoryError("CUDA out of memory"),
        "cpu": RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried to allocate 9 bytes"),
        "python": MemoryError(),
    }

    def short(*_args: Any, **_kwargs: Any) -> None:
        raise errors[kind]

    monkeypatch.setattr(generators("wan").loaded_pipeline().pipe.transformer, "forward", short)
    with pytest.raises(GenerationFailed, match="not enough memory") as error:
        generators("wan").generate(smallest_request("wan"), progress=NoProgress())
    assert "32x32, 5 frames" in error.value.hint and "--height" in error.value.hint


def test_a_folder_that_is_damaged(pipeline_folder: Any, tmp_path: Path) -> None:
    import shutil

    copy = tmp_path / "wan"
    shutil.copytree(pipeline_folder("wan"), copy)
    file = next((copy / "transformer").glob("*.safetensors"))
    file.write_bytes(file.read_bytes()[:-100])
    with pytest.raises(GenerationFailed, match="could not be loaded"):
        find_generator(str(copy)).generate(smallest_request("wan"), progress=NoProgress())


def test_a_pipeline_whose_makers_want_a_guard_is_not_loaded_without_it(
    pipeline_folder: Any, tmp_path: Path
) -> None:
    import shutil

    if importlib.util.find_spec("cosmos_guardrail"):
        pytest.skip("the guard is installed")
    copy = tmp_path / "cosmos"
    shutil.copytree(pipeline_folder("wan"), copy)
    index = copy / "model_index.json"
    index.write_text(index.read_text().replace("WanPipeline", "CosmosTextToWorldPipeline"))
    with pytest.raises(MissingExtra, match="cosmos_guardrail"):
        find_generator(str(copy)).generate(smallest_request("wan"), progress=NoProgress())
