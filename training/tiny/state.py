"""Checkpoints that survive being killed, and the clock that says how far a timed run is."""

from __future__ import annotations

import logging
import time
from pathlib import Path
from typing import Any

import torch

log = logging.getLogger("training.tiny")


def talk() -> None:
    """Show the log of this process on its terminal."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")


def save(path: Path, state: dict[str, Any]) -> None:
    """Write a checkpoint so that a crash leaves either the old or the new one."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_suffix(".part")
    torch.save(state, part)
    part.replace(path)


def load(path: Path) -> dict[str, Any] | None:
    """The checkpoint at `path`, or None when there is none yet. Tensors and plain containers only."""
    if not path.exists():
        return None
    state: dict[str, Any] = torch.load(path, weights_only=True, map_location="cpu")
    return state


def resume(path: Path, **parts: Any) -> tuple[int, float]:
    """Bring `parts` back to where the checkpoint at `path` has them, by name; its step and the seconds spent,
    both 0 when there is none yet."""
    saved = load(path)
    if saved is None:
        return 0, 0.0
    for name, part in parts.items():
        part.load_state_dict(saved[name])
    return saved["step"], saved["spent"]


class Clock:
    """Time spent training, earlier runs included, against a budget in minutes."""

    def __init__(self, minutes: float, spent: float = 0.0) -> None:
        self.budget = minutes * 60
        self._started = time.monotonic() - spent
        self._saved = time.monotonic()

    @property
    def spent(self) -> float:
        """Seconds spent."""
        return time.monotonic() - self._started

    @property
    def progress(self) -> float:
        """Fraction of the budget spent, 0 to 1."""
        return min(1.0, self.spent / self.budget)

    def due(self, every: float = 180.0) -> bool:
        """True once per `every` seconds: time to write a checkpoint."""
        if time.monotonic() - self._saved < every:
            return False
        self._saved = time.monotonic()
        return True


def fast() -> torch.autocast:
    """Multiplications in bfloat16, sums and weights in float32: two to three times as fast where the
    processor has instructions for it."""
    return torch.autocast("cpu", torch.bfloat16)


def ramp(progress: float, step: int, *, warm: int = 50, hold: float = 0.5, floor: float = 0.02) -> float:
    """Learning-rate factor: linear warm-up over `warm` steps, flat until `hold`, then linear down to
    `floor`."""
    up = min(1.0, (step + 1) / warm)
    down = 1.0 if progress < hold else 1.0 - (1.0 - floor) * (progress - hold) / (1.0 - hold)
    return up * down
