"""The tokenizer: whole words of the stage's grammar, an end token, nothing learned."""

from __future__ import annotations

from typing import TYPE_CHECKING

from training.tiny.models import TEXT_LENGTH
from training.world.captions import vocabulary
from training.world.stages import Stage

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerFast

PAD, END, UNKNOWN = "<pad>", "</s>", "<unk>"


def tokenizer(stage: Stage) -> PreTrainedTokenizerFast:
    """Tokenizer of a stage's words: lower-cased, punctuation dropped, `</s>` appended, unknown words
    `<unk>`."""
    from tokenizers import Regex, Tokenizer, models, normalizers, pre_tokenizers, processors
    from transformers import PreTrainedTokenizerFast

    ids = {word: i for i, word in enumerate([PAD, END, UNKNOWN, *vocabulary(stage)])}
    core = Tokenizer(models.WordLevel(ids, unk_token=UNKNOWN))
    core.normalizer = normalizers.Sequence(
        [normalizers.Lowercase(), normalizers.Replace(Regex("[^a-z0-9]+"), " ")]
    )
    core.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    core.post_processor = processors.TemplateProcessing(single=f"$A {END}", special_tokens=[(END, ids[END])])
    return PreTrainedTokenizerFast(
        tokenizer_object=core, pad_token=PAD, eos_token=END, unk_token=UNKNOWN, model_max_length=TEXT_LENGTH
    )
