"""CogVideoX 2B and 5B: text, picture (its own weights) and video to video."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from safegen.generators.diffusers.families._base import Ability, Family, NativeFormat

if TYPE_CHECKING:
    from safegen.generators.diffusers.model_config import PipelineConfig


class CogVideoX(Family):
    """``CogVideoXPipeline``, ``CogVideoXImageToVideoPipeline``, ``CogVideoXVideoToVideoPipeline``."""

    name = "cogvideox"
    prefixes = ("CogVideoXPipeline", "CogVideoXImageToVideo", "CogVideoXVideoToVideo")
    views: ClassVar[dict[Ability, str]] = {"edit": "CogVideoXVideoToVideoPipeline"}

    def native(self, facts: PipelineConfig) -> NativeFormat:
        """720x480, 49 frames at 8 fps, counts 8k+1 (1.5: 16, 16k+1); learned positions: one size only."""
        scale = 2 ** (len(facts.config("vae", "block_out_channels", (0, 0, 0, 0))) - 1)
        width = scale * int(facts.config("transformer", "sample_width", 90))
        height = scale * int(facts.config("transformer", "sample_height", 60))
        frames = int(facts.config("transformer", "sample_frames", 49))
        fixed = bool(facts.config("transformer", "use_learned_positional_embeddings", False))
        side = scale * int(facts.config("transformer", "patch_size", 2))
        rate, step = (16, 16) if _newer(facts) else (8, 8)
        return NativeFormat(width, height, frames, rate, side, step, fixed=fixed)

    def abilities(self, facts: PipelineConfig) -> frozenset[Ability]:
        """Pictures need the weights of an image-to-video model."""
        if facts.pipeline.startswith("CogVideoXImage"):
            return frozenset({"first"})
        if facts.pipeline.startswith("CogVideoXVideo"):
            return frozenset({"edit"})
        return frozenset({"text"} if _newer(facts) else {"text", "edit"})

    def dtypes(self, facts: PipelineConfig, dtype: str) -> dict[str, str]:
        """The 2B model was trained in float16, the others in bfloat16."""
        small = int(facts.config("transformer", "num_layers", 42)) <= 30
        return {"default": "float16" if small and dtype == "bfloat16" else dtype}

    def defaults(self, facts: PipelineConfig, fps: int) -> dict[str, Any]:
        """The DPM scheduler of the 5B models goes with guidance that grows."""
        scheduler = facts.index.get("scheduler") or ["", ""]
        return {"use_dynamic_cfg": True} if scheduler[-1] == "CogVideoXDPMScheduler" else {}


def _newer(facts: PipelineConfig) -> bool:
    """Whether this is 1.5, which packs latent frames in pairs: its video to video then wants odd counts."""
    return facts.config("transformer", "patch_size_t") is not None


FAMILY = CogVideoX()
