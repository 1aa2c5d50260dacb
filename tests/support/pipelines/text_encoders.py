"""Tiny tokenizers and encoders of words and pictures."""

from __future__ import annotations

from typing import Any


def tokenizer(*special: str) -> Any:
    """A fast tokenizer of single characters: every prompt of any template is in its vocabulary.

    With *special* tokens, one of words between blanks, which are unknown to it but for those.
    """
    from tokenizers import Regex, Tokenizer, models, pre_tokenizers, processors
    from transformers import PreTrainedTokenizerFast

    words = ["<pad>", "</s>", "<unk>", "<s>", *(chr(c) for c in range(32, 127)), "\n"]
    core = Tokenizer(models.WordLevel({w: i for i, w in enumerate(words)}, unk_token="<unk>"))
    split = pre_tokenizers.Split(Regex(r"[\s\S]"), "isolated")
    core.pre_tokenizer = pre_tokenizers.WhitespaceSplit() if special else split
    core.post_processor = processors.TemplateProcessing(single="$A </s>", special_tokens=[("</s>", 1)])
    made = PreTrainedTokenizerFast(
        tokenizer_object=core, pad_token="<pad>", eos_token="</s>", unk_token="<unk>", bos_token="<s>"
    )
    made.model_max_length = 77
    made.add_special_tokens({"additional_special_tokens": list(special)})
    made.chat_template = "{% for m in messages %}{{ m['content'] }}{% endfor %}"
    return made


def t5(dim: int = 16, umt5: bool = False) -> Any:
    from transformers import T5Config, T5EncoderModel, UMT5Config, UMT5EncoderModel

    sizes = {"d_model": dim, "d_kv": 8, "num_heads": 2, "d_ff": 32, "num_layers": 1, "vocab_size": 128}
    return UMT5EncoderModel(UMT5Config(**sizes)) if umt5 else T5EncoderModel(T5Config(**sizes))


def clip_text() -> Any:
    from transformers import CLIPTextConfig, CLIPTextModel

    sizes = {"hidden_size": 16, "intermediate_size": 32, "num_attention_heads": 2, "vocab_size": 128}
    return CLIPTextModel(CLIPTextConfig(**sizes, num_hidden_layers=1, projection_dim=16, eos_token_id=1))


def clip_vision(dim: int = 4, side: int = 4, patch: int = 1) -> tuple[Any, Any]:
    """A picture encoder and its processor, for pictures of *side* pixels."""
    from transformers import CLIPImageProcessor, CLIPVisionConfig, CLIPVisionModelWithProjection

    config = CLIPVisionConfig(
        hidden_size=dim,
        projection_dim=dim,
        num_hidden_layers=2,
        num_attention_heads=2,
        image_size=side,
        intermediate_size=16,
        patch_size=patch,
    )
    return CLIPVisionModelWithProjection(config), CLIPImageProcessor(crop_size=side, size=side)


def qwen2() -> Any:
    """A Qwen 2 VL, as small as it goes."""
    from transformers import Qwen2VLConfig, Qwen2VLForConditionalGeneration

    text = {
        "hidden_size": 16,
        "intermediate_size": 32,
        "num_hidden_layers": 2,
        "num_attention_heads": 2,
        "num_key_value_heads": 2,
        "vocab_size": 128,
        "rope_parameters": {"rope_type": "default", "rope_theta": 1e4, "mrope_section": [1, 1, 2]},
    }
    vision = {"depth": 1, "embed_dim": 16, "hidden_size": 16, "num_heads": 2}
    return Qwen2VLForConditionalGeneration(Qwen2VLConfig(text_config=text, vision_config=vision))


def qwen() -> Any:
    """A Qwen 2.5 VL, as small as it goes."""
    from transformers import Qwen2_5_VLConfig, Qwen2_5_VLForConditionalGeneration

    text = {
        "hidden_size": 16,
        "intermediate_size": 32,
        "num_hidden_layers": 1,
        "num_attention_heads": 2,
        "num_key_value_heads": 2,
        "vocab_size": 128,
        "rope_parameters": {"rope_type": "default", "rope_theta": 1e4, "mrope_section": [1, 1, 2]},
    }
    vision = {"depth": 1, "hidden_size": 16, "intermediate_size": 16, "num_heads": 2, "out_hidden_size": 16}
    return Qwen2_5_VLForConditionalGeneration(Qwen2_5_VLConfig(text_config=text, vision_config=vision))


def siglip(dim: int) -> tuple[Any, Any]:
    """A picture encoder without class token, and its processor."""
    from transformers import SiglipImageProcessor, SiglipVisionConfig, SiglipVisionModel

    config = SiglipVisionConfig(
        hidden_size=dim,
        intermediate_size=16,
        num_hidden_layers=1,
        num_attention_heads=2,
        image_size=8,
        patch_size=4,
    )
    return SiglipVisionModel(config), SiglipImageProcessor(size={"height": 8, "width": 8})
