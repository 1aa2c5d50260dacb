"""Ways of working of real pipelines: what is kept, what is made, and what is said where one cannot."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from safegen.errors import UsageError
from safegen.generators.diffusers.generator import DiffusersGenerator
from safegen.protocols import NoProgress
from safegen.types import Clip, Condition, Input, Request, Shot
from tests.support.pipelines.requests import digest, noise, smallest_request

pytest.importorskip("diffusers")


@pytest.mark.parametrize(
    "name", ["wan", "wan22", "ltx", "ltx_condition", pytest.param("cogvideox", marks=pytest.mark.slow)]
)
def test_edit_keeps_the_length_and_uses_the_clip(name: str, generators: Any) -> None:
    generator, fps = generators(name), generators(name).outlook(smallest_request(name)).fps
    request = smallest_request(name, "edit", seconds=None, strength=0.5)
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
    generator, fps = generators(name), generators(name).outlook(smallest_request(name)).fps
    video = noise("video", 6, fps)
    request = smallest_request(name, "extend", width=64, height=64, seconds=12 / fps)
    made = generator.generate(request, progress=NoProgress(), conditions=[video])
    frames = list(made.clip)
    assert len(frames) == 12 and made.clip.fps == fps
    again = generator.generate(request, progress=NoProgress(), conditions=[video])
    assert np.array_equal(frames[-1], list(again.clip)[-1])
    assert not np.array_equal(frames[5], frames[6])
    other = generator.generate(request, progress=NoProgress(), conditions=[noise("video", 7, fps)])
    assert not np.array_equal(frames[-1], list(other.clip)[-1])
    with pytest.raises(UsageError, match="already"):
        generator.generate(smallest_request(name, "extend"), progress=NoProgress(), conditions=[video])


@pytest.mark.parametrize("name", ["wan_i2v", "ltx_condition"])
def test_passages(name: str, generators: Any) -> None:
    generator, fps = generators(name), generators(name).outlook(smallest_request(name)).fps
    first, second = noise("video", 3, fps), noise("next_video", 4, fps)
    step = 8 if name.startswith("ltx") else 4
    blend = smallest_request(name, "blend", seconds=(3 + 4 + step - 1) / fps)
    made = list(generator.generate(blend, progress=NoProgress(), conditions=[first, second]).clip)
    assert len(made) == 3 + 4 + step - 1
    loop = generator.generate(
        smallest_request(name, "loop", seconds=(3 + step - 1) / fps, inputs=()),
        progress=NoProgress(),
        conditions=[noise("first_frame")],
    )
    assert loop.clip.count == step
    with pytest.raises(UsageError, match="next video"):
        generator.generate(blend, progress=NoProgress(), conditions=[first])


def test_what_came_before(generators: Any) -> None:
    generator = generators("ltx_condition")
    request = smallest_request("ltx_condition", "extend_back", seconds=14 / 25)
    made = list(generator.generate(request, progress=NoProgress(), conditions=[noise("video", 5, 25)]).clip)
    clip = list(generator.generate(request, progress=NoProgress(), conditions=[noise("video", 5, 25)]).clip)
    assert len(made) == 14 and np.array_equal(made[0], clip[0])


@pytest.mark.parametrize("name", ["wan22", "ltx"])
def test_storyboard(name: str, generators: Any, counting: Any) -> None:
    generator, fps = generators(name), generators(name).outlook(smallest_request(name)).fps
    shots = (Shot(0, "a red ball"), Shot(6 / fps, "a blue box"))
    request = smallest_request(name, "storyboard", shots=shots, seconds=13 / fps)
    progress = counting()
    made = generator.generate(request, progress=progress)
    assert made.clip.count == 13 and made.settings["parts"] == 2 and progress.units == 4
    assert generator.outlook(request).seconds == pytest.approx(13 / fps)
    twice = smallest_request(name, "storyboard", shots=(Shot(0, "a"), Shot(1, "b"), Shot(1, "c")))
    with pytest.raises(UsageError, match="two shots begin at 1 s"):
        generator.outlook(twice)


def test_a_model_that_wants_both_ends(generators: Any) -> None:
    request = smallest_request("wan_flf2v")
    with pytest.raises(UsageError, match="also needs a last picture") as error:
        generators("wan_flf2v").generate(request, progress=NoProgress(), conditions=[noise("first_frame")])
    assert "--last-image" in error.value.hint
    early = replace(request, inputs=(Input("first_frame", Path("a.png")),))
    with pytest.raises(UsageError, match="also needs a last picture"):
        generators("wan_flf2v").outlook(early)


def test_a_picture_that_decides_the_size(generators: Any) -> None:
    generator = generators("hunyuan15_i2v")
    with pytest.raises(UsageError, match="does not accept width"):
        generator.outlook(smallest_request("hunyuan15_i2v", width=64))
    assert generator.outlook(smallest_request("hunyuan15_i2v")).width is None


def test_frames_by_any_name(generators: Any) -> None:
    request = smallest_request("sana", seconds=9 / 16, guidance=2.5)
    made = generators("sana").generate(request, progress=NoProgress())
    assert made.clip.count == 9 and made.settings["frames"] == 9


def test_pictures_and_last_pictures(generators: Any) -> None:
    request = smallest_request("wan_i2v")
    ends = [noise("first_frame"), noise("last_frame")]
    one = generators("wan_i2v").generate(request, progress=NoProgress(), conditions=ends[:1])
    two = generators("wan_i2v").generate(request, progress=NoProgress(), conditions=ends)
    assert digest(one) != digest(two)
    with pytest.raises(UsageError, match="not a last one"):
        generators("ltx").generate(smallest_request("ltx", "image"), progress=NoProgress(), conditions=ends)
    with pytest.raises(UsageError, match="an input is missing: first frame"):
        generators("ltx").generate(smallest_request("ltx", "image"), progress=NoProgress())


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
