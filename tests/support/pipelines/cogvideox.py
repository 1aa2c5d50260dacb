"""Tiny CogVideoX pipelines: 1.0, 1.5 and from a picture."""

from __future__ import annotations

from typing import Any

from tests.support.pipelines.text_encoders import t5, tokenizer

Parts = dict[str, Any]


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
