"""Finds clips that stand still for most of their time: a stream that hung, a generator that gave up."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from safegen.types import CheckRun, Finding

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from safegen.protocols import FrameDetector
    from safegen.types import Clip, Frame

NAME = "frozen"
VERSION = "1"
STILL = 2
"""Largest change (8-bit levels) of a block of 8 x 8 pixels that counts as none: encoders leave as much."""
MOST = 0.5
"""Share of the clip from which on a stretch without any change is reported."""


def _reduced(frame: Frame) -> NDArray[np.int16]:
    import cv2

    h, w = frame.shape[:2]
    size = (max(1, w // 8), max(1, h // 8))
    return np.asarray(cv2.resize(frame, size, interpolation=cv2.INTER_AREA), np.int16)


class FrozenDetector:
    """Frames check for stretches in which nothing changes at all."""

    name = NAME

    def run(self, clip: Clip) -> tuple[Sequence[Finding], CheckRun]:
        """A finding when one picture stands for half of the clip or more; its score is that share.

        Every frame is compared with the first of its stretch, so that slow motion is not taken for none. One
        frame alone is a picture, not frozen.
        """
        first: NDArray[np.int16] | None = None
        begin = number = longest = at = 0
        for number, frame in enumerate(clip, 1):
            small = _reduced(frame)
            if first is None or int(np.abs(small - first).max()) > STILL:
                first, begin = small, number
            if number - begin + 1 > longest:
                longest, at = number - begin + 1, begin
        share = longest / number if number > 1 else 0.0
        ran = CheckRun(NAME, VERSION, score=share, looked_for=("frozen_output",))
        if share < MOST or longest < 2:
            return (), ran
        start, end = float((at - 1) / clip.fps), float((at - 1 + longest) / clip.fps)
        reason = f"nothing changes from {start:.1f} to {end:.1f} s"
        return (Finding("frozen_output", share, NAME, reason, threshold=MOST, time=start),), ran


def create() -> FrameDetector:
    """The plug-in."""
    return FrozenDetector()
