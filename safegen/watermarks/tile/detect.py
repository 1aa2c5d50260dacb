"""Reading the mark: streams, geometry, payload or known id, the bound, presence per second."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from safegen.types import Geometry, WatermarkReading
from safegen.watermarks.tile import code, payload, search
from safegen.watermarks.tile.carrier import TILE, Carrier, carrier
from safegen.watermarks.tile.residual import Streams, streams
from safegen.watermarks.tile.scheme import ALG
from safegen.watermarks.tile.search import Candidate
from safegen.watermarks.tile.segments import presence
from safegen.watermarks.tile.spectrum import Spectrum, spectrum
from safegen.watermarks.tile.statistic import log10_bound, needed_z

if TYPE_CHECKING:
    from safegen.types import FrameSample

__all__ = ["ACCEPT_LOG10_P", "Search", "detect", "geometry_of", "look"]

ACCEPT_LOG10_P = -9.0
"""A mark is present, and a payload accepted, below this bound."""
_TESTS = math.log10(3)
"""Three statistics can each make a mark present: pilots, free payload, known id. Each pays for all."""
_LATTICES = 48
_KEEP, _CLIMBS, _READS = 12, 16, 10
"""Rough geometries kept per search, how many of them are refined, and how many of those are read."""
_FREER = 1.1
"""So many times the pilot z must rise for three more numbers to be worth believing."""
_LOOKS = 3
_LOG10_LOOKS = math.log10(64)
"""No search looks at more than 64 soft vectors: (2 + 2 + 2 + 10 + 2) geometries x 3, and those underneath."""
_OTHER_Z = 5.0
"""Pilot z from which a second geometry is looked at once a mark was found."""
_SAME = 0.02


@dataclass(frozen=True)
class _Found:
    """An accepted payload and where; ``under`` another mark: read from what that mark left."""

    look: payload.Soft
    number: int
    log10_p: float
    known: bool
    under: bool = False


@dataclass
class Search:
    """What has been looked at so far, and the bounds that follow."""

    spectra: list[Spectrum]
    key: Carrier
    known: payload.Known
    pilot_trials: int = 0
    pilot_z: float = 0.0
    best: Candidate | None = None
    found: list[_Found] = field(default_factory=list)
    known_z: float = -math.inf
    """The best z of any known id at anything looked at; of any codeword: ``free_z``."""
    free_z: float = -math.inf

    def peaks(self, one: Spectrum, a: search.Matrices, keep: int) -> list[Candidate]:
        """Pilot peaks over *a*, counted."""
        self.pilot_trials += 2 * len(a) * TILE * TILE
        top = search.pilot_peaks(one, a, self.key, keep)
        if top and top[0].z > self.pilot_z:
            self.pilot_z, self.best = top[0].z, top[0]
        return top

    def read(self, candidates: Sequence[Candidate]) -> bool:
        """Try to read payloads at *candidates*, one on top of the other; whether any was accepted.

        What was found before is taken out first: its codeword would lend z to ids that resemble it.
        """
        softs = [s for c in candidates for s in payload.soft_bits(self.spectra, c, self.key)[:_LOOKS]]
        before = len(self.found)
        while softs and len(self.found) < before + 2:
            for done in self.found:
                softs = [payload.without(s, done.number, self.key) for s in softs]
            one = self._accept(softs)
            if one is None:
                break
            self.found.append(one)
            softs = [one.look]
        return len(self.found) > before

    def _accept(self, softs: list[payload.Soft]) -> _Found | None:
        under = bool(self.found)
        done = frozenset(f.number for f in self.found)
        if len(self.known):
            trials = _TESTS + _LOG10_LOOKS + math.log10(len(self.known))
            number, row, z = self.known.best(np.stack([s.values for s in softs]), done)
            self.known_z = max(self.known_z, z)
            if log10_bound(z, trials) < ACCEPT_LOG10_P:
                return _Found(softs[row], number, log10_bound(z, trials), True, under)
        trials = _TESTS + _LOG10_LOOKS + payload.LOG10_FREE
        least = needed_z(ACCEPT_LOG10_P, trials)
        free, near = payload.free_decode(softs, least, done)
        self.free_z = max(self.free_z, near)
        if free is None:
            return None
        soft, number, z = free
        return _Found(soft, number, log10_bound(z, trials), False, under)

    def pilot_log10_p(self) -> float:
        """The bound from the pilots alone, all correlations counted."""
        return log10_bound(self.pilot_z, _TESTS + math.log10(max(1, self.pilot_trials)))

    def others(self) -> None:
        """Look for marks at other scales and orientations than the one found."""
        first = self.found[0].look.candidate
        one = self.spectra[-1]
        shapes = np.concatenate([search.identity(one), search.sweep(one)])
        apart = [
            c
            for c in self.peaks(one, shapes, 2 * _KEEP)
            if c.z > _OTHER_Z and np.abs(c.a - first.a).max() > _SAME * np.abs(first.a).max()
        ]
        self.read(search.climb(one, apart[:2], self.key))


def _candidates(state: Search) -> Iterator[list[Candidate]]:
    """Geometries worth reading, in groups, the cheap and likely ones first."""
    whole = [(c, n) for n, one in enumerate(state.spectra) for c in state.peaks(one, search.identity(one), 2)]
    whole.sort(key=lambda pair: -pair[0].z)
    yield [*_climbed(state, whole[:2]), *search.upright(state.spectra[-1], state.key)]
    yield _climbed(state, whole[2:])
    scaled: list[tuple[Candidate, int]] = []
    rough: list[tuple[Candidate, int]] = []
    for n, one in enumerate(state.spectra):
        scaled += [(c, n) for c in state.peaks(one, search.sweep(one), _KEEP)]
        rough += [(c, n) for c in state.peaks(one, search.lattices(one, _LATTICES), _KEEP)]
    least = sorted(c.z for c, _ in scaled + rough)[-_CLIMBS:][0]
    refined = _climbed(state, [pair for pair in rough if pair[0].z >= least])
    for pair in scaled:
        if pair[0].z >= least:
            refined += _sized(state, pair)
    yield sorted(refined, key=lambda c: -c.z)[:_READS]


def _climbed(state: Search, rough: Sequence[tuple[Candidate, int]]) -> list[Candidate]:
    """Rough geometries, each with the stream it came from, refined there; strongest first."""
    out: list[Candidate] = []
    for n, one in enumerate(state.spectra):
        out += search.climb(one, [c for c, stream in rough if stream == n], state.key)
    return sorted(out, key=lambda c: -c.z)


def _sized(state: Search, rough: tuple[Candidate, int]) -> list[Candidate]:
    """A scaled and cropped picture's geometry refined, and a freer one as well where that fits far better."""
    start, stream = rough
    one = state.spectra[stream]
    (upright,) = search.climb_upright(one, [start], state.key)
    (free,) = search.climb(one, [upright], state.key)
    return [upright, free] if free.z > _FREER * upright.z else [upright]


def look(spectra: list[Spectrum], key: bytes, known: Sequence[int] = ()) -> Search:
    """The whole search over the spectra of a sample's streams."""
    state = Search(spectra, carrier(key), payload.Known(known))
    for group in _candidates(state):
        if state.read(group):
            state.others()
            break
    return state


def detect(sample: FrameSample, *, key: bytes, known: Sequence[int] = ()) -> list[WatermarkReading]:
    """Every mark found in *sample*, strongest first; one reading with ``present=False`` when there is none.

    ``log10_p`` bounds the probability over the key's signs that content made without the key gives a
    reading this strong; every geometry, shift, orientation, look and id tried is counted. A second mark
    read from underneath another one at the same place has ``bounded=False``: the first was made with
    the key, so the bound's assumption does not hold for it.
    """
    parts = streams(sample)
    if parts is None:
        return [WatermarkReading(ALG, present=False, payload=None, log10_p=0.0)]
    state = look([spectrum(m) for m in parts.means], key, known)
    if state.found:
        ranked = sorted(state.found, key=lambda f: f.log10_p)
        return [_reading(sample, parts, state.key, f) for f in ranked]
    p = state.pilot_log10_p()
    present = p < ACCEPT_LOG10_P
    size = (sample.width, sample.height)
    geometry = geometry_of(size, parts.size, state.best) if present and state.best is not None else None
    return [WatermarkReading(ALG, present=present, payload=None, log10_p=p, geometry=geometry)]


def _reading(sample: FrameSample, parts: Streams, key: Carrier, found: _Found) -> WatermarkReading:
    errors = (found.look.values < 0) != (code.encode(found.number) == 1)
    return WatermarkReading(
        ALG,
        present=True,
        payload=found.number,
        log10_p=found.log10_p,
        bounded=not found.under,
        matched_known=found.known,
        segments=presence(parts, found.look.candidate, key, found.number, sample.seconds),
        geometry=geometry_of((sample.width, sample.height), parts.size, found.look.candidate),
        bit_error_rate=float(np.mean(errors)),
    )


def geometry_of(file: tuple[int, int], work: tuple[int, int], found: Candidate) -> Geometry:
    """The candidate, found at the size *work* = (width, height), in pixels of the file."""
    width, height = work
    scale = np.diag([width / max(1, file[0]), height / max(1, file[1])])
    a = found.a @ scale
    t = (found.o - found.a @ np.array([width / 2, height / 2])) % TILE
    return Geometry(
        (float(a[0, 0]), float(a[0, 1]), float(a[1, 0]), float(a[1, 1])),
        (float(t[0]), float(t[1])),
        float(TILE),
    )
