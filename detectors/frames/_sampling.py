"""Which frames a slow check looks at: some of every second, and the first of every scene.

A picture that is shown for one frame only is a scene of its own, so it is looked at however short it is.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from safegen.types import Clip, Frame

PER_SECOND = 2.0
"""Frames looked at per second of a scene."""
MAX_SAMPLES = 600
"""Regular samples of one clip at most: longer clips are sampled more thinly, their scenes are not."""
CUT = 22.0
"""Mean change (8-bit levels) between the small pictures of two frames that may be a cut."""
OUTSTANDING = 3.0
"""How many times more than the changes just before it a cut changes: fast motion goes on, a cut does not."""
_WIDTH, _HEIGHT = 32, 18


@dataclass(frozen=True)
class Sample:
    """A frame to look at: when it is shown (seconds), in which scene (from 0), and itself (uint8 RGB)."""

    time: float
    scene: int
    frame: Frame


class CutDetector:
    """Finds the first frames of scenes, one frame after the other."""

    def __init__(self) -> None:
        """Nothing seen yet."""
        self._before: NDArray[np.float32] | None = None
        self._usual = 0.0

    def begins_scene(self, frame: Frame) -> bool:
        """Whether *frame* begins a scene. The first one does."""
        import cv2

        small = cv2.resize(frame, (_WIDTH, _HEIGHT), interpolation=cv2.INTER_AREA).astype(np.float32)
        before, self._before = self._before, small
        if before is None:
            return True
        change = float(np.abs(small - before).mean())
        cut = change >= CUT and change >= OUTSTANDING * self._usual
        self._usual = 0.0 if cut else 0.7 * self._usual + 0.3 * change
        return cut


def sample_frames(clip: Clip, *, per_second: float = PER_SECOND, most: int = MAX_SAMPLES) -> Iterator[Sample]:
    """The frames of *clip* to look at, in order; the first and, in every scene, the first are among them."""
    rate = min(per_second, most / max(clip.seconds, 1e-9))
    step = max(1, round(float(clip.fps) / rate))
    cuts, scene, since = CutDetector(), -1, 0
    for number, frame in enumerate(clip):
        if cuts.begins_scene(frame):
            scene, since = scene + 1, 0
        if since % step == 0:
            yield Sample(float(number / clip.fps), scene, frame)
        since += 1
