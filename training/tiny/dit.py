"""Trains the diffusion transformer on cached latents, told what to draw by a text encoder that can read."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from training.tiny import flow, models, optim, reading, state, text
from training.tiny.growth import DIT_OUT, grow
from training.tiny.latents import Sample, samples_from
from training.tiny.team import Team
from training.world import stages
from training.world.captions import caption

BATCH = 48
DROP = 0.10
"""Share of captions replaced by the empty one, for classifier-free guidance."""
GIVEN = 0.15
"""Share of batches in which some latent frames are given (see `flow.GIVEN`)."""
EMA = 0.998
_LATER, _HOLD = 0.7, 0.35
"""Learning rate of a model that starts from an earlier one, and the share of the time until it falls."""


class Model:
    """The transformer with its running averages, and the text encoder that was taught to read (`reading`)."""

    def __init__(self, stage: str, read: dict[str, Tensor]) -> None:
        torch.manual_seed(1)
        self.stage = stage
        self.tokenizer = text.tokenizer(stages.STAGES[stage])
        self.plan = models.plan(stage)
        self.text = models.text_encoder(len(self.tokenizer), self.plan)
        self.text.load_state_dict(read)
        self.text.requires_grad_(False)
        self.dit = models.transformer(self.plan)
        self.average = {k: v.clone() for k, v in self._named()}

    def _named(self) -> Iterator[tuple[str, Tensor]]:
        return ((name, p.detach()) for name, p in self.dit.named_parameters())

    @torch.no_grad()
    def update_average(self, step: int) -> None:
        """Move the running averages towards the weights, faster at the start."""
        rate = min(EMA, (step + 1) / (step + 10))
        for name, p in self._named():
            self.average[name].lerp_(p, 1 - rate)

    def state_dict(self) -> dict[str, dict[str, Tensor]]:
        """Weights of both parts and the running averages."""
        return {"text": self.text.state_dict(), "dit": self.dit.state_dict(), "average": self.average}

    def load_state_dict(self, saved: dict[str, dict[str, Tensor]]) -> None:
        """Restore what `state_dict` gave."""
        self.text.load_state_dict(saved["text"])
        self.dit.load_state_dict(saved["dit"])
        self.average = saved["average"]

    @torch.no_grad()
    def use_average(self) -> None:
        """Replace the weights by their running averages (before export)."""
        for name, p in self._named():
            p.copy_(self.average[name])

    def start_from(self, model: Path) -> None:
        """Take over the transformer of an earlier stage's pipeline folder. Raises RuntimeError when the
        widths differ."""
        from diffusers.models.transformers.transformer_wan import WanTransformer3DModel

        earlier = WanTransformer3DModel.from_pretrained(model / "transformer", torch_dtype=torch.float32)
        grow(self.dit, earlier.state_dict(), DIT_OUT)
        self.average = {k: v.clone() for k, v in self._named()}

    def compile(self) -> None:
        """Compile the transformer's blocks in place, attention written out: with bfloat16 twice as fast after
        a minute (the fused attention of this size is slower there)."""
        self.dit.set_attention_backend("_native_math")
        torch._dynamo.config.recompile_limit = 32  # two kinds of timesteps, the same code for every block
        for block in self.dit.blocks:
            block.compile(dynamic=False)

    def loss(self, batch: Batch, generator: torch.Generator) -> Tensor:
        """Flow-matching loss of one batch."""
        noised = flow.noised(batch.latents, generator, batch.tails, batch.passages, batch.things)
        said = reading.embed(self.text, self.tokenizer, batch.captions, self.plan.text_length)
        with state.fast():
            guess = self.dit(noised.x, noised.timestep, said, return_dict=False)[0]
        error = (guess.float() - noised.target).square() * noised.weight
        return error.mean() / noised.weight.mean()


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

    def batch(self, step: int, team: Team) -> Batch:
        """This process's part of the batch of one step, the same whenever it is asked for; captions are
        worded afresh."""
        rng = np.random.default_rng([13, step])
        epoch, at = divmod(step, len(self._whole) // BATCH)
        order = np.random.default_rng([17, epoch]).permutation(self._whole)
        chosen = order[at * BATCH : (at + 1) * BATCH].copy()
        conditioned, quarter = bool(rng.random() < GIVEN), BATCH // 4
        if conditioned:
            chosen[:quarter] = rng.choice(self._passages, quarter, replace=False)
            chosen[quarter : 2 * quarter] = rng.choice(self._late, quarter, replace=False)
        chosen = chosen[team.part]
        passages = len(range(quarter)[team.part]) if conditioned else 0
        rng = np.random.default_rng([13, step, team.rank])
        captions = [self._caption(int(i), rng) for i in chosen]
        rows = torch.from_numpy(chosen)
        tails = self.tails[rows].float() if conditioned else None
        things = self.things[rows].float()
        return Batch(self.latents[rows].float(), captions, tails, things, passages)

    def _caption(self, i: int, rng: np.random.Generator) -> str:
        sample = self.samples[i]
        if rng.random() < (DROP if sample.to is None else 0.5):
            return ""
        return caption(sample.to or sample.scene, rng)


def _optimiser(model: Model) -> optim.Duo:
    names = ("proj_out", "patch_embedding", "condition_embedder", "scale_shift")
    hidden, rest = optim.split([model.dit], names)
    return optim.Duo(hidden, rest, 3e-3, 3e-3)


def train(folder: Path, minutes: float, start: Path | None, team: Team) -> None:
    """Train or resume until `minutes` have been spent in total; leaves `dit.pt` in `folder`.

    `start` is the pipeline folder of an earlier stage to begin with, at `_LATER` of the learning rate.
    """
    cache, read = state.load(folder / "latents.pt"), state.load(folder / "text.pt")
    if cache is None or read is None:
        raise SystemExit(f"no latents or no text encoder in {folder}: run the encode and the text step first")
    if cache["stage"] != read["stage"]:
        raise SystemExit(f"the latents are of stage {cache['stage']}, the text encoder of {read['stage']}")
    samples = samples_from((folder / "scenes.json").read_text())
    data = Data(samples, cache["latents"], cache["tails"], cache["things"])
    model = Model(cache["stage"], read["text"])
    duo = _optimiser(model)
    step, spent = state.resume(folder / "dit.pt", model=model, optim=duo)
    if step == 0 and start is not None:
        model.start_from(start)
    rate = 1.0 if start is None else _LATER
    model.compile()
    clock = state.Clock(minutes, spent)

    def snapshot() -> dict[str, Any]:
        return {
            "model": model.state_dict(),
            "optim": duo.state_dict(),
            "step": step,
            "spent": clock.spent,
            "mean": cache["mean"],
            "std": cache["std"],
            "stage": cache["stage"],
        }

    shown: list[float] = []
    progress = clock.progress
    while progress < 1:
        noise = torch.Generator().manual_seed(step * team.size + team.rank)
        loss = model.loss(data.batch(step, team), noise)
        loss.backward()
        progress = team.average(duo.params, clock.progress)
        norm = duo.step(rate * state.ramp(progress, step, warm=100, hold=_HOLD))
        model.update_average(step)
        step += 1
        shown.append(float(loss.detach()))
        if step % 50 == 0 and team.rank == 0:
            mean = float(np.mean(shown))
            state.log.info("dit step %d  %.0fs  loss %.4f  |g| %.2f", step, clock.spent, mean, norm)
            shown.clear()
        if team.rank == 0 and clock.due():
            state.save(folder / "dit.pt", snapshot())
    if team.rank == 0:
        state.save(folder / "dit.pt", snapshot())
