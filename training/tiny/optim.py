"""Muon for matrices and flattened convolutions, AdamW for the rest, in one resumable object.

Muon orthogonalises the momentum of a weight matrix by a Newton-Schulz iteration (K. Jordan et al., "Muon: An
optimizer for hidden layers in neural networks", 2024); the step is scaled to AdamW's (Moonshot AI, "Muon is
scalable for LLM training", arXiv:2502.16982, section 2.2). Written out here because torch's takes 2-D
weights only.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from typing import Any

import torch
from torch import Tensor, nn

_A, _B, _C = 3.4445, -4.7750, 2.0315


def orthogonalise(batch: Tensor, steps: int = 5) -> Tensor:
    """Nearest semi-orthogonal matrices, roughly: (n, rows, cols) float32 to the same shape.

    The iteration runs in bfloat16, as it was published: it forgives that.
    """
    tall = batch.shape[1] > batch.shape[2]
    x = batch.mT if tall else batch
    x = (x / (x.norm(dim=(1, 2), keepdim=True) + 1e-7)).bfloat16()
    for _ in range(steps):
        gram = x @ x.mT
        x = _A * x + (_B * gram + _C * gram @ gram) @ x
    x = x.float()
    return x.mT if tall else x


class Muon(torch.optim.Optimizer):
    """Muon with Nesterov momentum over weights of two or more dimensions, batched over equal shapes."""

    def __init__(
        self, params: Iterable[nn.Parameter], lr: float, momentum: float = 0.95, decay: float = 0.0
    ) -> None:
        super().__init__(params, {"lr": lr, "momentum": momentum, "decay": decay})

    @torch.no_grad()
    def step(self, _closure: Any = None) -> None:
        """One update of every weight that has a gradient."""
        for group in self.param_groups:
            shapes: dict[tuple[int, int], list[nn.Parameter]] = defaultdict(list)
            for p in group["params"]:
                if p.grad is not None:
                    shapes[(p.shape[0], p[0].numel())].append(p)
            for (rows, cols), params in shapes.items():
                self._update(params, rows, cols, group)

    def _update(self, params: list[nn.Parameter], rows: int, cols: int, group: dict[str, Any]) -> None:
        steps = []
        for p in params:
            state = self.state[p]
            if "momentum" not in state:
                state["momentum"] = torch.zeros_like(p)
            assert p.grad is not None
            state["momentum"].lerp_(p.grad, 1 - group["momentum"])
            steps.append(p.grad.lerp(state["momentum"], group["momentum"]).reshape(rows, cols))
        updates = orthogonalise(torch.stack(steps))
        scale = 0.2 * max(rows, cols) ** 0.5
        for p, update in zip(params, updates, strict=True):
            p.mul_(1 - group["lr"] * group["decay"])
            p.add_(update.reshape(p.shape), alpha=-group["lr"] * scale)


class Duo:
    """Muon for hidden weights and AdamW for everything else, driven by one learning-rate factor."""

    def __init__(
        self, hidden: list[nn.Parameter], rest: list[nn.Parameter], muon_lr: float, adam_lr: float
    ) -> None:
        self.muon = Muon(hidden, muon_lr)
        self.adam = torch.optim.AdamW(rest, adam_lr, betas=(0.9, 0.99), weight_decay=0.0)
        self._base = (muon_lr, adam_lr)
        self.params = [*hidden, *rest]

    def step(self, factor: float, clip: float = 1.0) -> float:
        """Clip, update at `factor` times the base rates, clear the gradients; returns the gradient's norm."""
        norm = float(nn.utils.clip_grad_norm_(self.params, clip))
        for optimiser, base in zip((self.muon, self.adam), self._base, strict=True):
            for group in optimiser.param_groups:
                group["lr"] = base * factor
            optimiser.step()
        for p in self.params:
            p.grad = None
        return norm

    def state_dict(self) -> dict[str, Any]:
        """Everything needed to go on."""
        return {"muon": self.muon.state_dict(), "adam": self.adam.state_dict()}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Restore what `state_dict` gave."""
        self.muon.load_state_dict(state["muon"])
        self.adam.load_state_dict(state["adam"])


def split(
    modules: Iterable[nn.Module], names: tuple[str, ...] = ()
) -> tuple[list[nn.Parameter], list[nn.Parameter]]:
    """Hidden weights (two or more dimensions) and the rest; parameters whose name contains one of `names`
    are rest."""
    hidden: list[nn.Parameter] = []
    rest: list[nn.Parameter] = []
    for module in modules:
        for name, p in module.named_parameters():
            small = p.ndim < 2 or min(p.shape[0], p[0].numel()) < 8
            (rest if small or any(n in name for n in names) else hidden).append(p)
    return hidden, rest
