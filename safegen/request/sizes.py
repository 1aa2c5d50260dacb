"""Picture sizes by name: ``720p``, ``1280x720``, and shapes such as ``16:9``."""

from __future__ import annotations

import re
from collections.abc import Callable

from safegen.errors import UsageError

STEP = 16
"""Video models want sides that are multiples of this (pixels)."""
_NAMED = re.compile(r"(\d{2,4})p", re.ASCII | re.IGNORECASE)
_EXACT = re.compile(r"(\d{2,4})[xX×](\d{2,4})", re.ASCII)
_SHAPE = re.compile(r"(\d{1,3})[:/](\d{1,3})", re.ASCII)

Natural = Callable[[], tuple[int | None, int | None]]


def resolve_size(
    *,
    size: str | None = None,
    aspect: str | None = None,
    width: int | None = None,
    height: int | None = None,
    natural: Natural,
) -> tuple[int | None, int | None]:
    """Width and height (pixels) from the user's settings; ``None`` leaves one to the model.

    *size* is ``HEIGHTp`` (the short side; 16:9 unless *aspect* says otherwise) or ``WIDTHxHEIGHT``; *aspect*
    is ``WIDTH:HEIGHT``. With *aspect* alone the short side is that of *natural*, the model's own size; with
    one of *width* and *height* the other follows. Sides that are worked out are multiples of 16. Raises
    UsageError for contradictory settings or an invalid size.
    """
    if size is None and aspect is None:
        return width, height
    if size is not None and (width or height):
        raise UsageError("--size conflicts with --width or --height", hint="give only one of them")
    if size is not None and (exact := _EXACT.fullmatch(size)):
        if aspect is not None:
            raise UsageError(f"{size} already has a shape", hint="omit --aspect")
        return int(exact[1]), int(exact[2])
    shape = _ratio(aspect or "16:9")
    if size is not None:
        return _sides(_short(size), shape)
    if width and height:
        raise UsageError("width and height already define the shape", hint="omit --aspect")
    if width:
        return width, _even(width / shape)
    if height:
        return _even(height * shape), height
    sides = [side for side in natural() if side]
    if not sides:
        raise UsageError("this model's own size is unknown until it is loaded", hint="give --size as well")
    return _sides(min(sides), shape)


def _short(size: str) -> int:
    """The short side that a name such as 720p stands for."""
    named = _NAMED.fullmatch(size)
    if named is None or int(named[1]) < STEP:
        raise UsageError(f"{size!r} is not a size", hint="write it like 480p, 720p, 1080p or 832x480")
    return int(named[1])


def _ratio(aspect: str) -> float:
    """Width over height."""
    shape = _SHAPE.fullmatch(aspect.strip())
    if shape is None or not int(shape[1]) or not int(shape[2]):
        raise UsageError(f"{aspect!r} is not a shape", hint="write WIDTH:HEIGHT, such as 16:9, 9:16 or 1:1")
    ratio = int(shape[1]) / int(shape[2])
    if not 0.2 <= ratio <= 5:
        raise UsageError(f"{aspect} is too long and narrow", hint="use a shape between 1:5 and 5:1")
    return ratio


def _sides(short: int, ratio: float) -> tuple[int, int]:
    """Width and height for a short side; the long one is rounded, the short one as asked if it is even."""
    kept = short - short % 2
    return (_even(short * ratio), kept) if ratio >= 1 else (kept, _even(short / ratio))


def _even(side: float) -> int:
    """*side* rounded to the nearest multiple of STEP."""
    return max(STEP, round(side / STEP) * STEP)
