"""From a geometry to a payload: soft bits, free decoding, and testing the ids of a ledger."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from safegen.watermarks.tile import code, search
from safegen.watermarks.tile.carrier import Carrier
from safegen.watermarks.tile.search import PROFILES, Candidate
from safegen.watermarks.tile.spectrum import Spectrum

__all__ = ["LOG10_FREE", "Known", "Soft", "free_decode", "score", "soft_bits", "without"]

LOG10_FREE = code.PAYLOAD_BITS * math.log10(2)
"""log10 of the number of payloads a free decoding chooses among."""
_CHUNK = 16384
_CACHED = 262144
_NEAR = 0.7
"""How much worse than the best codeword the plain decoder's path may be before the exact one is tried."""
_OFFSETS = tuple(range(8, 80, 8))


@dataclass(frozen=True)
class Soft:
    """One look at the payload through one stream and one radial profile.

    ``values``: float64 (320,), scaled so that z of a codeword is ``sum(values * +-1 bits)``; ``raw``:
    the payload dimensions they come from, float64 (n, 2). ``pilot`` is the pilots' z for the same look:
    independent of the payload's signs.
    """

    values: NDArray[np.float64]
    raw: NDArray[np.float64]
    pilot: float
    candidate: Candidate


def soft_bits(spectra: Sequence[Spectrum], candidate: Candidate, key: Carrier) -> list[Soft]:
    """One look per stream and profile, strongest pilots first; with several streams, their sum before all.

    The sum takes each stream with its best profile, weighted by its pilots' z.
    """
    a, o = candidate.a[None], candidate.o[None]
    radius = search.radii(key.payload_bins)[:, None]
    out: list[Soft] = []
    total = np.zeros(key.payload_signs.shape)
    top = 0.0
    for one in spectra:
        value = search.shifted(search.coefficients(one, a, key.payload_bins), o, key.payload_bins)[0]
        pairs = np.stack([value.real, value.imag], axis=1) * candidate.polarity
        pilots = [candidate.polarity * float(search.pilot_z(one, a, o, key, p)[0]) for p in PROFILES]
        looks = [pairs * radius**-p for p in PROFILES]
        out += [Soft(fold(v, key), v, z, candidate) for v, z in zip(looks, pilots, strict=True)]
        best = int(np.argmax(pilots))
        total += max(pilots[best], 0.0) * looks[best] / (math.sqrt(float(np.sum(looks[best] ** 2))) + 1e-12)
        top = max(top, pilots[best])
    out.sort(key=lambda s: -s.pilot)
    return [Soft(fold(total, key), total, top, candidate), *out] if len(spectra) > 1 else out


def fold(values: NDArray[np.float64], key: Carrier) -> NDArray[np.float64]:
    """Payload dimensions (n, 2) -> 320 soft bits, divided by the norm of the dimensions."""
    norm = math.sqrt(float(np.sum(values**2))) + 1e-12
    signed = (values * key.payload_signs).ravel() / norm
    return np.bincount(key.bit_of.ravel(), signed, minlength=code.CODED_BITS).astype(np.float64)


def without(look: Soft, payload: int, key: Carrier) -> Soft:
    """*look* less what *payload* contributes, its amplitude estimated ring by ring: shows a mark under it."""
    signs = key.payload_signs * (1.0 - 2.0 * code.encode(payload)[key.bit_of])
    ring = np.round(search.radii(key.payload_bins)).astype(int)
    amount = np.bincount(ring, np.sum(look.raw * signs, axis=1)) / np.maximum(2 * np.bincount(ring), 1)
    raw = look.raw - amount[ring][:, None] * signs
    return Soft(fold(raw, key), raw, look.pilot, look.candidate)


def score(soft: NDArray[np.float64], payload: int) -> float:
    """z of *payload*'s codeword."""
    return float(np.sum(soft * (1.0 - 2.0 * code.encode(payload))))


def free_decode(
    softs: Sequence[Soft], least: float, skip: frozenset[int] = frozenset()
) -> tuple[tuple[Soft, int, float] | None, float]:
    """The first of *softs* in which a payload's CRC holds and its z is at least *least*; payload and z.

    Second, the best z of any codeword the plain decoder met, CRC or not. Payloads in *skip* do not
    count. For each the plain decoder, then, where that came near, the exact one (which also tells when
    no codeword reaches *least*), then a list of the best paths around every eighth trellis step.
    """
    plain = code.decode_many(np.stack([s.values for s in softs]))
    near = max(metric for _, metric in plain)
    for soft, (first, metric) in zip(softs, plain, strict=True):
        found = (first, metric) if first is not None and metric >= least else None
        if found is None and metric >= least - _NEAR:
            found = _listed(soft.values, least)
        if found is not None and found[0] not in skip:
            return (soft, *found), near
    return None, near


def _listed(soft: NDArray[np.float64], least: float) -> tuple[int, float] | None:
    """The best payload of the exact and list decoders, if its z reaches *least*."""
    best, payloads = code.ml_paths(soft, least=least)
    if best < least:
        return None
    for offset in (None, *_OFFSETS):
        if offset is not None:
            payloads = code.ml_paths(soft, offset, least)[1]
        rated = [(score(soft, p), p) for p in payloads]
        if rated and max(rated)[0] >= least:
            z, payload = max(rated)
            return payload, z
    return None


class Known:
    """The ids of a ledger, their codewords correlated with many soft vectors at once."""

    def __init__(self, ids: Sequence[int]) -> None:
        """Keep the ids in [0, 2**64); others cannot be payloads."""
        self.ids = np.array([i for i in ids if 0 <= i < 1 << code.PAYLOAD_BITS], dtype=np.uint64)
        self._words: dict[int, NDArray[np.int8]] = {}

    def __len__(self) -> int:
        """How many ids there are: the trials of one test."""
        return len(self.ids)

    def best(self, softs: NDArray[np.float64], skip: frozenset[int] = frozenset()) -> tuple[int, int, float]:
        """The id and the row of *softs* (n, 320) that fit best, and their z; ids in *skip* do not count."""
        top = (0, 0, -math.inf)
        columns = softs.T.astype(np.float32)
        for start in range(0, len(self.ids), _CHUNK):
            ids = self.ids[start : start + _CHUNK]
            z = self._codewords(start).astype(np.float32) @ columns
            if skip:
                # Sorted: numpy 2.0's table cannot begin at an id beyond 63 bits.
                z[np.isin(ids, np.array(sorted(skip), dtype=np.uint64), kind="sort")] = -np.inf
            n, row = (int(v) for v in np.unravel_index(int(z.argmax()), z.shape))
            if z[n, row] > top[2]:
                top = (int(ids[n]), row, float(z[n, row]))
        return top

    def _codewords(self, start: int) -> NDArray[np.int8]:
        """+-1 codewords of one chunk; the first quarter of a million ids are kept for the next look."""
        if start in self._words:
            return self._words[start]
        words = (1 - 2 * code.encode_many(self.ids[start : start + _CHUNK]).astype(np.int8)).astype(np.int8)
        if len(self._words) * _CHUNK < _CACHED:
            self._words[start] = words
        return words
