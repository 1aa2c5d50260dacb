"""One Fourier transform of the residual, sampled at any frequency: every geometry becomes a gather.

Folding the picture into tiles under a geometry and taking the tile's DFT is the same as reading the
picture's own Fourier transform at the transformed tile frequencies. The transform is oversampled by
zero padding and read bilinearly; dividing the picture by the interpolation's own envelope first makes
that accurate (gridding deapodisation: Jackson et al. 1991, IEEE TMI 10(3)).
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy import fft

__all__ = ["Spectrum", "gather", "spectrum"]

_OVERSAMPLING = 2.5
_SMOOTH = 6.0
_CLIP = 2.5


@dataclass(frozen=True)
class Spectrum:
    """Whitened spectrum of a residual of *width* x *height* pixels, and its autocorrelation.

    ``grid``: float32 (ny, nx // 2 + 1 + margin, 2), real and imaginary parts, origin at the picture's
    centre, frequencies ky from -ny/2 (rows), kx from 0. ``lags``: float32 (ny, nx), zero lag at
    [ny // 2, nx // 2], in units of its own noise for full overlap.
    """

    width: int
    height: int
    ny: int
    nx: int
    grid: NDArray[np.float32]
    lags: NDArray[np.float32]

    def at(self, fx: NDArray[np.float64], fy: NDArray[np.float64]) -> NDArray[np.complex64]:
        """Values at frequencies in cycles per pixel, any shape, |f| <= 0.5; phases from the centre."""
        flip = fx < 0
        x = np.abs(fx) * self.nx
        y = np.where(flip, -fy, fy) * self.ny + self.ny // 2
        read = gather(self.grid, x, y)
        np.negative(read[..., 1], out=read[..., 1], where=flip)
        return np.asarray(read.view(np.complex64)[..., 0])


def gather(grid: NDArray[np.float32], x: NDArray[np.float64], y: NDArray[np.float64]) -> NDArray[np.float32]:
    """Bilinear reads of *grid* (h, w[, c]) at column x, row y (same shape); 0 outside."""
    columns = min(1024, max(1, x.size))
    rows = -(-x.size // columns)
    where = np.full((2, rows * columns), -10.0, dtype=np.float32)
    where[0, : x.size], where[1, : x.size] = x.ravel(), y.ravel()
    maps = where.reshape(2, rows, columns)
    read = cv2.remap(grid, maps[0], maps[1], cv2.INTER_LINEAR, borderMode=cv2.BORDER_CONSTANT)
    return np.asarray(
        read.reshape(rows * columns, *grid.shape[2:])[: x.size].reshape(x.shape + grid.shape[2:])
    )


def _padded(residual: NDArray[np.float32]) -> NDArray[np.float32]:
    """Deapodised, zero-padded, the centre pixel at index (0, 0)."""
    height, width = residual.shape
    ny, nx = (int(2 * fft.next_fast_len(int(_OVERSAMPLING * n / 2) + 1)) for n in (height, width))
    y = np.sinc((np.arange(height) - height // 2) / ny) ** 2
    x = np.sinc((np.arange(width) - width // 2) / nx) ** 2
    out = np.zeros((ny, nx), dtype=np.float32)
    out[:height, :width] = residual / np.outer(y, x)
    return np.roll(out, (-(height // 2), -(width // 2)), axis=(0, 1))


def spectrum(residual: NDArray[np.float32]) -> Spectrum:
    """Transform *residual*, flatten its power to about 1 and limit single peaks to 2.5 amplitudes."""
    height, width = residual.shape
    padded = _padded(residual - residual.mean())
    ny, nx = padded.shape
    raw = fft.fftshift(fft.rfft2(padded), axes=0)
    power = np.square(np.abs(raw)).astype(np.float32)
    span = [2 * int(_SMOOTH * n / m / 2) + 1 for n, m in ((nx, width), (ny, height))]
    # A running sum can end a hair below zero.
    smooth = np.maximum(cv2.blur(power, (span[0], span[1]), borderType=cv2.BORDER_REFLECT), 0.0)
    floor = max(1e-6, 1e-4 * float(smooth.mean()))
    magnitude = np.sqrt(power / (smooth + floor))
    gain = np.minimum(1.0, _CLIP / np.maximum(magnitude, 1e-6)) / np.sqrt(smooth + floor)
    white = raw * gain.astype(np.float32)
    # Frequencies of the carrier at any searched scale; the rest would only add noise to the lags.
    f = (
        np.hypot((np.arange(ny) - ny // 2)[:, None] / ny, np.arange(nx // 2 + 1)[None] / nx)
        * min(height, width)
        / 256
    )
    band = ((f > 0.03) & (f < 0.5)).astype(np.float32)
    flat = fft.irfft2(fft.ifftshift(np.square(np.abs(white)) * band, axes=0), s=(ny, nx))
    lags = np.fft.fftshift(flat).astype(np.float32)
    # Half a pixel between the centre pixel and the centre of an even side is a linear phase.
    oy, ox = (0.5 if n % 2 == 0 else 0.0 for n in (height, width))
    phase = np.exp(-2j * np.pi * (np.arange(ny) - ny // 2) / ny * oy)[:, None] * np.exp(
        -2j * np.pi * np.arange(nx // 2 + 1) / nx * ox
    )
    white = white * phase
    grid = np.stack([white.real, white.imag], axis=-1).astype(np.float32)
    return Spectrum(width, height, ny, nx, grid, lags)
