"""LTX-Video: text, picture, and (the condition pipeline) clips at either end. LTX-2: text, picture."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from safegen.generators.diffusers.families.base import Family, NativeFormat, PipelineCall, to_pil
from safegen.generators.modes import Ability

if TYPE_CHECKING:
    from safegen.generators.diffusers.model_config import PipelineConfig


class Ltx(Family):
    """``LTXPipeline`` and its picture and condition variants, all around the same parts."""

    prefixes = ("LTXPipeline", "LTXImageToVideo", "LTXCondition")
    views: ClassVar[dict[Ability, str]] = {"edit": "LTXConditionPipeline", "first": "LTXImageToVideoPipeline"}

    def native(self, config: PipelineConfig) -> NativeFormat:
        """704x512, 161 frames at 25 fps. Sides /32, counts 8k+1; the rate is an argument."""
        side = int(config.get("vae", "spatial_compression_ratio", 32))
        step = int(config.get("vae", "temporal_compression_ratio", 8))
        return NativeFormat(704, 512, 161, 25, side, step, timed=True)

    def abilities(self, config: PipelineConfig) -> frozenset[Ability]:
        """Given frames at either end need weights trained for them: those of the condition pipeline."""
        if config.pipeline.startswith("LTXCondition"):
            return frozenset({"text", "first", "last", "both", "edit"})
        return frozenset({"text", "first", "edit"})

    def defaults(self, config: PipelineConfig, fps: int) -> dict[str, Any]:
        """The frame rate; a little noise before decoding where the autoencoder was trained with it."""
        given: dict[str, Any] = {"frame_rate": fps}
        if config.get("vae", "timestep_conditioning", False):
            given |= {"decode_timestep": 0.05, "decode_noise_scale": 0.025}
        return given

    def pipeline_for(self, pipe: Any, ability: Ability) -> Any:
        """The condition pipeline does everything itself."""
        if type(pipe).__name__ == "LTXConditionPipeline":
            return pipe
        return super().pipeline_for(pipe, ability)

    def conditioning(self, pipe: Any, call: PipelineCall) -> dict[str, Any]:
        """A clip to work on goes in as latents; frames at the ends as conditions."""
        if call.source is not None:
            if call.strength >= 1:
                return {}
            return {"latents": latents(pipe, call), "denoise_strength": call.strength}
        if type(pipe).__name__ != "LTXConditionPipeline":
            return super().conditioning(pipe, call)
        from diffusers.pipelines.ltx.pipeline_ltx_condition import LTXVideoCondition

        conditions = []
        if call.start is not None:
            conditions.append(LTXVideoCondition(image=to_pil(call.start)[-1], frame_index=0))
        if call.end is not None:
            conditions.append(LTXVideoCondition(image=to_pil(call.end)[0], frame_index=call.frames - 1))
        return {"conditions": conditions} if conditions else {}


def latents(pipe: Any, call: PipelineCall) -> Any:
    """A clip as the pipeline's own latents: encoded without chance, normalised."""
    import torch

    assert call.source is not None
    with torch.inference_mode():
        video = pipe.video_processor.preprocess_video(to_pil(call.source), call.height, call.width)
        video = video.to(pipe._execution_device, dtype=pipe.vae.dtype)
        encoded = pipe.vae.encode(video).latent_dist.mode()
        return pipe._normalize_latents(encoded, pipe.vae.latents_mean, pipe.vae.latents_std)


class Ltx2(Family):
    """``LTX2Pipeline`` and its picture variant, around the same parts."""

    prefixes = ("LTX2Pipeline", "LTX2ImageToVideo")
    views: ClassVar[dict[Ability, str]] = {"first": "LTX2ImageToVideoPipeline"}

    def native(self, config: PipelineConfig) -> NativeFormat:
        """768x512, 121 frames at 24 fps. Sides /32, counts 8k+1; the rate is an argument."""
        return NativeFormat(768, 512, 121, 24, 32, 8, timed=True)

    def abilities(self, config: PipelineConfig) -> frozenset[Ability]:
        """Words, and a first picture."""
        return frozenset({"first"} if "ImageToVideo" in config.pipeline else {"text", "first"})

    def notes(self, config: PipelineConfig) -> tuple[str, ...]:
        """What is lost."""
        return ("the sound this model makes is discarded",)

    def defaults(self, config: PipelineConfig, fps: int) -> dict[str, Any]:
        """The frame rate."""
        return {"frame_rate": float(fps)}


FAMILY = Ltx()
FAMILY_2 = Ltx2()
