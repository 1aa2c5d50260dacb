"""Which pictures of a stream the sandboxed worker sends."""

from __future__ import annotations

from typing import Any


def wanted(total: int, limit: int) -> set[int] | None:
    """Indices of *limit* evenly spread frames among *total*; None means all."""
    if not limit or total <= limit:
        return None
    return {round(i * (total - 1) / (limit - 1)) for i in range(limit)} if limit > 1 else {total // 2}


class Pace:
    """Thins a stream out to at most *rate* pictures a second; 0: all of them."""

    def __init__(self, rate: float) -> None:
        self.rate, self.last = rate, -1

    def wants(self, time: float) -> bool:
        """Whether the picture at *time* (seconds) is the first of its slot."""
        slot = int(time * self.rate + 1e-6)
        fresh = not self.rate or slot != self.last
        self.last = slot
        return fresh


class Reservoir:
    """Keeps an even sample of a stream of unknown length: at most 2 x limit items at a time."""

    def __init__(self, limit: int) -> None:
        self.limit, self.step, self.seen = limit, 1, 0
        self.kept: list[Any] = []

    def wants(self) -> bool:
        """Whether the next item should be kept (counts it)."""
        take = self.seen % self.step == 0
        self.seen += 1
        return take

    def add(self, item: Any) -> None:
        """Keep an item; thin out to every second one when there are too many."""
        self.kept.append(item)
        if len(self.kept) > 2 * self.limit:
            self.kept = self.kept[::2]
            self.step *= 2
