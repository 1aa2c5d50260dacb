"""Options of real pipelines: parsed, refused with what is possible, and really applied."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from safegen.errors import GenerationFailed, MissingExtra, UsageError
from safegen.generators.diffusers import options as _options
from safegen.generators.diffusers.families import family_of
from safegen.generators.diffusers.generator import DiffusersGenerator
from safegen.generators.diffusers.model_config import PipelineConfig
from safegen.generators.diffusers.options import PipelineOptions
from safegen.generators.option_values import parse_name_values
from safegen.generators.registry import find_generator
from safegen.protocols import NoProgress
from safegen.types import Request

pytest.importorskip("diffusers")


@pytest.fixture(scope="module")
def generator(pipeline_folder: Any) -> Iterator[DiffusersGenerator]:
    found = find_generator(str(pipeline_folder("wan")))
    assert isinstance(found, DiffusersGenerator)
    yield found


def made(generator: Any, /, steps: int = 2, **options: Any) -> Any:
    request = Request("a red ball", width=32, height=32, seconds=0.3, steps=steps, seed=1, options=options)
    return generator.generate(request, progress=NoProgress())


def digest(result: Any) -> str:
    return hashlib.sha256(b"".join(f.tobytes() for f in result.clip)).hexdigest()


def test_pairs() -> None:
    texts = ["offload=model", "lora_scale=0.5", "mag-ratios=[1,1.1]", "vae_tiling=on", "a=x=y"]
    assert parse_name_values(texts) == {
        "offload": "model",
        "lora_scale": 0.5,
        "mag_ratios": [1, 1.1],
        "vae_tiling": "on",
        "a": "x=y",
    }
    for bad in (["offload"], ["=x"], ["a b=1"], ["a=1", "a=2"]):
        with pytest.raises(UsageError):
            parse_name_values(bad)


def test_typed_ones_are_told_from_those_of_the_call() -> None:
    typed, rest = _options.split_options({"offload": "group", "compile": "off", "attention_kwargs": {}})
    assert typed == PipelineOptions(offload="group", compile=False) and rest == {"attention_kwargs": {}}
    assert typed.for_record() == {} and PipelineOptions(cache="pab", flow_shift=2.0).for_record() == {
        "cache": "pab",
        "flow_shift": 2.0,
    }


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("offload", "always"),
        ("dtype", "float8"),
        ("cache", "faster"),
        ("quantise", "2bit"),
        ("vae_tiling", "maybe"),
        ("compile", 3),
        ("lora_scale", "much"),
        ("lora_scale", float("nan")),
        ("flow_shift", 0),
        ("mag_ratios", []),
        ("mag_ratios", ["x"]),
        ("device", 7),
        ("lora", "weights.bin"),
        ("lora", "nowhere.safetensors"),
    ],
)
def test_wrong_values_say_what_is_possible(name: str, value: Any) -> None:
    with pytest.raises(UsageError) as error:
        _options.split_options({name: value})
    assert error.value.hint


@pytest.mark.parametrize(
    "name",
    [
        "prompt",
        "prompt_embeds",
        "negative_prompt",
        "image",
        "image_embeds",
        "video",
        "latents",
        "width",
        "num_frames",
        "output_type",
        "generator",
        "callback_on_step_end",
        "num_videos_per_prompt",
        "strength",
    ],
)
def test_nothing_goes_round_the_screens(name: str, generator: Any) -> None:
    with pytest.raises(UsageError, match="is not an option"):
        made(generator, **{name: "a bad thing"})
    with pytest.raises(UsageError, match="is not an option"):
        generator.outlook(Request("x", options={name: "a bad thing"}))


@pytest.mark.parametrize(
    ("options", "match"),
    [
        ({"device": "cuda:99"}, "no device"),
        ({"device": "toaster"}, "no device"),
        ({"offload": "model", "device": "cpu"}, "no GPU"),
        ({"offload": "sequential", "device": "cpu"}, "no GPU"),
        ({"attention": "telepathy"}, "no attention"),
        ({"cache": "magcache"}, "ratios"),
        ({"guidance_scale_2": 3.0}, "guidance_scale_2"),
        ({"nonsense": 1}, "no option"),
    ],
)
def test_what_does_not_work_is_said(options: dict[str, Any], match: str, generator: Any) -> None:
    with pytest.raises(UsageError, match=match):
        made(generator, **options)


@pytest.mark.parametrize(
    "options",
    [
        {"dtype": "bfloat16"},
        {"offload": "group"},
        {"vae_tiling": True, "vae_slicing": True},
        {"attention": "_native_math"},
        {"cache": "first-block", "cache_threshold": 5.0},
        {"cache": "pab"},
        {"cache": "taylorseer"},
        {"cache": "magcache", "mag_ratios": [1.0] * 8},
        {"quantise": "fp8"},
        {"flow_shift": 9.0},
    ],
    ids=lambda o: next(iter(o.values())) if "cache" in o or "quantise" in o else next(iter(o)),
)
def test_options_run_and_repeat(options: dict[str, Any], generator: Any) -> None:
    first = made(generator, steps=8 if "cache" in options else 2, device="cpu", **options)
    again = made(generator, steps=8 if "cache" in options else 2, device="cpu", **options)
    assert digest(first) == digest(again)
    name, value = next(iter(options.items()))
    assert first.settings[name] == value
    if name in ("flow_shift", "quantise", "dtype"):
        assert digest(first) != digest(made(generator, device="cpu"))


def test_a_cache_saves_work(generator: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    from diffusers.models.transformers.transformer_wan import WanAttention

    calls: list[int] = []
    forward = WanAttention.forward

    def counted(self: Any, *args: Any, **kwargs: Any) -> Any:
        calls.append(1)
        return forward(self, *args, **kwargs)

    monkeypatch.setattr(WanAttention, "forward", counted)
    made(generator, steps=6)
    without, calls[:] = len(calls), []
    made(generator, steps=6, cache="first-block", cache_threshold=5.0)
    assert without == 2 * 2 * 2 * 6 and len(calls) < 0.8 * without


def test_options_of_the_call_reach_it(generator: Any) -> None:
    assert made(generator, max_sequence_length=64).settings["max_sequence_length"] == 64


def test_two_guidances(pipeline_folder: Any) -> None:
    result = made(find_generator(str(pipeline_folder("wan_a14b"))), guidance_scale_2=3.0)
    assert result.settings["guidance_scale_2"] == 3.0


def test_guidance_where_it_is_a_part(pipeline_folder: Any) -> None:
    found = find_generator(str(pipeline_folder("hunyuan15")))
    assert isinstance(found, DiffusersGenerator)
    pipe, family = found.loaded_pipeline().pipe, family_of(PipelineConfig("HunyuanVideo15Pipeline"))
    assert family.set_guidance(pipe, 3.0) and pipe.guider.guidance_scale == 3.0
    pipe.guider = None
    assert not family.set_guidance(pipe, 3.0)


@pytest.mark.parametrize(
    ("quantise", "library"), [("bnb-4bit", "bitsandbytes"), ("bnb-8bit", "bitsandbytes"), ("int8", "torchao")]
)
def test_missing_libraries_are_named(
    quantise: str, library: str, generator: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    import sys

    for module in (library, f"{library}.quantization"):
        monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(MissingExtra, match=library) as error:
        made(generator, quantise=quantise)
    assert library in error.value.hint


@pytest.fixture(scope="module")
def lora(pipeline_folder: Any, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A LoRA for the tiny Wan pipeline, as peft writes it."""
    pytest.importorskip("peft")
    return _lora(tmp_path_factory.mktemp("lora") / "style.safetensors", 24)


def _lora(path: Path, width: int, part: str = "transformer.blocks.{}.attn1.to_q") -> Path:
    from safetensors.numpy import save_file

    rng = np.random.default_rng(0)
    tensors = {}
    for i in range(2):
        tensors[f"{part.format(i)}.lora_A.weight"] = rng.normal(size=(2, width)).astype(np.float32)
        tensors[f"{part.format(i)}.lora_B.weight"] = rng.normal(size=(width, 2)).astype(np.float32)
    save_file(tensors, str(path))
    return path


def test_lora_changes_the_clip_and_is_recorded(generator: Any, lora: Path) -> None:
    plain, styled = made(generator), made(generator, lora=str(lora), lora_scale=0.8)
    assert digest(plain) != digest(styled)
    expected = hashlib.sha256(lora.read_bytes()).hexdigest()
    assert styled.settings["lora"] == {"name": "style.safetensors", "sha256": expected, "scale": 0.8}
    assert str(lora.parent) not in repr(styled.settings)
    assert digest(styled) != digest(made(generator, lora=str(lora), lora_scale=0.2))
    assert digest(plain) == digest(made(generator))


@pytest.mark.parametrize("wrong", ["width", "name", "half", "text", "none"])
def test_a_wrong_lora_leaves_nothing_behind(wrong: str, generator: Any, lora: Path, tmp_path: Path) -> None:
    file = tmp_path / "wrong.safetensors"
    if wrong == "width":
        _lora(file, 48)
    elif wrong == "name":
        _lora(file, 24, "transformer.single_blocks.{}.attn.to_out")
    elif wrong == "half":
        _lora(file, 24, "transformer.blocks.{}1.attn1.to_q")
    elif wrong == "text":
        file.write_text("this is no LoRA", encoding="utf-8")
    else:
        from safetensors.numpy import save_file

        save_file({"weight": np.zeros(3, np.float32)}, str(file))
    before = digest(made(generator))
    with pytest.raises(UsageError, match=r"wrong\.safetensors"):
        made(generator, lora=str(file))
    assert digest(made(generator)) == before


def test_a_lora_for_another_model_is_told_in_plain_words(generator: Any, lora: Path, tmp_path: Path) -> None:
    file = _lora(tmp_path / "other.safetensors", 24, "other_model.blocks.{}.attn1.to_q")
    with pytest.raises(UsageError, match="none of its 2 layers match this model"):
        made(generator, lora=str(file))


def test_outlook_says_what_it_takes(generator: Any) -> None:
    outlook = generator.outlook(Request("x", width=64, height=64))
    assert outlook.needs["device"] and outlook.needs["offload"] == "none"
    assert "estimated" in outlook.needs["memory"]


def test_the_gpu_decides_where_parts_go(generator: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """The choice by memory, on machines this one is not: only the sizes of RAM and GPU are made up."""
    import torch

    from safegen.generators import estimate
    from safegen.generators.estimate import Machine
    from safegen.generators.presets import PRESETS

    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    wan = DiffusersGenerator(PRESETS["wan2.1-1.3b"])
    chosen = {}
    for gib in (2, 16, 96):
        there = Machine(64 * 2**30, 64 * 2**30, gib * 2**30, gib * 2**30, "a GPU")
        monkeypatch.setattr(estimate, "detect_machine", lambda there=there: there)
        chosen[gib] = wan.outlook(Request("x")).needs
    assert chosen[96]["offload"] == "none" and chosen[16]["offload"] in ("none", "model")
    assert "pull" in chosen[96]["download"] and chosen[96]["dtype"] == "bfloat16"
    assert chosen.get(2, {}).get("offload", "sequential") in ("group", "sequential")


def test_not_enough_memory_is_said_before_loading(generator: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    from safegen.generators import estimate
    from safegen.generators.estimate import Machine

    monkeypatch.setattr(estimate, "detect_machine", lambda: Machine(1000, 1000))
    with pytest.raises(GenerationFailed, match="not enough memory"):
        made(generator, device="cpu")
    assert any("not enough" in n for n in generator.outlook(Request("x", width=64, height=64)).notes)
