"""The tokenizer: whole words of the stage's grammar, an end token, nothing learned."""

from __future__ import annotations

from typing import TYPE_CHECKING

from training.tiny.models import plan
from training.world.captions import vocabulary
from training.world.stages import Stage

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerFast

PAD, END, UNKNOWN = "<pad>", "</s>", "<unk>"

_ONE_WORD = {
    "rightwards": "(from )?(the )?left to (the )?right",
    "leftwards": "(from )?(the )?right to (the )?left",
    "upwards": "(from )?(the )?bottom to (the )?top",
    "downwards": "(from )?(the )?top to (the )?bottom",
    "leftof": "(to the )?left of",
    "rightof": "(to the )?right of",
}
"""Phrases whose meaning lies in the order of their words alone, read as the one word that says the same.

A shallow text encoder confuses "left to right" with "right to left" long after it has learned the rest.
"""


def tokenizer(stage: Stage) -> PreTrainedTokenizerFast:
    """Tokenizer of a stage's words: lower-cased, punctuation dropped, `</s>` appended, unknown words
    `<unk>`."""
    from tokenizers import Regex, Tokenizer, models, normalizers, pre_tokenizers, processors
    from transformers import PreTrainedTokenizerFast

    ids = {word: i for i, word in enumerate([PAD, END, UNKNOWN, *sorted({*vocabulary(stage), *_ONE_WORD})])}
    core = Tokenizer(models.WordLevel(ids, unk_token=UNKNOWN))
    steps = [normalizers.Lowercase(), normalizers.Replace(Regex("[^a-z0-9]+"), " ")]
    steps += [normalizers.Replace(Regex(rf"\b{phrase}\b"), word) for word, phrase in _ONE_WORD.items()]
    core.normalizer = normalizers.Sequence(steps)
    core.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    core.post_processor = processors.TemplateProcessing(single=f"$A {END}", special_tokens=[(END, ids[END])])
    return PreTrainedTokenizerFast(
        tokenizer_object=core,
        pad_token=PAD,
        eos_token=END,
        unk_token=UNKNOWN,
        model_max_length=plan(stage.name).text_length,
    )
