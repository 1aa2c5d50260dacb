"""Reading the mark: streams, geometry, payload or known id, the bound, presence per second."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from safegen.types import Geometry, WatermarkReading
from safegen.watermarks.tile import ALG, code, payload, search
from safegen.watermarks.tile.carrier import TILE, Carrier, carrier
from safegen.watermarks.tile.residual import Streams, streams
from safegen.watermarks.tile.search import Candidate
from safegen.watermarks.tile.segments import presence
from safegen.watermarks.tile.spectrum import Spectrum, spectrum
from safegen.watermarks.tile.statistic import log10_bound, needed_z

if TYPE_CHECKING:
    from safegen.types import FrameSample

__all__ = ["ACCEPT_LOG10_P", "detect"]

ACCEPT_LOG10_P = -9.0
"""A mark is present, and a payload accepted, below this bound."""
_TESTS = math.log10(3)
"""Three statistics can each make a mark present: pilots, free payload, known id. Each pays for all."""
_LATTICES = 48
_CLIMBS = 5
_LOOKS = 3


@dataclass
class _Search:
    """What has been looked at so far, and the bounds that follow."""

    spectra: list[Spectrum]
    key: Carrier
    known: payload.Known
    pilot_trials: int = 0
    looks: int = 0
    pilot_z: float = 0.0
    best: Candidate | None = None
    found: list[tuple[payload.Soft, int, float, float, bool]] = field(default_factory=list)
    """(look, payload, z, log10_p, matched a known id)."""

    def peaks(self, one: Spectrum, a: search.Matrices, keep: int) -> list[Candidate]:
        """Pilot peaks over *a*, counted."""
        self.pilot_trials += 2 * len(a) * TILE * TILE
        top = search.pilot_peaks(one, a, self.key, keep)
        if top and top[0].z > self.pilot_z:
            self.pilot_z, self.best = top[0].z, top[0]
        return top

    def read(self, candidate: Candidate) -> bool:
        """Try to read a payload at *candidate*; whether one was accepted."""
        softs = payload.soft_bits(self.spectra, candidate, self.key)[:_LOOKS]
        self.looks += len(softs)
        trials = _TESTS + math.log10(self.looks)
        if len(self.known):
            rows = np.stack([s.values for s in softs])
            number, row, z = self.known.best(rows)
            p = log10_bound(z, trials + math.log10(len(self.known)))
            if p < ACCEPT_LOG10_P:
                self.found.append((softs[row], number, z, p, True))
                return True
        for soft in softs:
            decoded = payload.free_decode(soft.values, needed_z(ACCEPT_LOG10_P, trials + payload.LOG10_FREE))
            if decoded is not None:
                p = log10_bound(decoded[1], trials + payload.LOG10_FREE)
                self.found.append((soft, *decoded, p, False))
                return True
        return False


def _candidates(state: _Search) -> Iterator[Candidate]:
    """Geometries worth reading, the cheap and likely ones first."""
    for one in state.spectra:
        for candidate in state.peaks(one, search.identity(one), 2):
            yield search.climb(one, candidate, state.key)
    yield from search.upright(state.spectra[-1], state.key)
    rough: list[tuple[Candidate, Spectrum]] = []
    for one in state.spectra:
        rough += [(c, one) for c in state.peaks(one, search.sweep(one), _CLIMBS)]
        rough += [(c, one) for c in state.peaks(one, search.lattices(one, _LATTICES), _CLIMBS)]
    rough.sort(key=lambda pair: -pair[0].z)
    climbed = [search.climb(one, c, state.key) for c, one in rough[: 2 * _CLIMBS]]
    yield from sorted(climbed, key=lambda c: -c.z)[:_CLIMBS]


def detect(sample: FrameSample, *, key: bytes, known: Sequence[int] = ()) -> list[WatermarkReading]:
    """Every mark found in *sample*, strongest first; one reading with ``present=False`` when there is none.

    ``log10_p`` bounds the probability over the key's signs that content made without the key gives a
    reading this strong; every geometry, shift, orientation, look and id tried is counted.
    """
    parts = streams(sample)
    if parts is None:
        return [WatermarkReading(ALG, present=False, payload=None, log10_p=0.0)]
    state = _Search([spectrum(m) for m in parts.means], carrier(key), payload.Known(known))
    for candidate in _candidates(state):
        if state.read(candidate):
            break
    if state.found:
        return [_reading(sample, parts, state, *entry) for entry in state.found]
    p = log10_bound(state.pilot_z, _TESTS + math.log10(max(1, state.pilot_trials)))
    present = p < ACCEPT_LOG10_P
    geometry = _geometry(sample, parts, state.best) if present and state.best is not None else None
    return [WatermarkReading(ALG, present=present, payload=None, log10_p=p, geometry=geometry)]


def _reading(
    sample: FrameSample,
    parts: Streams,
    state: _Search,
    soft: payload.Soft,
    number: int,
    z: float,
    p: float,
    matched: bool,
) -> WatermarkReading:
    errors = (soft.values < 0) != (code.encode(number) == 1)
    return WatermarkReading(
        ALG,
        present=True,
        payload=number,
        log10_p=p,
        matched_known=matched,
        segments=presence(parts, soft.candidate, state.key, number, sample.seconds),
        geometry=_geometry(sample, parts, soft.candidate),
        bit_error_rate=float(np.mean(errors)),
    )


def _geometry(sample: FrameSample, parts: Streams, found: Candidate) -> Geometry:
    """The candidate in pixels of the file (not of the scaled sample)."""
    width, height = parts.size
    scale = np.diag([width / max(1, sample.width), height / max(1, sample.height)])
    a = found.a @ scale
    t = (found.o - found.a @ np.array([width / 2, height / 2])) % TILE
    return Geometry(
        (float(a[0, 0]), float(a[0, 1]), float(a[1, 0]), float(a[1, 1])),
        (float(t[0]), float(t[1])),
        float(TILE),
    )
