"""Between pictures and the embedded model's latents, and sampling with some latent frames given.

The model was trained with some of its latent frames given clean, at timestep 0 (``training/tiny/flow.py``):
one set of weights goes on from a clip, leads up to one, or finds the way between two.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from safegen.errors import Interrupted, UnreadableInput, UsageError
from safegen.generators.diffusers.call import run_pipeline, to_uint8
from safegen.generators.diffusers.libraries import require_module

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from safegen.generators.diffusers.loading import LoadedPipeline
    from safegen.protocols import Progress
    from safegen.types import Clip, Frame

    Frames = NDArray[np.uint8]

NATIVE_SIDE = 64
WINDOW_FRAMES = 17
"""Native frames the model makes at once: five latent ones, the first of one picture, the others of four."""
NATIVE_FPS = 16 / 3
"""Native frames a second of a release: 17 of them span 3 seconds."""
CONTEXT_FRAMES = 5
"""Pictures (two latent frames) that say where a clip comes from; an end is known from as many."""
MAX_SECONDS = 30.0


def to_native_frames(clip: Clip, progress: Progress) -> Frames:
    """A clip as the model sees it: (n, 64, 64, 3) uint8 RGB at ``NATIVE_FPS``, the picture's middle square.

    A picture gives one frame. Raises UsageError for more than ``MAX_SECONDS``, UnreadableInput for nothing.
    """
    if clip.seconds > MAX_SECONDS:
        raise UsageError(
            f"the embedded model works on clips of up to {MAX_SECONDS:g} s, not {clip.seconds:.0f} s",
            hint="cut the clip first, or use another model",
        )
    n = 1 if clip.count == 1 else max(2, round(clip.seconds * NATIVE_FPS) + 1)
    wanted = np.linspace(0, clip.count - 1, n).round().astype(int)
    out: list[Frame] = []
    for i, frame in enumerate(clip):
        if progress.cancelled():
            raise Interrupted("stopped while reading an input")
        if len(out) < n and i == wanted[len(out)]:
            small = _square(frame)
            while len(out) < n and wanted[len(out)] == i:
                out.append(small)
    if not out:
        raise UnreadableInput("an input has no frames", hint="check whether the file is damaged")
    out += [out[-1]] * (n - len(out))
    return np.stack(out)


def _square(frame: Frame) -> Frame:
    import cv2

    h, w = frame.shape[:2]
    side = min(h, w)
    top, left = (h - side) // 2, (w - side) // 2
    cut = frame[top : top + side, left : left + side]
    how = cv2.INTER_AREA if side > NATIVE_SIDE else cv2.INTER_CUBIC
    return np.asarray(cv2.resize(cut, (NATIVE_SIDE, NATIVE_SIDE), interpolation=how), np.uint8)


def _statistics(pipe: Any) -> tuple[Any, Any]:
    torch = require_module("torch")
    config = pipe.vae.config
    mean, std = (torch.tensor(v).view(1, -1, 1, 1, 1) for v in (config.latents_mean, config.latents_std))
    return mean, std


def encode(pipe: Any, frames: Frames) -> Any:
    """Normalised latents (1, c, k + 1, 8, 8) of 4k + 1 native frames."""
    torch = require_module("torch")
    mean, std = _statistics(pipe)
    x = torch.from_numpy(frames.astype(np.float32) / 127.5 - 1).permute(3, 0, 1, 2)[None]
    with torch.inference_mode():
        return (pipe.vae.encode(x).latent_dist.mean - mean) / std


def decode(pipe: Any, latents: Any) -> Frames:
    """Native frames (4k + 1, 64, 64, 3) of normalised latents. Raises GenerationFailed when they hold NaN."""
    torch = require_module("torch")
    mean, std = _statistics(pipe)
    with torch.inference_mode():
        video = pipe.vae.decode(latents * std + mean).sample[0]
    return to_uint8(((video + 1) / 2).permute(1, 2, 3, 0).numpy())


def reconstruct(pipe: Any, frames: Frames) -> Frames:
    """The frames as the model would draw them: what it adds to them then looks the same."""
    out: list[Frames] = []
    for start in range(0, max(1, len(frames) - 1), WINDOW_FRAMES - 1):
        part = frames[start : start + WINDOW_FRAMES]
        short = -(len(part) - 1) % 4
        padded = np.concatenate([part, np.repeat(part[-1:], short, 0)])
        drawn = decode(pipe, encode(pipe, padded))[: len(part)]
        out.append(drawn if not out else drawn[1:])
    return np.concatenate(out)


def prefix_latents(pipe: Any, frames: Frames) -> dict[int, Any]:
    """What is given when a clip goes on from the last of these frames: two latent frames, or one."""
    context = frames[-CONTEXT_FRAMES:] if len(frames) >= CONTEXT_FRAMES else frames[-1:]
    latents = encode(pipe, context)
    return {i: latents[:, :, i] for i in range(latents.shape[2])}


def suffix_latents(pipe: Any, frames: Frames) -> dict[int, Any]:
    """What is given when a clip leads up to the first of these frames: its last latent frame."""
    short = max(0, CONTEXT_FRAMES - len(frames))
    context = np.concatenate([np.repeat(frames[:1], short, 0), frames[: CONTEXT_FRAMES - short]])
    return {(WINDOW_FRAMES - 1) // 4: encode(pipe, context)[:, :, 1]}


@contextlib.contextmanager
def clamped_latents(pipe: Any, known: Mapping[int, Any], shape: tuple[int, ...]) -> Iterator[Any]:
    """While open, the transformer sees the ``known`` latent frames clean, at timestep 0.

    Gives a function that puts them into latents of ``shape`` (1, c, t, h, w).
    """
    torch = require_module("torch")
    mask, clean = torch.zeros(shape[2]), torch.zeros(shape)
    for i, frame in known.items():
        mask[i], clean[:, :, i] = 1, frame
    keep = mask.view(1, 1, -1, 1, 1)
    tokens = (shape[3] // 2) * (shape[4] // 2)
    free = (1 - mask).repeat_interleave(tokens)

    def put(latents: Any) -> Any:
        return keep * clean + (1 - keep) * latents

    def before(_module: Any, args: Any, kwargs: dict[str, Any]) -> tuple[Any, dict[str, Any]]:
        timestep = kwargs["timestep"]
        each = timestep if timestep.ndim == 2 else timestep[:, None].expand(-1, len(free))
        return args, {**kwargs, "hidden_states": put(kwargs["hidden_states"]), "timestep": each * free}

    handle = pipe.transformer.register_forward_pre_hook(before, with_kwargs=True)
    try:
        yield put
    finally:
        handle.remove()


def sample_conditioned(
    loaded: LoadedPipeline,
    arguments: Mapping[str, Any],
    known: Mapping[int, Any],
    *,
    seed: int,
    progress: Progress,
) -> Frames:
    """Native frames (17, 64, 64, 3) that agree with the ``known`` latent frames.

    Raises as ``run_pipeline`` does.
    """
    pipe = loaded.pipe
    shape = (
        1,
        pipe.transformer.config.in_channels,
        (WINDOW_FRAMES - 1) // 4 + 1,
        NATIVE_SIDE // 8,
        NATIVE_SIDE // 8,
    )
    with clamped_latents(pipe, known, shape) as put:
        latents = run_pipeline(loaded, dict(arguments), seed=seed, progress=progress, output_type="latent")
        return decode(pipe, put(latents[None]))
