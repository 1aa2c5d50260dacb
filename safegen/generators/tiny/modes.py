"""The embedded model's ways of working: each is denoising between given latent frames.

Inputs are looked at in the model's own size and redrawn by its autoencoder, so that old and new look the same
and an input's watermark does not linger under the new one. Nothing is cross-faded, mirrored or merely joined:
the given frames next to new ones are drawn together with them, in one pass of the autoencoder.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from safegen.errors import UsageError
from safegen.generators.diffusers import loading
from safegen.generators.tiny import latents
from safegen.generators.tiny.latents import CONTEXT, RATE, SPAN

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from safegen.protocols import Progress
    from safegen.types import Condition, Request, Shot

    Frames = NDArray[np.uint8]

STRENGTH = 0.6
PASSAGE = SPAN - 2 * CONTEXT
"""New native frames between two given ends."""
SHOT = 2.5
"""Shortest shot of a storyboard but the last, in seconds: the passage to the next one lies in it."""
LAST_SHOT = 3.0


@dataclass(frozen=True)
class Desk:
    """One request being worked on: the loaded pipeline, its arguments and how far it is."""

    loaded: loading.Loaded
    arguments: Mapping[str, Any]
    request: Request
    progress: Progress
    inputs: Mapping[str, Frames]
    """Native frames by role."""

    def sampled(self, known: Mapping[int, Any], turn: int, prompt: str | None = None) -> Frames:
        """Seventeen frames that agree with what is known; every turn has its own noise."""
        arguments = dict(self.arguments)
        if prompt is not None:
            arguments["prompt"] = prompt
        return latents.sampled(
            self.loaded, arguments, known, seed=self.request.seed + turn, progress=self.progress
        )

    def drawn(self, role: str) -> Frames:
        """An input's frames as the model draws them."""
        return latents.redrawn(self.loaded.pipe, self.inputs[role])


def desk(
    loaded: loading.Loaded,
    arguments: Mapping[str, Any],
    request: Request,
    conditions: Sequence[Condition],
    progress: Progress,
) -> Desk:
    """Everything a way of working needs. Raises UsageError when an input it needs is missing."""
    progress.stage("reading inputs")
    inputs: dict[str, Frames] = {c.role: latents.native(c.clip, progress) for c in conditions}
    missing = [role for role in NEEDS[request.mode] if role not in inputs]
    if missing:
        raise UsageError(f"{request.mode} needs an input: {', '.join(missing).replace('_', ' ')}")
    return Desk(loaded, arguments, request, progress, inputs)


def image(desk: Desk) -> Frames:
    """A clip that begins with a picture, and ends with another one where there is one."""
    pipe = desk.loaded.pipe
    known = latents.beginning(pipe, desk.inputs["first_frame"][-1:])
    if "last_frame" in desk.inputs:
        known |= latents.ending(pipe, desk.inputs["last_frame"][:1])
    return desk.sampled(known, 0)


def edit(desk: Desk) -> Frames:
    """The clip made anew from its noised latents, window after window, each going on from the one before."""
    from diffusers.pipelines.wan.pipeline_wan_video2video import WanVideoToVideoPipeline
    from diffusers.video_processor import VideoProcessor

    pipe = desk.loaded.pipe
    with loading.quiet():
        again = WanVideoToVideoPipeline.from_pipe(pipe)
    # It derives the spatial scale from the temporal one, which is wrong for an autoencoder that patchifies.
    again.vae_scale_factor_spatial = pipe.vae_scale_factor_spatial
    again.video_processor = VideoProcessor(vae_scale_factor=pipe.vae_scale_factor_spatial)
    again.set_progress_bar_config(disable=True)
    source, out = desk.inputs["video"], np.empty((0,), np.uint8)
    loaded, strength = replace(desk.loaded, pipe=again), desk.request.strength or STRENGTH
    for turn, start in enumerate(range(0, max(1, len(source) - CONTEXT), SPAN - CONTEXT)):
        part = source[start : start + SPAN]
        whole = np.concatenate([part, np.repeat(part[-1:], SPAN - len(part), 0)])
        known = latents.beginning(pipe, out[-CONTEXT:]) if turn else {}
        video = whole.astype(np.float32) / 255
        arguments = {k: v for k, v in desk.arguments.items() if k != "num_frames"}
        arguments |= {"video": video[None], "strength": strength}
        made = latents.sampled(
            loaded, arguments, known, seed=desk.request.seed + turn, progress=desk.progress
        )[: len(part)]
        out = made if not turn else np.concatenate([out, made[CONTEXT:]])
    return out


def _on(desk: Desk, frames: Frames, more: int, prompt: str | None = None, turn: int = 0) -> Frames:
    """The frames and ``more`` after them."""
    wanted = len(frames) + more
    while len(frames) < wanted:
        known = latents.beginning(desk.loaded.pipe, frames)
        frames = np.concatenate([frames[: -_context(frames)], desk.sampled(known, turn, prompt)])
        turn += 1
    return frames[:wanted]


def _context(frames: Frames) -> int:
    """How many of the last frames say where a clip comes from."""
    return CONTEXT if len(frames) >= CONTEXT else 1


def _before(window: Frames, frames: Frames) -> Frames:
    """A window that leads up to a clip, and the clip: its first frames are the window's last ones.

    A clip too short for that follows as it is.
    """
    if len(frames) < CONTEXT:
        return np.concatenate([window[: SPAN - CONTEXT], frames])
    return np.concatenate([window, frames[CONTEXT:]])


def _added(desk: Desk, frames: Frames) -> int:
    """Frames to add: up to the whole length that was asked for, else one turn of the model."""
    if desk.request.seconds is None:
        return SPAN - CONTEXT
    more = round(desk.request.seconds * RATE) + 1 - len(frames)
    if more < 1:
        raise UsageError(
            f"the clip is already {(len(frames) - 1) / RATE:.1f} s long",
            hint="raise --seconds: it is the length of the whole result",
        )
    return more


def extend(desk: Desk) -> Frames:
    """The clip and what comes after it."""
    frames = desk.drawn("video")
    return _on(desk, frames, _added(desk, frames))


def extend_back(desk: Desk) -> Frames:
    """What comes before the clip, and the clip."""
    frames = desk.drawn("video")
    wanted, turn = len(frames) + _added(desk, frames), 0
    while len(frames) < wanted:
        known = latents.ending(desk.loaded.pipe, frames)
        frames = _before(desk.sampled(known, turn), frames)
        turn += 1
    return frames[-wanted:]


def _window(desk: Desk, first: Frames, second: Frames, turn: int, prompt: str | None = None) -> Frames:
    """Seventeen frames that begin as ``first`` ends and end as ``second`` begins."""
    pipe = desk.loaded.pipe
    known = latents.beginning(pipe, first) | latents.ending(pipe, second)
    return desk.sampled(known, turn, prompt)


def _passage(desk: Desk, first: Frames, second: Frames, turn: int, prompt: str | None = None) -> Frames:
    """One clip, the frames between, the other clip."""
    window = _window(desk, first, second, turn, prompt)
    return np.concatenate([first[: -_context(first)], _before(window, second)])


def loop(desk: Desk) -> Frames:
    """The clip, the way back to its beginning, and its first frame again (to be left out when played)."""
    frames = desk.drawn("video")
    window = _window(desk, frames, frames, 0)
    if len(frames) < 2 * CONTEXT:
        return np.concatenate([frames, window[_context(frames) : SPAN - CONTEXT], frames[:1]])
    again = SPAN - CONTEXT
    return np.concatenate([window[again:], frames[CONTEXT:-CONTEXT], window[: again + 1]])


def blend(desk: Desk) -> Frames:
    """One clip, the passage, the other clip."""
    return _passage(desk, desk.drawn("video"), desk.drawn("next_video"), 0)


def storyboard(desk: Desk) -> Frames:
    """A clip for every shot, passages between them, at the times the shots say."""
    shots, out = desk.request.shots, np.empty((0,), np.uint8)
    for i, (shot, seconds) in enumerate(zip(shots, shot_seconds(desk.request), strict=True)):
        last = i == len(shots) - 1
        own = max(CONTEXT, round(seconds * RATE) + last - (0 if last else PASSAGE))
        clip = desk.sampled({}, 10 * i, shot.prompt)
        clip = clip[:own] if own <= SPAN else _on(desk, clip, own - SPAN, shot.prompt, 10 * i + 1)
        out = _passage(desk, out, clip, 10 * i + 9, shot.prompt) if i else clip
    return out


def shot_seconds(request: Request) -> list[float]:
    """How long each shot lasts. Raises UsageError: none, not in order, too short for this model."""
    shots: Sequence[Shot] = request.shots
    if not shots:
        raise UsageError("a storyboard needs shots", hint='give one, such as 0: "a red ball on grass"')
    ends = [s.at for s in shots[1:]] + [request.seconds or shots[-1].at + LAST_SHOT]
    out = [end - shot.at for shot, end in zip(shots, ends, strict=True)]
    if shots[0].at != 0 or any(s < SHOT for s in out[:-1]) or out[-1] < 1:
        raise UsageError(
            "the embedded model cannot cut at these times",
            hint=f"begin at 0; a shot lasts {SHOT:g} s or more, the last one 1 s or more",
        )
    return out


NEEDS: dict[str, tuple[str, ...]] = {
    "image": ("first_frame",),
    "edit": ("video",),
    "extend": ("video",),
    "extend_back": ("video",),
    "loop": ("video",),
    "blend": ("video", "next_video"),
    "storyboard": (),
}
WAYS: dict[str, Callable[[Desk], Frames]] = {
    "image": image,
    "edit": edit,
    "extend": extend,
    "extend_back": extend_back,
    "loop": loop,
    "blend": blend,
    "storyboard": storyboard,
}
