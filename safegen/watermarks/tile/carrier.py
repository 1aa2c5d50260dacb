"""Which frequencies of the tile carry what, with which signs: a pure function of the key.

The tile is T x T canonical pixels (the canonical picture has short side S). Its half-plane DFT bins
with ``R_MIN <= |k| <= R_MAX`` cycles per tile are split by the key into pilots, which make the tile
findable, and payload bins. Every real and imaginary part is one dimension with a keyed random sign.
All keyed randomness is SHAKE-256 (FIPS 202) of the key, so it does not depend on any library's
generator. The idea of a periodic pattern that survives geometry by self-registration is Kutter 1998
("Watermarking resistant to translation, rotation and scaling") and Honsinger & Rabbani 2000.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

__all__ = ["R_MAX", "R_MIN", "SHORT", "TILE", "Carrier", "Patterns", "carrier", "pattern"]

SHORT = 256
"""Short side of the canonical picture, canonical pixels."""
TILE = 64
"""Period of the pattern, canonical pixels."""
R_MIN, R_MAX = 5, 20
"""Band of the carrier, cycles per tile."""
PILOT_SHARE = 0.25
CODED_BITS = 320
_AMPLITUDE_LIMIT = 2.5
_TILT = 11.6
"""The radius at which an amplitude that falls with the frequency is 1; its RMS over the band is 1 then."""


@dataclass(frozen=True)
class Carrier:
    """Bins as integer (kx, ky), int64 (n, 2); signs as +-1 float64 (n, 2) for (real, imaginary) parts.

    ``bit_of`` (int64, (n_payload, 2)) says which coded bit each payload dimension carries.
    """

    pilot_bins: NDArray[np.int64]
    pilot_signs: NDArray[np.float64]
    payload_bins: NDArray[np.int64]
    payload_signs: NDArray[np.float64]
    bit_of: NDArray[np.int64]


def _half_plane() -> NDArray[np.int64]:
    k = np.arange(-R_MAX, R_MAX + 1)
    kx, ky = (a.ravel() for a in np.meshgrid(k, k, indexing="xy"))
    r2 = kx**2 + ky**2
    keep = (r2 >= R_MIN**2) & (r2 <= R_MAX**2) & ((ky > 0) | ((ky == 0) & (kx > 0)))
    return np.stack([kx[keep], ky[keep]], axis=1).astype(np.int64)


def _stream(key: bytes, label: bytes, n_bytes: int) -> bytes:
    seed = len(label).to_bytes(2, "big") + label + hashlib.sha256(key).digest()
    return hashlib.shake_256(b"org.safegen.watermark.tile.1" + seed).digest(n_bytes)


def _order(key: bytes, label: bytes, n: int) -> NDArray[np.int64]:
    draws = np.frombuffer(_stream(key, label, 8 * n), dtype=">u8")
    return np.argsort(draws, kind="stable").astype(np.int64)


def _signs(key: bytes, label: bytes, n: int) -> NDArray[np.float64]:
    bits = np.unpackbits(np.frombuffer(_stream(key, label, n), dtype=np.uint8))[: 2 * n]
    return (1.0 - 2.0 * bits.astype(np.float64)).reshape(n, 2)


@lru_cache(maxsize=16)
def carrier(key: bytes) -> Carrier:
    """The carrier of *key* (any bytes). Deterministic on every machine; do not write to its arrays."""
    bins = _half_plane()
    order = _order(key, b"pilot", len(bins))
    n_pilot = round(PILOT_SHARE * len(bins))
    pilots = bins[np.sort(order[:n_pilot])]
    data = bins[np.sort(order[n_pilot:])]
    dims = 2 * len(data)
    bit_of = np.empty(dims, dtype=np.int64)
    bit_of[_order(key, b"spread", dims)] = np.arange(dims) % CODED_BITS
    return Carrier(
        pilot_bins=pilots,
        pilot_signs=_signs(key, b"pilot signs", len(pilots)),
        payload_bins=data,
        payload_signs=_signs(key, b"payload signs", len(data)),
        bit_of=bit_of.reshape(-1, 2),
    )


def pattern(
    key: bytes, coded: NDArray[np.uint8], width: int, height: int, low: float = 0.0
) -> NDArray[np.float32]:
    """The pattern over a frame: float32 (height, width), about unit RMS, within +-2.5.

    *coded*: the 320 coded bits (0/1). *low*, 0 to 1: from the same amplitude at every frequency to one
    that falls with it; readers need not know. Synthesised exactly at the frame's own scale by a separable
    Fourier sum (pixel centres at i + 0.5, canonical coordinates = pixels * SHORT / short side), so
    nothing is interpolated.
    """
    c = carrier(key)
    value = np.concatenate([c.pilot_signs, c.payload_signs * (1.0 - 2.0 * coded[c.bit_of])])
    bins = np.concatenate([c.pilot_bins, c.payload_bins])
    value *= (1.0 - low + low * _TILT / np.hypot(bins[:, 0], bins[:, 1]))[:, None]
    spectrum = np.zeros((R_MAX + 1, 2 * R_MAX + 1), dtype=np.complex64)
    spectrum[bins[:, 1], bins[:, 0] + R_MAX] = value[:, 0] + 1j * value[:, 1]
    spectrum /= np.sqrt(np.sum(np.abs(spectrum) ** 2) / 2)
    step = 2j * np.pi * SHORT / min(width, height) / TILE
    x = np.exp(step * np.outer(np.arange(-R_MAX, R_MAX + 1), np.arange(width) + 0.5)).astype(np.complex64)
    y = np.exp(step * np.outer(np.arange(height) + 0.5, np.arange(R_MAX + 1))).astype(np.complex64)
    left = y @ spectrum
    # One real product of contiguous halves; strided views would bypass BLAS.
    plane = np.hstack([left.real, left.imag]) @ np.vstack([x.real, -x.imag])
    np.clip(plane, -_AMPLITUDE_LIMIT, _AMPLITUDE_LIMIT, out=plane)
    return np.asarray(plane, dtype=np.float32)


class Patterns:
    """The pattern of one clip's size; made anew only when its lean changes, which it does between scenes."""

    def __init__(self, key: bytes, coded: NDArray[np.uint8], shape: tuple[int, ...]) -> None:
        """For frames of *shape* (height, width)."""
        self.shape = shape
        self._key, self._coded = key, coded
        self._low: float | None = None
        self._plane: NDArray[np.float32] | None = None

    def at(self, low: float) -> NDArray[np.float32]:
        """``pattern`` with this *low*."""
        if self._plane is None or low != self._low:
            self._plane = pattern(self._key, self._coded, self.shape[1], self.shape[0], low)
            self._low = low
        return self._plane
