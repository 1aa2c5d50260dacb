"""Encodes rendered clips once, so that the diffusion transformer never waits for the autoencoder."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from training.tiny import models, state
from training.world import stages
from training.world.render import render
from training.world.spec import Scene, Thing

_CHUNK = 16


def scene_from(data: dict[str, Any]) -> Scene:
    """A scene from its `dataclasses.asdict` form."""
    return Scene(**{**data, "things": tuple(Thing(**t) for t in data["things"])})


def scenes(stage: str, clips: int) -> list[tuple[Scene, int]]:
    """The training scenes of a stage with their render seeds: the same list every time."""
    rng = np.random.default_rng(11)
    return [(stages.sample(stages.STAGES[stage], rng), int(rng.integers(1 << 31))) for _ in range(clips)]


def clip_tensor(scene: Scene, seed: int) -> Tensor:
    """One rendered clip: (3, FRAMES, SIDE, SIDE) float32 in -1..1."""
    frames, _ = render(scene, seed)
    return torch.from_numpy(frames).permute(3, 0, 1, 2).float() / 127.5 - 1


@torch.inference_mode()
def encode(folder: Path, stage: str, clips: int) -> None:
    """Encode `clips` training scenes with the trained autoencoder; leaves `latents.pt` and `scenes.json`.

    Latents are the posterior means, normalised by their measured mean and deviation per channel.
    """
    saved = state.load(folder / "vae.pt")
    if saved is None:
        raise SystemExit(f"no trained autoencoder in {folder}: run the vae step first")
    vae = models.autoencoder()
    vae.load_state_dict(saved["model"])
    vae.eval()
    todo = scenes(stage, clips)
    out = torch.empty(clips, *models.LATENT, dtype=torch.float16)
    for start in range(0, clips, _CHUNK):
        x = torch.stack([clip_tensor(*s) for s in todo[start : start + _CHUNK]])
        out[start : start + len(x)] = vae.encode(x).latent_dist.mean.half()
        if start % 1600 == 0:
            state.log.info("encoded %d of %d", start, clips)
    sample = out[:4000].float()
    mean, std = sample.mean(dim=(0, 2, 3, 4)), sample.std(dim=(0, 2, 3, 4))
    shape = (1, -1, 1, 1, 1)
    out = ((out.float() - mean.view(shape)) / std.view(shape)).half()
    state.save(
        folder / "latents.pt", {"latents": out, "mean": mean.tolist(), "std": std.tolist(), "stage": stage}
    )
    (folder / "scenes.json").write_text(json.dumps([asdict(s) for s, _ in todo]))
    state.log.info("latents: mean %s std %s", mean.tolist(), std.tolist())
