"""One request on a loaded pipeline."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from safegen.errors import GenerationFailed, UsageError
from safegen.generators.conditioning import resample_clip
from safegen.generators.diffusers import sizes as _sizes
from safegen.generators.diffusers import tuning
from safegen.generators.diffusers.arguments import call_arguments, call_parameters, recorded_settings
from safegen.generators.diffusers.call import generate_frames
from safegen.generators.diffusers.libraries import silenced_libraries
from safegen.generators.modes import MODES

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from safegen.generators.diffusers.families import Family, NativeFormat, PipelineCall
    from safegen.generators.diffusers.loading import LoadedPipeline
    from safegen.generators.diffusers.model_config import PipelineConfig
    from safegen.generators.diffusers.options import PipelineOptions
    from safegen.generators.presets import Preset
    from safegen.protocols import Progress
    from safegen.types import Condition, Request


class PipelineRunner:
    """One request on a loaded pipeline: fits its inputs and runs its calls, remembering what was set."""

    def __init__(
        self,
        preset: Preset,
        request: Request,
        loaded: LoadedPipeline,
        family: Family,
        config: PipelineConfig,
        options: PipelineOptions,
        target: _sizes.OutputSpec,
        progress: Progress,
    ) -> None:
        """Keep what the calls need."""
        self.preset, self.request, self.loaded = preset, request, loaded
        self.family, self.config, self.options = family, config, options
        self.target, self.progress = target, progress
        self.settings: dict[str, Any] = {}
        self.notes: list[str] = []
        self.parts = 0

    def prepare_inputs(
        self, conditions: Sequence[Condition], native: NativeFormat
    ) -> dict[str, NDArray[np.uint8]]:
        """The request's inputs by role, at the pipeline's size and rate."""
        if conditions:
            self.progress.stage("reading inputs")
        longest = 2 * (native.frames or 100) if self.request.mode == "edit" else 1000
        width, height = self.target.width or 0, self.target.height or 0
        return {
            c.role: resample_clip(c.clip, width, height, self.target.fps, self.progress, max_frames=longest)
            for c in conditions
        }

    def run_call(self, call: PipelineCall) -> NDArray[np.uint8]:
        """Run one call: frames (n, h, w, 3) uint8, of the call's size or else that is said."""
        with silenced_libraries():
            pipe = self.family.pipeline_for(self.loaded.pipe, call.ability)
        guider = getattr(pipe, "guider", None)
        sizes = {
            "width": call.width or None,
            "height": call.height or None,
            "num_frames": call.frames or None,
        }
        defaults = self.family.defaults(self.config, self.target.fps)
        request = replace(self.request, prompt=call.prompt)
        view = replace(self.loaded, pipe=pipe)
        arguments = call_arguments(self.preset, request, pipe, {**defaults, **sizes})
        self._apply_guidance(pipe)
        self.parts += 1
        given = self.family.conditioning(pipe, call)
        edited = (
            {"strength": call.strength}
            if call.source is not None and "strength" in call_parameters(pipe)
            else {}
        )
        self.settings = self.settings or recorded_settings({**arguments, **edited}, view)
        tuning.enable_cache(pipe, self.options, arguments.get("num_inference_steps"))
        try:
            frames = generate_frames(view, {**arguments, **given}, seed=call.seed, progress=self.progress)
        finally:
            self.loaded.pipe.maybe_free_model_hooks()
            if guider is not None:
                pipe.guider = guider
        self._check_output_size(frames, call, sized="width" in call_parameters(pipe))
        return frames

    def _apply_guidance(self, pipe: Any) -> None:
        """Guidance where it is no argument of the call. Raises UsageError when there is none at all."""
        requested = self.request.guidance
        guidance = self.preset.guidance if requested is None else requested
        if guidance is None or "guidance_scale" in call_parameters(pipe):
            return
        if not self.family.set_guidance(pipe, guidance) and requested is not None:
            raise UsageError(f"{type(pipe).__name__} does not accept guidance", hint="omit --guidance")

    def _check_output_size(self, frames: NDArray[np.uint8], call: PipelineCall, *, sized: bool) -> None:
        """Say where the clip is not what was wanted; *sized*: the pipeline's call takes a size."""
        made = (frames.shape[2], frames.shape[1], frames.shape[0])
        width, height = (call.width, call.height) if sized else (0, 0)
        wanted = (width or made[0], height or made[1], call.frames or made[2])
        if made == wanted:
            return
        fps = self.target.fps
        got, expected = _sizes.describe_size(*made, fps), _sizes.describe_size(*wanted, fps)
        # What one call makes is used as it is; clips of another size cannot be joined.
        text = f"the pipeline made {got} instead of {expected}"
        if not MODES[self.request.mode].single_call:
            raise GenerationFailed(text, hint="choose a size and duration the pipeline supports")
        self.notes.append(text)
