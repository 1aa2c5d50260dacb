"""The embedded model's modes: what is given stays, what is new fits on, times add up."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from safegen.errors import GenerationFailed, Interrupted, UnreadableInput, UsageError
from safegen.generators.modes import MODES
from safegen.generators.tiny import latents as _latents
from safegen.generators.tiny import modes
from safegen.generators.tiny.generator import TinyGenerator
from safegen.protocols import NoProgress
from safegen.types import Clip, Condition, Generated, Mode, Request, Role, Shot

PROMPT = "a red ball rolling left to right over green grass"
OTHER = "a blue box standing still in the snow"

Frames = NDArray[np.uint8]


@pytest.fixture(scope="module")
def generator() -> TinyGenerator:
    pytest.importorskip("torch")
    pytest.importorskip("diffusers")
    return TinyGenerator()


@pytest.fixture(scope="module")
def clips(generator: TinyGenerator) -> tuple[Clip, Clip]:
    """Two clips of the model's own, in its own size."""
    made = [generator.generate(ask(prompt=p), progress=NoProgress()).clip for p in (PROMPT, OTHER)]
    return (Clip.from_array(frames(made[0]), 24), Clip.from_array(frames(made[1]), 24))


def ask(mode: Mode = "text", prompt: str = PROMPT, **changes: Any) -> Request:
    return Request(prompt, mode=mode, **{"steps": 4, "width": 64, "height": 64, "seed": 4, **changes})


def frames(clip: Clip) -> Frames:
    return np.stack(list(clip))


def given(role: Role, clip: Clip) -> Condition:
    return Condition(role, clip, "given.mp4")


def picture(clip: Clip, at: int) -> Clip:
    return Clip.from_array(frames(clip)[at : at + 1 or None], 24)


def made(generator: TinyGenerator, request: Request, *conditions: Condition) -> Generated:
    return generator.generate(request, progress=NoProgress(), conditions=conditions)


def change(a: NDArray[Any], b: NDArray[Any]) -> float:
    return float(np.abs(a.astype(float) - b.astype(float)).mean())


def test_it_can_do_all_of_them(generator: TinyGenerator) -> None:
    assert generator.modes == {"text", *modes.MODES} == set(MODES)


def test_a_picture_becomes_the_first_frame(generator: TinyGenerator, clips: tuple[Clip, Clip]) -> None:
    first = picture(clips[0], 0)
    out = frames(made(generator, ask("image"), given("first_frame", first)).clip)
    assert out.shape == (72, 64, 64, 3)
    other = frames(made(generator, ask("image"), given("first_frame", picture(clips[1], 0))).clip)
    assert change(out[0], frames(first)[0]) < 6 < change(other[0], frames(first)[0])


def test_a_last_picture_is_where_it_ends(generator: TinyGenerator, clips: tuple[Clip, Clip]) -> None:
    first, last = picture(clips[0], 0), picture(clips[0], -1)
    both = made(generator, ask("image"), given("first_frame", first), given("last_frame", last))
    assert change(frames(both.clip)[-1], frames(last)[0]) < 8


def test_extending_keeps_the_clip_and_adds_what_was_asked(
    generator: TinyGenerator, clips: tuple[Clip, Clip]
) -> None:
    clip = clips[0]
    after = made(generator, ask("extend", seconds=4.5), given("video", clip)).clip
    before = made(generator, ask("extend_back", seconds=4.5), given("video", clip)).clip
    assert after.seconds == before.seconds == pytest.approx(4.5, abs=0.05)
    assert change(frames(after)[0], frames(clip)[0]) < 6
    assert change(frames(before)[-1], frames(clip)[-1]) < 6
    long = made(generator, ask("extend", seconds=8.0), given("video", clip)).clip
    assert long.seconds == pytest.approx(8.0, abs=0.1)
    with pytest.raises(UsageError, match="already"):
        made(generator, ask("extend", seconds=2.0), given("video", clip))


def test_a_loop_ends_where_it_begins(generator: TinyGenerator, clips: tuple[Clip, Clip]) -> None:
    out = frames(made(generator, ask("loop"), given("video", clips[0])).clip)
    own, inside = frames(clips[0]), [change(a, b) for a, b in pairwise(out)]
    assert change(out[-1], out[0]) < min(1.5 * max(inside), 0.7 * change(own[-1], own[0]))
    assert not np.array_equal(out[-1], out[0])


def test_a_blend_begins_with_one_and_ends_with_the_other(
    generator: TinyGenerator, clips: tuple[Clip, Clip]
) -> None:
    a, b = clips
    out = made(generator, ask("blend"), given("video", a), given("next_video", b)).clip
    seen = frames(out)
    assert change(seen[0], frames(a)[0]) < 6 and change(seen[-1], frames(b)[-1]) < 6
    assert out.seconds == pytest.approx(7.5, abs=0.1)


def test_an_edit_follows_the_strength(generator: TinyGenerator, clips: tuple[Clip, Clip]) -> None:
    clip, far = clips[0], []
    for strength in (0.25, 1.0):
        request = ask("edit", "a blue ball over green grass", strength=strength, steps=8)
        out = frames(made(generator, request, given("video", clip)).clip)
        assert len(out) == 72
        far.append(change(out[::24], frames(clip)[::24]))
    assert far[0] < far[1]


def test_a_storyboard_lasts_as_long_as_it_says(generator: TinyGenerator) -> None:
    shots = (Shot(0, PROMPT), Shot(3, OTHER))
    out = made(generator, ask("storyboard", f"{PROMPT}\n{OTHER}", shots=shots, seconds=6)).clip
    assert out.seconds == pytest.approx(6, abs=0.2)
    alone = frames(made(generator, ask(seed=4)).clip)
    assert change(frames(out)[0], alone[0]) < 1


@pytest.mark.parametrize(
    "shots", [(), (Shot(1, "a"),), (Shot(0, "a"), Shot(0, "b")), (Shot(0, "a"), Shot(1, "b"))]
)
def test_times_it_cannot_cut_at_are_refused(generator: TinyGenerator, shots: tuple[Shot, ...]) -> None:
    with pytest.raises(UsageError):
        made(generator, ask("storyboard", shots=shots))


def test_the_same_request_gives_the_same_bytes(generator: TinyGenerator, clips: tuple[Clip, Clip]) -> None:
    for mode in ("extend", "edit"):
        one, two = (made(generator, ask(mode, steps=2), given("video", clips[0])).clip for _ in range(2))
        assert np.array_equal(frames(one), frames(two)), mode
    plain = frames(made(generator, ask(seed=9)).clip)
    assert np.array_equal(plain, frames(made(TinyGenerator(), ask(seed=9)).clip)), "a hook was left behind"


def test_a_missing_input_is_named(generator: TinyGenerator, clips: tuple[Clip, Clip]) -> None:
    with pytest.raises(UsageError, match="next video"):
        made(generator, ask("blend"), given("video", clips[0]))


def test_inputs_it_cannot_work_on(generator: TinyGenerator, clips: tuple[Clip, Clip]) -> None:
    def nothing() -> Iterator[Frames]:
        return iter(())

    long = Clip.from_array(np.zeros((62, 16, 16, 3), np.uint8), 2)
    with pytest.raises(UsageError, match="up to 30 s"):
        made(generator, ask("extend"), given("video", long))
    with pytest.raises(UnreadableInput):
        made(generator, ask("extend"), given("video", Clip(nothing, 16, 16, Fraction(24), 48)))
    short = Clip.from_array(frames(clips[0])[:3], 24)
    assert made(generator, ask("loop"), given("video", short)).clip.seconds > 1


def test_stopping_in_the_middle(generator: TinyGenerator, clips: tuple[Clip, Clip], counting: Any) -> None:
    with pytest.raises(Interrupted):
        generator.generate(
            ask("extend"), progress=counting(stop_after=2), conditions=[given("video", clips[0])]
        )
    assert not generator.loaded_pipeline().pipe.transformer._forward_pre_hooks


def test_broken_latents_are_no_picture(generator: TinyGenerator) -> None:
    import torch

    latents = torch.full(
        (1, generator.loaded_pipeline().pipe.transformer.config.in_channels, 1, 8, 8), torch.nan
    )
    with pytest.raises(GenerationFailed):
        _latents.decode(generator.loaded_pipeline().pipe, latents)
