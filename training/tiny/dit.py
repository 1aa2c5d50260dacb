"""Trains the diffusion transformer and its text encoder on cached latents."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from training.tiny import flow, models, optim, state, text
from training.tiny.latents import Sample, samples_from
from training.world import stages
from training.world.captions import caption

BATCH = 32
DROP = 0.10
"""Share of captions replaced by the empty one, for classifier-free guidance."""
GIVEN = 0.2
"""Share of batches in which some latent frames are given (see `flow.GIVEN`)."""
EMA = 0.998


class Model:
    """Transformer and text encoder together, with their running averages."""

    def __init__(self, stage: str) -> None:
        torch.manual_seed(1)
        self.stage = stage
        self.tokenizer = text.tokenizer(stages.STAGES[stage])
        self.plan = models.plan(stage)
        self.text = models.text_encoder(len(self.tokenizer), self.plan)
        self.dit = models.transformer(self.plan)
        self.average = {k: v.clone() for k, v in self._named()}

    def _named(self) -> Iterator[tuple[str, Tensor]]:
        for prefix, module in (("text", self.text), ("dit", self.dit)):
            for name, p in module.named_parameters():
                yield f"{prefix}.{name}", p.detach()

    @torch.no_grad()
    def update_average(self, step: int) -> None:
        """Move the running averages towards the weights, faster at the start."""
        rate = min(EMA, (step + 1) / (step + 10))
        for name, p in self._named():
            self.average[name].lerp_(p, 1 - rate)

    @torch.no_grad()
    def use_average(self) -> None:
        """Replace the weights by their running averages (before export)."""
        for name, p in self._named():
            p.copy_(self.average[name])

    @torch.no_grad()
    def start_from(self, model: Path) -> None:
        """Take over the weights of an earlier stage's pipeline folder; words are matched by their text.

        What is larger now begins as something that adds nothing; words that the earlier stage did not know
        keep their fresh weights. Raises RuntimeError when the widths differ.
        """
        from diffusers.models.transformers.transformer_wan import WanTransformer3DModel
        from transformers import PreTrainedTokenizerFast, UMT5EncoderModel

        earlier = WanTransformer3DModel.from_pretrained(model / "transformer", torch_dtype=torch.float32)
        _grow(self.dit, earlier.state_dict(), _DIT_OUT)
        words = PreTrainedTokenizerFast.from_pretrained(str(model / "tokenizer")).get_vocab()
        text_model = UMT5EncoderModel.from_pretrained(model / "text_encoder", dtype=torch.float32)
        tables = ("shared.weight", "encoder.embed_tokens.weight")
        before = {k: v for k, v in text_model.state_dict().items() if k not in tables}
        _grow(self.text, before, _TEXT_OUT)
        old, new = text_model.get_input_embeddings().weight, self.text.get_input_embeddings().weight
        for word, i in self.tokenizer.get_vocab().items():
            if word in words:
                new[i] = old[words[word]]
        self.average = {k: v.clone() for k, v in self._named()}

    def compile(self) -> None:
        """Compile the transformer's blocks in place, attention written out: with bfloat16 twice as fast after
        a minute (the fused attention of this size is slower there)."""
        self.dit.set_attention_backend("_native_math")
        torch._dynamo.config.recompile_limit = 32  # two kinds of timesteps, the same code for every block
        for block in self.dit.blocks:
            block.compile(dynamic=False)

    def embed(self, captions: list[str]) -> Tensor:
        """Prompt embeddings as WanPipeline makes them, zeros after the end token: (b, text_length,
        text_dim)."""
        tokens = self.tokenizer(
            captions, padding="max_length", max_length=self.plan.text_length, truncation=True
        )
        ids, mask = torch.tensor(tokens["input_ids"]), torch.tensor(tokens["attention_mask"])
        hidden: Tensor = self.text(ids, mask).last_hidden_state
        return hidden * mask[..., None]

    def loss(self, batch: Batch, generator: torch.Generator) -> Tensor:
        """Flow-matching loss of one batch."""
        noised = flow.noised(batch.latents, generator, batch.tails, batch.passages, batch.things)
        said = self.embed(batch.captions)
        with state.fast():
            guess = self.dit(noised.x, noised.timestep, said, return_dict=False)[0]
        error = (guess.float() - noised.target).square() * noised.weight
        return error.mean() / noised.weight.mean()


_DIT_OUT = (".to_out.0.weight", ".to_out.0.bias", ".ffn.net.2.weight", ".ffn.net.2.bias")
_TEXT_OUT = (".o.weight", ".wo.weight")
"""Names of what a layer adds to the stream through it."""


def _grow(module: nn.Module, earlier: dict[str, Tensor], outputs: tuple[str, ...]) -> None:
    """Copy a smaller model's weights into the front of a larger one's; what is new of `outputs` is zero, so
    that the larger one begins as the same function."""
    for name, now in module.state_dict().items():
        before = earlier.get(name)
        if name.endswith(outputs):
            now.zero_()
        if before is None:
            continue
        if before.ndim != now.ndim or any(b > n for b, n in zip(before.shape, now.shape, strict=True)):
            raise RuntimeError(f"{name}: {tuple(before.shape)} does not fit {tuple(now.shape)}")
        now[tuple(slice(n) for n in before.shape)].copy_(before)


@dataclass(frozen=True)
class Batch:
    """The data of one step: latents, captions (some empty), the tails when frames are given, where
    things are.

    The first `passages` clips lead from one scene to another.
    """

    latents: Tensor
    captions: list[str]
    tails: Tensor | None
    things: Tensor
    passages: int = 0


class Data:
    """Cached latents and what they show. Steps without given frames use clips that start at the beginning."""

    def __init__(self, samples: list[Sample], latents: Tensor, tails: Tensor, things: Tensor) -> None:
        self.samples, self.latents, self.tails, self.things = samples, latents, tails, things
        kinds = np.asarray([2 if s.to else int(s.begin > 0) for s in samples])
        self._whole, self._late, self._passages = (np.flatnonzero(kinds == k) for k in (0, 1, 2))

    def batch(self, step: int) -> Batch:
        """The batch of one step, the same whenever it is asked for; captions are worded afresh."""
        rng = np.random.default_rng([13, step])
        epoch, at = divmod(step, len(self._whole) // BATCH)
        order = np.random.default_rng([17, epoch]).permutation(self._whole)
        chosen = order[at * BATCH : (at + 1) * BATCH].copy()
        conditioned, quarter = bool(rng.random() < GIVEN), BATCH // 4
        if conditioned:
            chosen[:quarter] = rng.choice(self._passages, quarter, replace=False)
            chosen[quarter : 2 * quarter] = rng.choice(self._late, quarter, replace=False)
        captions = [self._caption(int(i), rng) for i in chosen]
        rows = torch.from_numpy(chosen)
        tails = self.tails[rows].float() if conditioned else None
        things = self.things[rows].float()
        return Batch(self.latents[rows].float(), captions, tails, things, quarter if conditioned else 0)

    def _caption(self, i: int, rng: np.random.Generator) -> str:
        sample = self.samples[i]
        if rng.random() < (DROP if sample.to is None else 0.5):
            return ""
        return caption(sample.to or sample.scene, rng)


def _optimiser(model: Model) -> optim.Duo:
    names = ("proj_out", "patch_embedding", "condition_embedder", "shared", "relative", "scale_shift")
    hidden, rest = optim.split([model.dit, model.text], names)
    return optim.Duo(hidden, [p for p in rest if isinstance(p, nn.Parameter)], 3e-3, 3e-3)


def train(folder: Path, minutes: float, start: Path | None = None) -> None:
    """Train or resume until `minutes` have been spent in total; leaves `dit.pt` in `folder`.

    `start` is the pipeline folder of an earlier stage to begin with, at half the learning rate.
    """
    cache = state.load(folder / "latents.pt")
    if cache is None:
        raise SystemExit(f"no latents in {folder}: run the encode step first")
    samples = samples_from((folder / "scenes.json").read_text())
    data = Data(samples, cache["latents"], cache["tails"], cache["things"])
    model = Model(cache["stage"])
    duo = _optimiser(model)
    saved = state.load(folder / "dit.pt")
    step, spent = 0, 0.0
    if saved:
        model.text.load_state_dict(saved["text"])
        model.dit.load_state_dict(saved["dit"])
        model.average = saved["average"]
        duo.load_state_dict(saved["optim"])
        step, spent = saved["step"], saved["spent"]
    elif start is not None:
        model.start_from(start)
    rate = 1.0 if start is None else 0.5
    model.compile()
    clock = state.Clock(minutes, spent)

    def snapshot() -> dict[str, Any]:
        return {
            "text": model.text.state_dict(),
            "dit": model.dit.state_dict(),
            "average": model.average,
            "optim": duo.state_dict(),
            "step": step,
            "spent": clock.spent,
            "mean": cache["mean"],
            "std": cache["std"],
            "stage": cache["stage"],
        }

    shown: list[float] = []
    while clock.progress < 1:
        loss = model.loss(data.batch(step), torch.Generator().manual_seed(step))
        loss.backward()
        norm = duo.step(
            rate * state.ramp(clock.progress, step, warm=100, hold=0.5 if start is None else 0.35)
        )
        model.update_average(step)
        step += 1
        shown.append(float(loss.detach()))
        if step % 50 == 0:
            mean = float(np.mean(shown))
            state.log.info("dit step %d  %.0fs  loss %.4f  |g| %.2f", step, clock.spent, mean, norm)
            shown.clear()
        if clock.due():
            state.save(folder / "dit.pt", snapshot())
    state.save(folder / "dit.pt", snapshot())
