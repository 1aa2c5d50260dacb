"""Where the tiles lie: identity first, then scale, rotation, aspect, the 8 orientations and every shift.

A geometry is a 2x2 matrix ``A`` from work pixels to canonical pixels and the canonical position ``o`` of
the picture's centre, modulo the tile. Lattice candidates come from the autocorrelation, which knows no
key, so choosing among them costs no trials; only what is correlated with the pilots is counted.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from scipy import fft

from safegen.watermarks.tile.carrier import R_MAX, SHORT, TILE, Carrier
from safegen.watermarks.tile.spectrum import Spectrum, gather

__all__ = [
    "PROFILES",
    "Candidate",
    "climb",
    "climb_upright",
    "coefficients",
    "identity",
    "lattices",
    "pilot_peaks",
    "sweep",
    "upright",
]

Matrices = NDArray[np.float64]
"""Shape (n, 2, 2)."""

PROFILES = (0.0, 1.0, 2.0)
"""Radial weights r**-p that are tried: the encoder kills high frequencies first."""
_SCREEN = 1.0
_REACH = 3
_TURNS = [
    np.array(m, dtype=np.float64)
    for m in ([[1, 0], [0, 1]], [[0, -1], [1, 0]], [[-1, 0], [0, -1]], [[0, 1], [-1, 0]])
]
ORIENTATIONS: Matrices = np.stack([*_TURNS, *[np.diag([-1.0, 1.0]) @ m for m in _TURNS]])


@dataclass(frozen=True)
class Candidate:
    """A geometry, its pilot z, and the polarity (-1: the picture is a negative)."""

    a: NDArray[np.float64]
    o: NDArray[np.float64]
    z: float
    polarity: int = 1


def _unit(spectrum: Spectrum) -> float:
    """Canonical pixels per work pixel for an uncropped picture."""
    return SHORT / min(spectrum.width, spectrum.height)


def identity(spectrum: Spectrum) -> Matrices:
    """The 8 orientations of the uncropped picture."""
    return ORIENTATIONS * _unit(spectrum)


def upright(spectrum: Spectrum, key: Carrier) -> list[Candidate]:
    """The uncropped, unturned picture exactly where an embedder would have put the tiles, and mirrored."""
    found = []
    centre = np.array([spectrum.width, spectrum.height]) / 2
    for turn in (np.eye(2), np.diag([-1.0, 1.0])):
        a = np.eye(2) * _unit(spectrum) @ turn
        o = np.eye(2) * _unit(spectrum) @ centre
        found.append(Candidate(a, o, float(pilot_z(spectrum, a[None], o[None], key, _SCREEN)[0])))
    return found


@lru_cache(maxsize=1)
def _families() -> Matrices:
    """Scale x rotation and scale x aspect: how the picture was changed, canonical -> canonical."""
    scale = np.exp(np.arange(np.log(0.55), np.log(2.75), 0.006))
    angle = np.deg2rad(np.arange(-15, 15.01, 0.3))
    stretch = np.arange(-0.5, 0.501, 0.012)
    s, t = (v.ravel() for v in np.meshgrid(scale, angle, indexing="ij"))
    turned = np.stack([s * np.cos(t), -s * np.sin(t), s * np.sin(t), s * np.cos(t)], axis=-1)
    s, e = (v.ravel() for v in np.meshgrid(scale, stretch, indexing="ij"))
    zero = np.zeros_like(s)
    stretched = np.stack([s * np.exp(e / 2), zero, zero, s * np.exp(-e / 2)], axis=-1)
    return np.concatenate([turned, stretched]).reshape(-1, 2, 2)


def _lattice_score(spectrum: Spectrum, forward: Matrices) -> NDArray[np.float64]:
    """Autocorrelation summed over the tile lattice of each canonical -> work matrix, noise-normalised."""
    i, j = np.meshgrid(np.arange(-_REACH, _REACH + 1), np.arange(_REACH + 1))
    half = (j > 0) | (i > 0)
    nodes = TILE * np.stack([i[half], j[half]]).astype(np.float64)
    lag = forward @ nodes
    x, y = lag[:, 0], lag[:, 1]
    overlap = np.clip(1 - np.abs(x) / spectrum.width, 0, 1) * np.clip(1 - np.abs(y) / spectrum.height, 0, 1)
    value = gather(spectrum.lags, x + spectrum.nx // 2, y + spectrum.ny // 2) * (overlap > 0)
    return np.asarray(value.sum(axis=1) / np.sqrt(overlap.sum(axis=1) + 0.5), dtype=np.float64)


def lattices(spectrum: Spectrum, top: int) -> Matrices:
    """The *top* most periodic geometries, refined, in all 8 orientations: work -> canonical (8 top, 2, 2)."""
    unit = _unit(spectrum)
    forward = _families() / unit
    score = _lattice_score(spectrum, forward)
    chosen: list[NDArray[np.float64]] = []
    for index in np.argsort(-score)[: 40 * top]:
        if all(np.abs(forward[index] - c).max() > 0.012 / unit for c in chosen):
            chosen.append(forward[index])
            if len(chosen) == top:
                break
    refined = _refine(spectrum, np.stack(chosen))
    return (ORIENTATIONS[None] @ np.linalg.inv(refined)[:, None]).reshape(-1, 2, 2)


def _refine(spectrum: Spectrum, forward: Matrices) -> Matrices:
    """Coordinate ascent of the lattice score over the four entries of every matrix at once."""
    forward = forward.copy()
    score = _lattice_score(spectrum, forward)
    moves = np.concatenate([np.eye(4), -np.eye(4)]).reshape(8, 2, 2) / _unit(spectrum)
    for step in (0.006, 0.003, 0.003, 0.0015, 0.0015):
        trial = forward[:, None] + step * moves
        value = _lattice_score(spectrum, trial.reshape(-1, 2, 2)).reshape(len(forward), 8)
        best = value.argmax(axis=1)
        better = value.max(axis=1) > score
        forward[better] = trial[np.arange(len(forward)), best][better]
        score = np.maximum(score, value.max(axis=1))
    return forward


def sweep(spectrum: Spectrum) -> Matrices:
    """Isotropic scales 0.55 to 2.75 in 0.5% steps, upright: resized and cropped pictures."""
    scale = np.exp(np.arange(np.log(0.55), np.log(2.75), 0.005))
    return np.asarray(np.eye(2)[None] * (_unit(spectrum) / scale)[:, None, None], dtype=np.float64)


def coefficients(spectrum: Spectrum, a: Matrices, bins: NDArray[np.int64]) -> NDArray[np.complex64]:
    """Tile DFT at *bins* for every geometry, phases from the picture's centre: (n, n_bins)."""
    f = (bins / TILE) @ a
    return spectrum.at(f[..., 0], f[..., 1])


def radii(bins: NDArray[np.int64]) -> NDArray[np.float64]:
    """|k| in cycles per tile."""
    return np.hypot(bins[:, 0], bins[:, 1])


def pilot_peaks(spectrum: Spectrum, a: Matrices, key: Carrier, keep: int) -> list[Candidate]:
    """Correlate the pilots at every whole canonical shift and both polarities; best *keep* geometries.

    Costs ``len(a) * TILE**2 * 2`` trials.
    """
    found: list[Candidate] = []
    for start in range(0, len(a), 256):
        part = a[start : start + 256]
        plane = _pilot_planes(spectrum, part, key)
        flat = np.abs(plane).reshape(len(part), -1)
        at = flat.argmax(axis=1)
        for n in np.argsort(-flat.max(axis=1))[:keep]:
            oy, ox = divmod(int(at[n]), TILE)
            sign = 1 if plane[n, oy, ox] >= 0 else -1
            found.append(
                Candidate(part[n], np.array([ox, oy], dtype=np.float64), float(flat[n, at[n]]), sign)
            )
    return sorted(found, key=lambda c: -c.z)[:keep]


def _pilot_planes(spectrum: Spectrum, a: Matrices, key: Carrier) -> NDArray[np.float32]:
    bins = key.pilot_bins
    weight = radii(bins) ** -_SCREEN
    value = coefficients(spectrum, a, bins) * weight
    norm = np.sqrt(np.sum(np.square(value.real) + np.square(value.imag), axis=1)) + 1e-12
    signs = key.pilot_signs[:, 0] + 1j * key.pilot_signs[:, 1]
    product = np.conj(np.conj(signs) * value) / norm[:, None] * (TILE * TILE / 2)
    half = np.zeros((len(a), TILE, R_MAX + 1), dtype=np.complex64)
    kx, ky = bins[:, 0], bins[:, 1]
    right, left = kx >= 0, kx <= 0
    half[:, ky[right] % TILE, kx[right]] += product[:, right]
    half[:, -ky[left] % TILE, -kx[left]] += np.conj(product[:, left])
    # The band ends at R_MAX: the columns beyond it are zero and need no transform.
    columns = fft.ifft(half, axis=1, overwrite_x=True)
    return np.asarray(fft.irfft(columns, n=TILE, axis=2), dtype=np.float32)


def pilot_z(
    spectrum: Spectrum, a: Matrices, o: NDArray[np.float64], key: Carrier, profile: float
) -> NDArray[np.float64]:
    """Pilot z of each (geometry, position) pair: a (n, 2, 2), o (n, 2) -> (n,)."""
    value = shifted(coefficients(spectrum, a, key.pilot_bins), o, key.pilot_bins)
    value = value * radii(key.pilot_bins) ** -profile
    norm = np.sqrt(np.sum(np.square(value.real) + np.square(value.imag), axis=1)) + 1e-12
    total = value.real @ key.pilot_signs[:, 0] + value.imag @ key.pilot_signs[:, 1]
    return np.asarray(total / norm, dtype=np.float64)


def shifted(
    value: NDArray[np.complex64], o: NDArray[np.float64], bins: NDArray[np.int64]
) -> NDArray[np.complex64]:
    """Move phases from the picture's centre to the tile's origin."""
    step = -2j * np.pi / TILE
    x = np.exp(step * np.outer(o[:, 0], np.arange(-R_MAX, R_MAX + 1))).astype(np.complex64)
    y = np.exp(step * np.outer(o[:, 1], np.arange(R_MAX + 1))).astype(np.complex64)
    return np.asarray(value * x[:, bins[:, 0] + R_MAX] * y[:, bins[:, 1]], dtype=np.complex64)


def climb(
    spectrum: Spectrum, starts: Sequence[Candidate], key: Carrier, profile: float = _SCREEN
) -> list[Candidate]:
    """Coordinate ascent of the pilot z over the four entries of A and the position, for each of *starts*."""
    unit = _unit(spectrum)
    moves = np.diag([0.004 * unit] * 4 + [0.5] * 2)
    return _ascended(spectrum, starts, key, profile, np.broadcast_to(moves, (len(starts), 6, 6)))


def climb_upright(
    spectrum: Spectrum, starts: Sequence[Candidate], key: Carrier, profile: float = _SCREEN
) -> list[Candidate]:
    """The same over size and position alone: for pictures that were scaled and cropped, nothing else.

    A weak mark leaves too little to find six numbers by; a climb in all of them follows the noise.
    """
    moves = np.zeros((len(starts), 3, 6))
    moves[:, 0, :4] = [0.004 * s.a.ravel() for s in starts] if starts else 0.0
    moves[:, 1, 4] = moves[:, 2, 5] = 0.5
    return _ascended(spectrum, starts, key, profile, moves)


def _ascended(
    spectrum: Spectrum, starts: Sequence[Candidate], key: Carrier, profile: float, moves: NDArray[np.float64]
) -> list[Candidate]:
    """Coordinate ascent along *moves* (starts, n, 6) and back, in ever smaller steps."""
    if not starts:
        return []
    moves = np.concatenate([moves, -moves], axis=1)
    sign = np.array([s.polarity for s in starts])
    point = np.stack([np.concatenate([s.a.ravel(), s.o]) for s in starts])
    best = sign * pilot_z(spectrum, point[:, :4].reshape(-1, 2, 2), point[:, 4:], key, profile)
    for step in _STEPS:
        moving = np.arange(len(starts))
        while len(moving):
            trial = (point[moving, None] + step * moves[moving]).reshape(-1, 6)
            z = pilot_z(spectrum, trial[:, :4].reshape(-1, 2, 2), trial[:, 4:], key, profile)
            z = sign[moving, None] * z.reshape(len(moving), -1)
            top = z.argmax(axis=1)
            better = z.max(axis=1) > best[moving] + 1e-3
            point[moving[better]] = trial.reshape(len(moving), -1, 6)[better, top[better]]
            best[moving[better]] = z.max(axis=1)[better]
            moving = moving[better]
    return [
        replace(s, a=p[:4].reshape(2, 2), o=p[4:] % TILE, z=float(z))
        for s, p, z in zip(starts, point, best, strict=True)
    ]


_STEPS = (1.0, 0.5, 0.25, 0.12, 0.06)
"""Step sizes of the ascent, in units of its moves."""
