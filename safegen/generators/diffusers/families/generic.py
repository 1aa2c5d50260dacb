"""Pipelines without a file of their own: called as their class specifies, with the arguments it accepts."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from safegen.generators.diffusers import introspection
from safegen.generators.diffusers.families.base import Family, NativeFormat, PipelineCall, to_pil
from safegen.generators.modes import Ability

if TYPE_CHECKING:
    from safegen.generators.diffusers.model_config import PipelineConfig
    from safegen.types import Mode

_STAGES = re.compile(
    r"Control|Inpaint|Upsample|Transfer|TextToImage|SRPipeline|DiffusionDecode|HDR|InContext|DFR|"
    r"ForcingVideoToVideo|LongMultiPrompt|ConsisID|SanaWM"
)
"""Classes that want more than words, a picture or a clip (masks, controls, faces, another stage's latents),
or make something else of them than any mode means."""
_FROM_PICTURE = re.compile(r"ImageToVideo|Image2Video|(?<!T)I2V|VideoToWorld|StableVideoDiffusion")
_FEWEST = {"Kandinsky5I2VPipeline": 17}
"""It compares the first four latent frames with those that follow: there must be some."""
_RATE = ("frame_rate", "fps", "target_fps")
_SOUND = frozenset({"enable_sound", "sample_audio"})


class Generic(Family):
    """Any diffusers video pipeline that has no file of its own here.

    What it can do, its sizes and its frame rate are read from the class's source, the rules for other sizes
    and counts from there and from its parts' configurations.
    """

    def native(self, config: PipelineConfig) -> NativeFormat:
        """Default sizes and rules; where the transformer counts its frames, it makes these only."""
        frames = config.get("transformer", "video_length")
        side = config.get("transformer", "sample_size")
        if isinstance(frames, int) and isinstance(side, int):
            return NativeFormat(8 * side, 8 * side, frames, fixed=True)
        call = introspection.call_signature(config.pipeline)
        if call is None:
            return NativeFormat()
        return NativeFormat(
            call.default_number("width") or None,
            call.default_number("height") or None,
            call.default_number("num_frames", "frames", "video_length"),
            call.default_number(*_RATE) or call.rate or 24,
            max(16, call.side or 0),
            _time_scale(config),
            least=_FEWEST.get(config.pipeline, 1),
            timed=bool(call.parameters.intersection(_RATE)),
        )

    def abilities(self, config: PipelineConfig) -> frozenset[Ability]:
        """What the arguments of its call allow; nothing where it wants what no mode has."""
        name, call = config.pipeline, introspection.call_signature(config.pipeline)
        if _STAGES.search(name) or (call and call.required - {"prompt", "image", "video"}):
            return frozenset()
        if _FROM_PICTURE.search(name) or (call and "image" in call.required):
            return frozenset({"first", "both"} if call and "last_image" in call.parameters else {"first"})
        if "VideoToVideo" in name or (call and "video" in call.required):
            return frozenset({"edit"})
        return frozenset({"text", "first"} if call and "image" in call.parameters else {"text"})

    def modes(self, config: PipelineConfig) -> frozenset[Mode]:
        """Without words there are no shots to tell."""
        can = super().modes(config)
        return can if _takes(config, "prompt") else can - {"storyboard"}

    def notes(self, config: PipelineConfig) -> tuple[str, ...]:
        """That words do not count, or that sound is lost."""
        notes = []
        if not _takes(config, "prompt"):
            notes.append(f"{config.pipeline} ignores words: the prompt is only screened and recorded")
        call = introspection.call_signature(config.pipeline)
        if call and _SOUND & call.parameters:
            notes.append("any sound this pipeline makes is discarded")
        return tuple(notes)

    def needs_tiling(self, config: PipelineConfig) -> bool:
        """Allegro's autoencoder."""
        return config.pipeline == "AllegroPipeline"

    def defaults(self, config: PipelineConfig, fps: int) -> dict[str, Any]:
        """The frame rate, where it is an argument; what some pipelines cannot do without."""
        call = introspection.call_signature(config.pipeline)
        given: dict[str, Any] = {name: fps for name in _RATE if call and name in call.parameters}
        if call and "use_resolution_binning" in call.parameters:
            given["use_resolution_binning"] = False  # it would make another size than was said
        if config.pipeline.startswith("EasyAnimate"):
            given["negative_prompt"] = ""  # it fails without one
        return given | {name: False for name in _SOUND if call and name in call.parameters}

    def conditioning(self, pipe: Any, call: PipelineCall) -> dict[str, Any]:
        """The clip to work on without a strength, where the call has none."""
        if call.source is not None and not _takes_strength(pipe):
            return {"video": to_pil(call.source)}
        return super().conditioning(pipe, call)


def _takes(config: PipelineConfig, name: str) -> bool:
    call = introspection.call_signature(config.pipeline)
    return call is None or name in call.parameters


def _takes_strength(pipe: Any) -> bool:
    call = introspection.call_signature(type(pipe).__name__)
    return call is None or "strength" in call.parameters


def _time_scale(config: PipelineConfig) -> int:
    """How many frames one latent frame stands for."""
    for name in ("scale_factor_temporal", "temporal_compression_ratio"):
        value = config.get("vae", name)
        if isinstance(value, int) and value > 0:
            return value
    return 4
