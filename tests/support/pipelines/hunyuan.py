"""Tiny HunyuanVideo pipelines: 1.0, 1.5, from a picture, and FramePack."""

from __future__ import annotations

from typing import Any

from tests.support.pipelines.text_encoders import clip_text, clip_vision, siglip, t5, tokenizer


def hunyuan_parts(model: Any) -> dict[str, Any]:
    from diffusers import AutoencoderKLHunyuanVideo, FlowMatchEulerDiscreteScheduler
    from transformers import LlamaConfig, LlamaModel

    small = {"hidden_size": 16, "intermediate_size": 32, "num_attention_heads": 2, "vocab_size": 128}
    vae = AutoencoderKLHunyuanVideo(
        block_out_channels=(8, 8, 8, 8),
        latent_channels=4,
        layers_per_block=1,
        norm_num_groups=4,
        down_block_types=("HunyuanVideoDownBlock3D",) * 4,
        up_block_types=("HunyuanVideoUpBlock3D",) * 4,
    )
    return {
        "text_encoder": LlamaModel(LlamaConfig(**small, num_hidden_layers=3, num_key_value_heads=2)),
        "tokenizer": tokenizer(),
        "transformer": model,
        "vae": vae,
        "scheduler": FlowMatchEulerDiscreteScheduler(shift=7.0),
        "text_encoder_2": clip_text(),
        "tokenizer_2": tokenizer(),
    }


HUNYUAN: dict[str, Any] = {
    "in_channels": 4,
    "out_channels": 4,
    "num_attention_heads": 2,
    "attention_head_dim": 10,
    "num_layers": 1,
    "num_single_layers": 1,
    "num_refiner_layers": 1,
    "patch_size": 2,
    "text_embed_dim": 16,
    "pooled_projection_dim": 16,
    "rope_axes_dim": (2, 4, 4),
}


def hunyuan() -> Any:
    from diffusers import HunyuanVideoPipeline, HunyuanVideoTransformer3DModel

    return HunyuanVideoPipeline(**hunyuan_parts(HunyuanVideoTransformer3DModel(**HUNYUAN)))


def hunyuan_i2v() -> Any:
    """As HunyuanVideo-I2V: a language model sees the picture, too."""
    from diffusers import HunyuanVideoImageToVideoPipeline, HunyuanVideoTransformer3DModel
    from transformers import LlavaConfig, LlavaForConditionalGeneration

    words = tokenizer("<|end_header_id|>", "<image>")
    encoder, processor = clip_vision(8, 24)
    text = {"hidden_size": 16, "intermediate_size": 32, "num_attention_heads": 2, "vocab_size": 128}
    config = LlavaConfig(
        text_config={**text, "num_hidden_layers": 3, "num_key_value_heads": 2, "model_type": "llama"},
        vision_config={**encoder.config.to_dict(), "model_type": "clip_vision_model"},
        image_token_index=words.convert_tokens_to_ids("<image>"),
        pad_token_id=0,
    )
    model = HunyuanVideoTransformer3DModel(
        **{**HUNYUAN, "in_channels": 9},
        patch_size_t=1,
        image_condition_type="latent_concat",
        guidance_embeds=False,
    )
    parts = hunyuan_parts(model)
    parts |= {"text_encoder": LlavaForConditionalGeneration(config), "tokenizer": words}
    return HunyuanVideoImageToVideoPipeline(**parts, image_processor=processor)


def framepack() -> Any:
    from diffusers import HunyuanVideoFramepackPipeline, HunyuanVideoFramepackTransformer3DModel

    model = HunyuanVideoFramepackTransformer3DModel(
        **HUNYUAN, patch_size_t=1, has_image_proj=True, image_proj_dim=8, has_clean_x_embedder=True
    )
    encoder, processor = siglip(8)
    return HunyuanVideoFramepackPipeline(
        **hunyuan_parts(model), image_encoder=encoder, feature_extractor=processor
    )


def hunyuan15(picture: bool = False) -> Any:
    from diffusers import (
        AutoencoderKLHunyuanVideo15,
        FlowMatchEulerDiscreteScheduler,
        HunyuanVideo15ImageToVideoPipeline,
        HunyuanVideo15Pipeline,
        HunyuanVideo15Transformer3DModel,
    )
    from diffusers.guiders import ClassifierFreeGuidance
    from transformers import Qwen2_5_VLTextConfig, Qwen2_5_VLTextModel

    text = Qwen2_5_VLTextConfig(
        hidden_size=16,
        intermediate_size=32,
        num_attention_heads=2,
        num_key_value_heads=2,
        num_hidden_layers=3,
        vocab_size=128,
        rope_parameters={"rope_type": "default", "rope_theta": 1e4, "mrope_section": [1, 1, 2]},
    )
    vae = AutoencoderKLHunyuanVideo15(
        latent_channels=4, block_out_channels=(32, 32, 32, 32, 32), layers_per_block=1
    )
    model = HunyuanVideo15Transformer3DModel(
        in_channels=9,
        out_channels=4,
        num_attention_heads=2,
        attention_head_dim=8,
        num_layers=1,
        num_refiner_layers=1,
        text_embed_dim=16,
        text_embed_2_dim=16,
        image_embed_dim=8,
        rope_axes_dim=(2, 2, 4),
        target_size=64,
        task_type="i2v" if picture else "t2v",
    )
    encoder, processor = siglip(8)
    seeing = {"image_encoder": encoder, "feature_extractor": processor} if picture else {}
    kind = HunyuanVideo15ImageToVideoPipeline if picture else HunyuanVideo15Pipeline
    return kind(
        text_encoder=Qwen2_5_VLTextModel(text),
        tokenizer=tokenizer(),
        transformer=model,
        vae=vae,
        scheduler=FlowMatchEulerDiscreteScheduler(shift=7.0),
        text_encoder_2=t5(),
        tokenizer_2=tokenizer(),
        guider=ClassifierFreeGuidance(guidance_scale=6.0),
        **seeing,
    )


def hunyuan15_i2v() -> Any:
    return hunyuan15(picture=True)
