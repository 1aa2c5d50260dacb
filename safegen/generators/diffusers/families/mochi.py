"""Mochi 1: text to video."""

from __future__ import annotations

from typing import TYPE_CHECKING

from safegen.generators.diffusers.families.base import Family, NativeFormat

if TYPE_CHECKING:
    from safegen.generators.diffusers.model_config import PipelineConfig


class Mochi(Family):
    """``MochiPipeline``."""

    prefixes = ("MochiPipeline",)

    def native(self, config: PipelineConfig) -> NativeFormat:
        """848x480, 85 frames at 30 fps. Sides /16, counts 6k+1."""
        return NativeFormat(848, 480, 85, 30, 16, 6)


FAMILY = Mochi()
