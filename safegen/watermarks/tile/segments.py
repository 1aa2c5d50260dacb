"""Which seconds carry the mark, once its geometry and payload are known from the whole clip.

The payload was read from the whole clip, so for one second nothing is searched any more: only the
payload's own dimensions are correlated (their signs are independent of the pilots that chose the
geometry), and the bound pays for the number of seconds.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from safegen.types import WatermarkSegment
from safegen.watermarks.tile import code
from safegen.watermarks.tile.carrier import R_MAX, R_MIN, TILE, Carrier
from safegen.watermarks.tile.residual import Streams
from safegen.watermarks.tile.search import Candidate
from safegen.watermarks.tile.statistic import correlation, log10_bound

__all__ = ["SEGMENT_LOG10_P", "fold_tiles", "presence", "stretches"]

SEGMENT_LOG10_P = -4.0
"""A second carries the mark below this bound (all seconds counted)."""
_CLIP = 3.0


def fold_tiles(residual: NDArray[np.float32], found: Candidate) -> NDArray[np.complex64]:
    """DFT of the tile that *residual* folds to, each ring flattened: complex (64, 64), rows ky."""
    height, width = residual.shape
    corners = np.array([[-width, width, -width, width], [-height, -height, height, height]]) / 2
    reach = np.abs(found.a @ corners).max(axis=1)
    tiles = np.clip(np.ceil((reach + TILE) / TILE).astype(int), 1, 24)
    # Canonical (u, v) in [-tiles * TILE, tiles * TILE) around the tile's origin, pixel centres at + 0.5.
    inverse = np.linalg.inv(found.a)
    centre = found.o % TILE
    origin = inverse @ (0.5 - tiles * TILE - centre) + np.array([width, height]) / 2 - 0.5
    matrix = np.column_stack([inverse, origin]).astype(np.float64)
    size = (int(2 * tiles[0] * TILE), int(2 * tiles[1] * TILE))
    plane = cv2.warpAffine(residual, matrix, size, flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP)
    folded = plane.reshape(2 * tiles[1], TILE, 2 * tiles[0], TILE).sum(axis=(0, 2))
    value = np.fft.fft2(folded)
    k = np.fft.fftfreq(TILE, 1 / TILE)
    value *= np.exp(-1j * np.pi / TILE * (k[:, None] + k[None]))
    return _flatten(value, np.hypot(k[:, None], k[None]))


def _flatten(value: NDArray[np.complex128], radius: NDArray[np.float64]) -> NDArray[np.complex64]:
    out = np.zeros(value.shape, dtype=np.complex64)
    for r in range(R_MIN, R_MAX + 1):
        ring = np.abs(radius - r) <= 0.5
        level = math.sqrt(float(np.mean(np.abs(value[ring]) ** 2))) + 1e-12
        part = value[ring] / level
        out[ring] = part * np.minimum(1.0, _CLIP / np.maximum(np.abs(part), 1e-6))
    return out


def presence(
    parts: Streams, found: Candidate, key: Carrier, payload: int, seconds: float
) -> tuple[WatermarkSegment, ...]:
    """Presence of *payload* in every second that has sampled frames, in time order."""
    signs = key.payload_signs * (1.0 - 2.0 * code.encode(payload)[key.bit_of]) * found.polarity
    kx, ky = key.payload_bins[:, 0] % TILE, key.payload_bins[:, 1] % TILE
    trials = math.log10(max(1, len(parts.seconds)))
    out = []
    for start, residual in parts.seconds:
        value = fold_tiles(residual, found)[ky, kx]
        z = correlation(signs, np.stack([value.real, value.imag], axis=1).astype(np.float64))
        p = log10_bound(z, trials)
        end = min(start + 1.0, seconds) if seconds > start else start + 1.0
        out.append(WatermarkSegment(float(start), float(end), p < SEGMENT_LOG10_P, p))
    return tuple(out)


_LEVELS = np.array([0.0, 1.0, 2.0, 4.0, 8.0, 16.0])
"""Strengths (z) that a picture's mark may have; the first: none. Encoders wear a mark down within a scene."""
_SPREAD = 1.0 + 0.2 * _LEVELS
_SWITCH, _STEP = 3.5, 1.5
"""What a border between marked and unmarked costs, and a step from one strength to the next (nats): single
odd pictures make no border, and a mark that fades is not one that ends."""
_LIMIT = 12.0
"""How much one picture can say at most (nats)."""


def stretches(
    values: Sequence[NDArray[np.float16]],
    signs: NDArray[np.float64],
    times: Sequence[float],
    end: float,
) -> tuple[WatermarkSegment, ...]:
    """The file from its start to *end* (seconds), cut into runs with and without the mark.

    *values* are the payload dimensions (n, 2) of every picture (all 0: it says nothing), *signs* the
    payload's, *times* when the pictures are shown. The borders come from the best path through a model of
    strengths; each run's ``log10_p`` pays for every stretch that could have been chosen, so the bound holds.
    """
    z = np.array([correlation(signs, v.astype(np.float64)) for v in values])
    loud = np.array([bool(np.any(v)) for v in values])
    state = _best_path(z, loud)
    edges = [0, *(np.flatnonzero(np.diff(state)) + 1), len(z)]
    trials = math.log10(len(z) * (len(z) + 1) / 2)
    out: list[WatermarkSegment] = []
    for first, last in itertools.pairwise(int(e) for e in edges):
        total = np.sum([v.astype(np.float64) for v in values[first:last]], axis=0)
        p = log10_bound(correlation(signs, total), trials)
        start = 0.0 if first == 0 else _between(times, first)
        stop = end if last == len(z) else _between(times, last)
        present = bool(state[first]) and p < SEGMENT_LOG10_P
        if out and out[-1].present == present:
            before = out.pop()
            start, p = before.start, min(p, before.log10_p)
        out.append(WatermarkSegment(float(start), float(stop), present, p))
    return tuple(out)


def _between(times: Sequence[float], index: int) -> float:
    """A border between a picture and the one before it."""
    return (times[index - 1] + times[index]) / 2


def _costs() -> NDArray[np.float64]:
    """What it costs to go from each strength (rows) to each other."""
    index = np.arange(len(_LEVELS))
    cost = _STEP * np.abs(index[:, None] - index[None])
    cost[0, 1:] = cost[1:, 0] = _SWITCH
    return np.asarray(cost, dtype=np.float64)


def _best_path(z: NDArray[np.float64], loud: NDArray[np.bool_]) -> NDArray[np.int64]:
    """0 or 1 for every picture: the sequence of strengths with the most evidence, less its costs (Viterbi).

    A marked picture's z scatters around its strength, an unmarked one's around 0; what is not *loud* says
    nothing.
    """
    says = -0.5 * ((z[:, None] - _LEVELS) / _SPREAD) ** 2 - np.log(_SPREAD)
    says = np.maximum(says, says.max(axis=1, keepdims=True) - _LIMIT) * loud[:, None]
    costs, each = _costs(), np.arange(len(_LEVELS))
    score = says[0]
    back = np.zeros(says.shape, dtype=np.int64)
    for n in range(1, len(says)):
        through = score[:, None] - costs
        back[n] = through.argmax(axis=0)
        score = through[back[n], each] + says[n]
    path = np.empty(len(says), dtype=np.int64)
    state = int(score.argmax())
    for n in range(len(says) - 1, -1, -1):
        path[n] = state > 0
        state = int(back[n, state])
    return path
