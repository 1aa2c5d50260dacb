"""The sandboxed worker's side data: what goes along with pictures and does not go into a release."""

from __future__ import annotations

from collections.abc import Iterable

_LOST = {
    "A53_CC": "captions inside the pictures (CEA-608/708) are not kept",
    "DOVI_RPU_BUFFER": "the Dolby Vision layer is not kept",
    "DOVI_METADATA": "the Dolby Vision layer is not kept",
    "DYNAMIC_HDR_PLUS": "the HDR10+ layer is not kept",
    "DYNAMIC_HDR_VIVID": "the HDR Vivid layer is not kept",
    "STEREO3D": "that it is stereoscopic is not kept",
    "SPHERICAL": "that it is a 360-degree video is not kept",
    "S12M_TIMECODE": "time codes are not kept",
    "ICC_PROFILE": "the pictures' colour profile is not kept",
}
ASIDE = tuple(_LOST)
"""Kinds of side data, by FFmpeg's name, whose loss is worth a word."""


def lost(kinds: Iterable[str]) -> list[str]:
    """A sentence about each of *kinds*, none twice, in the order of the table."""
    found = set(kinds)
    return list(dict.fromkeys(text for kind, text in _LOST.items() if kind in found))
