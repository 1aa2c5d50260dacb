"""When the pictures of a stream are shown, in the sandboxed worker, and whether parts of it are missing."""

from __future__ import annotations

from collections import Counter
from fractions import Fraction
from typing import Any


class Timing:
    """Times of the pictures, in the stream's own ticks from the file's start."""

    def __init__(self, stream: Any, start: Fraction, *, exact: bool = True) -> None:
        """*exact*: whether the container's length is that of its pictures, rather than a hint."""
        self.base = Fraction(stream.time_base)
        rate = stream.average_rate or stream.guessed_rate or Fraction(25)
        self.step = max(1, round(1 / (rate * self.base))) if rate > 0 else 1
        self.offset = round(start / self.base)
        ends = [stream.duration * stream.time_base] if stream.duration else []
        if not ends and stream.container.duration and len(stream.container.streams) == 1:
            ends = [Fraction(stream.container.duration, 1_000_000)]
        self.said = Fraction(ends[0]) if ends and exact else Fraction(0)
        self.last: int | None = None
        self.gaps: Counter[int] = Counter()
        self.widest = (0, 0)
        self.bumped = 0
        self.notes: list[str] = []

    def of(self, frame: Any) -> tuple[int, int]:
        """(time, duration) of *frame* in ticks; times that stand still or go back are moved on by one."""
        pts = self.last + self.step if self.last is not None else 0
        if frame.pts is not None:
            pts = round(Fraction(frame.pts) * Fraction(frame.time_base) / self.base) - self.offset
        if self.last is not None:
            if pts <= self.last:
                pts = self.last + 1
                self.bumped += 1
                if self.bumped == 1:
                    self.notes.append("some time stamps go backwards; those frames follow immediately")
            gap = pts - self.last
            if len(self.gaps) < 1000 or gap in self.gaps:
                self.gaps[gap] += 1
            self.widest = max(self.widest, (gap, self.last))
        self.last = pts
        return pts, int(frame.duration or 0) or self.step

    def problems(self, known: int) -> list[str]:
        """A hole in an otherwise even stream, or an end before the header's: parts are missing.

        Containers that count their frames (*known*) are judged by the count.
        """
        if known or self.last is None:
            return []
        found = []
        usual = self.gaps.most_common(1)[0][0] if self.gaps else self.step
        near = sum(n for gap, n in self.gaps.items() if abs(gap - usual) <= max(1, usual // 4))
        wide, at = self.widest
        even = self.gaps.total() >= 10 and near >= 0.95 * self.gaps.total()
        if even and wide > 4 * usual and wide * self.base > Fraction(1, 4):
            found.append(f"{float(wide * self.base):.1f} s are missing at {float(at * self.base):.1f} s")
        end = (self.last + usual) * self.base
        if self.said and self.said - end > max(Fraction(1, 2), 4 * usual * self.base):
            found.append(f"it is cut short at {float(end):.1f} s of {float(self.said):.1f} s")
        return found
