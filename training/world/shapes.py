"""Outlines of the things, shared with the judge, and the colours they are painted in."""

from __future__ import annotations

from safegen.detectors.frames._outlines import RGB, Part, parts
from training.world.spec import COLOURS

__all__ = ["RGB", "Part", "named", "parts"]


def named(colour: str) -> RGB:
    """RGB of a colour's name."""
    return COLOURS[colour]
