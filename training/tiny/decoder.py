"""Trains the decoder alone: sharper pictures from latents that are already cached (the encoder is fixed)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import torch

from training.tiny import models, optim, state, vae
from training.world.spec import FRAMES

BATCH = 6
WORLDS = ("full", "groups")
"""Stages that the clips come from: half of them of several small things, which suffer most."""
_OFFSET = 1 << 24
"""First number of this training's batches, so that none repeats one of the autoencoder's."""


def train(folder: Path, minutes: float) -> None:
    """Train or resume until `minutes` have been spent in total; leaves `decoder.pt` in `folder`.

    Starts from `vae.pt`, at full length only. The encoder, and with it every cached latent, stays as it is.
    """
    start = state.load(folder / "vae.pt")
    if start is None:
        raise SystemExit(f"no trained autoencoder in {folder}: run the vae step first")
    net = models.autoencoder()
    net.load_state_dict(start["model"])
    hidden, rest = optim.split([net.decoder, net.post_quant_conv], names=("conv_out",))
    duo = optim.Duo(hidden, rest, 1.5e-3, 1e-3)
    step, spent = state.resume(folder / "decoder.pt", model=net, optim=duo)
    clock = state.Clock(minutes, spent)

    def snapshot() -> dict[str, Any]:
        return {"model": net.state_dict(), "optim": duo.state_dict(), "step": step, "spent": clock.spent}

    shown: list[float] = []
    while clock.progress < 1:
        x, mask = vae.batch(_OFFSET + step, FRAMES, BATCH, WORLDS)
        with torch.no_grad():
            z = net.encode(x).latent_dist.mean
        total, psnr = vae.distance(x, vae.decode(net, z), mask)
        total.backward()
        duo.step(state.ramp(clock.progress, step, hold=0.3))
        step += 1
        shown.append(psnr)
        if step % 25 == 0:
            state.log.info("decoder step %d  %.0fs  %.2f dB", step, clock.spent, float(np.mean(shown)))
            shown.clear()
        if clock.due():
            state.save(folder / "decoder.pt", snapshot())
    state.save(folder / "decoder.pt", snapshot())


def latest(folder: Path) -> dict[str, Any]:
    """Weights of the autoencoder with the best decoder there is in `folder`."""
    saved = state.load(folder / "decoder.pt") or state.load(folder / "vae.pt")
    if saved is None:
        raise SystemExit(f"no trained autoencoder in {folder}: run the vae step first")
    model: dict[str, Any] = saved["model"]
    return model
