"""One request on a loaded pipeline."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from safegen.errors import GenerationFailed, UsageError
from safegen.generators.conditioning import resample_clip
from safegen.generators.diffusers import loading, model_config, tuning
from safegen.generators.diffusers import sizes as _sizes
from safegen.generators.diffusers.call import call_parameters, generate_frames
from safegen.generators.diffusers.families import (
    ABILITY_FOR_MODE,
    Family,
    NativeFormat,
    PipelineCall,
    family_of,
)
from safegen.generators.diffusers.options import PipelineOptions
from safegen.generators.presets import PRESETS

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from safegen.generators.diffusers.generator import DiffusersGenerator
    from safegen.protocols import Progress
    from safegen.types import Condition, Mode, Request

_ALONE = ("text", "image", "edit")
"""Ways of working that are one call: if its size is not what was asked for, that is said, not an error."""


class PipelineRunner:
    """One request on a loaded pipeline: fits its inputs and runs its calls, remembering what was set."""

    def __init__(
        self,
        generator: DiffusersGenerator,
        request: Request,
        loaded: loading.LoadedPipeline,
        family: Family,
        facts: model_config.PipelineConfig,
        options: PipelineOptions,
        target: _sizes.OutputSpec,
        progress: Progress,
    ) -> None:
        """Keep what the calls need."""
        self.generator, self.request, self.loaded = generator, request, loaded
        self.family, self.facts, self.options = family, facts, options
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
        most = 2 * (native.frames or 100) if self.request.mode == "edit" else 1000
        width, height = self.target.width or 0, self.target.height or 0
        return {
            c.role: resample_clip(c.clip, width, height, self.target.fps, self.progress, max_frames=most)
            for c in conditions
        }

    def run_call(self, part: PipelineCall) -> NDArray[np.uint8]:
        """Run one call: frames (n, h, w, 3) uint8, of the part's size or else that is said."""
        with loading.silenced_libraries():
            pipe = self.family.pipeline_for(self.loaded.pipe, part.ability)
        guider = getattr(pipe, "guider", None)
        sizes = {
            "width": part.width or None,
            "height": part.height or None,
            "num_frames": part.frames or None,
        }
        defaults = self.family.defaults(self.facts, self.target.fps)
        request = replace(self.request, prompt=part.prompt)
        view = replace(self.loaded, pipe=pipe)
        arguments = self.generator.call_arguments(request, view, {**defaults, **sizes})
        self._apply_guidance(pipe)
        self.parts += 1
        given = self.family.conditioning(pipe, part)
        edited = (
            {"strength": part.strength}
            if part.source is not None and "strength" in call_parameters(pipe)
            else {}
        )
        self.settings = self.settings or self.generator.recorded_settings({**arguments, **edited}, view)
        tuning.enable_cache(pipe, self.options, arguments.get("num_inference_steps"))
        try:
            frames = generate_frames(view, {**arguments, **given}, seed=part.seed, progress=self.progress)
        finally:
            self.loaded.pipe.maybe_free_model_hooks()
            if guider is not None:
                pipe.guider = guider
        self._check_output_size(frames, part, sized="width" in call_parameters(pipe))
        return frames

    def _apply_guidance(self, pipe: Any) -> None:
        """Guidance where it is no argument of the call. Raises UsageError when there is none at all."""
        asked = self.request.guidance
        guidance = self.generator.preset.guidance if asked is None else asked
        if guidance is None or "guidance_scale" in call_parameters(pipe):
            return
        if not self.family.set_guidance(pipe, guidance) and asked is not None:
            raise UsageError(f"{type(pipe).__name__} does not accept guidance", hint="omit --guidance")

    def _check_output_size(self, frames: NDArray[np.uint8], part: PipelineCall, *, sized: bool) -> None:
        """Say where the clip is not what was wanted; *sized*: the pipeline's call takes a size."""
        made = (frames.shape[2], frames.shape[1], frames.shape[0])
        width, height = (part.width, part.height) if sized else (0, 0)
        wanted = (width or made[0], height or made[1], part.frames or made[2])
        if made == wanted:
            return
        fps = self.target.fps
        got, asked = _sizes.describe_size(*made, fps), _sizes.describe_size(*wanted, fps)
        text = f"the pipeline made {got} instead of {asked}"
        if self.request.mode not in _ALONE:
            raise GenerationFailed(text, hint="choose a size and duration the pipeline supports")
        self.notes.append(text)


def presets_supporting(mode: Mode) -> str:
    """Presets that can do *mode*, as a hint."""
    able = []
    for name, preset in PRESETS.items():
        facts = model_config.pipeline_config(preset)
        if mode in family_of(facts).modes(facts):
            able.append(name)
    needs = {"last": "LTX 0.9.5 or later can", "both": "LTX 0.9.5 or later can, and Wan FLF2V"}
    fallback = needs.get(ABILITY_FOR_MODE[mode], "an image-to-video model can")
    return f"{', '.join(('tiny', *able))} can; {fallback}"
