"""How a larger model begins as a smaller one that was trained before."""

from __future__ import annotations

import torch
from torch import Tensor, nn

DIT_OUT = (".to_out.0.weight", ".to_out.0.bias", ".ffn.net.2.weight", ".ffn.net.2.bias")
TEXT_OUT = (".o.weight", ".wo.weight")
"""Names of what a layer adds to the stream through it."""


@torch.no_grad()
def grow(module: nn.Module, earlier: dict[str, Tensor], outputs: tuple[str, ...]) -> None:
    """Copy a smaller model's weights into the front of a larger one's; what is new of `outputs` is zero, so
    that the larger one begins as the same function. Raises RuntimeError for one that is too large."""
    for name, now in module.state_dict().items():
        before = earlier.get(name)
        if name.endswith(outputs):
            now.zero_()
        if before is None:
            continue
        if before.ndim != now.ndim or any(b > n for b, n in zip(before.shape, now.shape, strict=True)):
            raise RuntimeError(f"{name}: {tuple(before.shape)} does not fit {tuple(now.shape)}")
        now[tuple(slice(n) for n in before.shape)].copy_(before)
