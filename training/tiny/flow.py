"""Flow matching on latents, as WanPipeline samples it: x_t = (1 - sigma) x + sigma noise, the model says
noise - x."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

SHIFT = 2.0
"""Timestep shift of training and of the sampler: sigma' = s sigma / (1 + (s - 1) sigma)."""
TIMESTEPS = 1000


THINGS = 4.0
"""How much more the error counts where things are, at no noise; it falls to 0 more at full noise.

Things cover a quarter of the cells and hold nearly all of the detail. Where there is little noise left the
picture itself tells where things are, so the weight does not pull things to where they are not.
"""

GIVEN: tuple[tuple[float, tuple[int, ...]], ...] = (
    (0.35, (0,)),
    (0.25, (0, 1)),
    (0.15, (4,)),
    (0.10, (0, 4)),
    (0.15, (0, 1, 4)),
)
"""Which latent frames are given, and how often: the start of a clip, its end, or both."""


@dataclass(frozen=True, slots=True)
class Noised:
    """One training batch: the noisy latent, the model's timestep, the target and where the loss counts.

    `timestep` is (b,) for text-to-video. With given latent frames it is (b, tokens), 0 on the tokens of
    those frames, as WanPipeline's `expand_timesteps` has it.
    """

    x: Tensor
    timestep: Tensor
    target: Tensor
    weight: Tensor


EVEN = 0.25
"""Share of noise levels drawn evenly; the others are drawn more often from the middle, where it is decided
what stands where (logit-normal: Esser et al., "Scaling rectified flow transformers", 2024, section 3.1)."""


def sigmas(size: int, generator: torch.Generator) -> Tensor:
    """Stratified noise levels in (0, 1), shifted: (size,)."""
    u = (torch.arange(size) + torch.rand(size, generator=generator)) / size
    u = u[torch.randperm(size, generator=generator)]
    even = torch.rand(size, generator=generator) < EVEN
    u = torch.where(even, u, torch.special.ndtri(u).sigmoid())
    return SHIFT * u / (1 + (SHIFT - 1) * u)


def given(size: int, frames: int, generator: torch.Generator, both: int = 0) -> Tensor:
    """Which latent frames of each clip are given, drawn from `GIVEN`: (size, frames) of 0 and 1.

    Of the first `both` clips always the start and the end.
    """
    shares = torch.tensor([share for share, _ in GIVEN])
    out = torch.zeros(size, frames)
    choices = torch.multinomial(shares, size, True, generator=generator)
    choices[:both] = len(GIVEN) - 1
    for row, choice in zip(out, choices, strict=True):
        row[list(GIVEN[int(choice)][1])] = 1
    return out


def noised(
    latents: Tensor,
    generator: torch.Generator,
    tails: Tensor | None = None,
    both: int = 0,
    things: Tensor | None = None,
) -> Noised:
    """Add noise to normalised latents (b, c, t, h, w).

    With `tails` (b, c, h, w: the last latent frame as known without the ones before) some frames of every
    clip are given; of the first `both` clips the start and the end. `things` (b, t, h, w) in 0..1 says where
    things are (see `THINGS`).
    """
    b, _, t, h, w = latents.shape
    sigma = sigmas(b, generator)
    s = sigma.view(b, 1, 1, 1, 1)
    noise = torch.randn(latents.shape, generator=generator)
    x = (1 - s) * latents + s * noise
    timestep = sigma * TIMESTEPS
    weight = torch.ones(1, 1, 1, 1, 1)
    if things is not None:
        weight = 1 + THINGS * (1 - s) * things[:, None]
    if tails is None:
        return Noised(x, timestep, noise - latents, weight)
    known = given(b, t, generator, both)
    mask = known.view(b, 1, t, 1, 1)
    clean = torch.cat([latents[:, :, :-1], tails[:, :, None]], 2)
    x = mask * clean + (1 - mask) * x
    tokens = (h // 2) * (w // 2)
    timestep = (timestep[:, None] * (1 - known)).repeat_interleave(tokens, 1)
    return Noised(x, timestep, noise - latents, (1 - mask) * weight)
