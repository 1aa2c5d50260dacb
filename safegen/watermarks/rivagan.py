"""``rivaGan`` of invisible-watermark (optional): a neural mark run with onnxruntime.

It carries 32 bits only: of a 64-bit content id the low 32 are embedded, and a ledger's ids are compared
by their low 32 bits. All 32 agreeing with one of n ids has probability n / 2**32 by chance, so a mark
counts as present from 1e-6, weaker evidence than the other schemes ask for. Seconds per frame on a CPU.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from safegen.watermarks._imwatermark import ImWatermark

if TYPE_CHECKING:
    from safegen.protocols import Watermark


def create() -> Watermark:
    """The plug-in. Raises MissingExtra, with the line to install, when the library is absent."""
    return ImWatermark("rivaGan", bits=32, accept_log10_p=-6.0)
