"""Waiting for a server while watching both the clock and the user."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable
from typing import Any, TypeVar

from safegen.errors import GenerationFailed, Interrupted
from safegen.protocols import Progress

T = TypeVar("T")
_POLL_INTERVAL = 0.05
"""Seconds between two looks at clock and user."""


class Deadline:
    """Runs out at *deadline* seconds from now, or when the user asks to stop."""

    def __init__(
        self, deadline: float, progress: Progress, *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        """Start the clock."""
        self._allowed, self._progress, self._clock = deadline, progress, clock
        self._end = clock() + deadline

    @property
    def remaining(self) -> float:
        """Seconds until the deadline, never negative."""
        return max(0.0, self._end - self._clock())

    def check(self) -> None:
        """Raise Interrupted when the user asked to stop, GenerationFailed after the deadline."""
        if self._progress.cancelled():
            raise Interrupted("stopped while the server was working")
        if not self.remaining:
            raise GenerationFailed(
                f"the server did not finish within {self._allowed:g} s",
                hint="wait longer with --option deadline=SECONDS",
            )

    def sleep(self, seconds: float) -> None:
        """Sleep, looking up all the time."""
        until = self._clock() + seconds
        while (rest := until - self._clock()) > 0:
            self.check()
            time.sleep(min(_POLL_INTERVAL, rest))
        self.check()

    def run(self, call: Callable[[], T], tick: Callable[[], None] = lambda: None) -> T:
        """What *call* returns or raises. It runs in a thread of its own, so that a server that says nothing
        keeps neither the deadline nor Ctrl-C waiting; *tick* is called meanwhile.
        """
        self.check()
        answer: queue.SimpleQueue[tuple[Any, BaseException | None]] = queue.SimpleQueue()

        def work() -> None:
            try:
                answer.put((call(), None))
            except BaseException as error:
                answer.put((None, error))

        threading.Thread(target=work, daemon=True, name="safegen-remote").start()
        while True:
            try:
                value, error = answer.get(timeout=_POLL_INTERVAL)
            except queue.Empty:
                tick()
                self.check()
                continue
            tick()
            if error is not None:
                raise error
            found: T = value
            return found
