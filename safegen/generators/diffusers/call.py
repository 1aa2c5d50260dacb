"""One call of a diffusers pipeline: its arguments checked, its steps counted, its errors explained."""

from __future__ import annotations

import contextlib
import difflib
import inspect
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from safegen.errors import GenerationFailed, Interrupted, SafegenError, UsageError
from safegen.generators.diffusers import loading
from safegen.generators.diffusers.options import OPTION_NAMES

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from safegen.protocols import Progress

_RESERVED_ARGUMENTS = {
    "self": "",
    "generator": "--seed",
    "output_type": "",
    "return_dict": "",
    "height": "--height",
    "width": "--width",
    "num_frames": "--seconds",
    "video_length": "--seconds",
    "num_inference_steps": "--steps",
    "guidance_scale": "--guidance",
    "frame_rate": "--fps",
    "fps": "--fps",
    "target_fps": "--fps",
    "frames": "--seconds",
    **{name: f"--{name}" for name in ("seed", "steps", "guidance", "seconds", "size")},
    "num_videos_per_prompt": "",
    "strength": "--strength",
    "denoise_strength": "--strength",
    "image": "an input",
    "last_image": "an input",
    "video": "an input",
    "conditions": "an input",
}
"""Arguments safegen fills in itself, and what a user gives instead."""
_UNSCREENED_PREFIXES = ("prompt", "negative_prompt", "latents", "image_", "callback", "pooled_", "system_")
"""Arguments that would bring in words or pictures that nobody screened."""
_SAFETY_ARGUMENTS = frozenset({"enable_safety_check", "safety_checker"})
"""Arguments that switch off what a model's makers check."""


def call_parameters(pipe: Any) -> frozenset[str]:
    """Names of the arguments of a pipeline's call."""
    return frozenset(inspect.signature(type(pipe).__call__).parameters)


def check_call_options(pipeline: str, names: Collection[str], options: Mapping[str, Any]) -> None:
    """Raise UsageError for an *asked* option that is none of a pipeline's *names* (none known: any is).

    And for those that safegen sets itself or that would bring in what nobody screened. Of no option may the
    value be text: an argument that takes words goes past the screens.
    """
    for name, value in options.items():
        if name in _RESERVED_ARGUMENTS:
            instead = _RESERVED_ARGUMENTS[name]
            raise UsageError(
                f"{name!r} is not an option", hint=f"use {instead}" if instead else "safegen sets it itself"
            )
        if name in _SAFETY_ARGUMENTS:
            raise UsageError(f"{name!r} is not an option", hint="a model's own checks cannot be switched off")
        if name.startswith(_UNSCREENED_PREFIXES):
            raise UsageError(
                f"{name!r} is not an option",
                hint="use safegen's own arguments: words and pictures must pass the screens first",
            )
        if names and name not in names:
            raise UsageError(f"{pipeline} has no option {name!r}", hint=_suggestion(name, names))
        if _contains_text(value):
            raise UsageError(
                f"option {name!r} cannot be text: {value!r}",
                hint="give numbers, true or false, or lists of them; text must pass the screens first",
            )


def _contains_text(value: Any) -> bool:
    """Whether there is text in a value, however deep."""
    if isinstance(value, Mapping):
        return any(map(_contains_text, value.values()))
    return any(map(_contains_text, value)) if isinstance(value, list | tuple) else isinstance(value, str)


def build_call_arguments(pipe: Any, values: dict[str, Any], options: Mapping[str, Any]) -> dict[str, Any]:
    """*values*, and what was *asked* for by name, as far as the pipeline's call takes it.

    Raises UsageError for an asked one that it does not take, and as ``screened`` does.
    """
    names = call_parameters(pipe)
    check_call_options(type(pipe).__name__, names, options)
    return {k: v for k, v in {**values, **options}.items() if k in names}


def _suggestion(name: str, names: Iterable[str]) -> str:
    """What to write in place of an option that is not there."""
    near = difflib.get_close_matches(name, [*OPTION_NAMES, *names], n=1)
    own = (
        f"safegen's own options are {', '.join(OPTION_NAMES)}; for the rest, see the pipeline's documentation"
    )
    return f"did you mean {near[0]}?" if near else own


def generate_frames(
    loaded: loading.LoadedPipeline, arguments: dict[str, Any], *, seed: int, progress: Progress
) -> NDArray[np.uint8]:
    """Run the pipeline: uint8 RGB frames (n, h, w, 3). Raises as ``run`` does."""
    return to_uint8(run_pipeline(loaded, arguments, seed=seed, progress=progress))


def run_pipeline(
    loaded: loading.LoadedPipeline,
    arguments: dict[str, Any],
    *,
    seed: int,
    progress: Progress,
    output_type: str = "np",
) -> Any:
    """Run the pipeline: the first clip of its output, frames or (``latent``) what they are decoded from.

    Asks ``progress.cancelled()`` before the first and after every denoising step; stopping raises Interrupted
    through the pipeline, so nothing is decoded. Noise comes from a CPU generator: the same on every device.
    """
    torch = loading.require_module("torch")
    if progress.cancelled():
        raise Interrupted("stopped before the first step")
    steps = arguments.get("num_inference_steps")
    progress.stage("denoising", int(steps) if steps else None)
    extra: dict[str, Any] = {
        "generator": torch.Generator("cpu").manual_seed(seed),
        "output_type": output_type,
    }
    after = _after_step(progress)
    if "callback_on_step_end" in call_parameters(loaded.pipe):
        extra["callback_on_step_end"] = after
        watch: contextlib.AbstractContextManager[None] = contextlib.nullcontext()
    else:
        watch = _counting_steps(loaded.pipe, after)
    try:
        with loading.silenced_libraries(), torch.inference_mode(), watch:
            return loaded.pipe(**arguments, **extra).frames[0]
    except SafegenError:
        raise
    except Exception as error:
        raise pipeline_error(error, loaded, arguments) from error
    finally:
        if hasattr(loaded.pipe, "maybe_free_model_hooks"):
            loaded.pipe.maybe_free_model_hooks()


def pipeline_error(
    error: Exception, loaded: loading.LoadedPipeline, arguments: dict[str, Any]
) -> SafegenError:
    """A pipeline's failure as an error that says what to do."""
    torch = loading.require_module("torch")
    if isinstance(error, torch.OutOfMemoryError | MemoryError) or "can't allocate memory" in str(error):
        if loaded.device.startswith("cuda"):
            torch.cuda.empty_cache()
        return GenerationFailed(
            f"not enough memory on {loaded.device} for this clip", hint=memory_hint(arguments)
        )
    if isinstance(error, ValueError | TypeError):
        return UsageError(f"the pipeline does not accept these settings: {error}")
    return GenerationFailed(f"the pipeline failed: {type(error).__name__}: {error}")


def memory_hint(arguments: dict[str, Any]) -> str:
    """What to lower, and from which values."""
    size = f"{arguments.get('width')}x{arguments.get('height')}" if arguments.get("width") else "its size"
    frames = f", {arguments['num_frames']} frames" if arguments.get("num_frames") else ""
    return (
        f"this clip was {size}{frames}: lower --width, --height or --seconds, or try --option "
        "vae_tiling=on, offload=model (then group, sequential) or quantise=fp8"
    )


def _after_step(progress: Progress) -> Callable[..., dict[str, Any]]:
    def after(_pipe: Any, _step: int, _time: Any, tensors: dict[str, Any]) -> dict[str, Any]:
        progress.advance()
        if progress.cancelled():
            raise Interrupted("stopped while denoising")
        return tensors

    return after


@contextlib.contextmanager
def _counting_steps(pipe: Any, after: Callable[..., dict[str, Any]]) -> Iterator[None]:
    """Count and stop at the scheduler's steps, for pipelines whose call takes no callback."""
    step = pipe.scheduler.step

    def counted(*args: Any, **kwargs: Any) -> Any:
        result = step(*args, **kwargs)
        after(pipe, 0, None, {})
        return result

    pipe.scheduler.step = counted
    try:
        yield
    finally:
        del pipe.scheduler.step


def to_uint8(video: Any) -> NDArray[np.uint8]:
    """Frames of a pipeline, float in 0..1 of shape (n, h, w, 3), as uint8.

    Raises GenerationFailed when there are none or they hold NaN or infinity (a black clip is never passed
    on).
    """
    values = np.asarray(video)
    if values.ndim != 4 or values.shape[-1] != 3 or len(values) == 0:
        raise GenerationFailed(f"the pipeline returned an array of shape {values.shape} instead of frames")
    if not np.isfinite(values).all():
        raise GenerationFailed(
            "the pipeline returned invalid pixel values (NaN)",
            hint="try another number format: --option dtype=bfloat16 or float32",
        )
    return np.asarray((np.clip(values, 0, 1) * 255).round(), np.uint8)
