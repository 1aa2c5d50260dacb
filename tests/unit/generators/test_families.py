"""Every family of pipelines through the real path: saved as a hub would have it, loaded, called, stopped."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from safegen.errors import GenerationFailed, Interrupted, UsageError
from safegen.generators import find
from safegen.generators.diffusers import DiffusersGenerator
from safegen.protocols import NoProgress
from safegen.types import Clip, Condition, Input, Request, Shot

pytest.importorskip("diffusers")

SIDE = dict.fromkeys(("ltx", "ltx_condition", "wan22", "ltx2", "sana"), 32)
"""What sides are multiples of, where it is not 16."""
STEP = {
    **dict.fromkeys(("ltx", "ltx_condition", "ltx2", "cogvideox"), 8),
    "mochi": 6,
    "framepack": 36,
}
"""What frame counts are one more than a multiple of, where it is not 4."""
SMALLEST = {"ltx2": 64}
"""The smallest side (pixels) that a tiny pipeline makes, where it is not 32."""
MODES = {
    "wan": {"text", "edit"},
    "wan22": {"text", "image", "edit", "extend", "storyboard"},
    "wan_a14b": {"text"},
    "wan_i2v": {"image", "extend", "loop", "blend", "storyboard"},
    "ltx": {"text", "image", "edit", "extend", "storyboard"},
    "ltx_condition": {"text", "image", "edit", "extend", "extend_back", "loop", "blend", "storyboard"},
    "cogvideox": {"text", "edit"},
    "cogvideox_i2v": {"image", "extend", "storyboard"},
    "mochi": {"text"},
    "hunyuan": {"text"},
    "hunyuan15": {"text"},
    "latte": {"text"},
    "wan_flf2v": {"image", "loop", "blend"},
    "cogvideox15": {"text"},
    "framepack": {"image"},
    "hunyuan_i2v": {"image", "extend", "storyboard"},
    "hunyuan15_i2v": {"image"},
    "ltx2": {"text", "image", "extend", "storyboard"},
    "skyreels": {"text"},
    "skyreels_i2v": {"image", "extend", "loop", "blend", "storyboard"},
    "wan_vace": {"text"},
    "allegro": {"text"},
    "sana": {"text"},
    "kandinsky": {"text"},
    "kandinsky_i2v": {"image", "extend", "storyboard"},
    "animatediff": {"text"},
    "svd": {"image", "extend"},
    "easyanimate": {"text"},
}
FIXED = {"cogvideox_i2v", "latte"}
"""These make one size only."""
UNSIZED = {"hunyuan15_i2v"}
"""The picture's shape decides."""
UNSTEADY = {"allegro", "hunyuan15", "hunyuan15_i2v", "hunyuan"}
"""Random weights that give the same picture whatever the noise."""
SLOW = {"svd", "allegro", "hunyuan15_i2v"}
FAMILIES = sorted(MODES)


def each(but: set[str] = frozenset(), slow: set[str] = SLOW) -> list[Any]:  # type: ignore[assignment]
    """The families but some; those that take seconds are marked as slow."""
    return [pytest.param(n, marks=pytest.mark.slow) if n in slow else n for n in FAMILIES if n not in but]


@pytest.fixture(scope="module")
def generators(pipeline_folder: Any) -> Any:
    """One generator a family, its pipeline loaded once."""
    made: dict[str, DiffusersGenerator] = {}

    def get(name: str) -> DiffusersGenerator:
        if name not in made:
            found = find(str(pipeline_folder(name)))
            assert isinstance(found, DiffusersGenerator)
            made[name] = found
        return made[name]

    return get


def asked(name: str, mode: str = "", **more: Any) -> Request:
    """The smallest request a family can do."""
    mode = mode or ("text" if "text" in MODES[name] else "image")
    side = SMALLEST.get(name, 32)
    sizes: dict[str, Any] = {} if name in FIXED else {"width": side, "height": side, "seconds": 0.01}
    if name in UNSIZED:
        sizes = {"seconds": 0.01}
    values: dict[str, Any] = {"steps": 2, "seed": 3, "mode": mode, **sizes, **more}
    return Request("a red ball", **values)


def noise(role: Any, frames: int = 1, fps: int = 8) -> Condition:
    pixels = np.random.default_rng(frames).integers(0, 255, (frames, 48, 64, 3)).astype(np.uint8)
    return Condition(role, Clip.from_array(pixels, fps), f"{role}.mp4")


def inputs(request: Request, name: str = "") -> list[Condition]:
    if request.mode != "image":
        return []
    return [noise("first_frame"), *([noise("last_frame")] if name == "wan_flf2v" else [])]


def digest(made: Any) -> str:
    return hashlib.sha256(b"".join(f.tobytes() for f in made.clip)).hexdigest()


@pytest.mark.parametrize("name", each())
def test_load_call_progress_and_what_is_said(name: str, generators: Any, counting: Any) -> None:
    generator, request, progress = generators(name), asked(name), counting()
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
    generator, request, progress = generators(name), asked(name), counting(stop_after=1)
    with pytest.raises(Interrupted):
        generator.generate(request, progress=progress, conditions=inputs(request, name))
    assert progress.units == 1
    assert "step" not in vars(generator.loaded().pipe.scheduler)


@pytest.mark.parametrize("name", each(UNSTEADY))
def test_the_seed_decides_every_byte(name: str, generators: Any) -> None:
    generator = generators(name)

    def run(seed: int) -> str:
        request = asked(name, seed=seed)
        return digest(generator.generate(request, progress=NoProgress(), conditions=inputs(request, name)))

    assert run(5) == run(5) != run(6)


@pytest.mark.parametrize("name", FAMILIES)
def test_modes(name: str, pipeline_folder: Any) -> None:
    generator = find(str(pipeline_folder(name)))
    assert generator.modes == MODES[name]
    for mode in {"text", "image", "extend_back", "blend"} - MODES[name]:
        with pytest.raises(UsageError, match="cannot do") as error:
            generator.outlook(asked(name, mode))
        assert "tiny" in error.value.hint


@pytest.mark.parametrize("name", each(FIXED | UNSIZED, set()))
def test_sizes_are_rounded_aloud(name: str, pipeline_folder: Any) -> None:
    generator = find(str(pipeline_folder(name)))
    mode = asked(name).mode
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
    generator = find(str(pipeline_folder(name)))
    with pytest.raises(UsageError, match="64x64"):
        generator.outlook(asked(name, width=96, height=96))


@pytest.mark.parametrize(
    "name", ["wan", "wan22", "ltx", "ltx_condition", pytest.param("cogvideox", marks=pytest.mark.slow)]
)
def test_edit_keeps_the_length_and_uses_the_clip(name: str, generators: Any) -> None:
    generator, fps = generators(name), generators(name).outlook(asked(name)).fps
    request = asked(name, "edit", seconds=None, strength=0.5)
    first = generator.generate(request, progress=NoProgress(), conditions=[noise("video", 7, fps)])
    other = generator.generate(request, progress=NoProgress(), conditions=[noise("video", 8, fps)])
    assert (first.clip.count, other.clip.count) == (7, 8)
    assert digest(first) != digest(other) and first.settings["strength"] == 0.5
    same = generator.generate(request, progress=NoProgress(), conditions=[noise("video", 7, fps)])
    assert digest(first) == digest(same)


@pytest.mark.parametrize(
    "name", ["wan22", "wan_i2v", "ltx", "ltx_condition", "kandinsky_i2v", "skyreels_i2v", "hunyuan_i2v"]
)
def test_extending_keeps_the_clip_and_doubles_no_frame(name: str, generators: Any) -> None:
    generator, fps = generators(name), generators(name).outlook(asked(name)).fps
    video = noise("video", 6, fps)
    request = asked(name, "extend", width=64, height=64, seconds=12 / fps)
    made = generator.generate(request, progress=NoProgress(), conditions=[video])
    frames = list(made.clip)
    assert len(frames) == 12 and made.clip.fps == fps
    again = generator.generate(request, progress=NoProgress(), conditions=[video])
    assert np.array_equal(frames[-1], list(again.clip)[-1])
    assert not np.array_equal(frames[5], frames[6])
    other = generator.generate(request, progress=NoProgress(), conditions=[noise("video", 7, fps)])
    assert not np.array_equal(frames[-1], list(other.clip)[-1])
    with pytest.raises(UsageError, match="alone lasts"):
        generator.generate(asked(name, "extend"), progress=NoProgress(), conditions=[video])


@pytest.mark.parametrize("name", ["wan_i2v", "ltx_condition"])
def test_passages(name: str, generators: Any) -> None:
    generator, fps = generators(name), generators(name).outlook(asked(name)).fps
    first, second = noise("video", 3, fps), noise("next_video", 4, fps)
    step = 8 if name.startswith("ltx") else 4
    blend = asked(name, "blend", seconds=(3 + 4 + step - 1) / fps)
    made = list(generator.generate(blend, progress=NoProgress(), conditions=[first, second]).clip)
    assert len(made) == 3 + 4 + step - 1
    loop = generator.generate(
        asked(name, "loop", seconds=(3 + step - 1) / fps, inputs=()),
        progress=NoProgress(),
        conditions=[noise("first_frame")],
    )
    assert loop.clip.count == step
    with pytest.raises(UsageError, match="next video"):
        generator.generate(blend, progress=NoProgress(), conditions=[first])


def test_what_came_before(generators: Any) -> None:
    generator = generators("ltx_condition")
    request = asked("ltx_condition", "extend_back", seconds=14 / 25)
    made = list(generator.generate(request, progress=NoProgress(), conditions=[noise("video", 5, 25)]).clip)
    clip = list(generator.generate(request, progress=NoProgress(), conditions=[noise("video", 5, 25)]).clip)
    assert len(made) == 14 and np.array_equal(made[0], clip[0])


@pytest.mark.parametrize("name", ["wan22", "ltx"])
def test_storyboard(name: str, generators: Any, counting: Any) -> None:
    generator, fps = generators(name), generators(name).outlook(asked(name)).fps
    shots = (Shot(0, "a red ball"), Shot(6 / fps, "a blue box"))
    request = asked(name, "storyboard", shots=shots, seconds=13 / fps)
    progress = counting()
    made = generator.generate(request, progress=progress)
    assert made.clip.count == 13 and made.settings["parts"] == 2 and progress.units == 4
    assert generator.outlook(request).seconds == pytest.approx(13 / fps)
    twice = asked(name, "storyboard", shots=(Shot(0, "a"), Shot(1, "b"), Shot(1, "c")))
    with pytest.raises(UsageError, match="begin its shots"):
        generator.outlook(twice)


def test_a_model_that_wants_both_ends(generators: Any) -> None:
    request = asked("wan_flf2v")
    with pytest.raises(UsageError, match="last picture as well") as error:
        generators("wan_flf2v").generate(request, progress=NoProgress(), conditions=[noise("first_frame")])
    assert "--last-image" in error.value.hint
    early = replace(request, inputs=(Input("first_frame", Path("a.png")),))
    with pytest.raises(UsageError, match="last picture as well"):
        generators("wan_flf2v").outlook(early)


def test_a_picture_that_decides_the_size(generators: Any) -> None:
    generator = generators("hunyuan15_i2v")
    with pytest.raises(UsageError, match="takes no width"):
        generator.outlook(asked("hunyuan15_i2v", width=64))
    assert generator.outlook(asked("hunyuan15_i2v")).width is None


def test_frames_by_any_name(generators: Any) -> None:
    request = asked("sana", seconds=9 / 16, guidance=2.5)
    made = generators("sana").generate(request, progress=NoProgress())
    assert made.clip.count == 9 and made.settings["frames"] == 9


def test_pictures_and_last_pictures(generators: Any) -> None:
    request = asked("wan_i2v")
    ends = [noise("first_frame"), noise("last_frame")]
    one = generators("wan_i2v").generate(request, progress=NoProgress(), conditions=ends[:1])
    two = generators("wan_i2v").generate(request, progress=NoProgress(), conditions=ends)
    assert digest(one) != digest(two)
    with pytest.raises(UsageError, match="no last one"):
        generators("ltx").generate(asked("ltx", "image"), progress=NoProgress(), conditions=ends)
    with pytest.raises(UsageError, match="needs an input"):
        generators("ltx").generate(asked("ltx", "image"), progress=NoProgress())


def test_the_shape_of_an_input_decides(generators: Any) -> None:
    request = Request("x", mode="image", steps=1, seconds=0.01)
    generator = DiffusersGenerator(
        generators("wan22").preset.__class__(
            **{**vars(generators("wan22").preset), "width": 64, "height": 64, "frames": 5}
        )
    )
    tall = Condition("first_frame", Clip.from_array(np.zeros((1, 160, 40, 3), np.uint8), 1), "p.png")
    made = generator.generate(request, progress=NoProgress(), conditions=[tall])
    assert (made.clip.width, made.clip.height) == (32, 128)


def test_a_pipeline_that_answers_with_nan(generators: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    import torch

    generator = generators("wan")
    pipe = generator.loaded().pipe
    with torch.no_grad():
        before = pipe.transformer.proj_out.bias.clone()
        pipe.transformer.proj_out.bias.fill_(float("nan"))
    try:
        with pytest.raises(GenerationFailed, match="NaN") as error:
            generator.generate(asked("wan"), progress=NoProgress())
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

    monkeypatch.setattr(generators("wan").loaded().pipe.transformer, "forward", short)
    with pytest.raises(GenerationFailed, match="too little memory") as error:
        generators("wan").generate(asked("wan"), progress=NoProgress())
    assert "32x32, 5 frames" in error.value.hint and "--height" in error.value.hint


def test_a_folder_that_is_damaged(pipeline_folder: Any, tmp_path: Path) -> None:
    import shutil

    copy = tmp_path / "wan"
    shutil.copytree(pipeline_folder("wan"), copy)
    file = next((copy / "transformer").glob("*.safetensors"))
    file.write_bytes(file.read_bytes()[:-100])
    with pytest.raises(GenerationFailed, match="could not be loaded"):
        find(str(copy)).generate(asked("wan"), progress=NoProgress())
