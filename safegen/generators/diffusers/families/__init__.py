"""Families of pipelines: one small file each, stating only what differs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from safegen.generators.diffusers.families._base import (
    ABILITY_FOR_MODE,
    Ability,
    Family,
    NativeFormat,
    PipelineCall,
)
from safegen.generators.diffusers.families.generic import Generic

if TYPE_CHECKING:
    from safegen.generators.diffusers.model_config import PipelineConfig

__all__ = ["ABILITY_FOR_MODE", "Ability", "Family", "NativeFormat", "PipelineCall", "families", "family_of"]

GENERIC = Generic()


def families() -> tuple[Family, ...]:
    """The families with a file of their own."""
    from safegen.generators.diffusers.families import cogvideox, hunyuan, ltx, mochi, wan

    return (
        wan.FAMILY,
        ltx.FAMILY,
        ltx.FAMILY_2,
        cogvideox.FAMILY,
        hunyuan.FAMILY_15,
        hunyuan.FRAMEPACK,
        hunyuan.FAMILY,
        mochi.FAMILY,
    )


def family_of(facts: PipelineConfig) -> Family:
    """The family of a pipeline, by its class name; the generic one for the rest."""
    for family in families():
        if facts.pipeline.startswith(family.prefixes):
            return family
    return GENERIC
