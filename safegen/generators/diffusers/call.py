"""One call of a diffusers pipeline: its steps counted, its errors explained, its frames checked."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

from safegen.errors import GenerationFailed, Interrupted, SafegenError, UsageError
from safegen.generators.diffusers.arguments import call_parameters
from safegen.generators.diffusers.libraries import require_module, silenced_libraries

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from safegen.generators.diffusers.loading import LoadedPipeline
    from safegen.protocols import Progress


def generate_frames(
    loaded: LoadedPipeline, arguments: dict[str, Any], *, seed: int, progress: Progress
) -> NDArray[np.uint8]:
    """Run the pipeline: uint8 RGB frames (n, h, w, 3). Raises as ``run`` does."""
    return to_uint8(run_pipeline(loaded, arguments, seed=seed, progress=progress))


def run_pipeline(
    loaded: LoadedPipeline,
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
    torch = require_module("torch")
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
        with silenced_libraries(), torch.inference_mode(), watch:
            return loaded.pipe(**arguments, **extra).frames[0]
    except SafegenError:
        raise
    except Exception as error:
        raise pipeline_error(error, loaded, arguments) from error
    finally:
        if hasattr(loaded.pipe, "maybe_free_model_hooks"):
            loaded.pipe.maybe_free_model_hooks()


def pipeline_error(error: Exception, loaded: LoadedPipeline, arguments: dict[str, Any]) -> SafegenError:
    """A pipeline's failure as an error that says what to do."""
    torch = require_module("torch")
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
