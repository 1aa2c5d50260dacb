"""Tiny Wan pipelines: 2.1, 2.2, from pictures, and their relatives VACE and SkyReels."""

from __future__ import annotations

from typing import Any

from tests.support.pipelines.text_encoders import clip_vision, t5, tokenizer
from tests.support.pipelines.video_parts import SMALL, flow_scheduler, small_wan_vae

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


def skyreels(inputs: int = 4, **more: Any) -> Any:
    from diffusers import SkyReelsV2ImageToVideoPipeline, SkyReelsV2Pipeline, SkyReelsV2Transformer3DModel

    model = SkyReelsV2Transformer3DModel(
        **SMALL,
        in_channels=inputs,
        out_channels=4,
        text_dim=16,
        freq_dim=32,
        ffn_dim=32,
        rope_max_seq_len=32,
        **({"image_dim": 4} if more else {}),
    )
    kind = SkyReelsV2ImageToVideoPipeline if more else SkyReelsV2Pipeline
    return kind(
        tokenizer=tokenizer(),
        text_encoder=t5(umt5=True),
        vae=small_wan_vae(),
        scheduler=flow_scheduler(),
        transformer=model,
        **more,
    )


def skyreels_i2v() -> Any:
    encoder, processor = clip_vision()
    return skyreels(12, image_encoder=encoder, image_processor=processor)


def wan_vace() -> Any:
    from diffusers import WanVACEPipeline, WanVACETransformer3DModel

    model = WanVACETransformer3DModel(
        **SMALL,
        in_channels=4,
        out_channels=4,
        text_dim=16,
        freq_dim=32,
        ffn_dim=32,
        rope_max_seq_len=32,
        vace_layers=[0, 1],
        vace_in_channels=8 + 64,
    )
    return WanVACEPipeline(
        tokenizer=tokenizer(),
        text_encoder=t5(umt5=True),
        vae=small_wan_vae(),
        scheduler=flow_scheduler(),
        transformer=model,
    )
