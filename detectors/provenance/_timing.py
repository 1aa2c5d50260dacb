"""At what speed, and from which moment on, does a file show a release?

Both are unknown: sharing sites change frame rates, people change speeds and cut. Every speed from half to
twice and every start is tried on the likenesses of the recorded pictures with the file's, which are
interpolated between the file's pictures, so that neither needs to be a whole number of frames.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["TimeMap", "find_time_maps"]

_SLOWEST, _FASTEST = 0.5, 2.0
_RATE_STEP = 1 / 64
"""Speeds this far apart differ by half a step of 64 pictures at the ends of a file."""
_MOST_OFFSETS = 160
_LEAST_INSIDE = 0.5
"""Share of the file's time, or of the release's, that a start must leave in common."""
_WHOLE = 0.9
_SAME_RATE = 0.01
_SHRINK = 1.0
"""Few pictures agree by chance more easily than many: so many unlike ones are added to each sum."""
_PLAIN = 0.01
"""What another speed by a factor of two must gain to be preferred."""

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class TimeMap:
    """File time t shows the release at ``rate * t + offset`` seconds.

    ``value``: mean likeness of the pictures. ``inside``: share of the file's time that lies in the release.
    """

    rate: float
    offset: float
    value: float
    inside: float
    plain: bool = False
    """Whether it is the best map of a file that runs at the released speed, within the release."""

    def usual(self, seconds: float, theirs: Floats) -> bool:
        """Whether the speed is the released one, or all of the release's *seconds* are shown at another."""
        slack = self.rate * _step(theirs)
        begin = self.rate * theirs[0] + self.offset
        end = self.rate * (theirs[-1] + _step(theirs)) + self.offset
        whole = abs(begin) <= slack and abs(end - seconds) <= slack
        part = begin >= -slack and end <= seconds + slack and abs(self.rate - 1) <= _SAME_RATE
        return bool(whole or part)

    def positions(self, ours: Floats, theirs: Floats) -> tuple[NDArray[np.intp], Floats]:
        """Recorded pictures (indices) that the file reaches, and where each lies among the file's pictures.

        A position of 2.25 is a quarter of the way from the file's third picture to its fourth.
        """
        at = (ours - self.offset) / self.rate
        slack = 0.51 * _step(theirs)
        reached = np.flatnonzero((at >= theirs[0] - slack) & (at <= theirs[-1] + slack))
        return reached, np.interp(at[reached], theirs, np.arange(len(theirs), dtype=float))


def find_time_maps(
    likeness: NDArray[np.float32], ours: Floats, theirs: Floats, seconds: float, *, most: int
) -> list[TimeMap]:
    """The *most* best maps, each of another moment, best first.

    *likeness* (n, m): of recorded picture i, at ``ours[i]`` of *seconds*, and the file's j, at ``theirs[j]``.
    """
    if len(theirs) == 1 or len(ours) == 1:
        return _of_a_still(likeness, ours, theirs, most)
    rates, offsets = _grid(ours, theirs, seconds)
    values, inside = _values(likeness, ours, theirs, seconds, rates, offsets)
    found: list[TimeMap] = []
    order = np.argsort(-values, kind="stable")
    apart = max(_step(theirs), 0.5 * _step(ours))
    middle = float(theirs.mean())
    for k in order[: 40 * most]:
        if not np.isfinite(values[k]) or len(found) == most:
            break
        moment = rates[k] * middle + offsets[k]
        if all(abs(moment - m.rate * middle - m.offset) > apart for m in found):
            found.append(TimeMap(float(rates[k]), float(offsets[k]), float(values[k]), float(inside[k])))
    as_it_was = np.where((rates == 1) & (inside >= _WHOLE), values, -np.inf)
    k = int(as_it_was.argmax()) if len(rates) else 0
    plain = []
    if len(rates) and np.isfinite(as_it_was[k]):
        plain = [TimeMap(1.0, float(offsets[k]), float(values[k]), float(inside[k]), plain=True)]
    refined = [_refined(m, likeness, ours, theirs, seconds) for m in found]
    return list({(round(m.rate, 3), round(m.offset, 3)): m for m in refined + plain}.values())


def _step(times: Floats) -> float:
    return max(float(np.median(np.diff(times))), 0.001) if len(times) > 1 else 0.02


def _of_a_still(likeness: NDArray[np.float32], ours: Floats, theirs: Floats, most: int) -> list[TimeMap]:
    """Where either side is a single picture, its best partners; there is no speed to find."""
    order = np.argsort(-likeness, axis=None, kind="stable")[:most]
    pairs = [divmod(int(k), len(theirs)) for k in order]
    return [TimeMap(1.0, float(ours[i] - theirs[j]), float(likeness[i, j]), 1.0) for i, j in pairs]


def _grid(ours: Floats, theirs: Floats, seconds: float) -> tuple[Floats, Floats]:
    """Every (rate, offset) to try: two flat arrays."""
    count = round(np.log(_FASTEST / _SLOWEST) / _RATE_STEP / 2) * 2 + 1
    step, span = _step(theirs), float(theirs[-1] - theirs[0])
    rates, offsets = [], []
    for rate in np.geomspace(_SLOWEST, _FASTEST, count):
        rate = 1.0 if abs(rate - 1) < 1e-9 else rate
        shown = rate * span
        common = _LEAST_INSIDE * min(shown, seconds)
        first, last = common - shown, seconds - common
        fine = max(min(step * rate, _step(ours)) / 2, (last - first) / _MOST_OFFSETS, 1e-3)
        # Multiples of the step, so that a start at zero is among them.
        at = np.arange(np.floor(first / fine), np.ceil(last / fine) + 1) * fine - rate * theirs[0]
        rates.append(np.full(len(at), rate))
        offsets.append(at)
    return np.concatenate(rates), np.concatenate(offsets)


def _values(
    likeness: NDArray[np.float32],
    ours: Floats,
    theirs: Floats,
    seconds: float,
    rates: Floats,
    offsets: Floats,
) -> tuple[Floats, Floats]:
    """Mean likeness under every map, -inf where too little is in common, and the share inside."""
    at: Floats = np.asarray((ours[None] - offsets[:, None]) / rates[:, None], dtype=np.float64)
    slack = 0.51 * _step(theirs)
    reached = (at >= theirs[0] - slack) & (at <= theirs[-1] + slack)
    places = np.interp(at, theirs, np.arange(len(theirs), dtype=float))
    low = np.minimum(places.astype(np.intp), len(theirs) - 2)
    part = (places - low).astype(np.float32)
    flat = likeness.ravel()
    row = np.arange(len(ours))[None] * len(theirs) + low
    found = flat[row] * (1 - part) + flat[row + 1] * part
    counts = reached.sum(axis=1)
    values = np.where(reached, found, 0).sum(axis=1) / (counts + _SHRINK)
    values = values - _PLAIN * np.abs(np.log2(rates))
    begin, end = rates * theirs[0] + offsets, rates * theirs[-1] + offsets
    spacing = _step(ours)
    common = np.minimum(end, seconds + spacing) - np.maximum(begin, -spacing)
    inside = np.clip(common / np.maximum(end - begin, 1e-6), 0, 1)
    return np.where(counts > 0, values, -np.inf), inside


def _refined(
    found: TimeMap, likeness: NDArray[np.float32], ours: Floats, theirs: Floats, seconds: float
) -> TimeMap:
    """*found* to a fraction of the grid's steps: two rounds, each on a finer grid around the best."""
    reach_rate, reach = _RATE_STEP, max(_step(theirs) * found.rate, (seconds / _MOST_OFFSETS))
    middle = float(theirs.mean())
    best = found
    for _ in range(2):
        factors = np.exp(np.linspace(-reach_rate, reach_rate, 7))
        shifts = np.linspace(-reach, reach, 9)
        rates = np.repeat(best.rate * factors, len(shifts))
        # A change of speed turns about the file's middle; shifts move all of it.
        offsets = best.offset + (best.rate - rates) * middle + np.tile(shifts, len(factors))
        values, inside = _values(likeness, ours, theirs, seconds, rates, offsets)
        k = int(values.argmax())
        if values[k] > best.value:
            best = TimeMap(float(rates[k]), float(offsets[k]), float(values[k]), float(inside[k]))
        reach_rate, reach = reach_rate / 3, reach / 4
    return best
