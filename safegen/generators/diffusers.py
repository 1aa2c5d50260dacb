"""Any diffusers video pipeline as a generator."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from safegen.errors import GenerationFailed, Interrupted, SafegenError, UsageError
from safegen.generators import _loading
from safegen.generators.presets import Preset
from safegen.types import Clip, Generated, ModelRef, Outlook

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from safegen.protocols import Progress
    from safegen.types import Condition, Mode, Request


class DiffusersGenerator:
    """Generator around one preset. The pipeline is loaded at the first call and kept."""

    def __init__(self, preset: Preset) -> None:
        """Keep the preset; nothing is loaded yet."""
        self.preset = preset
        self.name = preset.name
        self._loaded: _loading.Loaded | None = None

    @property
    def modes(self) -> frozenset[Mode]:
        """Text to video."""
        return frozenset({"text"})

    def generate(
        self, request: Request, *, progress: Progress, conditions: Sequence[Condition] = ()
    ) -> Generated:
        """Make the clip at the pipeline's native frame rate.

        The same request gives the same bytes on the same machine and library versions. Raises MissingExtra,
        GenerationFailed, UsageError for an option the pipeline does not have, Interrupted.
        """
        progress.stage("loading")
        loaded = self.loaded()
        arguments = self.arguments(request, loaded)
        frames = call(loaded, arguments, seed=request.seed, progress=progress)
        clip = Clip.from_array(frames, request.fps or self.preset.fps)
        return Generated(clip, self.reference(loaded), self.settings(arguments, loaded))

    def outlook(self, request: Request) -> Outlook:
        """The request's sizes, else the preset's: nothing more is known before the pipeline is loaded."""
        preset = self.preset
        seconds = request.seconds or (preset.frames / preset.fps if preset.frames else None)
        return Outlook(
            request.width or preset.width, request.height or preset.height, seconds, request.fps or preset.fps
        )

    def loaded(self) -> _loading.Loaded:
        """The pipeline, loaded once."""
        if self._loaded is None:
            self._loaded = _loading.load(self.preset)
        return self._loaded

    def reference(self, loaded: _loading.Loaded) -> ModelRef:
        """What manifest and ledger say of the model."""
        preset = self.preset
        return ModelRef(preset.name, preset.source, loaded.version, loaded.digest, preset.licence)

    def settings(self, arguments: dict[str, Any], loaded: _loading.Loaded) -> dict[str, Any]:
        """Every setting that shaped the clip, prompts left out: they are not for a public record."""
        public = {k: v for k, v in arguments.items() if k not in ("prompt", "negative_prompt", "output_type")}
        return {**public, "pipeline": type(loaded.pipe).__name__, "device": loaded.device}

    def arguments(self, request: Request, loaded: _loading.Loaded) -> dict[str, Any]:
        """Arguments of the pipeline's call: the request's, else the preset's, else the pipeline's own."""
        preset = self.preset
        frames = preset.frames
        if request.seconds is not None:
            wanted = request.seconds * (request.fps or preset.fps)
            frames = max(1, round((wanted - 1) / preset.frame_step)) * preset.frame_step + 1
        values: dict[str, Any] = {
            "prompt": request.prompt,
            "negative_prompt": request.negative_prompt or None,
            "width": request.width or preset.width,
            "height": request.height or preset.height,
            "num_frames": frames,
            "num_inference_steps": request.steps or preset.steps,
            "guidance_scale": preset.guidance if request.guidance is None else request.guidance,
            **preset.options,
        }
        taken = {k: v for k, v in values.items() if v is not None}
        return checked_arguments(loaded.pipe, {**taken, **request.options}, tuple(request.options))


def checked_arguments(pipe: Any, values: dict[str, Any], asked: tuple[str, ...]) -> dict[str, Any]:
    """Drop what the pipeline's call does not take. Raises UsageError when the user asked for it by name."""
    accepted = set(inspect.signature(type(pipe).__call__).parameters)
    reserved = {"self", "generator", "output_type", "return_dict"}
    for name in asked:
        if name not in accepted or name in reserved or name.startswith("callback"):
            raise UsageError(
                f"{type(pipe).__name__} has no option {name!r}", hint="see the pipeline's documentation"
            )
    return {k: v for k, v in values.items() if k in accepted}


def call(
    loaded: _loading.Loaded, arguments: dict[str, Any], *, seed: int, progress: Progress
) -> NDArray[np.uint8]:
    """Run the pipeline: uint8 RGB frames (n, h, w, 3). Raises as ``run`` does."""
    return to_uint8(run(loaded, arguments, seed=seed, progress=progress))


def run(
    loaded: _loading.Loaded,
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
    torch = _loading.need("torch")
    if progress.cancelled():
        raise Interrupted("stopped before the first step")
    steps = arguments.get("num_inference_steps")
    progress.stage("denoising", int(steps) if steps else None)
    extra: dict[str, Any] = {
        "generator": torch.Generator("cpu").manual_seed(seed),
        "output_type": output_type,
    }
    if "callback_on_step_end" in inspect.signature(type(loaded.pipe).__call__).parameters:
        extra["callback_on_step_end"] = _callback(progress)
    try:
        with _loading.quiet(), torch.inference_mode():
            return loaded.pipe(**arguments, **extra).frames[0]
    except SafegenError:
        raise
    except torch.OutOfMemoryError as error:
        raise GenerationFailed(
            "the device has too little memory", hint="lower --width, --height or --seconds"
        ) from error
    except (ValueError, TypeError) as error:
        raise UsageError(f"the pipeline does not take these settings: {error}") from error
    except Exception as error:
        raise GenerationFailed(f"the pipeline failed: {type(error).__name__}: {error}") from error
    finally:
        if hasattr(loaded.pipe, "maybe_free_model_hooks"):
            loaded.pipe.maybe_free_model_hooks()


def _callback(progress: Progress) -> Callable[[Any, int, Any, dict[str, Any]], dict[str, Any]]:
    def after_step(_pipe: Any, _step: int, _time: Any, tensors: dict[str, Any]) -> dict[str, Any]:
        progress.advance()
        if progress.cancelled():
            raise Interrupted("stopped while denoising")
        return tensors

    return after_step


def to_uint8(video: Any) -> NDArray[np.uint8]:
    """Frames of a pipeline, float in 0..1 of shape (n, h, w, 3), as uint8.

    Raises GenerationFailed when there are none or they hold NaN or infinity (a black clip is never passed
    on).
    """
    values = np.asarray(video)
    if values.ndim != 4 or values.shape[-1] != 3 or len(values) == 0:
        raise GenerationFailed(f"the pipeline gave no frames but an array of shape {values.shape}")
    if not np.isfinite(values).all():
        raise GenerationFailed(
            "the pipeline gave numbers that are no colours (NaN)", hint="try another precision"
        )
    return np.asarray((np.clip(values, 0, 1) * 255).round(), np.uint8)
