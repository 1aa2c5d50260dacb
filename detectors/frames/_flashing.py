"""Counting flashes, cell by cell: WCAG 2.2 success criterion 2.3.1 and ITU-R BT.1702.

The picture is laid over a screen of 1024 x 768 pixels (the display WCAG assumes) and divided into cells of
32/9 pixels, 0.1 degrees: what is finer, such as white noise or a small checkerboard, averages out, as the
standard's exception wants. 10 degrees of the visual field, 341 x 256 pixels, are 96 x 72 cells.

A *transition* is a change between neighbouring extremes: of relative luminance by 10% or more with the darker
side below 0.80 (general); of (R - G - B) x 320, linear and never negative, by more than 20 with one side a
saturated red, R / (R + G + B) >= 0.8 (red; WCAG 2.0 and 2.1). Two opposing transitions are a flash. More
than three flashes, that is seven transitions, within a second are too many where they happen together in more
than a quarter of any 10 degrees of the visual field.
"""

from __future__ import annotations

from collections import deque
from fractions import Fraction
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from safegen.types import Frame

    Plane = NDArray[np.float32]
    Mask = NDArray[np.bool_]

SCREEN = (1024, 768)
FIELD = (96, 72)
"""10 degrees of the visual field in cells (width, height)."""
AREA = 0.25
TRANSITIONS = 7
"""Transitions in one second from which there are more than three flashes."""
GENERAL, DARKER = 0.1, 0.8
BROAD = 0.4
"""Share of a change that its surroundings must show: a corner of something large shows 4/9."""
RED, SATURATED = 20.0, 0.8
_CELLS = 288
_TINY = 1e-6
_LIMIT = AREA * FIELD[0] * FIELD[1]


def grid(width: int, height: int) -> tuple[int, int]:
    """Columns and rows of cells for a picture of *width* x *height* pixels, shown as large as it fits."""
    scale = min(SCREEN[0] / width, SCREEN[1] / height) * _CELLS / SCREEN[0]
    return max(1, round(width * scale)), max(1, round(height * scale))


def _linear_table() -> Plane:
    """Linear light in [0, 1] for each 8-bit sRGB value (IEC 61966-2-1)."""
    v = np.arange(256) / 255
    return np.where(v <= 0.04045, v / 12.92, ((v + 0.055) / 1.055) ** 2.4).astype(np.float32)


_LINEAR = _linear_table()


def cells(frame: Frame, size: tuple[int, int]) -> tuple[Plane, Plane, Mask]:
    """Of a picture (uint8 RGB) in *size* cells: luminance, redness ((R - G - B) x 320), saturated red?"""
    import cv2

    shrinks = frame.shape[1] >= size[0] and frame.shape[0] >= size[1]
    how = cv2.INTER_AREA if shrinks else cv2.INTER_NEAREST
    small = frame if frame.shape[1::-1] == size else cv2.resize(frame, size, interpolation=how)
    linear = _LINEAR[small]
    red, green, blue = linear[..., 0], linear[..., 1], linear[..., 2]
    luminance = 0.2126 * red + 0.7152 * green + 0.0722 * blue
    redness = np.maximum(red - green - blue, 0) * 320
    return luminance, redness, red >= SATURATED * (red + green + blue + _TINY)


class _ExtremeTracker:
    """Follows every cell from one extreme to the next and says which turned by enough.

    Around the cell, over 3 x 3 cells, some of it (BROAD) must be seen too: a fine pattern that reverses
    changes its cells and not the picture.
    """

    def __init__(self, first: Plane, step: float) -> None:
        self._low, self._high = first.copy(), first.copy()
        self._broad_low = self._broad_high = _broad(first)
        self._way = np.zeros(first.shape, np.int8)
        self._step = BROAD * step

    def update(self, now: Plane, rise: Any, fall: Any) -> tuple[Mask, Mask]:
        """Cells that go up, and down. *rise* (low, now) and *fall* (high, now) say what is enough."""
        climbing, sinking = self._way <= 0, self._way >= 0
        np.minimum(self._low, now, out=self._low, where=climbing)
        np.maximum(self._high, now, out=self._high, where=sinking)
        broad = _broad(now)
        self._broad_low = np.minimum(self._broad_low, broad)
        self._broad_high = np.maximum(self._broad_high, broad)
        up = climbing & rise(self._low, now) & (broad - self._broad_low >= self._step)
        down = sinking & fall(self._high, now) & (self._broad_high - broad >= self._step)
        turned = up | down
        self._way[up], self._way[down] = 1, -1
        for extreme, value in (
            (self._low, now),
            (self._high, now),
            (self._broad_low, broad),
            (self._broad_high, broad),
        ):
            np.copyto(extreme, value, where=turned)
        return up, down


def _broad(plane: Plane) -> Plane:
    """Every cell as the mean of itself and its neighbours."""
    import cv2

    return np.asarray(cv2.blur(plane, (3, 3)), np.float32)


class TransitionCounter:
    """Transitions of the last second: in every cell, and of the picture as a whole."""

    def __init__(self, size: tuple[int, int], fps: Fraction) -> None:
        """*size*: columns, rows."""
        self._fps = fps
        self._counts = np.zeros(size[::-1], np.uint8)
        self._recent: deque[tuple[int, Mask]] = deque()
        self._events: deque[int] = deque()
        self._last = 0
        self._kernel = (min(FIELD[0], size[0]), min(FIELD[1], size[1]))

    def update(self, number: int, up: Mask, down: Mask) -> float:
        """Frame *number*'s transitions; the share of the worst 10 degrees that flashes too often, 0 to 1."""
        turned = up | down
        self._counts += turned
        self._recent.append((number, turned))
        while number - self._recent[0][0] >= self._fps:
            self._counts -= self._recent.popleft()[1]
        worst = self._share((self._counts >= TRANSITIONS).astype(np.float32))
        if self._event(number, up, down) >= TRANSITIONS:
            worst = max(worst, self._share(turned.astype(np.float32)))
        return worst

    def _event(self, number: int, up: Mask, down: Mask) -> int:
        """How often, in the last second, a quarter of a field went one way and then back, wherever it was.

        What goes up here is set off against what goes down beside it: that is motion, not a flash.
        """
        net = up.astype(np.float32) - down
        ways = {
            way for way in (1, -1) if float((net == way).sum()) > _LIMIT and self._share(net * way) > AREA
        }
        if ways - {self._last}:
            self._last = 0 if len(ways) == 2 else ways.pop()
            self._events.append(number)
        while self._events and number - self._events[0] >= self._fps:
            self._events.popleft()
        return len(self._events)

    def _share(self, values: Plane) -> float:
        """The largest sum of *values* in any field, as a share of the field."""
        import cv2

        if not values.any():
            return 0.0
        sums = cv2.boxFilter(
            values, cv2.CV_32F, self._kernel, normalize=False, borderType=cv2.BORDER_CONSTANT
        )
        return min(1.0, float(sums.max()) / (FIELD[0] * FIELD[1]))


class General:
    """General flashes: luminance."""

    def __init__(self, first: Plane, size: tuple[int, int], fps: Fraction) -> None:
        """*first*: luminance of the first frame's cells."""
        self._turns, self._counter = _ExtremeTracker(first, GENERAL), TransitionCounter(size, fps)

    def update(self, number: int, luminance: Plane) -> float:
        """The share of the worst field that flashes too often with frame *number*."""
        step = GENERAL - _TINY
        up, down = self._turns.update(
            luminance,
            lambda low, now: (now - low >= step) & (low < DARKER),
            lambda high, now: (high - now >= step) & (now < DARKER),
        )
        return self._counter.update(number, up, down)


class Red:
    """Red flashes: changes to and from saturated red."""

    def __init__(self, first: Plane, saturated: Mask, size: tuple[int, int], fps: Fraction) -> None:
        """*first*: redness of the first frame's cells; *saturated*: which are a saturated red."""
        self._turns, self._counter = _ExtremeTracker(first, RED), TransitionCounter(size, fps)
        self._red_before = saturated

    def update(self, number: int, redness: Plane, saturated: Mask) -> float:
        """The share of the worst field that flashes too often with frame *number*."""
        either = saturated | self._red_before
        up, down = self._turns.update(
            redness,
            lambda low, now: (now - low > RED) & either,
            lambda high, now: (high - now > RED) & either,
        )
        self._red_before = np.where(up | down, saturated, self._red_before | saturated)
        return self._counter.update(number, up, down)
