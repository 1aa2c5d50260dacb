"""Tiny pipelines with random weights, one of each family, of the real classes, in the hub's format."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.unit.generators import pipelines_last as last
from tests.unit.generators import pipelines_others as others
from tests.unit.generators.pipelines_more import (
    framepack,
    hunyuan,
    hunyuan15,
    hunyuan15_i2v,
    hunyuan_i2v,
    latte,
    mochi,
)
from tests.unit.generators.text_parts import clip_vision, t5, tokenizer

Parts = dict[str, Any]


def wan_parts(channels: int = 4, inputs: int | None = None, **transformer: Any) -> Parts:
    from diffusers import AutoencoderKLWan, UniPCMultistepScheduler, WanTransformer3DModel

    vae = AutoencoderKLWan(
        base_dim=4,
        z_dim=channels,
        dim_mult=[1, 1, 1, 1],
        num_res_blocks=1,
        temperal_downsample=[False, True, True],
        latents_mean=[0.0] * channels,
        latents_std=[1.0] * channels,
    )
    model = WanTransformer3DModel(
        num_attention_heads=2,
        attention_head_dim=12,
        in_channels=inputs or channels,
        out_channels=channels,
        text_dim=16,
        freq_dim=32,
        ffn_dim=32,
        num_layers=2,
        rope_max_seq_len=32,
        **transformer,
    )
    scheduler = UniPCMultistepScheduler(
        prediction_type="flow_prediction", use_flow_sigmas=True, flow_shift=3.0, num_train_timesteps=1000
    )
    return {
        "tokenizer": tokenizer(),
        "text_encoder": t5(umt5=True),
        "vae": vae,
        "scheduler": scheduler,
        "transformer": model,
    }


def wan() -> Any:
    from diffusers import WanPipeline

    return WanPipeline(**wan_parts())


def wan22() -> Any:
    """As Wan2.2-TI2V: a patched autoencoder of scale 16 and a time step for every token."""
    from diffusers import AutoencoderKLWan, WanPipeline

    parts = wan_parts()
    parts["vae"] = AutoencoderKLWan(
        base_dim=4,
        decoder_base_dim=4,
        z_dim=4,
        dim_mult=[1, 1, 1, 1],
        num_res_blocks=1,
        temperal_downsample=[False, True, True],
        latents_mean=[0.0] * 4,
        latents_std=[1.0] * 4,
        is_residual=True,
        patch_size=2,
        in_channels=12,
        out_channels=12,
        scale_factor_spatial=16,
    )
    return WanPipeline(**parts, expand_timesteps=True)


def wan_a14b() -> Any:
    """As Wan2.2-T2V-A14B: two transformers, each with its own guidance."""
    from diffusers import WanPipeline

    return WanPipeline(**wan_parts(), transformer_2=wan_parts()["transformer"], boundary_ratio=0.875)


def wan_i2v() -> Any:
    """As Wan2.2-I2V: the picture goes in through the channels, no picture encoder."""
    from diffusers import WanImageToVideoPipeline

    return WanImageToVideoPipeline(**wan_parts(inputs=12))


def wan_flf2v() -> Any:
    """As Wan2.1-FLF2V: a picture encoder that sees the first and the last frame."""
    from diffusers import WanImageToVideoPipeline

    encoder, processor = clip_vision(4, 4)
    parts = wan_parts(inputs=12, image_dim=4, pos_embed_seq_len=2 * (4 * 4 + 1))
    return WanImageToVideoPipeline(**parts, image_encoder=encoder, image_processor=processor)


def ltx_parts() -> Parts:
    from diffusers import AutoencoderKLLTXVideo, FlowMatchEulerDiscreteScheduler, LTXVideoTransformer3DModel

    vae = AutoencoderKLLTXVideo(
        latent_channels=8,
        block_out_channels=(8, 8, 8, 8),
        decoder_block_out_channels=(8, 8, 8, 8),
        layers_per_block=(1, 1, 1, 1, 1),
        decoder_layers_per_block=(1, 1, 1, 1, 1),
    )
    model = LTXVideoTransformer3DModel(
        in_channels=8,
        out_channels=8,
        num_attention_heads=2,
        attention_head_dim=8,
        cross_attention_dim=16,
        num_layers=2,
        caption_channels=16,
    )
    return {
        "scheduler": FlowMatchEulerDiscreteScheduler(),
        "vae": vae,
        "text_encoder": t5(),
        "tokenizer": tokenizer(),
        "transformer": model,
    }


def ltx() -> Any:
    from diffusers import LTXPipeline

    return LTXPipeline(**ltx_parts())


def ltx_condition() -> Any:
    from diffusers import LTXConditionPipeline

    return LTXConditionPipeline(**ltx_parts())


def cogvideox_parts(inputs: int = 4, **transformer: Any) -> Parts:
    from diffusers import AutoencoderKLCogVideoX, CogVideoXDDIMScheduler, CogVideoXTransformer3DModel

    vae = AutoencoderKLCogVideoX(
        block_out_channels=(8, 8, 8, 8), latent_channels=4, layers_per_block=1, norm_num_groups=2
    )
    model = CogVideoXTransformer3DModel(
        num_attention_heads=2,
        attention_head_dim=16,
        in_channels=inputs,
        out_channels=4,
        time_embed_dim=8,
        text_embed_dim=16,
        num_layers=1,
        sample_width=8,
        sample_height=8,
        sample_frames=9,
        max_text_seq_length=226,
        **transformer,
    )
    return {
        "tokenizer": tokenizer(),
        "text_encoder": t5(),
        "vae": vae,
        "transformer": model,
        "scheduler": CogVideoXDDIMScheduler(),
    }


def cogvideox() -> Any:
    from diffusers import CogVideoXPipeline

    return CogVideoXPipeline(**cogvideox_parts())


def cogvideox_i2v() -> Any:
    from diffusers import CogVideoXImageToVideoPipeline

    return CogVideoXImageToVideoPipeline(
        **cogvideox_parts(8, use_rotary_positional_embeddings=True, use_learned_positional_embeddings=True)
    )


def cogvideox15() -> Any:
    """As CogVideoX 1.5: latent frames in pairs."""
    from diffusers import CogVideoXPipeline

    return CogVideoXPipeline(
        **cogvideox_parts(patch_size_t=2, use_rotary_positional_embeddings=True, patch_bias=False)
    )


BUILDERS: dict[str, Callable[[], Any]] = {
    f.__name__: f
    for f in (
        wan,
        wan22,
        wan_a14b,
        wan_i2v,
        ltx,
        ltx_condition,
        cogvideox,
        cogvideox_i2v,
        mochi,
        hunyuan,
        hunyuan15,
        latte,
        wan_flf2v,
        cogvideox15,
        framepack,
        hunyuan_i2v,
        hunyuan15_i2v,
        others.skyreels,
        others.skyreels_i2v,
        others.wan_vace,
        others.allegro,
        others.sana,
        others.kandinsky,
        others.kandinsky_i2v,
        last.animatediff,
        last.svd,
        last.easyanimate,
        last.ltx2,
    )
}


def save(name: str, folder: Path) -> Path:
    """Build the pipeline *name* (the same weights every time) and save it at *folder*."""
    import torch

    torch.manual_seed(7)
    pipe = BUILDERS[name]()
    pipe.save_pretrained(str(folder), safe_serialization=True)
    return folder
