"""Tiny pipelines of families safegen has no file for: the generic adapter calls them as their class says."""

from __future__ import annotations

from typing import Any

from tests.unit.generators.text_parts import clip_text, clip_vision, qwen, t5, tokenizer

SMALL = {"num_attention_heads": 2, "attention_head_dim": 12, "num_layers": 2}


def small_wan_vae() -> Any:
    from diffusers import AutoencoderKLWan

    return AutoencoderKLWan(
        base_dim=4,
        z_dim=4,
        dim_mult=[1, 1, 1, 1],
        num_res_blocks=1,
        temperal_downsample=[False, True, True],
        latents_mean=[0.0] * 4,
        latents_std=[1.0] * 4,
    )


def flow_scheduler() -> Any:
    from diffusers import UniPCMultistepScheduler

    return UniPCMultistepScheduler(prediction_type="flow_prediction", use_flow_sigmas=True, flow_shift=5.0)


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


def allegro() -> Any:
    from diffusers import AllegroPipeline, AllegroTransformer3DModel, AutoencoderKLAllegro, DDIMScheduler

    model = AllegroTransformer3DModel(
        num_attention_heads=2,
        attention_head_dim=12,
        in_channels=4,
        out_channels=4,
        num_layers=1,
        cross_attention_dim=24,
        sample_width=8,
        sample_height=8,
        sample_frames=8,
        caption_channels=16,
    )
    vae = AutoencoderKLAllegro(
        down_block_types=("AllegroDownBlock3D",) * 4,
        up_block_types=("AllegroUpBlock3D",) * 4,
        block_out_channels=(8, 8, 8, 8),
        latent_channels=4,
        layers_per_block=1,
        norm_num_groups=2,
        temporal_compression_ratio=4,
    )
    return AllegroPipeline(tokenizer(), t5(), vae, model, DDIMScheduler())


def sana() -> Any:
    from diffusers import DPMSolverMultistepScheduler, SanaVideoPipeline, SanaVideoTransformer3DModel
    from transformers import Gemma2Config, Gemma2Model

    text = Gemma2Config(
        head_dim=8,
        hidden_size=16,
        intermediate_size=32,
        num_attention_heads=2,
        num_hidden_layers=1,
        num_key_value_heads=2,
        vocab_size=128,
    )
    model = SanaVideoTransformer3DModel(
        in_channels=4,
        out_channels=4,
        num_attention_heads=2,
        attention_head_dim=12,
        num_layers=1,
        num_cross_attention_heads=2,
        cross_attention_head_dim=12,
        cross_attention_dim=24,
        caption_channels=16,
        sample_size=8,
        qk_norm="rms_norm_across_heads",
        rope_max_seq_len=32,
    )
    scheduler = DPMSolverMultistepScheduler(prediction_type="flow_prediction", use_flow_sigmas=True)
    return SanaVideoPipeline(tokenizer(), Gemma2Model(text), small_wan_vae(), model, scheduler)


def kandinsky(picture: bool = False) -> Any:
    from diffusers import (
        AutoencoderKLHunyuanVideo,
        FlowMatchEulerDiscreteScheduler,
        Kandinsky5I2VPipeline,
        Kandinsky5T2VPipeline,
        Kandinsky5Transformer3DModel,
    )

    vae = AutoencoderKLHunyuanVideo(
        block_out_channels=(8, 8, 8, 8),
        latent_channels=4,
        layers_per_block=1,
        norm_num_groups=4,
        down_block_types=("HunyuanVideoDownBlock3D",) * 4,
        up_block_types=("HunyuanVideoUpBlock3D",) * 4,
    )
    model = Kandinsky5Transformer3DModel(
        in_visual_dim=4,
        out_visual_dim=4,
        in_text_dim=16,
        in_text_dim2=16,
        time_dim=16,
        model_dim=16,
        ff_dim=32,
        num_text_blocks=1,
        num_visual_blocks=1,
        axes_dims=(1, 1, 2),
        visual_cond=picture,
        attention_type="regular",
    )
    kind = Kandinsky5I2VPipeline if picture else Kandinsky5T2VPipeline
    return kind(
        transformer=model,
        vae=vae,
        text_encoder=qwen(),
        tokenizer=tokenizer(),
        text_encoder_2=clip_text(),
        tokenizer_2=tokenizer(),
        scheduler=FlowMatchEulerDiscreteScheduler(shift=7.0),
    )


def kandinsky_i2v() -> Any:
    return kandinsky(picture=True)
