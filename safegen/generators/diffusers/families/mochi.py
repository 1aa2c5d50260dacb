"""Mochi 1: text to video."""

from __future__ import annotations

from typing import TYPE_CHECKING

from safegen.generators.diffusers.families._base import Family, Native

if TYPE_CHECKING:
    from safegen.generators.diffusers.model_config import Facts


class Mochi(Family):
    """``MochiPipeline``."""

    name = "mochi"
    prefixes = ("MochiPipeline",)

    def native(self, facts: Facts) -> Native:
        """848x480, 85 frames at 30 fps. Sides /16, counts 6k+1."""
        return Native(848, 480, 85, 30, 16, 6)


FAMILY = Mochi()
