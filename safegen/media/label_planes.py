"""The visible label in pictures as they are stored: luma and chroma, turned or mirrored, at any depth."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from safegen.media.label import SHADE, label_box

if TYPE_CHECKING:
    from safegen.media.footage import Footage, Picture

PQ, HLG = 16, 18
"""Transfer characteristics (ITU-T H.273) in which full scale is far brighter than a page's white."""
WHITE = {PQ: 0.58, HLG: 0.75}
"""Where white lies there, as a share of the range (ITU-R BT.2408: 203 cd/m2)."""


class PlaneLabel:
    """Writes *text* into the pictures of *footage*, to be read by whoever sees them upright.

    Raises UsageError: a text that cannot be written, or one that is wider than the pictures.
    """

    def __init__(self, footage: Footage, text: str) -> None:
        """Work out where each pixel of the label lies in the stored pictures."""
        import numpy as np

        across, down = footage.small  # upright
        label_box(text, down, across)  # it has to fit the pictures that are shown beside the verdict, too
        turned, right, below = _orientation(footage.matrix)
        size = (footage.width, footage.height) if turned else (footage.height, footage.width)
        box = label_box(text, *size)
        white, at = box.white, [box.top, box.left]
        if turned:
            white, at = white.T, at[::-1]
        for axis, (forward, whole) in enumerate(((below, footage.height), (right, footage.width))):
            if not forward:
                white = np.flip(white, axis)
                at[axis] = whole - at[axis] - white.shape[axis]
        odd = [place % 2 for place in at]
        after = [(n + o) % 2 for n, o in zip(white.shape, odd, strict=True)]
        self._white = np.pad(white, list(zip(odd, after, strict=True)))
        self._top, self._left = at[0] - odd[0], at[1] - odd[1]
        self._rows = footage.height
        step = 1 << (footage.depth - 8)
        self._low, high = (0, 256 * step - 1) if footage.full_range else (16 * step, 235 * step)
        self._range = (high - self._low) * WHITE.get(footage.colours[1], 1.0)
        self._grey = 128 * step

    def draw(self, picture: Picture) -> Picture:
        """The picture, now with the label; its small version, which the checks see, stays without."""
        planes, white = picture.planes, self._white
        tall, wide = white.shape
        part = planes[self._top : self._top + tall, self._left : self._left + wide]
        part[:] = _blend(part, white, self._low, self._low + self._range)
        chroma = planes[self._rows :].reshape(2, self._rows // 2, -1)
        top, left = self._top // 2, self._left // 2
        part = chroma[:, top : top + tall // 2, left : left + wide // 2]
        part[:] = _blend(part, white.reshape(tall // 2, 2, -1, 2).mean(axis=(1, 3)), self._grey, self._grey)
        return picture


def _blend(part: Any, white: Any, low: float, top: float) -> Any:
    """*part* darkened towards *low*, and *top* where the label's strokes are."""
    import numpy as np

    return ((part.astype(np.float32) - low) * SHADE * (1 - white) + (top - low) * white + low + 0.5).clip(0)


def _orientation(matrix: tuple[int, ...]) -> tuple[bool, bool, bool]:
    """Whether rows are shown as columns; whether the stored x and y grow as what is shown does.

    *matrix* is the display matrix a, b, u, c, d, v, x, y, w (ISO 14496-12): x' = ax + cy, y' = bx + dy.
    """
    if len(matrix) < 9 or not any(matrix[i] for i in (0, 1, 3, 4)):
        return False, True, True
    a, b, c, d = matrix[0], matrix[1], matrix[3], matrix[4]
    if abs(b) > abs(a):
        return True, b > 0, c > 0
    return False, a > 0, d > 0
