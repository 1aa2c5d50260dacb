"""Skin tone of a face on the Monk scale, by distance in CIELAB; ITA beside it.

Nearest in CIELAB, on the tones' own colours, with no rule about what skin may look like: such rules shut out
the lightest and the darkest people. Light is not corrected, because nothing in a picture tells the colour of
light from the colour of skin; ``benchmarks.audit`` measures how far that carries.

Scale: E. Monk, "The Monk Skin Tone Scale", 2023 (CC BY 4.0). ITA: A. Chardon et al., "Skin colour typology
and suntanning pathways", 1991.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from safegen.types import Frame

MONK = (
    (246, 237, 228), (243, 231, 219), (247, 234, 208), (234, 218, 186), (215, 189, 150),
    (160, 126, 86), (130, 92, 67), (96, 65, 52), (58, 49, 42), (41, 36, 32),
)  # fmt: skip
"""The ten tones, sRGB, lightest first."""
GROUPS: dict[str, tuple[int, ...]] = {"light": (1, 2, 3), "medium": (4, 5, 6), "dark": (7, 8, 9, 10)}
ITA_CLASSES = (("very light", 55.0), ("light", 41.0), ("intermediate", 28.0), ("tan", 10.0), ("brown", -30.0))
"""Lower bounds in degrees (Chardon); below the last: dark."""
UNKNOWN = "unknown"
_PATCHES = ((0.30, 0.12, 0.70, 0.24), (0.16, 0.50, 0.38, 0.68), (0.62, 0.50, 0.84, 0.68))
"""Forehead and cheeks as shares of a face's box: left, top, right, bottom."""
_FAR, _SCALE = 30.0, 2.5
_UNEVEN = 14.0
"""Spread (interquartile range of L*) within the patches beyond which hair, shadow or pattern covers them."""
_CLIPPED = 0.5


def lab(rgb: NDArray[np.float64]) -> NDArray[np.float64]:
    """CIELAB (D65, 2 degrees) of sRGB in 0..255: (n, 3) to (n, 3)."""
    s = np.asarray(rgb, np.float64) / 255
    linear = np.where(s <= 0.04045, s / 12.92, ((s + 0.055) / 1.055) ** 2.4)
    to_xyz = np.array(
        [
            [0.4124564, 0.3575761, 0.1804375],
            [0.2126729, 0.7151522, 0.0721750],
            [0.0193339, 0.1191920, 0.9503041],
        ]
    )
    xyz = linear @ to_xyz.T / np.array([0.95047, 1.0, 1.08883])
    f = np.where(xyz > 216 / 24389, np.cbrt(xyz), (24389 / 27 * xyz + 16) / 116)
    return np.stack([116 * f[:, 1] - 16, 500 * (f[:, 0] - f[:, 1]), 200 * (f[:, 1] - f[:, 2])], 1)


_MONK_LAB = lab(np.array(MONK, np.float64))


def ita(colour: NDArray[np.float64]) -> float:
    """Individual typology angle of a CIELAB colour (3,), in degrees: 90 lightest, -90 darkest."""
    return math.degrees(math.atan2(float(colour[0]) - 50, float(colour[2])))


def skin_of(picture: Frame, box: tuple[int, int, int, int]) -> NDArray[np.float64] | None:
    """CIELAB colour (3,) of the skin in the face's *box* (x, y, width, height); ``None`` where none shows.

    The median of forehead and cheeks. Not shown: too small, overexposed, or covered unevenly.
    """
    x, y, w, h = box
    parts = []
    for left, top, right, bottom in _PATCHES:
        rows = slice(max(0, round(y + top * h)), max(0, round(y + bottom * h)))
        columns = slice(max(0, round(x + left * w)), max(0, round(x + right * w)))
        parts.append(picture[rows, columns].reshape(-1, 3))
    pixels = np.concatenate(parts)
    if len(pixels) < 12 or float((pixels == 255).all(1).mean()) > _CLIPPED:
        return None
    colours = lab(pixels.astype(np.float64))
    low, high = np.percentile(colours[:, 0], [25, 75])
    if high - low > _UNEVEN:
        return None
    return np.asarray(np.median(colours, axis=0), np.float64)


def tones(colour: NDArray[np.float64] | None) -> dict[str, float]:
    """Probabilities of the tones ``1`` to ``10`` and ``unknown`` for a CIELAB colour (3,)."""
    names = [str(i + 1) for i in range(len(MONK))]
    if colour is None:
        return {**dict.fromkeys(names, 0.0), UNKNOWN: 1.0}
    gaps = np.append(np.linalg.norm(_MONK_LAB - colour, axis=1), _FAR)
    weights = np.exp(-(gaps - gaps.min()) / _SCALE)
    weights /= weights.sum()
    return dict(zip([*names, UNKNOWN], map(float, weights), strict=True))


def grouped(probabilities: Mapping[str, float]) -> dict[str, float]:
    """Light, medium and dark from the probabilities of tones."""
    out = {name: sum(probabilities[str(i)] for i in members) for name, members in GROUPS.items()}
    return {**out, UNKNOWN: probabilities[UNKNOWN]}


def ita_class(colour: NDArray[np.float64] | None) -> dict[str, float]:
    """The ITA's class of a CIELAB colour, as certain; ``unknown`` for ``None``."""
    names = [*(n for n, _ in ITA_CLASSES), "dark", UNKNOWN]
    angle = None if colour is None else ita(colour)
    name = UNKNOWN if angle is None else next((n for n, least in ITA_CLASSES if angle > least), "dark")
    return {n: float(n == name) for n in names}
