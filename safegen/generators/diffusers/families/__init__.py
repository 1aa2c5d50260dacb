"""Families of pipelines: one small file each, stating only what differs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from safegen.generators.diffusers.families import cogvideox, hunyuan, ltx, mochi, wan
from safegen.generators.diffusers.families.base import Family, NativeFormat, PipelineCall
from safegen.generators.diffusers.families.generic import Generic

if TYPE_CHECKING:
    from safegen.generators.diffusers.model_config import PipelineConfig

__all__ = ["FAMILIES", "Family", "NativeFormat", "PipelineCall", "family_of"]

FAMILIES: tuple[Family, ...] = (
    wan.FAMILY,
    ltx.FAMILY,
    ltx.FAMILY_2,
    cogvideox.FAMILY,
    hunyuan.FAMILY_15,
    hunyuan.FRAMEPACK,
    hunyuan.FAMILY,
    mochi.FAMILY,
)
"""The families with a file of their own; the first whose prefix fits a class is its family."""
GENERIC = Generic()


def family_of(config: PipelineConfig) -> Family:
    """The family of a pipeline, by its class name; the generic one for the rest."""
    for family in FAMILIES:
        if config.pipeline.startswith(family.prefixes):
            return family
    return GENERIC
