"""Streaming embedding: one frame in, one marked frame out."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

import cv2
import numpy as np
from numpy.typing import NDArray

from safegen.errors import MarkingFailed, UsageError
from safegen.watermarks.tile import carrier, code, mask

if TYPE_CHECKING:
    from safegen.types import Frame

__all__ = ["G_MAX", "G_MIN", "Strength", "coded_payload", "embed", "target_rms"]

G_MIN, G_MAX = 1.0, 3.2
"""Range of the strength g that multiplies the mask."""
_TARGET_SIDES, _TARGET_DB = (256, 448), (43.2, 45.2)
_PEAK = 5.0
_INERTIA = 0.1


def target_rms(short_side: int) -> float:
    """Grey levels (of 255) the mark aims at, RMS over the frame: PSNR 45.2 dB, small pictures 43.2 dB.

    In a small picture the carrier's frequencies are high for the codec, and fewer tiles add up.
    """
    return float(255 / 10 ** (np.interp(short_side, _TARGET_SIDES, _TARGET_DB) / 20))


class Strength:
    """g over a clip: what brings each frame to its target, followed slowly, so that it cannot flicker."""

    def __init__(self) -> None:
        self.g = 0.0

    def follow(self, allowed: NDArray[np.float32]) -> float:
        """g for the frame with this mask, within its range: flat frames get more, busy ones less."""
        rms = float(np.sqrt(np.mean(np.square(allowed[::4, ::4]))))
        wanted = min(G_MAX, max(G_MIN, target_rms(min(allowed.shape)) / max(rms, 1e-6)))
        self.g = wanted if self.g == 0.0 else self.g + _INERTIA * (wanted - self.g)
        return self.g


def coded_payload(payload: int) -> NDArray[np.uint8]:
    """The 320 coded bits. Raises UsageError when *payload* is not in [0, 2**64)."""
    if not 0 <= payload < 1 << code.PAYLOAD_BITS:
        raise UsageError(
            "the watermark's payload must be in [0, 2**64)", hint="use a content id of the ledger"
        )
    return code.encode(payload)


class _Scratch:
    """Buffers of one clip's size: fresh ones for every frame would cost as much as the arithmetic."""

    def __init__(self, height: int, width: int) -> None:
        self.level = np.empty((height, width), np.float32)
        self.one = np.empty((height, width), np.uint8)
        self.three = np.empty((height, width, 3), np.uint8)

    def mark(self, frame: Frame, allowed: NDArray[np.float32], plane: NDArray[np.float32], g: float) -> Frame:
        """Add round(min(g A, 5) W) to R, G and B alike: only luma moves; saturates at 0 and 255."""
        cv2.min(allowed, _PEAK / g, dst=self.level)
        out: Frame = frame
        for sign, change in ((1, cv2.add), (-1, cv2.subtract)):
            cv2.multiply(self.level, plane, dst=self.one, scale=sign * g, dtype=cv2.CV_8U)
            cv2.cvtColor(self.one, cv2.COLOR_GRAY2RGB, dst=self.three)
            out = change(out, self.three) if out is frame else change(out, self.three, dst=out)
        return out


def embed(frames: Iterable[Frame], *, payload: int, key: bytes) -> Iterator[Frame]:
    """Yield marked copies of *frames* (uint8 RGB, (height, width, 3)), streaming, same size each.

    The strength follows the picture slowly (first-order, 10% per frame), so it cannot flicker.
    Raises UsageError when *payload* is not in [0, 2**64); MarkingFailed when the frame size changes
    or a frame is not uint8 RGB.
    """
    return _embed(iter(frames), coded_payload(payload), key)


def _embed(frames: Iterator[Frame], coded: NDArray[np.uint8], key: bytes) -> Iterator[Frame]:
    plane: NDArray[np.float32] | None = None
    scratch = _Scratch(1, 1)
    strength = Strength()
    for frame in frames:
        if frame.ndim != 3 or frame.shape[2] != 3 or frame.dtype != np.uint8:
            raise MarkingFailed(
                "the watermark needs uint8 RGB frames", hint="convert the frames to 8-bit RGB before marking"
            )
        height, width = frame.shape[:2]
        if plane is None:
            plane = carrier.pattern(key, coded, width, height)
            scratch = _Scratch(height, width)
        elif plane.shape != (height, width):
            raise MarkingFailed(
                "the frame size changes within the clip", hint="scale every frame to one size before marking"
            )
        frame = np.ascontiguousarray(frame)
        allowed = mask.amplitude(cv2.cvtColor(frame, cv2.COLOR_RGB2GRAY))
        yield scratch.mark(frame, allowed, plane, strength.follow(allowed))
