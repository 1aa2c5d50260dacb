"""Wan 2.1 and 2.2: text, picture (first, and first and last) and video to video."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from safegen.generators.diffusers.families.base import Family, NativeFormat, rewrap_pipeline
from safegen.generators.modes import Ability

if TYPE_CHECKING:
    from safegen.generators.diffusers.model_config import PipelineConfig


class Wan(Family):
    """``WanPipeline`` (with a time step for every token also from a picture), ``WanImageToVideoPipeline``."""

    prefixes = ("WanPipeline", "WanImageToVideo", "WanVideoToVideo")
    views: ClassVar[dict[Ability, str]] = {
        "first": "WanImageToVideoPipeline",
        "both": "WanImageToVideoPipeline",
        "edit": "WanVideoToVideoPipeline",
    }

    def native(self, config: PipelineConfig) -> NativeFormat:
        """832x480, 81 frames at 16 fps; the TI2V model 1280x704, 121 at 24. Counts 4k+1."""
        expand = bool(config.index.get("expand_timesteps"))
        scale = config.get("vae", "scale_factor_spatial", 16 if expand else 8)
        patch = config.get("transformer", "patch_size", (1, 2, 2))
        side = max(16, int(scale) * int(patch[-1]))
        step = int(config.get("vae", "scale_factor_temporal", 4))
        if expand:
            return NativeFormat(1280, 704, 121, 24, side, step)
        return NativeFormat(832, 480, 81, 16, side, step)

    def abilities(self, config: PipelineConfig) -> frozenset[Ability]:
        """Pictures go in through extra channels (I2V models) or as a first frame without noise (TI2V)."""
        if config.pipeline.startswith("WanVideoToVideo"):
            return frozenset({"edit"})
        if config.pipeline.startswith("WanImageToVideo"):
            if _wants_both(config):
                return frozenset({"both"})
            return frozenset({"first", "both"} if _takes_last(config) else {"first"})
        if config.index.get("expand_timesteps"):
            return frozenset({"text", "first", "edit"})
        return frozenset({"text"} if _two_stages(config) else {"text", "edit"})

    def dtypes(self, config: PipelineConfig, dtype: str) -> dict[str, str]:
        """The autoencoder in float32: half precision shows in its pictures."""
        return {"default": dtype, "vae": "float32"}

    def pipeline_for(self, pipe: Any, ability: Ability) -> Any:
        """The class for *ability*, its picture scale that of the autoencoder.

        The video-to-video class works its scale out from the number of levels, which is wrong for
        autoencoders that cut the picture into patches first.
        """
        name = self.views.get(ability)
        if name is None or type(pipe).__name__ == name:
            return pipe
        rewrapped = rewrap_pipeline(pipe, name)
        scale, times = pipe.vae_scale_factor_spatial, pipe.vae_scale_factor_temporal
        if rewrapped.vae_scale_factor_spatial != scale:
            rewrapped.video_processor = type(rewrapped.video_processor)(vae_scale_factor=scale)
        rewrapped.vae_scale_factor_spatial, rewrapped.vae_scale_factor_temporal = scale, times
        return rewrapped


def _wants_both(config: PipelineConfig) -> bool:
    """Whether this is FLF2V, whose transformer counts on the tokens of two pictures."""
    return config.get("transformer", "pos_embed_seq_len") is not None


def _takes_last(config: PipelineConfig) -> bool:
    """Whether an I2V model also takes a last frame: those without picture encoder do."""
    if config.index.get("expand_timesteps") or "transformer" not in config.components:
        return False
    return config.get("transformer", "image_dim") is None


def _two_stages(config: PipelineConfig) -> bool:
    """Whether there are two transformers: the video-to-video class knows one only."""
    return config.index.get("boundary_ratio") is not None


FAMILY = Wan()
