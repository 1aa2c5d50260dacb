"""Marking pictures as they are stored: their luma where the scheme can, else by way of 8-bit RGB."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

from safegen.errors import UsageError
from safegen.media.rgb_edit import RgbRoundTrip
from safegen.protocols import LumaWatermark, Watermark
from safegen.watermarks import PUBLIC_KEY

if TYPE_CHECKING:
    from safegen.media.footage import Footage, Picture
    from safegen.types import Frame

__all__ = ["check_scheme_fits", "mark_planes"]


def check_scheme_fits(scheme: Watermark, name: str, footage: Footage) -> None:
    """Refuse early what the scheme cannot mark so that it is found again. Raises UsageError."""
    if isinstance(scheme, LumaWatermark):
        return
    why = ""
    if footage.depth > 8:
        why = "this video has 10-bit colour"
    elif footage.matrix:
        why = "this video is rotated when it is shown, and the mark could not be found in rotated frames"
    if why:
        raise UsageError(f"the watermark {name!r} can mark only upright 8-bit frames: {why}", hint="use tile")


def mark_planes(
    scheme: Watermark, pictures: Iterator[Picture], footage: Footage, payload: int
) -> Iterator[Picture]:
    """*pictures* of *footage* with *payload* in them, changed in place, one in one out.

    A scheme that knows only RGB changes colours, too; only its own change is carried over to the planes.
    """
    if isinstance(scheme, LumaWatermark):
        yield from _mark_luma(scheme, pictures, footage, payload)
    else:
        yield from _mark_rgb(scheme, pictures, footage, payload)


def _mark_luma(
    scheme: LumaWatermark, pictures: Iterator[Picture], footage: Footage, payload: int
) -> Iterator[Picture]:
    waiting: deque[Picture] = deque()

    def planes() -> Iterator[Any]:
        for picture in pictures:
            waiting.append(picture)
            yield picture.planes[: footage.height]

    for luma in scheme.embed_luma(
        planes(), payload=payload, key=PUBLIC_KEY, depth=footage.depth, full_range=footage.full_range
    ):
        picture = waiting.popleft()
        picture.planes[: footage.height] = luma
        yield picture


def _mark_rgb(
    scheme: Watermark, pictures: Iterator[Picture], footage: Footage, payload: int
) -> Iterator[Picture]:
    way = RgbRoundTrip(full_range=footage.full_range, matrix=footage.colours[2])
    waiting: deque[tuple[Picture, Frame]] = deque()

    def frames() -> Iterator[Frame]:
        for picture in pictures:
            before = way.rgb(np.asarray(picture.planes, np.uint8))
            waiting.append((picture, before))
            yield before.copy()

    for after in scheme.embed(frames(), payload=payload, key=PUBLIC_KEY):
        picture, before = waiting.popleft()
        picture.planes[:] = way.apply_rgb_change(np.asarray(picture.planes, np.uint8), before, after)
        yield picture
