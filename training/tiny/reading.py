"""Teaches the text encoder to read before anything is drawn: what is asked for, slot by slot.

Where two things have two colours, a transformer that learns text and drawing together takes very long to find
out which belongs to which. Captions come from scenes, so their meaning is known: linear heads on the slots
(`text.SLOTS`) are trained to name it. The heads are thrown away; `dit` takes the encoder as it is.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor, nn

from training.tiny import models, optim, state, text
from training.tiny.growth import TEXT_OUT, grow
from training.world import spec, stages
from training.world.captions import STILL, caption, plain
from training.world.spec import Scene

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerFast, UMT5EncoderModel

BATCH = 128
NONE = "none"
LR = 3e-2
"""AdamW's learning rate: what is learned about the order of words lies in small tables, which move slowly."""
_STRANGE = "qqq"
"""A word of no grammar, and so `<unk>`."""
_STRANGERS = 0.15
"""Share of captions with a strange word or two, which change nothing of what the rest says."""

_THING = {
    "kind": (*spec.KINDS, NONE),
    "colour": (*spec.COLOURS, NONE),
    "size": (*spec.SIZES, NONE),
    "standing": ("alone", "beside 2", "stacked 2", "beside 3", "stacked 3"),
}
HEADS: dict[str, dict[str, tuple[str, ...]]] = {
    "<first>": _THING,
    "<second>": _THING,
    "<place>": {"background": spec.BACKGROUNDS, "daytime": spec.DAYTIMES},
    "<motion>": {
        "motion": spec.MOTIONS,
        "speed": tuple(spec.SPEEDS),
        "camera": spec.CAMERAS,
        "standing": _THING["standing"],
    },
}
"""What every slot has to tell, and the names to choose from."""


def _standing(scene: Scene) -> str:
    if scene.number == 1:
        return "alone"
    return f"{'stacked' if scene.stacked else 'beside'} {scene.number}"


def meaning(scene: Scene) -> dict[str, dict[str, str]]:
    """What a scene's caption means, by slot and head: the left or upper thing first; of several alike both
    slots say the same."""
    things = scene.in_order * (2 if scene.count > 1 else 1)
    standing = _standing(scene)
    none = {"kind": NONE, "colour": NONE, "size": NONE, "standing": standing}
    said = [{"kind": t.kind, "colour": t.colour, "size": t.size, "standing": standing} for t in things]
    return {
        "<first>": said[0],
        "<second>": said[1] if len(said) > 1 else none,
        "<place>": {"background": scene.background, "daytime": scene.daytime},
        "<motion>": {
            "motion": scene.motion,
            "speed": scene.speed,
            "camera": scene.camera,
            "standing": standing,
        },
    }


class Reader(nn.Module):
    """A text encoder and a linear head for everything that its slots have to tell."""

    def __init__(self, stage: str) -> None:
        super().__init__()
        torch.manual_seed(2)
        self.plan = models.plan(stage)
        self.tokenizer = text.tokenizer(stages.STAGES[stage])
        self.text = models.text_encoder(len(self.tokenizer), self.plan)
        self.heads = nn.ModuleList(
            nn.Linear(self.plan.text_dim, sum(map(len, HEADS[slot].values()))) for slot in text.SLOTS
        )

    def forward(self, captions: list[str]) -> list[tuple[Tensor, ...]]:
        """By slot the scores of each of its heads: (b, names)."""
        hidden = embed(self.text, self.tokenizer, captions, self.plan.text_length)
        return [
            head(hidden[:, i]).float().split([len(n) for n in HEADS[slot].values()], 1)
            for i, (slot, head) in enumerate(zip(text.SLOTS, self.heads, strict=True))
        ]

    @torch.no_grad()
    def start_from(self, model: Path) -> None:
        """Take over the text encoder of an earlier stage's pipeline folder; words are matched by their text,
        those that the earlier stage did not know keep their fresh weights. Raises RuntimeError when it is
        wider."""
        from transformers import PreTrainedTokenizerFast, UMT5EncoderModel

        words = PreTrainedTokenizerFast.from_pretrained(str(model / "tokenizer")).get_vocab()
        earlier = UMT5EncoderModel.from_pretrained(model / "text_encoder", dtype=torch.float32)
        tables = ("shared.weight", "encoder.embed_tokens.weight")
        before = {k: v for k, v in earlier.state_dict().items() if k not in tables}
        grow(self.text, before, TEXT_OUT)
        old, new = earlier.get_input_embeddings().weight, self.text.get_input_embeddings().weight
        for word, i in self.tokenizer.get_vocab().items():
            if word in words:
                new[i] = old[words[word]]


def embed(
    encoder: UMT5EncoderModel, tokenizer: PreTrainedTokenizerFast, captions: list[str], length: int
) -> Tensor:
    """Prompt embeddings as WanPipeline makes them, zeros after the end token: (b, length, text_dim)."""
    tokens = tokenizer(captions, padding="max_length", max_length=length, truncation=True)
    ids, mask = torch.tensor(tokens["input_ids"]), torch.tensor(tokens["attention_mask"])
    hidden: Tensor = encoder(ids, mask).last_hidden_state
    return hidden * mask[..., None]


def _targets(scenes: list[Scene]) -> list[list[Tensor]]:
    """By slot and head the number of the right name: (b,)."""
    meant = [meaning(s) for s in scenes]
    return [
        [torch.tensor([names.index(m[slot][head]) for m in meant]) for head, names in HEADS[slot].items()]
        for slot in text.SLOTS
    ]


def _worded(scene: Scene, rng: np.random.Generator) -> str:
    said = caption(scene, rng)
    if rng.random() < _STRANGERS:
        words = said.split()
        for _ in range(int(rng.integers(1, 3))):
            words.insert(int(rng.integers(len(words) + 1)), _STRANGE)
        said = " ".join(words)
    return said


@torch.no_grad()
def accuracy(reader: Reader, stage: str, clips: int = 2000) -> tuple[float, float]:
    """Shares of held-out scenes of which everything is read right from the plainest caption: of all, and of
    those with two different things."""
    rng = np.random.default_rng(29)
    scenes = [stages.sample(stages.STAGES[stage], rng, True) for _ in range(clips)]
    right = torch.ones(clips, dtype=torch.bool)
    read = reader([plain(s) for s in scenes])
    for scores, wanted in zip(read, _targets(scenes), strict=True):
        for score, target in zip(scores, wanted, strict=True):
            right &= score.argmax(1) == target
    # Nobody calls a thing that stands still fast or slow, so its speed cannot be read.
    told = torch.tensor([s.motion != STILL or s.speed == "normal" for s in scenes])
    pairs = told & torch.tensor([len(s.things) > 1 for s in scenes])
    return float(right[told].float().mean()), float(right[pairs].float().mean()) if pairs.any() else 1.0


def train(folder: Path, stage: str, minutes: float, start: Path | None = None) -> None:
    """Train or resume until `minutes` have been spent in total; leaves `text.pt` in `folder`.

    `start` is the pipeline folder of an earlier stage, whose text encoder goes on learning.
    """
    reader = Reader(stage)
    hidden, rest = optim.split([reader.text], ("shared", "relative"))
    duo = optim.Duo(hidden, [*rest, *reader.heads.parameters()], 2e-3, LR)
    step, spent = state.resume(folder / "text.pt", text=reader.text, heads=reader.heads, optim=duo)
    if step == 0 and start is not None:
        reader.start_from(start)
    clock = state.Clock(minutes, spent)

    def snapshot() -> dict[str, Any]:
        return {
            "text": reader.text.state_dict(),
            "heads": reader.heads.state_dict(),
            "optim": duo.state_dict(),
            "step": step,
            "spent": clock.spent,
            "stage": stage,
        }

    while clock.progress < 1:
        rng = np.random.default_rng([19, step])
        scenes = [stages.sample(stages.STAGES[stage], rng) for _ in range(BATCH)]
        with state.fast():
            read = reader([_worded(s, rng) for s in scenes])
        loss = torch.zeros(())
        for scores, wanted in zip(read, _targets(scenes), strict=True):
            for score, target in zip(scores, wanted, strict=True):
                loss = loss + nn.functional.cross_entropy(score, target)
        loss.backward()
        norm = duo.step(state.ramp(clock.progress, step, warm=100, hold=0.4))
        step += 1
        if step % 100 == 0:
            share, pairs = accuracy(reader, stage, 500)
            state.log.info(
                "text step %d  %.0fs  loss %.3f  |g| %.2f  read %.3f, pairs %.3f",
                step, clock.spent, float(loss.detach()), norm, share, pairs,
            )  # fmt: skip
        if clock.due():
            state.save(folder / "text.pt", snapshot())
    state.save(folder / "text.pt", snapshot())
    state.log.info("text: everything read right in %.4f of scenes, %.4f of pairs", *accuracy(reader, stage))
