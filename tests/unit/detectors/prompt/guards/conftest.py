"""Small checkpoints of the guards' own architectures, made on the spot.

``speaking`` builds a model whose attention and feed-forward parts are zero: what it says next depends on the
last token alone, so its answer can be written into its output layer. Everything around it is the real thing.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from safegen.detectors.prompt.guards import FAMILIES

SPECIAL = {
    "qwen3guard": ["<|endoftext|>", "<|im_start|>", "<|im_end|>"],
    "llama-guard": [
        "<|end_of_text|>",
        "<|begin_of_text|>",
        "<|eot_id|>",
        "<|start_header_id|>",
        "<|end_header_id|>",
    ],
}
WORDS = {
    "qwen3guard": [
        "Safety",
        ":",
        " Safe",
        " Unsafe",
        " Controversial",
        "Categories",
        " None",
        " Violent",
        " PII",
        ",",
    ],
    "llama-guard": ["safe", "unsafe", "S", "1", "10", ",", "\n\n"],
}


def tokenizer(family: str, *, template: str | None) -> Any:
    """A byte-level tokenizer with the family's special tokens; each of WORDS is one token."""
    from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers
    from transformers import PreTrainedTokenizerFast

    letters = sorted(pre_tokenizers.ByteLevel.alphabet())
    inner = Tokenizer(models.BPE(vocab={c: i for i, c in enumerate(letters)}, merges=[]))
    inner.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    inner.decoder = decoders.ByteLevel()
    inner.add_special_tokens(SPECIAL[family])
    inner.add_tokens([AddedToken(w, normalized=False) for w in WORDS[family]])
    made = PreTrainedTokenizerFast(tokenizer_object=inner, eos_token=SPECIAL[family][0], padding_side="left")
    made.chat_template = template
    return made


def network(family: str, size: int) -> Any:
    """A network of the family's architecture, of *size* tokens, with random weights."""
    import torch
    from transformers import LlamaConfig, LlamaForCausalLM, Qwen3Config, Qwen3ForCausalLM

    torch.manual_seed(3)
    shape: dict[str, Any] = {
        "vocab_size": size, "hidden_size": size, "intermediate_size": 8, "num_hidden_layers": 1,
        "num_attention_heads": 1, "num_key_value_heads": 1, "head_dim": 8, "max_position_embeddings": 4096,
        "tie_word_embeddings": False, "eos_token_id": None, "bos_token_id": None, "pad_token_id": None,
    }  # fmt: skip
    if family == "qwen3guard":
        return Qwen3ForCausalLM(Qwen3Config(**shape))
    return LlamaForCausalLM(LlamaConfig(**shape))


def teach(model: Any, said: list[int], start: int, end: int) -> None:
    """Let *model* say the tokens *said* after the token *start*, then *end*; none of them twice."""
    import torch

    with torch.no_grad():
        for name, weight in model.named_parameters():
            if "o_proj" in name or "down_proj" in name or "lm_head" in name:
                weight.zero_()
        model.get_input_embeddings().weight.copy_(torch.eye(model.config.vocab_size))
        for a, b in zip([start, *said], [*said, end], strict=True):
            model.lm_head.weight[b, a] = 1.0


@pytest.fixture
def checkpoint(tmp_path: Path) -> Callable[..., Path]:
    """Writes a checkpoint: random, or one that always says the same (*says*: words of WORDS)."""

    def build(family: str, *, says: list[str] | None = None, template: str | None = None) -> Path:
        tok = tokenizer(family, template=template)
        model = network(family, len(tok))
        if says is not None:
            ids = [tok.convert_tokens_to_ids(w) if w != "\n" else tok.encode("\n")[0] for w in says]
            last = tok.encode(FAMILIES[family].prompt("x"))[-1]
            teach(model, ids, last, tok.eos_token_id)
            model.generation_config.eos_token_id = tok.eos_token_id
        folder = tmp_path / f"{family}-{len(list(tmp_path.iterdir()))}"
        model.save_pretrained(folder)
        tok.save_pretrained(folder)
        return folder

    return build
