"""The visible label in stored pictures: upright for whoever sees them, at every depth and range."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest

from safegen.errors import UsageError
from safegen.media import _worker
from safegen.media.footage import Footage, open_footage
from safegen.media.label import draw_labels
from safegen.media.label_planes import PlaneLabel, _orientation

TEXT = "AI"
ONE = 1 << 16
TURNS = {
    0: (),
    90: (0, ONE, 0, -ONE, 0, 0, 0, 0, 1 << 30),
    180: (-ONE, 0, 0, 0, -ONE, 0, 0, 0, 1 << 30),
    270: (0, -ONE, 0, ONE, 0, 0, 0, 0, 1 << 30),
}


def shown(footage: Footage, planes: np.ndarray, turn: int) -> np.ndarray:
    """Stored planes as the sandbox shows them: upright RGB."""
    frame = av.VideoFrame.from_ndarray(planes, format="yuv420p")
    frame.color_range = 2 if footage.full_range else 1
    return _worker.pixels(frame, None, turn)


@pytest.mark.parametrize("turn", TURNS)
def test_it_reads_upright(
    tmp_path: Path, makers: dict[str, Callable[..., Any]], at_home: None, turn: int
) -> None:
    path = makers["film"](tmp_path / "turned.mp4", count=1, size=(192, 256), matrix=TURNS[turn] or None)
    footage = open_footage(path)
    (picture,) = footage
    stored = next(
        f.rotation for b in [av.open(str(path))] for f in b.decode(video=0)
    )  # degrees, as the library itself says
    assert (stored % 180 == 90) == (turn % 180 == 90)
    before = shown(footage, picture.planes, stored)
    drawn = PlaneLabel(footage, TEXT).draw(picture)
    after = shown(footage, drawn.planes, stored)
    (wanted,) = draw_labels([before], TEXT)
    label = (wanted != before).any(axis=2)
    away, done = (np.abs(after.astype(int) - other).mean(axis=2) for other in (wanted, before))
    assert away[label].mean() < 0.15 * done[label].mean(), "as in upright RGB, but for the coarser colours"
    assert done[~label].mean() < 0.02 * done[label].mean()


def test_ten_bits_and_limited_range(
    tmp_path: Path, makers: dict[str, Callable[..., Any]], at_home: None
) -> None:
    path = makers["film"](
        tmp_path / "deep.mp4", codec="libx265", pixels="yuv420p10le", count=1, size=(192, 256)
    )
    footage = open_footage(path)
    (picture,) = footage
    assert picture.planes.dtype == np.uint16
    luma = PlaneLabel(footage, TEXT).draw(picture).planes[: footage.height]
    assert 900 <= luma.max() <= 940, "white of 10 bits, not more; how smooth letters are is OpenCV's"
    # The box: black or what was there at a fifth of its brightness.
    label = luma[-40:-6, 6:30]
    assert np.median(label) < 64 + 0.2 * 876
    assert label.min() >= 60


def test_mirrors() -> None:
    """x' = ax + cy, y' = bx + dy: what grows with what (ISO 14496-12)."""
    assert _orientation(()) == (False, True, True)
    assert _orientation((-ONE, 0, 0, 0, ONE, 0, 0, 0, 1)) == (False, False, True)
    assert _orientation((0, ONE, 0, ONE, 0, 0, 0, 0, 1)) == (True, True, True)


def test_what_does_not_fit_is_refused_before_anything_is_read(
    tmp_path: Path, makers: dict[str, Callable[..., Any]], at_home: None
) -> None:
    footage = open_footage(makers["film"](tmp_path / "small.mp4", count=1))
    with pytest.raises(UsageError, match="does not fit a 96x64 picture"):
        PlaneLabel(footage, "made with a generative model")
