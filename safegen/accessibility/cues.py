"""Cues: words with a beginning and an end. Spans are half-open ``(start, end)`` in seconds."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TypeAlias

Interval: TypeAlias = tuple[float, float]
"""From, to: seconds from the start of the clip."""


@dataclass(frozen=True)
class Cue:
    """*text* from *start* to *end* (seconds, whole milliseconds)."""

    start: float
    end: float
    text: str

    @property
    def span(self) -> Interval:
        """From, to."""
        return self.start, self.end


def rounded_cue(start: float, end: float, text: str) -> Cue:
    """A cue with its times rounded to milliseconds, at least one long."""
    first = round(max(0.0, start) * 1000)
    return Cue(first / 1000, max(first + 1, round(end * 1000)) / 1000, text)


def merge_intervals(spans: Iterable[Interval], gap: float = 0.0) -> list[Interval]:
    """*spans* in order, those that touch or are at most *gap* seconds apart joined."""
    out: list[Interval] = []
    for start, end in sorted(s for s in spans if s[1] > s[0]):
        if out and start <= out[-1][1] + gap:
            out[-1] = (out[-1][0], max(out[-1][1], end))
        else:
            out.append((start, end))
    return out


def free_intervals(busy: Sequence[Interval], within: Interval) -> list[Interval]:
    """What is left of *within* when *busy* (in order, disjoint) is taken out."""
    out, at = [], within[0]
    for start, end in busy:
        if start > at:
            out.append((at, min(start, within[1])))
        at = max(at, end)
        if at >= within[1]:
            break
    if at < within[1]:
        out.append((at, within[1]))
    return [s for s in out if s[1] > s[0]]
