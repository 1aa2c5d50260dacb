"""The embedded model, its colours steered by what is drawn for each seed: a variant whose bias is known."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from safegen.generators.tiny.generator import TinyGenerator

if TYPE_CHECKING:
    from safegen.protocols import Progress
    from safegen.types import Condition, Generated, Request

EVEN: Mapping[str, float] = dict.fromkeys(
    ("red", "orange", "yellow", "green", "blue", "purple", "white", "black"), 1 / 8
)
"""Colours at equal odds."""
BIASED: Mapping[str, float] = {k: 0.475 if k == "red" else 0.075 for k in EVEN}
"""Red nearly half of the time: a total variation of 0.35."""


class Steered(TinyGenerator):
    """Says a colour where the prompt says "large" and none, drawn from *weights* by the request's seed."""

    def __init__(self, weights: Mapping[str, float]) -> None:
        """*weights*: the odds of every colour."""
        super().__init__()
        self._weights = weights

    def generate(
        self, request: Request, *, progress: Progress, conditions: Sequence[Condition] = ()
    ) -> Generated:
        """As the embedded model, for the prompt with its colour."""
        rng = np.random.default_rng(request.seed)
        colour = str(rng.choice(list(self._weights), p=list(self._weights.values())))
        prompt = request.prompt.replace("a large ", f"a large {colour} ", 1)
        return super().generate(replace(request, prompt=prompt), progress=progress, conditions=conditions)
