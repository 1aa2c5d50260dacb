"""Modes as pipeline calls: what each call begins with, and how the pieces are joined.

Every passage is made by the model from the frames beside it; what two pieces share is kept once.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from safegen.errors import UsageError
from safegen.generators.diffusers import sizes
from safegen.generators.diffusers.families import PipelineCall
from safegen.generators.modes import DEFAULT_STRENGTH, check_required_inputs, frames_to_add, shot_times

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from safegen.generators.diffusers.families import NativeFormat
    from safegen.generators.modes import Ability
    from safegen.types import Mode, Request

    Frames = NDArray[np.uint8]

RunCall: TypeAlias = "Callable[[PipelineCall], Frames]"


@dataclass(frozen=True)
class PreparedRequest:
    """One request with its sizes settled and its inputs fitted. ``run_call`` calls the pipeline once."""

    request: Request
    width: int
    height: int
    frames: int
    fps: int
    native: NativeFormat
    abilities: frozenset[Ability]
    inputs: Mapping[str, Frames]
    run_call: RunCall

    def sample(
        self,
        frames: int,
        turn: int = 0,
        *,
        prompt: str | None = None,
        start: Frames | None = None,
        end: Frames | None = None,
    ) -> Frames:
        """One clip of *frames*; each turn has its own noise."""
        words = self.request.prompt if prompt is None else prompt
        seed = (self.request.seed + turn) % 2**63
        return self.run_call(PipelineCall(words, self.width, self.height, frames, seed, start=start, end=end))

    @property
    def frames_per_call(self) -> int:
        """Frames the model makes at once."""
        if self.native.fixed and self.native.frames:
            return self.native.frames
        return sizes.frame_count_at_most(self.native.frames or self.frames or 49, self.native)

    def call_frames(self, wanted: int) -> int:
        """Frames of the call that gives *wanted* of them, or as many as the model makes at once."""
        return (
            self.frames_per_call
            if self.native.fixed
            else min(self.frames_per_call, sizes.frame_count_at_least(wanted, self.native))
        )


def run_mode(prepared: PreparedRequest) -> Frames:
    """The whole clip, uint8 (n, height, width, 3). Raises UsageError for a missing input."""
    # A loop without a clip is more than a checked request may be; it is there for callers of the generator.
    if prepared.request.mode != "loop":
        check_required_inputs(prepared.request.mode, prepared.inputs)
    return _MODES[prepared.request.mode](prepared)


def text_to_video(prepared: PreparedRequest) -> Frames:
    """From words alone."""
    return prepared.sample(prepared.frames)


def image_to_video(prepared: PreparedRequest) -> Frames:
    """A clip that begins with a picture, and ends with another where there is one."""
    end = prepared.inputs.get("last_frame")
    if end is not None and "both" not in prepared.abilities:
        raise UsageError(
            "this model accepts a first picture but not a last one", hint="omit the last picture"
        )
    if end is None and "first" not in prepared.abilities:
        raise UsageError("this model also needs a last picture", hint="--last-image FILE")
    start, end = prepared.inputs["first_frame"][:1], None if end is None else end[:1]
    return prepared.sample(prepared.frames, start=start, end=end)


def video_to_video(prepared: PreparedRequest) -> Frames:
    """The clip made anew, as long as it is or as asked; what the count needs beyond that is cut off again."""
    source, native = prepared.inputs["video"], prepared.native
    wanted = len(source) if prepared.request.seconds is None else min(prepared.frames, len(source))
    frames = max(sizes.frame_count_at_least(wanted, native), native.first + native.step)
    if frames > len(source):
        source = np.concatenate([source, np.repeat(source[-1:], frames - len(source), 0)])
    strength = DEFAULT_STRENGTH if prepared.request.strength is None else prepared.request.strength
    call = PipelineCall(
        prepared.request.prompt,
        prepared.width,
        prepared.height,
        frames,
        prepared.request.seed,
        source=source[:frames],
        strength=strength,
    )
    return prepared.run_call(call)[:wanted]


def extend(prepared: PreparedRequest) -> Frames:
    """The clip and what comes after it; ``seconds`` is the length of both together."""
    clip = prepared.inputs["video"]
    return _continue_clip(prepared, clip, _frames_to_add(prepared, len(clip), prepared.frames_per_call - 1))


def extend_back(prepared: PreparedRequest) -> Frames:
    """What comes before the clip, and the clip; ``seconds`` is the length of both together."""
    clip, turn = prepared.inputs["video"], 0
    wanted = len(clip) + _frames_to_add(prepared, len(clip), prepared.frames_per_call - 1)
    while len(clip) < wanted:
        frames = prepared.call_frames(wanted - len(clip) + 1)
        clip = np.concatenate([prepared.sample(frames, turn, end=clip[:1])[:-1], clip])
        turn += 1
    return clip[-wanted:]


def loop(prepared: PreparedRequest) -> Frames:
    """A clip that can be played round: the clip given or made, and the way back to its first frame."""
    clip, turn = prepared.inputs.get("video"), 0
    if clip is None:
        picture = prepared.inputs.get("first_frame")
        if picture is not None:
            return prepared.sample(prepared.frames, start=picture[:1], end=picture[:1])[:-1]
        if "text" not in prepared.abilities:
            raise UsageError("this model needs a clip or a first picture to make a loop")
        half = (prepared.frames or prepared.frames_per_call) / 2
        clip, turn = prepared.sample(sizes.nearest_frame_count(half, prepared.native)), 1
    return np.concatenate([clip, _transition(prepared, clip, clip, turn)])


def blend(prepared: PreparedRequest) -> Frames:
    """One clip, the passage, the other clip."""
    first, second = prepared.inputs["video"], prepared.inputs["next_video"]
    return np.concatenate([first, _transition(prepared, first, second, 0), second])


def storyboard(prepared: PreparedRequest) -> Frames:
    """Shot after shot, each going on from the last frame of the one before."""
    counts = shot_frames(prepared.request, prepared.fps, prepared.frames_per_call)
    picture = prepared.inputs.get("first_frame")
    if picture is None and "text" not in prepared.abilities:
        raise UsageError("this model starts from a picture: give the storyboard a first picture")
    clip = np.empty((0, prepared.height, prepared.width, 3), np.uint8)
    for i, (shot, count) in enumerate(zip(prepared.request.shots, counts, strict=True)):
        if i:
            clip = _continue_clip(prepared, clip, count, shot.prompt, 100 * i)
            continue
        frames = prepared.call_frames(count)
        start = None if picture is None else picture[:1]
        clip = prepared.sample(frames, prompt=shot.prompt, start=start)[:count]
        if len(clip) < count:
            clip = _continue_clip(prepared, clip, count - len(clip), shot.prompt, 1)
    return clip


def shot_frames(request: Request, fps: int, span: int) -> list[int]:
    """Frames of each shot; the last one lasts until ``seconds``, else as long as the model makes at once.

    Raises UsageError: no shots, not from 0 on, not in order, two at one time, none left for the last.
    """
    marks = [round(t * fps) for t in shot_times(request.shots, request.seconds, last=span / fps)]
    counts = [b - a for a, b in pairwise(marks)]
    if min(counts) < 2:
        raise UsageError(f"a shot shorter than {2 / fps:.2g} s cannot be made", hint="move the shots apart")
    return counts


def _continue_clip(
    prepared: PreparedRequest, clip: Frames, more: int, prompt: str | None = None, turn: int = 0
) -> Frames:
    """The clip and *more* frames after it, call after call."""
    wanted = len(clip) + more
    while len(clip) < wanted:
        frames = prepared.call_frames(wanted - len(clip) + 1)
        clip = np.concatenate([clip, prepared.sample(frames, turn, prompt=prompt, start=clip[-1:])[1:]])
        turn += 1
    return clip[:wanted]


def _transition(prepared: PreparedRequest, first: Frames, second: Frames, turn: int) -> Frames:
    """The frames between two clips, neither end included: what is left of ``seconds``, or one call's."""
    whole = len(first) if first is second else len(first) + len(second)
    more = _frames_to_add(prepared, whole, prepared.frames_per_call - 2)
    if more > prepared.frames_per_call - 2:
        raise UsageError(
            f"this model makes passages of up to {(prepared.frames_per_call - 2) / prepared.fps:.3g} s",
            hint=f"--seconds {(whole + prepared.frames_per_call - 2) / prepared.fps:.3g} or less",
        )
    frames = max(prepared.call_frames(more + 2), prepared.native.first + prepared.native.step)
    return prepared.sample(frames, turn, start=first[-1:], end=second[:1])[1:-1]


def _frames_to_add(prepared: PreparedRequest, there: int, usual: int) -> int:
    """New frames beside those *there*: so many that the whole lasts ``seconds``, else the *usual* number."""
    seconds = prepared.request.seconds
    wanted = None if seconds is None else round(seconds * prepared.fps)
    return frames_to_add(wanted, there, usual, seconds=there / prepared.fps)


_MODES: dict[Mode, Callable[[PreparedRequest], Frames]] = {
    "text": text_to_video,
    "image": image_to_video,
    "edit": video_to_video,
    "extend": extend,
    "extend_back": extend_back,
    "loop": loop,
    "blend": blend,
    "storyboard": storyboard,
}
