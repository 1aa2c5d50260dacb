"""One request on a loaded pipeline."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from safegen.errors import GenerationFailed, UsageError
from safegen.generators.conditioning import frames_of
from safegen.generators.diffusers import loading, model_config, tuning
from safegen.generators.diffusers import sizes as _sizes
from safegen.generators.diffusers.call import accepted, call
from safegen.generators.diffusers.families import NEEDS, Family, Native, Part, family_of
from safegen.generators.diffusers.options import Options
from safegen.generators.presets import PRESETS

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from safegen.generators.diffusers.generator import DiffusersGenerator
    from safegen.protocols import Progress
    from safegen.types import Condition, Mode, Request

_ALONE = ("text", "image", "edit")
"""Ways of working that are one call: if its size is not what was asked for, that is said, not an error."""


class Desk:
    """One request on a loaded pipeline: fits its inputs and runs its calls, remembering what was set."""

    def __init__(
        self,
        generator: DiffusersGenerator,
        request: Request,
        loaded: loading.Loaded,
        family: Family,
        facts: model_config.Facts,
        options: Options,
        target: _sizes.Target,
        progress: Progress,
    ) -> None:
        """Keep what the calls need."""
        self.generator, self.request, self.loaded = generator, request, loaded
        self.family, self.facts, self.options = family, facts, options
        self.target, self.progress = target, progress
        self.settings: dict[str, Any] = {}
        self.notes: list[str] = []
        self.parts = 0

    def inputs(self, conditions: Sequence[Condition], native: Native) -> dict[str, NDArray[np.uint8]]:
        """The request's inputs by role, at the pipeline's size and rate."""
        if conditions:
            self.progress.stage("reading inputs")
        most = 2 * (native.frames or 100) if self.request.mode == "edit" else 1000
        width, height = self.target.width or 0, self.target.height or 0
        return {
            c.role: frames_of(c.clip, width, height, self.target.fps, self.progress, most=most)
            for c in conditions
        }

    def make(self, part: Part) -> NDArray[np.uint8]:
        """Run one call: frames (n, h, w, 3) uint8, of the part's size or else that is said."""
        with loading.quiet():
            pipe = self.family.view(self.loaded.pipe, part.ability)
        guider = getattr(pipe, "guider", None)
        sizes = {
            "width": part.width or None,
            "height": part.height or None,
            "num_frames": part.frames or None,
        }
        defaults = self.family.defaults(self.facts, self.target.fps)
        request = replace(self.request, prompt=part.prompt)
        view = replace(self.loaded, pipe=pipe)
        arguments = self.generator.arguments(request, view, {**defaults, **sizes})
        self._guide(pipe)
        self.parts += 1
        given = self.family.conditioning(pipe, part)
        edited = (
            {"strength": part.strength} if part.source is not None and "strength" in accepted(pipe) else {}
        )
        self.settings = self.settings or self.generator.settings({**arguments, **edited}, view)
        tuning.cache(pipe, self.options, arguments.get("num_inference_steps"))
        try:
            frames = call(view, {**arguments, **given}, seed=part.seed, progress=self.progress)
        finally:
            self.loaded.pipe.maybe_free_model_hooks()
            if guider is not None:
                pipe.guider = guider
        self._compare(frames, part, sized="width" in accepted(pipe))
        return frames

    def _guide(self, pipe: Any) -> None:
        """Guidance where it is no argument of the call. Raises UsageError when there is none at all."""
        asked = self.request.guidance
        guidance = self.generator.preset.guidance if asked is None else asked
        if guidance is None or "guidance_scale" in accepted(pipe):
            return
        if not self.family.guide(pipe, guidance) and asked is not None:
            raise UsageError(f"{type(pipe).__name__} does not accept guidance", hint="omit --guidance")

    def _compare(self, frames: NDArray[np.uint8], part: Part, *, sized: bool) -> None:
        """Say where the clip is not what was wanted; *sized*: the pipeline's call takes a size."""
        made = (frames.shape[2], frames.shape[1], frames.shape[0])
        width, height = (part.width, part.height) if sized else (0, 0)
        wanted = (width or made[0], height or made[1], part.frames or made[2])
        if made == wanted:
            return
        fps = self.target.fps
        text = f"the pipeline made {_sizes.say(*made, fps)} instead of {_sizes.say(*wanted, fps)}"
        if self.request.mode not in _ALONE:
            raise GenerationFailed(text, hint="choose a size and duration the pipeline supports")
        self.notes.append(text)


def who_can(mode: Mode) -> str:
    """Presets that can do *mode*, as a hint."""
    able = []
    for name, preset in PRESETS.items():
        facts = model_config.facts_of(preset)
        if mode in family_of(facts).modes(facts):
            able.append(name)
    needs = {"last": "LTX 0.9.5 or later can", "both": "LTX 0.9.5 or later can, and Wan FLF2V"}
    fallback = needs.get(NEEDS[mode], "an image-to-video model can")
    return f"{', '.join(('tiny', *able))} can; {fallback}"
