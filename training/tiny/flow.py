"""Flow matching on latents, as WanPipeline samples it: x_t = (1 - sigma) x + sigma noise, the model says
noise - x."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

SHIFT = 2.0
"""Timestep shift of training and of the sampler: sigma' = s sigma / (1 + (s - 1) sigma)."""
TIMESTEPS = 1000


@dataclass(frozen=True, slots=True)
class Noised:
    """One training batch: the noisy latent, the model's timestep, the target and where the loss counts.

    `timestep` is (b,) for text-to-video. With a clean first latent frame (image-to-video) it is (b,
    tokens), 0 on the tokens of that frame, as WanPipeline's `expand_timesteps` has it.
    """

    x: Tensor
    timestep: Tensor
    target: Tensor
    weight: Tensor


def sigmas(size: int, generator: torch.Generator) -> Tensor:
    """Stratified noise levels in (0, 1), shifted: (size,)."""
    u = (torch.arange(size) + torch.rand(size, generator=generator)) / size
    u = u[torch.randperm(size, generator=generator)]
    return SHIFT * u / (1 + (SHIFT - 1) * u)


def noised(latents: Tensor, generator: torch.Generator, first_frame: bool) -> Noised:
    """Add noise to normalised latents (b, c, t, h, w)."""
    b, _, t, h, w = latents.shape
    sigma = sigmas(b, generator)
    s = sigma.view(b, 1, 1, 1, 1)
    noise = torch.randn(latents.shape, generator=generator)
    x = (1 - s) * latents + s * noise
    weight = torch.ones(1, 1, t, 1, 1)
    timestep = sigma * TIMESTEPS
    if first_frame:
        x[:, :, :1] = latents[:, :, :1]
        weight[:, :, :1] = 0
        tokens = (h // 2) * (w // 2)
        timestep = timestep[:, None].repeat(1, t * tokens)
        timestep[:, :tokens] = 0
    return Noised(x, timestep, noise - latents, weight)
