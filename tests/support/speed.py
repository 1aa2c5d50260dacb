"""Bounds on processor time that hold on slow machines as on fast ones."""

from __future__ import annotations

import functools
import re
import time

_REFERENCE = 0.006
"""Processor seconds that the yardstick took where the bounds of the tests were set."""


@functools.cache
def _yardstick() -> float:
    """Processor seconds of a fixed piece of work like the work measured: loops, strings, expressions."""
    word, text = re.compile(r"\w+"), "a red ball rolling over green grass " * 400

    def once() -> float:
        start = time.process_time()
        found: dict[str, int] = {}
        for match in word.finditer(text):
            key = match[0].casefold()
            found[key] = found.get(key, 0) + sum(map(ord, key))
        for i in range(60_000):
            found["n"] = i ^ found["red"]
        return time.process_time() - start

    return min(once() for _ in range(5))


def allowed(seconds: float) -> float:
    """*seconds* of processor time, more where the machine is slower than the one they were measured on."""
    return seconds * max(1.0, _yardstick() / _REFERENCE)
