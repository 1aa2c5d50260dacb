"""Trains the video autoencoder on the full visual world, short clips first."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import max_pool2d

from training.tiny import models, optim, state
from training.tiny.state import fast
from training.world import stages
from training.world.render import render
from training.world.spec import FRAMES

if TYPE_CHECKING:
    from diffusers.models.autoencoders.autoencoder_kl_wan import AutoencoderKLWan

BATCH = 8
FOREGROUND = 4.0
"""Extra weight of the pixels where things are."""
KL = 1e-4
GROWN = ("one", "full", "groups", "groups")
"""Stages that the clips come from when a trained autoencoder is trained on: mostly several small things."""
_OFFSET = 1 << 26
"""First number of those batches, so that none repeats an earlier one."""


def batch(
    step: int, frames: int, size: int = BATCH, worlds: Sequence[str] = ("one", "full", "full", "full")
) -> tuple[Tensor, Tensor]:
    """Training batch of one step: clips (b, 3, frames, H, W) in -1..1 and their masks (b, 1, frames, H,
    W). `worlds` are the stages that the clips come from, in turn."""
    rng = np.random.default_rng([7, step])
    clips, masks = [], []
    for i in range(size):
        stage = stages.STAGES[worlds[i % len(worlds)]]
        clip, mask = render(stages.sample(stage, rng), int(rng.integers(1 << 31)))
        start = int(rng.integers(FRAMES - frames + 1))
        clips.append(clip[start : start + frames])
        masks.append(mask[start : start + frames])
    x = torch.from_numpy(np.stack(clips)).permute(0, 4, 1, 2, 3).float() / 127.5 - 1
    m = torch.from_numpy(np.stack(masks)).unsqueeze(1).float()
    return x, m


def length(progress: float, step: int) -> int:
    """Curriculum: stills, then 5, then 9 frames, then full length every second step (it drifts otherwise)."""
    if progress < 0.03:
        return 1
    if progress < 0.20:
        return 5
    if progress < 0.45:
        return FRAMES if step % 6 == 0 else 9
    return FRAMES if step % 2 == 0 else 9


def decode(vae: AutoencoderKLWan, z: Tensor) -> Tensor:
    """The autoencoder's own decoding without its final clamp, whose gradient is zero outside -1..1."""
    from diffusers.models.autoencoders.autoencoder_kl_wan import unpatchify

    vae.clear_cache()
    x = vae.post_quant_conv(z)
    out = []
    for i in range(z.shape[2]):
        vae._conv_idx = [0]
        frame = x[:, :, i : i + 1]
        out.append(vae.decoder(frame, feat_cache=vae._feat_map, feat_idx=vae._conv_idx, first_chunk=i == 0))
    vae.clear_cache()
    pixels: Tensor = unpatchify(torch.cat(out, 2), patch_size=models.VAE_CONFIG["patch_size"])
    return pixels


def loss(vae: AutoencoderKLWan, x: Tensor, mask: Tensor, step: int) -> tuple[Tensor, float]:
    """Weighted L1 + L2 with a light KL term; also the plain PSNR in dB."""
    with fast():
        posterior = vae.encode(x).latent_dist
        z = posterior.sample(torch.Generator().manual_seed(step))
        y = decode(vae, z)
    kl = 0.5 * (posterior.mean.square() + posterior.var - 1 - posterior.logvar).float().mean()
    total, psnr = distance(x, y.float(), mask)
    return total + KL * kl, psnr


def distance(x: Tensor, y: Tensor, mask: Tensor) -> tuple[Tensor, float]:
    """L1 + L2 between clips, heavier where things are; also the plain PSNR in dB."""
    b, _, t, h, w = mask.shape
    near = (
        max_pool2d(mask.transpose(1, 2).reshape(b * t, 1, h, w), 3, 1, 1)
        .reshape(b, t, 1, h, w)
        .transpose(1, 2)
    )
    weight = 1 + FOREGROUND * near
    weight = weight / weight.mean()
    error = x - y
    square = error.square()
    total = (weight * (error.abs() + square)).mean()
    psnr = -10 * torch.log10(square.detach().mean() / 4)
    return total, float(psnr)


def started(start: Path | None) -> AutoencoderKLWan:
    """A fresh autoencoder, or the one of the pipeline folder `start`."""
    from diffusers.models.autoencoders.autoencoder_kl_wan import AutoencoderKLWan

    torch.manual_seed(0)
    vae = models.autoencoder()
    if start is not None:
        trained = AutoencoderKLWan.from_pretrained(start / "vae", torch_dtype=torch.float32)
        vae.load_state_dict(trained.state_dict())
    return vae


def train(folder: Path, minutes: float, start: Path | None = None) -> None:
    """Train or resume until `minutes` have been spent in total; leaves `vae.pt` in `folder`.

    `start` is the pipeline folder of an earlier model whose autoencoder is trained on, at half the
    learning rate and full length only.
    """
    vae = started(start)
    hidden, rest = optim.split([vae], names=("conv_in", "decoder.conv_out"))
    duo = optim.Duo(hidden, rest, 5e-3, 3e-3)
    step, spent = state.resume(folder / "vae.pt", model=vae, optim=duo)
    clock = state.Clock(minutes, spent)
    rate = 1.0 if start is None else 0.5

    def snapshot() -> dict[str, Any]:
        return {"model": vae.state_dict(), "optim": duo.state_dict(), "step": step, "spent": clock.spent}

    shown: list[float] = []
    while clock.progress < 1:
        if start is None:
            frames = length(clock.progress, step)
            x, mask = batch(step, frames, BATCH * 2 if frames == 1 else BATCH)
        else:
            frames = FRAMES
            x, mask = batch(_OFFSET + step, frames, BATCH, GROWN)
        total, psnr = loss(vae, x, mask, step)
        total.backward()
        norm = duo.step(rate * state.ramp(clock.progress, step, hold=0.4))
        step += 1
        shown.append(psnr)
        if step % 25 == 0:
            mean = float(np.mean(shown))
            state.log.info(
                "vae step %d  %.0fs  T=%d  %.2f dB  |g| %.2f", step, clock.spent, frames, mean, norm
            )
            shown.clear()
        if clock.due():
            state.save(folder / "vae.pt", snapshot())
    state.save(folder / "vae.pt", snapshot())
