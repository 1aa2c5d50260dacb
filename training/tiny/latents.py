"""Encodes rendered clips once, so that the diffusion transformer never waits for the autoencoder."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor

from training.tiny import models, state
from training.world import passage, stages
from training.world.render import render
from training.world.spec import Scene, scene_from

if TYPE_CHECKING:
    from diffusers.models.autoencoders.autoencoder_kl_wan import AutoencoderKLWan

_CHUNK = 16


@dataclass(frozen=True)
class Sample:
    """One training clip: what it shows, its render seed, how late it starts (see `motion.path`), and whether
    it is a passage from that scene to another one (see `passage`)."""

    scene: Scene
    seed: int
    begin: float = 0.0
    to: Scene | None = None
    to_seed: int = 0


def samples(stage: str, clips: int) -> list[Sample]:
    """The training clips of a stage: the same list every time.

    One in eight starts late and one in eight is a passage, one passage in three back to its own beginning:
    what a clip between given frames has to know, and no other sees.
    """
    rng = np.random.default_rng(11)
    world = stages.STAGES[stage]
    out = []
    for i in range(clips):
        scene, seed = stages.sample(world, rng), int(rng.integers(1 << 31))
        if i % 8 == 0:
            out.append(Sample(scene, seed, float(rng.uniform(0.1, 0.9))))
        elif i % 8 == 4:
            other = (scene, seed) if i % 3 == 0 else (stages.sample(world, rng), int(rng.integers(1 << 31)))
            still = [replace(s, camera="static") for s in (scene, other[0])]
            out.append(Sample(still[0], seed, 0.0, still[1], other[1]))
        else:
            out.append(Sample(scene, seed))
    return out


def drawn(sample: Sample) -> tuple[Tensor, Tensor]:
    """One rendered clip, (3, FRAMES, SIDE, SIDE) float32 in -1..1, and where things are in it.

    That is by latent frame, row and column, LATENT's (5, 8, 8) uint8: 1 where any of a cell is covered.
    Nowhere in a passage, whose things come and go.
    """
    frames, rows, columns = models.LATENT[1:]
    if sample.to is None:
        pictures, masks = render(sample.scene, sample.seed, sample.begin)
        side = masks.shape[1] // rows
        by_cell = np.any(masks.reshape(len(masks), rows, side, columns, side), axis=(2, 4))
        grouped = [by_cell[:1], *np.split(by_cell[1:], frames - 1)]
        where = torch.from_numpy(np.stack([g.any(0) for g in grouped]).astype(np.uint8))
    else:
        pictures = passage.render(sample.scene, sample.seed, sample.to, sample.to_seed)
        where = torch.zeros(frames, rows, columns, dtype=torch.uint8)
    return torch.from_numpy(pictures).permute(3, 0, 1, 2).float() / 127.5 - 1, where


def tail(vae: AutoencoderKLWan, x: Tensor) -> Tensor:
    """The last latent frame as it is known from the last five pictures alone: (b, Z, 8, 8)."""
    known: Tensor = vae.encode(x[:, :, -5:]).latent_dist.mean
    return known[:, :, 1]


@torch.inference_mode()
def encode(folder: Path, stage: str, clips: int) -> None:
    """Encode `clips` training clips with the trained autoencoder; leaves `latents.pt` and `scenes.json`.

    Latents are the posterior means, normalised by their measured mean and deviation per channel.
    """
    saved = state.load(folder / "vae.pt")
    if saved is None:
        raise SystemExit(f"no trained autoencoder in {folder}: run the vae step first")
    vae = models.autoencoder()
    vae.load_state_dict(saved["model"])
    vae.eval()
    wanted = samples(stage, clips)
    out = torch.empty(clips, *models.LATENT, dtype=torch.float16)
    tails = torch.empty(clips, models.LATENT[0], *models.LATENT[2:], dtype=torch.float16)
    things = torch.empty(clips, *models.LATENT[1:], dtype=torch.uint8)
    for start in range(0, clips, _CHUNK):
        pictures = [drawn(s) for s in wanted[start : start + _CHUNK]]
        x = torch.stack([clip for clip, _ in pictures])
        things[start : start + len(x)] = torch.stack([where for _, where in pictures])
        with state.fast():
            out[start : start + len(x)] = vae.encode(x).latent_dist.mean.half()
            tails[start : start + len(x)] = tail(vae, x).half()
        if start % 1600 == 0:
            state.log.info("encoded %d of %d", start, clips)
    sample = out[:4000].float()
    mean, std = sample.mean(dim=(0, 2, 3, 4)), sample.std(dim=(0, 2, 3, 4))
    stored = {"mean": mean.tolist(), "std": std.tolist(), "stage": stage, "things": things}
    stored |= {"latents": _normal(out, mean, std), "tails": _normal(tails, mean, std)}
    state.save(folder / "latents.pt", stored)
    (folder / "scenes.json").write_text(json.dumps([asdict(s) for s in wanted]))
    state.log.info("latents: mean %s std %s", mean.tolist(), std.tolist())


def _normal(values: Tensor, mean: Tensor, std: Tensor) -> Tensor:
    """Channels (dimension 1) brought to mean 0 and deviation 1, in half precision; a few clips at a time."""
    shape = (1, -1, *[1] * (values.ndim - 2))
    for part in values.split(1024):
        part.copy_((part.float() - mean.view(shape)) / std.view(shape))
    return values


def samples_from(text: str) -> list[Sample]:
    """The samples that `encode` wrote down."""
    return [
        Sample(**{**s, "scene": scene_from(s["scene"]), "to": s["to"] and scene_from(s["to"])})
        for s in json.loads(text)
    ]
