"""Ways of working as pipeline calls: what each call begins with, and how the pieces are joined.

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

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from safegen.generators.diffusers.families import Ability, NativeFormat
    from safegen.types import Mode, Request

    Frames = NDArray[np.uint8]

RunCall: TypeAlias = "Callable[[PipelineCall], Frames]"

DEFAULT_STRENGTH = 0.6
"""How far an edit leaves its clip when nothing is said."""
REQUIRED_ROLES: dict[Mode, tuple[str, ...]] = {
    "image": ("first_frame",),
    "edit": ("video",),
    "extend": ("video",),
    "extend_back": ("video",),
    "blend": ("video", "next_video"),
}
"""Inputs without which a way of working makes no sense."""


@dataclass(frozen=True)
class PreparedRequest:
    """One request with its sizes settled and its inputs fitted. ``make`` runs one call of the pipeline."""

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


def run_mode(job: PreparedRequest) -> Frames:
    """The whole clip, uint8 (n, height, width, 3). Raises UsageError for a missing input."""
    for role in REQUIRED_ROLES.get(job.request.mode, ()):
        if role not in job.inputs:
            raise UsageError(f"{job.request.mode.replace('_', ' ')} needs an input: {role.replace('_', ' ')}")
    return _MODES[job.request.mode](job)


def text_to_video(job: PreparedRequest) -> Frames:
    """From words alone."""
    return job.sample(job.frames)


def image_to_video(job: PreparedRequest) -> Frames:
    """A clip that begins with a picture, and ends with another where there is one."""
    end = job.inputs.get("last_frame")
    if end is not None and "both" not in job.abilities:
        raise UsageError(
            "this model accepts a first picture but not a last one", hint="omit the last picture"
        )
    if end is None and "first" not in job.abilities:
        raise UsageError("this model also needs a last picture", hint="--last-image FILE")
    return job.sample(job.frames, start=job.inputs["first_frame"][:1], end=None if end is None else end[:1])


def video_to_video(job: PreparedRequest) -> Frames:
    """The clip made anew, as long as it is or as asked; what the count needs beyond that is cut off again."""
    source = job.inputs["video"]
    wanted = len(source) if job.request.seconds is None else min(job.frames, len(source))
    frames = max(sizes.frame_count_at_least(wanted, job.native), job.native.first + job.native.step)
    if frames > len(source):
        source = np.concatenate([source, np.repeat(source[-1:], frames - len(source), 0)])
    strength = DEFAULT_STRENGTH if job.request.strength is None else job.request.strength
    part = PipelineCall(
        job.request.prompt,
        job.width,
        job.height,
        frames,
        job.request.seed,
        source=source[:frames],
        strength=strength,
    )
    return job.run_call(part)[:wanted]


def extend(job: PreparedRequest) -> Frames:
    """The clip and what comes after it; ``seconds`` is the length of both together."""
    clip = job.inputs["video"]
    return _continue_clip(job, clip, _frames_to_add(job, len(clip), job.frames_per_call - 1))


def extend_back(job: PreparedRequest) -> Frames:
    """What comes before the clip, and the clip; ``seconds`` is the length of both together."""
    clip, turn = job.inputs["video"], 0
    wanted = len(clip) + _frames_to_add(job, len(clip), job.frames_per_call - 1)
    while len(clip) < wanted:
        frames = job.call_frames(wanted - len(clip) + 1)
        clip = np.concatenate([job.sample(frames, turn, end=clip[:1])[:-1], clip])
        turn += 1
    return clip[-wanted:]


def loop(job: PreparedRequest) -> Frames:
    """A clip that can be played round: the clip given or made, and the way back to its first frame."""
    clip, turn = job.inputs.get("video"), 0
    if clip is None:
        picture = job.inputs.get("first_frame")
        if picture is not None:
            return job.sample(job.frames, start=picture[:1], end=picture[:1])[:-1]
        if "text" not in job.abilities:
            raise UsageError("this model needs a clip or a first picture to make a loop")
        clip, turn = (
            job.sample(sizes.nearest_frame_count((job.frames or job.frames_per_call) / 2, job.native)),
            1,
        )
    return np.concatenate([clip, _transition(job, clip, clip, turn)])


def blend(job: PreparedRequest) -> Frames:
    """One clip, the passage, the other clip."""
    first, second = job.inputs["video"], job.inputs["next_video"]
    return np.concatenate([first, _transition(job, first, second, 0), second])


def storyboard(job: PreparedRequest) -> Frames:
    """Shot after shot, each going on from the last frame of the one before."""
    counts = shot_frames(job.request, job.fps, job.frames_per_call)
    picture = job.inputs.get("first_frame")
    if picture is None and "text" not in job.abilities:
        raise UsageError("this model starts from a picture: give the storyboard a first picture")
    clip = np.empty((0, job.height, job.width, 3), np.uint8)
    for i, (shot, count) in enumerate(zip(job.request.shots, counts, strict=True)):
        if i:
            clip = _continue_clip(job, clip, count, shot.prompt, 100 * i)
            continue
        frames = job.call_frames(count)
        start = None if picture is None else picture[:1]
        clip = job.sample(frames, prompt=shot.prompt, start=start)[:count]
        if len(clip) < count:
            clip = _continue_clip(job, clip, count - len(clip), shot.prompt, 1)
    return clip


def shot_frames(request: Request, fps: int, span: int) -> list[int]:
    """Frames of each shot; the last one lasts until ``seconds``, else as long as the model makes at once.

    Raises UsageError: no shots, not from 0 on, not in order, two at one time, none left for the last.
    """
    shots = request.shots
    if not shots:
        raise UsageError(
            "a storyboard needs shots",
            hint="give two or more prompts, each with the second at which it begins",
        )
    times = [s.at for s in shots]
    if times[0] != 0 or any(b <= a for a, b in pairwise(times)):
        raise UsageError(
            f"a storyboard cannot begin its shots at {', '.join(f'{t:g}' for t in times)} s",
            hint="begin the first at 0 and each of the others later than the one before",
        )
    end = request.seconds if request.seconds is not None else times[-1] + span / fps
    marks = [round(t * fps) for t in (*times, end)]
    counts = [b - a for a, b in pairwise(marks)]
    if min(counts) < 2:
        raise UsageError(f"a shot shorter than {2 / fps:.2g} s cannot be made", hint="move the shots apart")
    return counts


def _continue_clip(
    job: PreparedRequest, clip: Frames, more: int, prompt: str | None = None, turn: int = 0
) -> Frames:
    """The clip and *more* frames after it, call after call."""
    wanted = len(clip) + more
    while len(clip) < wanted:
        frames = job.call_frames(wanted - len(clip) + 1)
        clip = np.concatenate([clip, job.sample(frames, turn, prompt=prompt, start=clip[-1:])[1:]])
        turn += 1
    return clip[:wanted]


def _transition(job: PreparedRequest, first: Frames, second: Frames, turn: int) -> Frames:
    """The frames between two clips, neither end included: what is left of ``seconds``, or one call's."""
    whole = len(first) if first is second else len(first) + len(second)
    more = _frames_to_add(job, whole, job.frames_per_call - 2)
    if more > job.frames_per_call - 2:
        raise UsageError(
            f"this model makes passages of up to {(job.frames_per_call - 2) / job.fps:.3g} s",
            hint=f"--seconds {(whole + job.frames_per_call - 2) / job.fps:.3g} or less",
        )
    frames = max(job.call_frames(more + 2), job.native.first + job.native.step)
    return job.sample(frames, turn, start=first[-1:], end=second[:1])[1:-1]


def _frames_to_add(job: PreparedRequest, there: int, usual: int) -> int:
    """New frames beside those *there*: so many that the whole lasts ``seconds``, else the *usual* number."""
    if job.request.seconds is None:
        return usual
    more = round(job.request.seconds * job.fps) - there
    if more < 1:
        raise UsageError(
            f"the input alone is {there / job.fps:.3g} s long",
            hint="--seconds is the whole length: ask for more, or omit it",
        )
    return more


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
