"""A whole file, however long: which stretches of it carry which mark.

The file streams by in passages of half a minute. Each is searched on its own, so that a short marked part
of a long file is not drowned; then all of it once more together, for marks too weak for one passage. For
each mark every picture is folded into one tile, and what its payload dimensions hold is kept: some hundred
numbers, from which any stretch's statistic follows exactly.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from safegen.types import DetectedMark, WatermarkReading, WatermarkSegment
from safegen.watermarks.tile import code
from safegen.watermarks.tile.carrier import TILE, Carrier
from safegen.watermarks.tile.detect import ACCEPT_LOG10_P, Search, geometry_of, look
from safegen.watermarks.tile.residual import frame_residual, work_size
from safegen.watermarks.tile.scheme import ALG
from safegen.watermarks.tile.search import Candidate
from safegen.watermarks.tile.segments import SEGMENT_LOG10_P, fold_tiles, stretches
from safegen.watermarks.tile.spectrum import spectrum
from safegen.watermarks.tile.statistic import correlation, log10_bound

__all__ = ["PASSAGE", "Moment", "Timeline", "locate"]

PASSAGE = 32.0
"""Seconds searched together."""
_QUIET = 0.03
"""RMS of a residual below which a picture says nothing: black, or one colour."""
Floats = NDArray[np.float32]


@dataclass(frozen=True)
class Moment:
    """A picture (uint8 RGB, (height, width, 3)), its time in seconds, and whether it is a keyframe."""

    picture: NDArray[np.uint8]
    time: float
    key: bool


@dataclass(frozen=True)
class Timeline:
    """What was found: marks, strongest first, the bound that came nearest, how many pictures were seen."""

    marks: tuple[DetectedMark, ...]
    log10_p: float
    frames: int
    seconds: float


@dataclass
class _Mark:
    """One payload: its best reading, its geometry in each passage, and its values at every moment."""

    reading: WatermarkReading
    first: int
    where: dict[int, Candidate] = field(default_factory=dict)
    values: list[NDArray[np.float16]] = field(default_factory=list)


@dataclass
class _Passage:
    """Residuals of one stretch of the file."""

    number: int
    times: list[float]
    residuals: list[NDArray[np.float16]]
    keys: list[bool]

    def means(self) -> list[Floats]:
        """All pictures together, and the intra coded ones."""
        total = _mean(self.residuals)
        keys = [r for r, k in zip(self.residuals, self.keys, strict=True) if k]
        return [total] if len(keys) in (0, len(self.residuals)) else [total, _mean(keys)]


def _mean(residuals: Sequence[NDArray[np.float16]]) -> Floats:
    total = np.zeros(residuals[0].shape, np.float32)
    for one in residuals:
        total += one
    return np.asarray(total / len(residuals), np.float32)


def locate(
    moments: Callable[[], Iterator[Moment]],
    *,
    key: Carrier,
    secret: bytes,
    file: tuple[int, int],
    seconds: float = 0.0,
    known: Sequence[int] = (),
) -> Timeline:
    """Every mark under the key *secret* (its carrier: *key*) in a file of *file* = (width, height) pixels.

    *moments* starts a pass over evenly spaced pictures; a second one is made when a mark first shows late.
    *seconds* is how long the file is. Memory does not grow with the file but for some kB a second.
    """
    marks: dict[int, _Mark] = {}
    times: list[float] = []
    nearest, searches, frames = 0.0, 0, 0
    whole: Floats | None = None
    size = (0, 0)
    for passage in _passages(moments()):
        size = passage.residuals[0].shape[::-1]
        state = look([spectrum(m) for m in passage.means()], secret, known)
        searches += 1
        nearest = min(nearest, state.pilot_log10_p())
        _note(marks, state, passage.number, file, size)
        _measure(marks, passage, key)
        times += passage.times
        frames += len(passage.times)
        added = _mean(passage.residuals) * np.float32(len(passage.residuals))
        whole = added if whole is None else np.asarray(whole + added, np.float32)
    if whole is not None and searches > 1 and not marks:
        state = look([spectrum(np.asarray(whole / max(1, frames), np.float32))], secret, known)
        searches += 1
        nearest = min(nearest, state.pilot_log10_p())
        _note(marks, state, searches, file, size)
    if any(m.first for m in marks.values()):
        for mark in marks.values():
            mark.values.clear()
        for passage in _passages(moments()):
            _measure(marks, passage, key)
    end = max(seconds, times[-1] if times else 0.0)
    found = [_finished(m, key, times, end, searches) for m in marks.values()]
    kept = sorted((f for f in found if f is not None), key=lambda f: f.reading.log10_p)
    worst = min(0.0, nearest + math.log10(max(1, searches)))
    return Timeline(tuple(kept), worst, frames, end)


def _passages(moments: Iterator[Moment]) -> Iterator[_Passage]:
    """Residuals of PASSAGE seconds at a time; one after the other."""
    current = _Passage(0, [], [], [])
    size = (0, 0)
    for moment in moments:
        if int(moment.time // PASSAGE) > current.number and current.times:
            yield current
            current = _Passage(int(moment.time // PASSAGE), [], [], [])
        if size == (0, 0):
            size = work_size(moment.picture.shape[1], moment.picture.shape[0])
        current.times.append(moment.time)
        current.residuals.append(frame_residual(moment.picture, size).astype(np.float16))
        current.keys.append(moment.key)
    if current.times:
        yield current


def _note(
    marks: dict[int, _Mark], state: Search, number: int, file: tuple[int, int], size: tuple[int, int]
) -> None:
    """Remember what a search found, and where."""
    for found in state.found:
        where = found.look.candidate
        wrong = (found.look.values < 0) != (code.encode(found.number) == 1)
        reading = WatermarkReading(
            ALG,
            present=True,
            payload=found.number,
            log10_p=found.log10_p,
            bounded=not found.under,
            matched_known=found.known,
            geometry=geometry_of(file, size, where),
            bit_error_rate=float(np.mean(wrong)),
        )
        mark = marks.setdefault(found.number, _Mark(reading, number))
        mark.where[number] = where
        if reading.log10_p < mark.reading.log10_p:
            mark.reading = reading


def _measure(marks: dict[int, _Mark], passage: _Passage, key: Carrier) -> None:
    """The payload dimensions of every moment, under each mark's geometry."""
    kx, ky = key.payload_bins[:, 0] % TILE, key.payload_bins[:, 1] % TILE
    for mark in marks.values():
        where = mark.where.get(passage.number) or next(iter(mark.where.values()))
        for residual in passage.residuals:
            if float(np.sqrt(np.mean(np.square(residual, dtype=np.float32)))) < _QUIET:
                mark.values.append(np.zeros(key.payload_signs.shape, np.float16))
                continue
            value = fold_tiles(residual.astype(np.float32), where)[ky, kx]
            pairs = np.stack([value.real, value.imag], axis=1) * where.polarity
            mark.values.append(pairs.astype(np.float16))


def _finished(
    mark: _Mark, key: Carrier, times: Sequence[float], end: float, searches: int
) -> DetectedMark | None:
    """The mark with its seconds and runs, every search paid for; None when that leaves too little."""
    p = min(0.0, mark.reading.log10_p + math.log10(max(1, searches)))
    if p >= ACCEPT_LOG10_P or mark.reading.payload is None:
        return None
    signs = key.payload_signs * (1.0 - 2.0 * code.encode(mark.reading.payload)[key.bit_of])
    values = mark.values[: len(times)]
    if len(times) < 2 or len(values) < len(times):
        return DetectedMark(replace(mark.reading, log10_p=p))
    seconds = _seconds(values, signs, times, end)
    return DetectedMark(
        replace(mark.reading, log10_p=p, segments=seconds), stretches(values, signs, times, end)
    )


def _seconds(
    values: Sequence[NDArray[np.float16]], signs: NDArray[np.float64], times: Sequence[float], end: float
) -> tuple[WatermarkSegment, ...]:
    """Presence in every second that has pictures."""
    groups: dict[int, NDArray[np.float64]] = {}
    for value, time in zip(values, times, strict=True):
        second = int(time)
        groups[second] = groups.get(second, 0.0) + value.astype(np.float64)
    trials = math.log10(max(1, len(groups)))
    out = []
    for second, total in sorted(groups.items()):
        p = log10_bound(correlation(signs, total), trials)
        out.append(WatermarkSegment(float(second), min(second + 1.0, end), p < SEGMENT_LOG10_P, p))
    return tuple(out)
