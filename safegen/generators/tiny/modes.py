"""The embedded model's modes: each is denoising between given latent frames.

Inputs are looked at in the model's own size and redrawn by its autoencoder, so that old and new look the same
and an input's watermark does not linger under the new one. Nothing is cross-faded, mirrored or merely joined:
the given frames next to new ones are drawn together with them, in one pass of the autoencoder.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np

from safegen.errors import UsageError
from safegen.generators.diffusers.families import wan
from safegen.generators.diffusers.libraries import silenced_libraries
from safegen.generators.modes import DEFAULT_STRENGTH, check_required_inputs, frames_to_add, shot_times
from safegen.generators.tiny import latents
from safegen.generators.tiny.latents import CONTEXT_FRAMES, NATIVE_FPS, WINDOW_FRAMES

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from safegen.generators.diffusers.loading import LoadedPipeline
    from safegen.protocols import Progress
    from safegen.types import Condition, Mode, Request

    Frames = NDArray[np.uint8]

TRANSITION_FRAMES = WINDOW_FRAMES - 2 * CONTEXT_FRAMES
"""New native frames between two given ends."""
MIN_SHOT_SECONDS = 2.5
"""Shortest shot of a storyboard but the last, in seconds: the passage to the next one lies in it."""
DEFAULT_LAST_SHOT_SECONDS = 3.0


@dataclass(frozen=True)
class TinyRun:
    """One request being worked on: the loaded pipeline, its arguments and how far it is."""

    loaded: LoadedPipeline
    arguments: Mapping[str, Any]
    request: Request
    progress: Progress
    inputs: Mapping[str, Frames]
    """Native frames by role."""

    def sample(self, known: Mapping[int, Any], turn: int, prompt: str | None = None) -> Frames:
        """Seventeen frames that agree with what is known; every turn has its own noise."""
        arguments = dict(self.arguments)
        if prompt is not None:
            arguments["prompt"] = prompt
        return latents.sample_conditioned(
            self.loaded, arguments, known, seed=self.request.seed + turn, progress=self.progress
        )

    def reconstructed_input(self, role: str) -> Frames:
        """An input's frames as the model draws them."""
        return latents.reconstruct(self.loaded.pipe, self.inputs[role])


def prepare(
    loaded: LoadedPipeline,
    arguments: Mapping[str, Any],
    request: Request,
    conditions: Sequence[Condition],
    progress: Progress,
) -> TinyRun:
    """Everything a mode needs. Raises UsageError when an input it needs is missing."""
    progress.stage("reading inputs")
    inputs: dict[str, Frames] = {c.role: latents.to_native_frames(c.clip, progress) for c in conditions}
    check_required_inputs(request.mode, inputs)
    return TinyRun(loaded, arguments, request, progress, inputs)


def image_to_video(run: TinyRun) -> Frames:
    """A clip that begins with a picture, and ends with another one where there is one."""
    pipe = run.loaded.pipe
    known = latents.prefix_latents(pipe, run.inputs["first_frame"][-1:])
    if "last_frame" in run.inputs:
        known |= latents.suffix_latents(pipe, run.inputs["last_frame"][:1])
    return run.sample(known, 0)


def video_to_video(run: TinyRun) -> Frames:
    """The clip made anew from its noised latents, window after window, each going on from the one before."""
    pipe = run.loaded.pipe
    with silenced_libraries():
        again = wan.FAMILY.pipeline_for(pipe, "edit")
    source, out = run.inputs["video"], np.empty((0,), np.uint8)
    loaded, strength = replace(run.loaded, pipe=again), run.request.strength or DEFAULT_STRENGTH
    for turn, start in enumerate(
        range(0, max(1, len(source) - CONTEXT_FRAMES), WINDOW_FRAMES - CONTEXT_FRAMES)
    ):
        part = source[start : start + WINDOW_FRAMES]
        whole = np.concatenate([part, np.repeat(part[-1:], WINDOW_FRAMES - len(part), 0)])
        known = latents.prefix_latents(pipe, out[-CONTEXT_FRAMES:]) if turn else {}
        video = whole.astype(np.float32) / 255
        arguments = {k: v for k, v in run.arguments.items() if k != "num_frames"}
        arguments |= {"video": video[None], "strength": strength}
        made = latents.sample_conditioned(
            loaded, arguments, known, seed=run.request.seed + turn, progress=run.progress
        )[: len(part)]
        out = made if not turn else np.concatenate([out, made[CONTEXT_FRAMES:]])
    return out


def _continue_clip(
    run: TinyRun, frames: Frames, more: int, prompt: str | None = None, turn: int = 0
) -> Frames:
    """The frames and ``more`` after them."""
    wanted = len(frames) + more
    while len(frames) < wanted:
        known = latents.prefix_latents(run.loaded.pipe, frames)
        frames = np.concatenate([frames[: -_context(frames)], run.sample(known, turn, prompt)])
        turn += 1
    return frames[:wanted]


def _context(frames: Frames) -> int:
    """How many of the last frames say where a clip comes from."""
    return CONTEXT_FRAMES if len(frames) >= CONTEXT_FRAMES else 1


def _join_before(window: Frames, frames: Frames) -> Frames:
    """A window that leads up to a clip, and the clip: its first frames are the window's last ones.

    A clip too short for that follows as it is.
    """
    if len(frames) < CONTEXT_FRAMES:
        return np.concatenate([window[: WINDOW_FRAMES - CONTEXT_FRAMES], frames])
    return np.concatenate([window, frames[CONTEXT_FRAMES:]])


def _frames_to_add(run: TinyRun, frames: Frames) -> int:
    """Frames to add: up to the whole length that was asked for, else one turn of the model.

    Unlike those of a pipeline, n native frames last n - 1 times the gap between two: the last one is the end.
    """
    wanted = None if run.request.seconds is None else round(run.request.seconds * NATIVE_FPS) + 1
    there = (len(frames) - 1) / NATIVE_FPS
    return frames_to_add(wanted, len(frames), WINDOW_FRAMES - CONTEXT_FRAMES, seconds=there)


def extend(run: TinyRun) -> Frames:
    """The clip and what comes after it."""
    frames = run.reconstructed_input("video")
    return _continue_clip(run, frames, _frames_to_add(run, frames))


def extend_back(run: TinyRun) -> Frames:
    """What comes before the clip, and the clip."""
    frames = run.reconstructed_input("video")
    wanted, turn = len(frames) + _frames_to_add(run, frames), 0
    while len(frames) < wanted:
        known = latents.suffix_latents(run.loaded.pipe, frames)
        frames = _join_before(run.sample(known, turn), frames)
        turn += 1
    return frames[-wanted:]


def _transition_window(
    run: TinyRun, first: Frames, second: Frames, turn: int, prompt: str | None = None
) -> Frames:
    """Seventeen frames that begin as ``first`` ends and end as ``second`` begins."""
    pipe = run.loaded.pipe
    known = latents.prefix_latents(pipe, first) | latents.suffix_latents(pipe, second)
    return run.sample(known, turn, prompt)


def _transition(run: TinyRun, first: Frames, second: Frames, turn: int, prompt: str | None = None) -> Frames:
    """One clip, the frames between, the other clip."""
    window = _transition_window(run, first, second, turn, prompt)
    return np.concatenate([first[: -_context(first)], _join_before(window, second)])


def loop(run: TinyRun) -> Frames:
    """The clip, the way back to its beginning, and its first frame again (to be left out when played)."""
    frames = run.reconstructed_input("video")
    window = _transition_window(run, frames, frames, 0)
    if len(frames) < 2 * CONTEXT_FRAMES:
        return np.concatenate([frames, window[_context(frames) : WINDOW_FRAMES - CONTEXT_FRAMES], frames[:1]])
    again = WINDOW_FRAMES - CONTEXT_FRAMES
    return np.concatenate([window[again:], frames[CONTEXT_FRAMES:-CONTEXT_FRAMES], window[: again + 1]])


def blend(run: TinyRun) -> Frames:
    """One clip, the passage, the other clip."""
    return _transition(run, run.reconstructed_input("video"), run.reconstructed_input("next_video"), 0)


def storyboard(run: TinyRun) -> Frames:
    """A clip for every shot, passages between them, at the times the shots say."""
    shots, out = run.request.shots, np.empty((0,), np.uint8)
    for i, (shot, seconds) in enumerate(zip(shots, shot_durations(run.request), strict=True)):
        last = i == len(shots) - 1
        own = max(CONTEXT_FRAMES, round(seconds * NATIVE_FPS) + last - (0 if last else TRANSITION_FRAMES))
        clip = run.sample({}, 10 * i, shot.prompt)
        clip = (
            clip[:own]
            if own <= WINDOW_FRAMES
            else _continue_clip(run, clip, own - WINDOW_FRAMES, shot.prompt, 10 * i + 1)
        )
        out = _transition(run, out, clip, 10 * i + 9, shot.prompt) if i else clip
    return out


def shot_durations(request: Request) -> list[float]:
    """How long each shot lasts. Raises UsageError: none, not in order, too short for this model."""
    times = shot_times(request.shots, request.seconds, last=DEFAULT_LAST_SHOT_SECONDS)
    out = [end - begin for begin, end in pairwise(times)]
    if any(s < MIN_SHOT_SECONDS for s in out[:-1]) or out[-1] < 1:
        raise UsageError(
            "the embedded model cannot cut at these times",
            hint=f"begin at 0; a shot lasts {MIN_SHOT_SECONDS:g} s or more, the last one 1 s or more",
        )
    return out


MODES: dict[Mode, Callable[[TinyRun], Frames]] = {
    "image": image_to_video,
    "edit": video_to_video,
    "extend": extend,
    "extend_back": extend_back,
    "loop": loop,
    "blend": blend,
    "storyboard": storyboard,
}
"""How each mode but the one from words alone is carried out."""
