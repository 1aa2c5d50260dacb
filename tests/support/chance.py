"""Chance for tests: ids and seeds that look random and are the same in every run, in any order of tests."""

from __future__ import annotations

import contextlib
import random
from collections.abc import Iterator


class Chance:
    """What is used of the module ``secrets`` where safegen draws ids of contents and seeds."""

    def __init__(self) -> None:
        self._source = random.Random("tests")

    def randbits(self, bits: int) -> int:
        """The next number."""
        return self._source.getrandbits(bits)

    def begin(self, name: str) -> None:
        """From here on the numbers are those of *name*."""
        self._source.seed(name)

    @contextlib.contextmanager
    def within(self, name: str) -> Iterator[None]:
        """Within the block the numbers are those of *name*; afterwards it goes on as before."""
        before = self._source.getstate()
        self.begin(name)
        try:
            yield
        finally:
            self._source.setstate(before)


CHANCE = Chance()
