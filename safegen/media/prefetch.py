"""Prepare the next items while the last one is still being used: an iterator in a thread of its own."""

from __future__ import annotations

import contextvars
import queue
import threading
from collections.abc import Generator, Iterable, Iterator
from typing import Any, TypeVar

T = TypeVar("T")
_END = object()
_POLL_SECONDS = 1.0
"""Seconds between two looks at whether the other thread still lives."""


def prefetch(items: Iterable[T], depth: int = 2) -> Generator[T, None, None]:
    """The items of *items*, in order, made by another thread, at most *depth* + 1 of them waiting.

    What *items* raises is raised here, in its place. When the consumer stops early (``close``), the thread
    is ended and *items* closed. It pays where making an item releases the interpreter's lock.
    """
    ready: queue.Queue[Any] = queue.Queue(depth)
    stop = threading.Event()
    context = contextvars.copy_context()
    thread = threading.Thread(target=context.run, args=(_fill, iter(items), ready, stop), daemon=True)
    thread.start()
    try:
        while True:
            try:
                item = ready.get(timeout=_POLL_SECONDS)
            except queue.Empty:
                if thread.is_alive() or not ready.empty():
                    continue
                raise RuntimeError("the producer thread has stopped") from None
            if isinstance(item, _Raised):
                raise item.error
            if item is _END:
                return
            yield item
            del item
    finally:
        stop.set()
        while thread.is_alive():
            _drain(ready)
            thread.join(0.05)


class _Raised:
    """An exception on its way to the consumer."""

    def __init__(self, error: BaseException) -> None:
        self.error = error


def _fill(items: Iterator[T], ready: queue.Queue[Any], stop: threading.Event) -> None:
    """Put every item, then the end or the exception; give up when the consumer is gone."""
    last: object = _END
    try:
        try:
            for item in items:
                ready.put(item)
                if stop.is_set():
                    break
        finally:
            close = getattr(items, "close", None)
            if close is not None:
                close()
    except (
        BaseException
    ) as error:  # also what close() raises: without a last item the consumer waits for ever
        last = _Raised(error)
    ready.put(last)


def _drain(ready: queue.Queue[Any]) -> None:
    """Make room for a producer that waits."""
    try:
        while True:
            ready.get_nowait()
    except queue.Empty:
        return
