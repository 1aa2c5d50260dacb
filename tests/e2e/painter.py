"""A generator without a model that knows every way of working: it paints stripes that roll."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from typing import get_args

import numpy as np

from safegen.protocols import Progress
from safegen.types import Clip, Condition, Generated, Mode, ModelRef, Outlook, Request

SIDE, COUNT, FPS = 256, 24, 8


class Painter:
    """Paints; what it was given is in ``seen``. ``fails`` are seeds with which it breaks."""

    name = "painter"

    def __init__(self, modes: frozenset[Mode] = frozenset(get_args(Mode))) -> None:
        self.modes = modes
        self.seen: list[tuple[Request, tuple[Condition, ...]]] = []
        self.fails: set[int] = set()

    def outlook(self, request: Request) -> Outlook:
        return Outlook(SIDE, SIDE, COUNT / FPS, FPS)

    def generate(
        self, request: Request, *, progress: Progress, conditions: Sequence[Condition] = ()
    ) -> Generated:
        self.seen.append((request, tuple(conditions)))
        if request.seed in self.fails:
            raise RuntimeError("out of paint")
        rng = np.random.default_rng(request.seed + sum(int(next(iter(c.clip)).sum()) for c in conditions))
        base = rng.integers(30, 225, (32, 32, 3), np.uint8).repeat(8, 0).repeat(8, 1)
        frames = np.stack([np.roll(base, 4 * i, 1) for i in range(COUNT)])
        clip = Clip.from_array(frames, Fraction(FPS))
        return Generated(clip, ModelRef("painter", "painter", "1", None), {})
