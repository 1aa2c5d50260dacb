"""``dwtDct`` of invisible-watermark (optional): the largest DWT-DCT coefficient of blocks, in chroma.

64 payload bits, repeated over the blocks of every frame. Not robust to cropping or turning, no proven
bound; see ``_imwatermark`` for how presence is decided.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from safegen.watermarks._imwatermark import ImWatermark

if TYPE_CHECKING:
    from safegen.protocols import Watermark


def create() -> Watermark:
    """The plug-in. Raises MissingExtra, with the line to install, when the library is absent."""
    return ImWatermark("dwtDct", bits=64, accept_log10_p=-9.0)
