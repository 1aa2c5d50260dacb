"""How strong the mark may be at each pixel: texture and brightness masking.

Texture: activity is the local mean absolute deviation, eroded so that a strong edge beside a flat area
does not license noise on the flat side (the classic weakness of variance masks; see Barni, Bartolini &
Piva 2001 on activity masking). Brightness: less in the dark and near white (Weber; Watson 1993).
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

__all__ = ["amplitude", "expected"]

_LUM_X = (0, 16, 40, 70, 180, 235, 255)
_LUM_Y = (0.25, 0.35, 0.7, 1.0, 1.0, 0.8, 0.6)
_LUM = np.interp(np.arange(256), _LUM_X, _LUM_Y).astype(np.float32)
_BASE, _GAIN, _POWER = 0.35, 0.5, 0.6
_FINE = 8.0
_ACTIVITY = (_BASE + _GAIN * (np.arange(256) / _FINE) ** _POWER).astype(np.float32)
_LARGE = 700
_BOX = (5, 5)
_SQUARE = np.ones((5, 5), np.uint8)


def amplitude(luma: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Allowed amplitude of the mark at strength 1: float32, same shape as *luma* (uint8, (h, w)).

    Between 0.08 and about 4.4 grey levels. Worked out at half size (a quarter from short side 700).
    """
    height, width = luma.shape
    factor = 4 if min(height, width) >= _LARGE else 2
    size = (max(1, width // factor), max(1, height // factor))
    small = cv2.resize(luma, size, interpolation=cv2.INTER_AREA)
    fine = small.astype(np.float32)
    activity = cv2.blur(cv2.absdiff(fine, cv2.blur(fine, _BOX)), _BOX)
    activity = cv2.convertScaleAbs(cv2.blur(cv2.erode(activity, _SQUARE), _BOX), alpha=_FINE)
    allowed = cv2.LUT(activity, _ACTIVITY) * cv2.LUT(small, _LUM)
    return np.asarray(cv2.resize(allowed, (width, height), interpolation=cv2.INTER_LINEAR), dtype=np.float32)


def expected(luma: NDArray[np.uint8], activity: NDArray[np.float32]) -> NDArray[np.float32]:
    """The same law for a detector, from *luma* (uint8) and a local *activity* in grey levels: float32."""
    level = cv2.convertScaleAbs(activity, alpha=_FINE)
    return np.asarray(cv2.LUT(level, _ACTIVITY) * cv2.LUT(luma, _LUM), dtype=np.float32)
