"""Refuses clips that show nothing: black, one flat colour, or one frame again and again.

A failing pipeline, a broken autoencoder or a safety filter underneath gives such clips and calls them a
success.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from safegen.types import CheckRun, Finding

if TYPE_CHECKING:
    from safegen.protocols import FrameDetector
    from safegen.types import Clip, Frame

NAME = "blank"
VERSION = "1"
FLAT = 2.0
"""Standard deviation (8-bit levels) within every channel below which a picture shows nothing."""
DARK = 8.0
"""Brightest level (8-bit, after averaging 8 x 8 blocks) below which a picture is black."""
MOST = 0.5
"""Share of blank frames from which on the clip is blank; a fade from black is shorter than that."""


def _reduced(frame: Frame) -> Frame:
    import cv2

    h, w = frame.shape[:2]
    size = (max(1, min(64, w // 8)), max(1, min(64, h // 8)))
    return np.asarray(cv2.resize(frame, size, interpolation=cv2.INTER_AREA), np.uint8)


class BlankDetector:
    """Frames check for output that shows nothing (see the module)."""

    name = NAME

    def run(self, clip: Clip) -> tuple[Sequence[Finding], CheckRun]:
        """Look at every frame of ``clip``; findings mean that it must not be delivered.

        A clip whose frames are all byte for byte the same is frozen; one frame alone is a picture, not
        frozen.
        """
        total = black = flat = changed = 0
        first: Frame | None = None
        for frame in clip:
            total += 1
            small = _reduced(frame)
            black += int(small.max() < DARK)
            flat += int(float(small.reshape(-1, 3).std(axis=0).max()) < FLAT)
            if first is None:
                first = frame.copy()
            elif not changed:
                changed = int(not np.array_equal(frame, first))
        return _findings(total, black, flat, bool(changed)), CheckRun(
            NAME, VERSION, score=_score(total, flat), looked_for=("blank_output", "black_output")
        )


def _score(total: int, flat: int) -> float:
    return flat / total if total else 1.0


def _findings(total: int, black: int, flat: int, changed: bool) -> tuple[Finding, ...]:
    if total == 0:
        return (Finding("blank_output", 1.0, NAME, "the clip has no frames"),)
    if black / total >= MOST:
        return (
            Finding(
                "black_output", black / total, NAME, f"{black} of {total} frames are black", threshold=MOST
            ),
        )
    if flat / total >= MOST:
        reason = f"{flat} of {total} frames show one flat colour"
        return (Finding("blank_output", flat / total, NAME, reason, threshold=MOST),)
    if total > 1 and not changed:
        return (Finding("frozen_output", 1.0, NAME, f"all {total} frames are the same"),)
    return ()


def create() -> FrameDetector:
    """The plug-in."""
    return BlankDetector()
