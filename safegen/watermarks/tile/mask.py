"""How strong the mark may be at each pixel: texture and brightness masking.

Texture: activity is the local mean absolute deviation, eroded so that a strong edge beside a flat area
does not license noise on the flat side (the classic weakness of variance masks; see Barni, Bartolini &
Piva 2001 on activity masking). Brightness: less in the dark and near white (Weber; Watson 1993).
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

__all__ = ["brightness", "expected", "reduced", "texture"]

_LUM_X = (0, 16, 40, 70, 180, 235, 255)
_LUM_Y = (0.25, 0.35, 0.7, 1.0, 1.0, 0.8, 0.6)
_LUM = np.interp(np.arange(256), _LUM_X, _LUM_Y).astype(np.float32)
_FINE = 8.0
_STEPS = (np.arange(256) / _FINE) ** 0.6
_TEXTURE = (0.15 + 0.5 * _STEPS).astype(np.float32)
_EXPECTED = (0.35 + 0.5 * _STEPS).astype(np.float32)
"""What detectors reckon with: flat pictures are marked more strongly than ``_TEXTURE`` alone says."""
_LARGE = 700
_BOX = (5, 5)
_SQUARE = np.ones((5, 5), np.uint8)


def reduced(luma: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """*luma* (uint8, (h, w)) at half size, a quarter from short side 700: where the mask is worked out."""
    height, width = luma.shape
    factor = 4 if min(height, width) >= _LARGE else 2
    size = (max(1, width // factor), max(1, height // factor))
    return np.asarray(cv2.resize(luma, size, interpolation=cv2.INTER_AREA), np.uint8)


def texture(small: NDArray[np.uint8]) -> NDArray[np.float32]:
    """What the texture of a reduced picture hides, in grey levels at strength 1: float32, 0.15 to 4.1."""
    fine = small.astype(np.float32)
    activity = cv2.blur(cv2.absdiff(fine, cv2.blur(fine, _BOX)), _BOX)
    activity = cv2.convertScaleAbs(cv2.blur(cv2.erode(activity, _SQUARE), _BOX), alpha=_FINE)
    return np.asarray(cv2.LUT(activity, _TEXTURE), dtype=np.float32)


def brightness(luma: NDArray[np.uint8]) -> NDArray[np.float32]:
    """What brightness leaves of it: float32 in [0.25, 1], less in the dark and near white."""
    return np.asarray(cv2.LUT(luma, _LUM), dtype=np.float32)


def expected(luma: NDArray[np.uint8], activity: NDArray[np.float32]) -> NDArray[np.float32]:
    """About the embedder's law for a detector, from *luma* (uint8) and *activity* in grey levels: float32."""
    level = cv2.convertScaleAbs(activity, alpha=_FINE)
    return np.asarray(cv2.LUT(level, _EXPECTED) * cv2.LUT(luma, _LUM), dtype=np.float32)
