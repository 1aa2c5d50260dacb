"""HunyuanVideo, HunyuanVideo 1.5 and FramePack."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from safegen.generators.diffusers.families.base import Family, NativeFormat, PipelineCall
from safegen.generators.modes import Ability

if TYPE_CHECKING:
    from safegen.generators.diffusers.model_config import PipelineConfig
    from safegen.types import Mode

_SECTION = 36
"""Frames a section adds: nine latent ones, of four frames each."""
_WINDOW = 33
"""Frames that the call counts a section as: nine latent ones, the first of one frame."""
LICENCE = "the Tencent Hunyuan licence does not apply in the EU, the United Kingdom and South Korea: read it"


class Hunyuan(Family):
    """``HunyuanVideoPipeline``, ``HunyuanVideoImageToVideoPipeline``."""

    prefixes: tuple[str, ...] = ("HunyuanVideoPipeline", "HunyuanVideoImageToVideo")

    def native(self, config: PipelineConfig) -> NativeFormat:
        """1280x720, 129 frames at 24 fps. Sides /16, counts 4k+1."""
        return NativeFormat(1280, 720, 129, 24, 16, 4)

    def abilities(self, config: PipelineConfig) -> frozenset[Ability]:
        """Pictures need the weights of the image-to-video model."""
        return frozenset({"first"} if "ImageToVideo" in config.pipeline else {"text"})

    def notes(self, config: PipelineConfig) -> tuple[str, ...]:
        """Licence, and when a negative prompt counts."""
        return (LICENCE, "a negative prompt has an effect only with --option true_cfg_scale above 1")

    def dtypes(self, config: PipelineConfig, dtype: str) -> dict[str, str]:
        """The autoencoder in float16."""
        return {"default": dtype, **({"vae": "float16"} if dtype == "bfloat16" else {})}

    def conditioning(self, pipe: Any, call: PipelineCall) -> dict[str, Any]:
        """The picture; where it is laid beside the latents, the pipeline cuts the first four frames off."""
        given = super().conditioning(pipe, call)
        if getattr(pipe.transformer.config, "image_condition_type", None) == "latent_concat":
            given["num_frames"] = call.frames + 4
        return given


class Hunyuan15(Hunyuan):
    """``HunyuanVideo15Pipeline`` and its picture variant: guidance is a part, not an argument."""

    prefixes = ("HunyuanVideo15",)

    def native(self, config: PipelineConfig) -> NativeFormat:
        """121 frames at 24 fps; the pipeline chooses the size. Sides /16, counts 4k+1."""
        return NativeFormat(None, None, 121, 24, 16, 4)

    def notes(self, config: PipelineConfig) -> tuple[str, ...]:
        """Licence, and what a picture decides."""
        if "ImageToVideo" in config.pipeline:
            return (LICENCE, "the picture's shape determines the size")
        return (LICENCE,)

    def modes(self, config: PipelineConfig) -> frozenset[Mode]:
        """From a picture it makes clips of its own size, which cannot be joined to others."""
        can = super().modes(config)
        return can & {"image"} if "ImageToVideo" in config.pipeline else can

    def dtypes(self, config: PipelineConfig, dtype: str) -> dict[str, str]:
        """One format for all."""
        return {"default": dtype}


class Framepack(Hunyuan):
    """``HunyuanVideoFramepackPipeline``: from a picture, section after section, backwards from the end."""

    prefixes = ("HunyuanVideoFramepack",)

    def native(self, config: PipelineConfig) -> NativeFormat:
        """1280x720, 145 frames at 30 fps. Sides /16; a section is 36 frames, and the picture comes first."""
        return NativeFormat(1280, 720, 1 + 4 * _SECTION, 30, 16, _SECTION)

    def abilities(self, config: PipelineConfig) -> frozenset[Ability]:
        """A first picture, and a last one."""
        return frozenset({"first", "both"})

    def modes(self, config: PipelineConfig) -> frozenset[Mode]:
        """Clips from pictures: its sections are too long to join other clips with."""
        return frozenset({"image"})

    def conditioning(self, pipe: Any, call: PipelineCall) -> dict[str, Any]:
        """The pictures; the count so that the call's own rounding gives the sections wanted."""
        sections = max(1, (call.frames - 1) // _SECTION)
        return {**super().conditioning(pipe, call), "num_frames": sections * _WINDOW}


FAMILY = Hunyuan()
FRAMEPACK = Framepack()
FAMILY_15 = Hunyuan15()
