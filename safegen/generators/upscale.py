"""Presentation: a short native clip of few pixels becomes a released one of many, smooth in space and time.

Space: cubic interpolation, sharpened, and held between the darkest and brightest of the neighbouring native
pixels, so that edges are crisp and never ring. Time: optical flow (DIS; T. Kroeger et al., "Fast Optical
Flow using Dense Inverse Search", ECCV 2016) in both directions; each new frame is the two warped
neighbours, weighted by nearness.
"""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from itertools import islice
from typing import TYPE_CHECKING

import numpy as np

from safegen.errors import UsageError
from safegen.types import Clip

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from safegen.types import Frame

    Frames = NDArray[np.uint8]
    Floats = NDArray[np.float32]

_FLOW_SIDE = 256
_SHARPEN = 0.9
MAX_SIDE = 4096
MAX_FRAMES = 24 * 600


def upscale_clip(
    frames: Frames, *, width: int, height: int, seconds: float, fps: int, drop_last: bool = False
) -> Clip:
    """A clip of ``width`` x ``height`` pixels at ``fps`` lasting ``seconds`` from native ``frames``.

    ``frames``: uint8 RGB, shape (n, h, w, 3), n >= 1, evenly spread over the whole duration. The picture is
    scaled to cover the target and centred; what sticks out is cut off. The result streams: one pass holds two
    native frames at a time, and every pass gives the same bytes. ``drop_last`` leaves the last frame out, for
    clips that are played in a loop. Raises UsageError for sizes out of range.
    """
    count = check_output(width, height, seconds, fps)
    shown = count - drop_last
    return Clip(
        lambda: islice(_stream(frames, width, height, count), shown), width, height, Fraction(fps), shown
    )


def check_output(width: int, height: int, seconds: float, fps: int) -> int:
    """Frames of a clip of that size, duration and rate. Raises UsageError when it cannot be made."""
    count = round(seconds * fps)
    if not (16 <= width <= MAX_SIDE and 16 <= height <= MAX_SIDE and width % 2 == 0 and height % 2 == 0):
        raise UsageError(
            f"{width}x{height} is not a size that can be released",
            hint=f"use even sides from 16 to {MAX_SIDE} pixels",
        )
    if fps < 1 or not 1 <= count <= MAX_FRAMES:
        raise UsageError(
            f"{seconds:g} s at {fps} fps cannot be made",
            hint=f"use at least one frame and at most {MAX_FRAMES}: {MAX_FRAMES / max(fps, 1):g} s at "
            "this rate",
        )
    return count


def _stream(frames: Frames, width: int, height: int, count: int) -> Iterator[Frame]:
    at = np.linspace(0, len(frames) - 1, count)
    pair = -1
    first = last = np.zeros((0,), np.float32)
    forward = backward = first
    for when in at:
        index = min(int(when), max(len(frames) - 2, 0))
        if index != pair:
            reuse = pair >= 0 and index == pair + 1
            first = last if reuse else upscale_frame(frames[index], width, height)
            following = min(index + 1, len(frames) - 1)
            last = upscale_frame(frames[following], width, height)
            forward = optical_flow(frames[index], frames[following])
            backward = optical_flow(frames[following], frames[index])
            pair = index
        yield _between(first, last, forward, backward, float(when - index))


def upscale_frame(frame: Frame, width: int, height: int) -> Floats:
    """One frame scaled to cover (height, width), without ringing: float32 RGB in 0..255."""
    import cv2

    h, w = frame.shape[:2]
    scale = max(width / w, height / h)
    size = (max(width, round(w * scale)), max(height, round(h * scale)))
    source = frame.astype(np.float32)
    big = cv2.resize(source, size, interpolation=cv2.INTER_CUBIC)
    if scale > 1.5:
        soft = cv2.GaussianBlur(big, (0, 0), 0.6 * scale)
        box = np.ones((3, 3), np.uint8)
        low = cv2.resize(cv2.erode(source, box), size, interpolation=cv2.INTER_LINEAR)
        high = cv2.resize(cv2.dilate(source, box), size, interpolation=cv2.INTER_LINEAR)
        big = np.clip(big + _SHARPEN * (big - soft), low, high)
    top, left = (size[1] - height) // 2, (size[0] - width) // 2
    return np.asarray(big[top : top + height, left : left + width], np.float32)


def optical_flow(a: Frame, b: Frame) -> Floats:
    """Where the pixels of ``a`` go in ``b``: (side, side', 2) float32 in fractions of the picture's sides."""
    import cv2

    h, w = a.shape[:2]
    scale = _FLOW_SIDE / max(h, w)
    size = (max(32, round(w * scale)), max(32, round(h * scale)))
    grey = [_contrasty(cv2.resize(x, size, interpolation=cv2.INTER_CUBIC)) for x in (a, b)]
    search = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM)
    search.setFinestScale(1)
    field = search.calc(grey[0], grey[1], None)
    return np.asarray(field / np.array(size, np.float32), np.float32)


def _contrasty(frame: Frame) -> NDArray[np.uint8]:
    """One channel in which differently coloured things differ even at equal brightness."""
    mix = frame.astype(np.float32) @ np.array([0.55, 0.15, -0.45], np.float32) + 115
    return np.clip(mix, 0, 255).astype(np.uint8)


def _between(first: Floats, last: Floats, forward: Floats, backward: Floats, t: float) -> Frame:
    """The frame at ``t`` in 0..1 between two enlarged ones."""
    if t < 1e-6:
        return np.round(first).astype(np.uint8)
    a = _warped(first, forward, t)
    b = _warped(last, backward, 1 - t)
    return np.round(np.clip((1 - t) * a + t * b, 0, 255)).astype(np.uint8)


def _warped(frame: Floats, field: Floats, t: float) -> Floats:
    """The frame moved along ``t`` of its flow, the flow at a place standing for that of where it came
    from."""
    import cv2

    h, w = frame.shape[:2]
    rows, columns = field.shape[:2]
    scale = max(w / columns, h / rows)
    size = (max(w, round(columns * scale)), max(h, round(rows * scale)))
    whole = cv2.resize(field, size, interpolation=cv2.INTER_LINEAR) * np.array(size, np.float32)
    top, left = (size[1] - h) // 2, (size[0] - w) // 2
    motion = whole[top : top + h, left : left + w]
    ys, xs = np.mgrid[0:h, 0:w].astype(np.float32)
    moved = cv2.remap(
        frame,
        xs - t * motion[..., 0],
        ys - t * motion[..., 1],
        cv2.INTER_LINEAR,
        borderMode=cv2.BORDER_REPLICATE,
    )
    return np.asarray(moved, np.float32)
