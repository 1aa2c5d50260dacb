"""Schemes that know only RGB, on pictures as they are stored: what changes, and what is refused early."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest

from safegen.errors import UsageError
from safegen.media.footage import Footage, Picture
from safegen.media.rgb_edit import RgbRoundTrip
from safegen.media.sandbox import Limits
from safegen.pipeline.mark_planes import check_scheme_fits, mark_planes
from safegen.types import FrameSample, WatermarkReading
from safegen.watermarks.tile import TileWatermark

if TYPE_CHECKING:
    from safegen.types import Frame

FOOTAGE = Footage(
    Path("a.mp4"), 32, 16, 8, False, (1, 1, 1), Fraction(1), Fraction(1, 24), Fraction(0), Fraction(24),
    1.0, 24, "", (), "", 0, "h264", (32, 16), Limits(), False,
)  # fmt: skip


class Redder:
    """A scheme that knows RGB only: the left half becomes redder."""

    alg, payload_bits, sample_frames, sample_short_side = "org.safegen.watermark.redder.1", 8, 1, None

    def embed(self, frames: Iterable[Frame], *, payload: int, key: bytes) -> Iterator[Frame]:
        for frame in frames:
            frame[:, :16, 0] += np.uint8(payload)
            yield frame

    def detect(
        self, sample: FrameSample, *, key: bytes, known: Sequence[int] = ()
    ) -> Sequence[WatermarkReading]:
        return ()


def pictures(count: int = 3) -> list[Picture]:
    """Smooth pictures in limited range: uint8 planes (24, 32)."""
    planes = np.repeat(np.linspace(60, 150, 32)[None], 24, axis=0).round().astype(np.uint8)
    small = np.zeros((16, 32, 3), np.uint8)
    return [Picture(planes + np.uint8(n), n, 1, small) for n in range(count)]


def test_only_the_schemes_own_change_reaches_the_planes() -> None:
    marked = list(mark_planes(Redder(), iter(pictures()), FOOTAGE, 40))
    assert [p.time for p in marked] == [0, 1, 2]
    for before, after in zip(pictures(), marked, strict=True):
        assert np.array_equal(after.planes[:16, 18:], before.planes[:16, 18:])
        shift = after.planes[:16, 2:14].astype(int) - before.planes[:16, 2:14]
        assert 0 < np.median(shift) < 40


def test_colours_come_back_through_the_matrix_of_the_file() -> None:
    planes = pictures(1)[0].planes
    planes[16:] = 110
    shown = {m: RgbRoundTrip(full_range=False, matrix=m).rgb(planes) for m in (1, 6)}
    assert not np.array_equal(shown[1], shown[6])
    for matrix, rgb in shown.items():
        back = RgbRoundTrip(full_range=False, matrix=matrix).planes(rgb)
        assert np.abs(back.astype(int) - planes).max() <= 3


@pytest.mark.parametrize(("change", "why"), [({"depth": 10}, "10-bit"), ({"matrix": (0,) * 9}, "rotated")])
def test_what_would_not_be_found_again_is_refused(change: dict, why: str) -> None:
    footage = replace(FOOTAGE, **change)
    with pytest.raises(UsageError, match=why):
        check_scheme_fits(Redder(), "redder", footage)
    check_scheme_fits(TileWatermark(), "tile", footage)
    check_scheme_fits(Redder(), "redder", FOOTAGE)
