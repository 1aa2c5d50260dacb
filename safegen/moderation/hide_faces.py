"""Faces made unrecognisable: every frame is looked at, and what is found stays hidden a little longer."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, TypeAlias

from safegen.detectors.frames import faces
from safegen.errors import CheckUnavailable, SafegenError
from safegen.types import Action

if TYPE_CHECKING:
    from safegen.types import Clip, Frame

Box: TypeAlias = tuple[int, int, int, int]
"""x, y, width, height in pixels."""
BLOCKS = 6
"""Blocks a pixelated face is made of, along its shorter side: too few for a likeness."""
MARGIN = 0.25
"""How much is hidden around a face, as a share of its size, on every side."""
HOLD_FRAMES = 6
"""Frames for which a face stays hidden where it was last seen: detectors miss single frames."""


def hide_faces(clip: Clip, style: Action, *, detect: Callable[[Frame], Sequence[Box]] | None = None) -> Clip:
    """*clip* with every face pixelated or blurred, worked out anew at every pass.

    *detect* (default: the detector of the check ``faces``) gives the faces of a frame. Frames are copies,
    uint8 RGB of
    the same size. Iterating raises CheckUnavailable when the detector cannot run.
    """
    return replace(clip, open=lambda: _hide_in_frames(clip, style, detect or _face_detector()))


def _face_detector() -> Callable[[Frame], Sequence[Box]]:
    return faces.open_detector().boxes


def _hide_in_frames(clip: Clip, how: Action, detect: Callable[[Frame], Sequence[Box]]) -> Iterator[Frame]:
    """A face is hidden in the frames before it is first seen, too, as far as the window goes."""
    waiting: deque[tuple[Frame, list[Box]]] = deque()
    recent: deque[list[Box]] = deque(maxlen=HOLD_FRAMES)
    for frame in clip:
        try:
            now = list(detect(frame))
        except SafegenError:
            raise
        except Exception as error:
            raise CheckUnavailable(f"the faces could not be found: {error}") from error
        for _, earlier in waiting:
            earlier += now
        waiting.append((frame, [b for boxes in recent for b in boxes] + now))
        recent.append(now)
        if len(waiting) > HOLD_FRAMES:
            yield _cover_boxes(*waiting.popleft(), how)
    while waiting:
        yield _cover_boxes(*waiting.popleft(), how)


def _cover_boxes(frame: Frame, boxes: Sequence[Box], how: Action) -> Frame:
    """A copy of *frame* without what is in *boxes*."""
    out = frame.copy()
    height, width = frame.shape[:2]
    for x, y, w, h in boxes:
        dx, dy = round(w * MARGIN), round(h * MARGIN)
        left, right = max(0, x - dx), min(width, x + w + dx)
        top, bottom = max(0, y - dy), min(height, y + h + dy)
        if right > left and bottom > top:
            out[top:bottom, left:right] = _without_detail(out[top:bottom, left:right], how)
    return out


def _without_detail(part: Frame, how: Action) -> Frame:
    """Few blocks of one colour each, or the same smoothed: what is taken away cannot be got back."""
    import cv2
    import numpy as np

    height, width = part.shape[:2]
    size = max(1.0, min(height, width) / BLOCKS)
    few = (max(1, round(width / size)), max(1, round(height / size)))
    small = cv2.resize(part, few, interpolation=cv2.INTER_AREA)
    spread = cv2.INTER_NEAREST if how == Action.PIXELATE else cv2.INTER_CUBIC
    return np.asarray(cv2.resize(small, (width, height), interpolation=spread), np.uint8)
