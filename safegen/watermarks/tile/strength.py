"""How strong the mark is made, at each pixel, frame by frame: texture, brightness and motion.

Where the picture moves, a mark that stands still cannot be predicted from the frame before: it costs the
encoder bits in every frame, and little of it outlives the encoder (the marks of Hartung & Girod 1998 carry a
drift term for the same reason). There the mark is lowered, except in the first frame of a scene, which every
encoder codes by itself. What that saves is spent where the picture rests.
"""

from __future__ import annotations

import math

import cv2
import numpy as np
from numpy.typing import NDArray

from safegen.watermarks.tile.mask import brightness, reduced, texture

__all__ = ["HOLD", "PEAK", "PEAK_FIRST", "Strength"]

Floats = NDArray[np.float32]
HOLD = 2
"""Frames that share one map of strengths."""
PEAK = 5.0
"""Grey levels of 255 that the pattern's unit may become at most."""
PEAK_FIRST = 8.0
"""As much in the first frame of a scene."""
_G_MIN, _G_FIRST, _G_MOVING, _G_MAX = 1.0, 1.95, 2.2, 3.6
"""The strength g that multiplies the texture: at least; in a scene's first frame at least; where spare
quality may raise it to; at most."""
_SMOOTH, _BURST = (0.5, 0.65), (1.4, 1.7)
"""How much stronger a scene begins, by what its texture hides (grey levels, RMS): encoders keep the first
frame best, and eyes need time after a cut. In smooth pictures an intra frame with a mark costs many bits."""
_EVEN_MAX = 1.1
"""Grey levels at most that flat pictures get evenly, beside g."""
_SIDES, _STILL_DB, _MOVING_DB = (256, 448), (43.9, 45.9), (43.2, 45.2)
_FIRST_DB = (42.5, 44.5)
_INERTIA = 0.5
_SOFTEN = 1.2
"""How fast motion lowers the mark: the share left is 1 / (1 + this x grey levels of change)."""
_BUSY, _LEAST = (0.6, 1.4), (0.2, 0.4)
"""What motion leaves at least: more in busy pictures, which cost many bits anyway."""
_FADE = 0.75
_CUT, _JUMP = 16.0, 2.0
"""A scene begins where grey levels (of 255) change by this on average, so many times what was usual."""
_PLAIN, _LOW = (0.5, 0.65), (0.7, 0.0)
"""How far the pattern leans towards its low frequencies, by the texture (grey levels, RMS): in plain pictures
they are what heavy compression leaves, and the high ones cost bits."""


def _grey_levels(short: int, decibels: tuple[float, float]) -> float:
    """The RMS change that leaves so many dB of PSNR at a short side."""
    return 255 / 10 ** (float(np.interp(short, _SIDES, decibels)) / 20)


def _rms(values: Floats) -> float:
    part = np.ascontiguousarray(values[::2, ::2])
    return float(cv2.norm(part)) / math.sqrt(part.size)


class Strength:
    """The strengths over one clip; feed it every frame, in order."""

    def __init__(self) -> None:
        """Before the first frame."""
        self.g = 0.0
        self.even = 0.0
        self.low = 0.0  # How far the pattern should lean to its low frequencies; new with each scene.
        self._age = 0
        self._last: NDArray[np.uint8] | None = None
        self._motion: Floats | None = None
        self._usual = 0.0

    def follow(self, luma: NDArray[np.uint8], into: Floats | None = None) -> Floats | None:
        """Amplitude of the mark at each pixel of *luma* (uint8, (h, w)): float32 (h, w), grey levels of 255.

        At most 5, in a scene's first frame 8. ``None``: what the call before gave still stands. *into*: an
        array of that shape to write to.
        """
        small = reduced(luma)
        fresh = self._watch(small)
        self._age += 1
        if not fresh and self._age % HOLD:
            return None
        if fresh:
            self._age = 0
        level = self._level(small, fresh, min(luma.shape))
        size = (luma.shape[1], luma.shape[0])
        return np.asarray(cv2.resize(level, size, into, interpolation=cv2.INTER_LINEAR), dtype=np.float32)

    def _watch(self, small: NDArray[np.uint8]) -> bool:
        """Take note of what moved since the last frame; whether a scene begins here."""
        size = (max(1, small.shape[1] // 2), max(1, small.shape[0] // 2))
        calm = np.asarray(cv2.resize(small, size, interpolation=cv2.INTER_AREA), np.uint8)
        last, self._last = self._last, calm
        if last is None:
            return True
        change = cv2.absdiff(calm, last)
        mean, usual = cv2.mean(change)[0], self._usual
        self._usual = (mean + usual) / 2
        if mean > max(_CUT, _JUMP * usual):
            self._motion = None
            return True
        moved = cv2.boxFilter(change, cv2.CV_32F, (5, 5))
        if self._motion is None:
            self._motion = np.asarray(moved, np.float32)
        else:  # Pictures shown twice must not count as rest.
            self._motion *= _FADE
            cv2.max(moved, self._motion, dst=self._motion)
        return False

    def _level(self, small: NDArray[np.uint8], fresh: bool, short: int) -> Floats:
        light, rough = brightness(small), texture(small)
        if fresh:
            self.low = round(float(np.interp(_rms(rough), _PLAIN, _LOW)), 1)
        level = np.asarray(cv2.multiply(rough, light), np.float32)
        if fresh:
            self._begin(_rms(level), short)
            return self._raised(level, light, PEAK_FIRST)
        share = None
        if self._motion is not None:
            least = float(np.interp(_rms(level), _BUSY, _LEAST))
            part = np.maximum(least, 1.0 / (1.0 + _SOFTEN * self._motion))
            share = np.asarray(cv2.resize(part, small.shape[::-1]), np.float32)
        self._aim(level, share, short)
        level = self._raised(level, light, PEAK)
        return level if share is None else np.asarray(cv2.multiply(level, share, dst=level), np.float32)

    def _raised(self, level: Floats, light: Floats, peak: float) -> Floats:
        cv2.addWeighted(level, self.g, light, self.even, 0.0, dst=level)
        cv2.min(level, peak, dst=level)
        return level

    def _begin(self, rms: float, short: int) -> None:
        """g and the even part of a scene's first frame, whose texture hides *rms*."""
        rms = max(rms, 1e-6)
        g = min(_G_MAX, _grey_levels(short, _FIRST_DB) / rms)
        burst = float(np.interp(rms, _SMOOTH, _BURST))
        self.even = burst * min(_EVEN_MAX, max(0.0, _grey_levels(short, _MOVING_DB) - g * rms))
        self.g = max(_G_FIRST, burst * g)

    def _aim(self, allowed: Floats, share: Floats | None, short: int) -> None:
        """Bring g and the even part nearer to what this frame asks for: slowly within a scene."""
        still, moving = _grey_levels(short, _STILL_DB), _grey_levels(short, _MOVING_DB)
        rms = max(_rms(allowed), 1e-6)
        wanted = min(_G_MAX, max(_G_MIN, still / rms))
        if share is not None:
            wanted = max(wanted, min(_G_MOVING, moving / max(_rms(cv2.multiply(allowed, share)), 1e-6)))
        even = min(_EVEN_MAX, max(0.0, moving - wanted * rms))
        self.g += _INERTIA * (wanted - self.g)
        self.even += _INERTIA * (even - self.even)
