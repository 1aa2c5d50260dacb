"""Several processes that train one model together, each on its share of every batch.

Small matrices leave a second thread with little to do (a tenth faster); a second process nearly halves the
time.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterable
from pathlib import Path

import torch
import torch.distributed as dist
from torch import nn

from training.tiny import state


class Team:
    """This process's place among those that train together; `rank` 0 writes files and keeps the time."""

    def __init__(self, rank: int = 0, size: int = 1, meeting: Path | None = None) -> None:
        """A team of one, or process `rank` of `size` that meet by the file `meeting`."""
        self.rank, self.size = rank, size
        if size > 1:
            dist.init_process_group("gloo", init_method=f"file://{meeting}", rank=rank, world_size=size)

    @property
    def part(self) -> slice:
        """This process's part of a batch: every `size`-th item."""
        return slice(self.rank, None, self.size)

    def average(self, params: Iterable[nn.Parameter], progress: float) -> float:
        """Replace every gradient by the team's average; returns the first process's `progress`, so that all
        go at the same learning rate and stop at the same step."""
        if self.size == 1:
            return progress
        grads = [p.grad for p in params if p.grad is not None]
        first = torch.tensor([progress * self.size if self.rank == 0 else 0.0], dtype=torch.float32)
        flat = torch.cat([g.flatten() for g in grads] + [first])
        dist.all_reduce(flat)
        flat /= self.size
        for g, mean in zip(grads, flat[:-1].split([g.numel() for g in grads]), strict=True):
            g.copy_(mean.view_as(g))
        return float(flat[-1])

    def close(self) -> None:
        """Part."""
        if self.size > 1:
            dist.destroy_process_group()


def together(work: Callable[[Team], None], size: int) -> None:
    """Do `work` in `size` processes, or in this one. Raises what the first that fails raises."""
    if size == 1:
        work(Team())
        return
    with tempfile.TemporaryDirectory() as folder:
        torch.multiprocessing.spawn(_one, (work, size, Path(folder) / "meeting"), nprocs=size)


def _one(rank: int, work: Callable[[Team], None], size: int, meeting: Path) -> None:
    torch.set_num_threads(1)
    state.talk()
    team = Team(rank, size, meeting)
    work(team)
    team.close()
