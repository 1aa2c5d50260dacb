"""The embedded model: its generator, its modes, its latents."""

from __future__ import annotations

from safegen.protocols import ShippedGenerator


def create() -> ShippedGenerator:
    """The plug-in."""
    from safegen.generators.tiny.generator import TinyGenerator

    return TinyGenerator()
