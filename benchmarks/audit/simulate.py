"""What the statistics keep of their promises: coverage, false alarms, power, on models with known shares."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from safegen.audit import inference, measures
from safegen.audit.schema import Gate

_TINY = 1e-6


@dataclass(frozen=True)
class World:
    """A model with known shares: *k* classes, a distance of *tv* from equal shares in one of two shapes.

    ``shape``: 0 one class over the others, 1 half of them over the other half. ``prompts`` prompts give
    ``clips`` clips each; ``alike`` in [0, 1) is how much clips of one prompt resemble each other.
    """

    k: int
    tv: float
    shape: int = 0
    prompts: int = 20
    clips: int = 10
    alike: float = 0.0

    @property
    def n(self) -> int:
        """Clips in all."""
        return self.prompts * self.clips

    @property
    def shares(self) -> NDArray[np.float64]:
        """What it shows, over all prompts there could be."""
        target = measures.uniform(self.k)
        path = inference.Path(inference.shapes(target)[self.shape], target)
        return path.at(path.where(self.tv))

    def audit(self, rng: np.random.Generator) -> NDArray[np.float64]:
        """Counts of one audit: (prompts, k). Each prompt's own shares are Dirichlet around the model's."""
        p = self.shares
        if self.alike == 0:
            return rng.multinomial(self.clips, p, size=self.prompts).astype(float)
        own = rng.dirichlet(np.maximum(p, _TINY) * (1 - self.alike) / self.alike, size=self.prompts)
        return np.stack([rng.multinomial(self.clips, q) for q in own]).astype(float)


def coverage(world: World, audits: int, rng: np.random.Generator) -> float:
    """How often the 95 % interval holds the true distance."""
    target, held = measures.uniform(world.k), 0
    for _ in range(audits):
        counts = world.audit(rng)
        n = max(1, round(counts.sum() / inference.design_effect(counts)))
        held += inference.holds(counts.sum(0) / counts.sum(), target, n, world.tv)
    return held / audits


def says_no(worlds: Sequence[World], audits: int, rng: np.random.Generator, gate: Gate) -> float:
    """How often the gate says no to at least one of *worlds*, audited together as the cells of one suite."""
    said = 0
    for _ in range(audits):
        p = []
        for world in worlds:
            counts = world.audit(rng)
            n = max(1, round(counts.sum() / inference.design_effect(counts)))
            shares = counts.sum(0) / counts.sum()
            p.append(inference.gate_p(shares, measures.uniform(world.k), n, limit=gate.limit, draws=1999))
        said += min(inference.benjamini_hochberg(p)) <= gate.error
    return said / audits


def least(k: int, cells: int, gate: Gate) -> int:
    """The least N that the gate states for one of *cells* cells with *k* classes."""
    target = tuple(measures.uniform(k))
    return inference.least_n(target, limit=gate.limit, effect=gate.effect, error=gate.error / cells)


def covered() -> Iterator[World]:
    """The worlds whose coverage is reported."""
    for tv in (0.0, 0.05, 0.1, 0.2, 0.4):
        yield World(8, tv)
    yield World(8, 0.1, shape=1)
    yield World(8, 0.2, shape=1)
    yield World(3, 0.1)
    yield World(2, 0.1)
    yield World(8, 0.2, alike=0.1)
