"""The Monk tones through the skin reader under other light: how many are read right, and where that ends."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from safegen.detectors.frames import _skin

BOX = (40, 40, 80, 100)
LIGHTS: dict[str, tuple[float, float, float]] = {
    "as it is": (1.0, 1.0, 1.0),
    **{f"exposure {g:+.0%}": (1 + g,) * 3 for g in (-0.5, -0.3, -0.2, -0.1, -0.05, 0.05, 0.1, 0.2, 0.3)},
    "warm 2 %": (1.02, 1.0, 0.98),
    "warm 5 %": (1.05, 1.0, 0.95),
    "warm 10 %": (1.10, 1.0, 0.90),
    "cool 5 %": (0.95, 1.0, 1.05),
    "cool 10 %": (0.90, 1.0, 1.10),
}  # fmt: skip
"""Factors on linear light, red, green, blue."""


def portrait(tone: int, light: tuple[float, float, float], seed: int = 0) -> NDArray[np.uint8]:
    """A face-coloured oval on grey, 200 x 160 pixels, with eyes and grain, under *light*."""
    rng = np.random.default_rng(seed)
    picture = np.full((200, 160, 3), 128.0)
    y, x = np.mgrid[:200, :160]
    face = ((x - 80) / 42) ** 2 + ((y - 90) / 55) ** 2 < 1
    picture[face] = _skin.MONK[tone - 1]
    for centre in (62, 98):
        picture[(x - centre) ** 2 / 40 + (y - 78) ** 2 / 14 < 1] = (240, 240, 240)
        picture[(x - centre) ** 2 + (y - 78) ** 2 < 12] = (30, 20, 16)
    lit = _encoded(_linear(picture) * np.asarray(light))
    return np.clip(lit + rng.normal(0, 2, lit.shape), 0, 255).round().astype(np.uint8)


def table() -> list[tuple[str, int, int, int, int]]:
    """For every light: tones that got through, read right, at most one off, in the right group; of ten."""
    rows = []
    for name, light in LIGHTS.items():
        through = right = near = group = 0
        for tone in range(1, 11):
            found = _skin.tones(_skin.skin_of(portrait(tone, light), BOX))
            value = max(found, key=lambda k, f=found: f[k])  # type: ignore[misc]
            if value == _skin.UNKNOWN:
                continue
            through += 1
            right += int(value) == tone
            near += abs(int(value) - tone) <= 1
            group += any(tone in m and int(value) in m for m in _skin.GROUPS.values())
        rows.append((name, through, right, near, group))
    return rows


def _linear(srgb: NDArray[np.float64]) -> NDArray[np.float64]:
    s = srgb / 255
    return np.where(s <= 0.04045, s / 12.92, ((s + 0.055) / 1.055) ** 2.4)


def _encoded(linear: NDArray[np.float64]) -> NDArray[np.float64]:
    v = np.clip(linear, 0, 1)
    return 255 * np.where(v <= 0.0031308, 12.92 * v, 1.055 * v ** (1 / 2.4) - 0.055)
