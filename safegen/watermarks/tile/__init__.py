"""The ``tile`` watermark: a keyed, static, tiled luma pattern with a proven false-positive bound.

Rooms: ``carrier`` (which frequencies, which signs), ``code`` (64 bits <-> 320 coded bits), ``mask``
(how strong, where), ``embed``; ``residual`` (frames -> one picture), ``spectrum`` (one FFT, any
geometry), ``search`` (where the tiles lie), ``statistic`` (the bound), ``detect``. See docs/watermark.md.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

from safegen.watermarks.tile.scheme import ALG

if TYPE_CHECKING:
    from safegen.protocols import Watermark
    from safegen.types import Frame, FrameSample, WatermarkReading
    from safegen.watermarks.tile.luma import Plane

__all__ = ["ALG", "TileWatermark", "create"]


class TileWatermark:
    """The built-in scheme behind ``safegen.protocols.Watermark``; stateless."""

    alg: str = ALG
    payload_bits: int = 64
    sample_frames: int = 64
    sample_short_side: int | None = 360

    def embed(self, frames: Iterable[Frame], *, payload: int, key: bytes) -> Iterator[Frame]:
        """Yield marked copies of *frames* (uint8 RGB, (height, width, 3)), one in one out.

        Raises UsageError when *payload* is not in [0, 2**64).
        """
        from safegen.watermarks.tile.embed import embed

        return embed(frames, payload=payload, key=key)

    def embed_luma(
        self, planes: Iterable[Plane], *, payload: int, key: bytes, depth: int, full_range: bool
    ) -> Iterator[Plane]:
        """Mark luma planes in place: see ``safegen.protocols.LumaWatermark``."""
        from safegen.watermarks.tile.luma import embed_luma

        return embed_luma(planes, payload=payload, key=key, depth=depth, full_range=full_range)

    def detect(
        self, sample: FrameSample, *, key: bytes, known: Sequence[int] = ()
    ) -> Sequence[WatermarkReading]:
        """Every mark found, strongest first; one reading with ``present=False`` when there is none."""
        from safegen.watermarks.tile.detect import detect

        return detect(sample, key=key, known=known)


def create() -> Watermark:
    """The plug-in."""
    return TileWatermark()
