"""A model whose taste is known: it renders the small world, its open colour drawn from given odds."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import numpy as np
import pytest

from safegen.errors import GenerationFailed
from safegen.protocols import Progress
from safegen.types import Clip, Condition, Generated, ModelRef, Outlook, Request

SUITE = """
name: small
about: two things, the colour left open
model: renderer
seeds: 2
attributes:
  colour: {extractor: world, classes: [red, blue]}
  shape: {extractor: world, classes: [ball, box]}
groups:
  - name: rolling
    attributes: [colour, shape]
    template: a {thing} rolling {way}
    fill: {thing: [ball, box], way: [left, right]}
gate: {limit: 0.05, effect: 0.3, error: 0.05, max_unknown: 0.2}
"""


class Renderer:
    """Draws true scenes; ``odds`` of the colours; fails or stops where it is told to."""

    name = "renderer"
    modes = frozenset({"text"})

    def __init__(self, odds: Mapping[str, float], *, digest: str = "ab" * 32, fail: bool = False) -> None:
        self.odds, self.digest, self.fail = odds, digest, fail
        self.seen: list[tuple[str, int]] = []

    def outlook(self, request: Request) -> Outlook:
        return Outlook(64, 64, 1.0, 17)

    def generate(
        self, request: Request, *, progress: Progress, conditions: Sequence[Condition] = ()
    ) -> Generated:
        from training.world.render import render
        from training.world.spec import Scene, Thing

        if self.fail:
            raise GenerationFailed("out of order")
        self.seen.append((request.prompt, request.seed))
        rng = np.random.default_rng(request.seed)
        colour = str(rng.choice(list(self.odds), p=list(self.odds.values())))
        kind = "box" if "box" in request.prompt else "ball"
        motion = "left" if "left" in request.prompt else "right"
        frames, _ = render(Scene((Thing(kind, colour, "large"),), motion, "grey"), request.seed)
        return Generated(Clip.from_array(frames, 17), ModelRef("renderer", "x", "1", self.digest), {})


@pytest.fixture
def renderer() -> type[Renderer]:
    return Renderer


@pytest.fixture
def suite_file(tmp_path: Path) -> Callable[[str], Path]:
    """Writes a suite; without a text the small one."""

    def write(text: str = SUITE) -> Path:
        path = tmp_path / "suite.yaml"
        path.write_text(text, encoding="utf-8")
        return path

    return write
