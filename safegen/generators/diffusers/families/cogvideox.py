"""CogVideoX 2B and 5B: text, picture (its own weights) and video to video."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from safegen.generators.diffusers.families.base import Family, NativeFormat
from safegen.generators.modes import Ability

if TYPE_CHECKING:
    from safegen.generators.diffusers.model_config import PipelineConfig


class CogVideoX(Family):
    """``CogVideoXPipeline``, ``CogVideoXImageToVideoPipeline``, ``CogVideoXVideoToVideoPipeline``."""

    prefixes = ("CogVideoXPipeline", "CogVideoXImageToVideo", "CogVideoXVideoToVideo")
    views: ClassVar[dict[Ability, str]] = {"edit": "CogVideoXVideoToVideoPipeline"}

    def native(self, config: PipelineConfig) -> NativeFormat:
        """720x480, 49 frames at 8 fps, counts 8k+1 (1.5: 16, 16k+1); learned positions: one size only."""
        scale = 2 ** (len(config.get("vae", "block_out_channels", (0, 0, 0, 0))) - 1)
        width = scale * int(config.get("transformer", "sample_width", 90))
        height = scale * int(config.get("transformer", "sample_height", 60))
        frames = int(config.get("transformer", "sample_frames", 49))
        fixed = bool(config.get("transformer", "use_learned_positional_embeddings", False))
        side = scale * int(config.get("transformer", "patch_size", 2))
        rate, step = (16, 16) if _newer(config) else (8, 8)
        return NativeFormat(width, height, frames, rate, side, step, fixed=fixed)

    def abilities(self, config: PipelineConfig) -> frozenset[Ability]:
        """Pictures need the weights of an image-to-video model."""
        if config.pipeline.startswith("CogVideoXImage"):
            return frozenset({"first"})
        if config.pipeline.startswith("CogVideoXVideo"):
            return frozenset({"edit"})
        return frozenset({"text"} if _newer(config) else {"text", "edit"})

    def dtypes(self, config: PipelineConfig, dtype: str) -> dict[str, str]:
        """The 2B model was trained in float16, the others in bfloat16."""
        small = int(config.get("transformer", "num_layers", 42)) <= 30
        return {"default": "float16" if small and dtype == "bfloat16" else dtype}

    def defaults(self, config: PipelineConfig, fps: int) -> dict[str, Any]:
        """The DPM scheduler of the 5B models goes with guidance that grows."""
        scheduler = config.index.get("scheduler") or ["", ""]
        return {"use_dynamic_cfg": True} if scheduler[-1] == "CogVideoXDPMScheduler" else {}


def _newer(config: PipelineConfig) -> bool:
    """Whether this is 1.5, which packs latent frames in pairs: its video to video then wants odd counts."""
    return config.get("transformer", "patch_size_t") is not None


FAMILY = CogVideoX()
