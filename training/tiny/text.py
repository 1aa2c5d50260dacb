"""The tokenizer: whole words of the stage's grammar between four slots and an end token, nothing learned."""

from __future__ import annotations

from typing import TYPE_CHECKING

from training.tiny.models import plan
from training.world.captions import vocabulary
from training.world.stages import Stage

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerFast

PAD, END, UNKNOWN = "<pad>", "</s>", "<unk>"
SLOTS = ("<first>", "<second>", "<place>", "<motion>")
"""Tokens in front of every prompt. The text encoder gathers in each what is said of one part of the scene
(see `reading`), so that the transformer finds all that belongs to one thing in one place."""

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
    """Tokenizer of a stage's words: lower-cased, punctuation dropped, unknown words `<unk>`, the slots in
    front and `</s>` at the end."""
    from tokenizers import Regex, Tokenizer, models, normalizers, pre_tokenizers, processors
    from transformers import PreTrainedTokenizerFast

    listed = [PAD, END, UNKNOWN, *SLOTS, *sorted({*vocabulary(stage), *_ONE_WORD})]
    ids = {word: i for i, word in enumerate(listed)}
    core = Tokenizer(models.WordLevel(ids, unk_token=UNKNOWN))
    steps = [normalizers.Lowercase(), normalizers.Replace(Regex("[^a-z0-9]+"), " ")]
    steps += [normalizers.Replace(Regex(rf"\b{phrase}\b"), word) for word, phrase in _ONE_WORD.items()]
    core.normalizer = normalizers.Sequence(steps)
    core.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    core.post_processor = processors.TemplateProcessing(
        single=f"{' '.join(SLOTS)} $A {END}", special_tokens=[(token, ids[token]) for token in (*SLOTS, END)]
    )
    return PreTrainedTokenizerFast(
        tokenizer_object=core,
        pad_token=PAD,
        eos_token=END,
        unk_token=UNKNOWN,
        model_max_length=plan(stage.name).text_length,
    )
