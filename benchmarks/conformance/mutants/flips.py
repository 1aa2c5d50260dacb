"""Single bytes changed at places drawn by a seed: credentials, headers and media all get their share."""

from __future__ import annotations

import random

from benchmarks.conformance.mutants import boxes
from benchmarks.conformance.mutants.boxes import Part
from benchmarks.conformance.mutants.releases import Release

SHARES = {"store": 0.4, "framing": 0.15, "headers": 0.2, "anywhere": 0.25}
HEAD = 12
"""Bytes at the beginning of a part that count as its header."""
AROUND = 48
"""Bytes before and after the store that count as its framing."""


class Places:
    """Where bytes of one release are changed."""

    def __init__(self, release: Release) -> None:
        self.release = release
        self.size = len(release.data)
        at = release.data.find(release.store)
        self.store = range(at, at + len(release.store)) if at >= 0 else range(self.size)
        self.solid = [i for i in self.store if release.data[i]] or list(self.store)
        """Within the store: bytes that are no padding."""
        self.headers = self._headers() or list(range(min(64, self.size)))

    def _headers(self) -> list[int]:
        data, found = self.release.data, set(range(min(32, self.size)))
        for row in boxes.lists(boxes.parse(self.release.container, data)):
            for part in row:
                found.update(self._head(part))
        return sorted(found)

    def _head(self, part: Part) -> range:
        at = self.release.data.find(bytes(part)) if part.form != "raw" else -1
        return range(at, min(at + HEAD, self.size)) if at >= 0 else range(0)

    def draw(self, rng: random.Random) -> int:
        """A place."""
        kind = rng.choices(list(SHARES), weights=list(SHARES.values()))[0]
        if kind == "store":
            return rng.choice(self.solid) if rng.random() < 0.75 else rng.choice(self.store)
        if kind == "framing":
            edge = rng.choice([self.store.start, self.store.stop])
            return min(max(edge + rng.randrange(-AROUND, AROUND), 0), self.size - 1)
        return rng.choice(self.headers) if kind == "headers" else rng.randrange(self.size)


def flip(seed: str, places: Places) -> tuple[int, bytes]:
    """The place that *seed* draws, and the release with that byte changed: a bit, or to any other value."""
    rng = random.Random(seed)
    at = places.draw(rng)
    change = 1 << rng.randrange(8) if rng.random() < 0.5 else rng.randrange(1, 256)
    data = places.release.data
    return at, data[:at] + bytes([data[at] ^ change]) + data[at + 1 :]
