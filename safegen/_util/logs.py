"""Logging under ``safegen.*``: a logger for each module, and waits that say what they wait for.

The standard library's ``logging``, silent until somebody adds a handler (``safegen -v``, an application). The
arguments of a message are one mapping (``"%(check)s ran", {"check": name}``), so that machines get the values
by name. No message holds a prompt, a key, a passphrase or a path: names, numbers, hosts and hashes only.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path, PurePath
from typing import Protocol
from urllib.parse import urlsplit

from safegen._text import one_line

WAIT_SECONDS = 2.0
"""Seconds after which a wait is worth a word."""

logging.getLogger("safegen").addHandler(logging.NullHandler())


class Timer(Protocol):
    """The part of ``threading.Timer`` that a wait needs."""

    def start(self) -> None:
        """Begin to count."""

    def cancel(self) -> None:
        """Stop counting."""


def _timer(seconds: float, function: Callable[[], None]) -> Timer:
    made = threading.Timer(seconds, function)
    made.daemon = True
    return made


make_timer: Callable[[float, Callable[[], None]], Timer] = _timer
"""How a wait is timed; tests put a timer of their own here."""


def logger(name: str) -> logging.Logger:
    """The logger of the module called *name*; the values in its messages are one line, whoever listens."""
    made = logging.getLogger(name)
    made.addFilter(_escape_values)  # once: a filter that is there is not added again
    return made


def _escape_values(record: logging.LogRecord) -> bool:
    """Names, answers and reasons from elsewhere break no line of a log and steer no terminal."""
    if isinstance(record.args, Mapping):
        text = (str, PurePath, BaseException)  # what else there is shows its text as repr does: escaped
        record.args = {k: one_line(v) if isinstance(v, text) else v for k, v in record.args.items()}
    return True


def public_name(model: str) -> str:
    """What a log may call a *model* that a user named: a folder's own name; a server's host and model."""
    if "://" in model:
        address = urlsplit(model)
        return f"{address.hostname}#{address.fragment}"
    local = model.startswith((".", "~", "/")) or "\\" in model or Path(model).exists()
    return PurePath(model.replace("\\", "/")).name if local else model


@contextmanager
def waiting(log: logging.Logger, what: str) -> Iterator[None]:
    """Say at INFO what the block waits for once that takes WAIT_SECONDS, and again when it is over.

    Costs nothing where nobody listens. *what* is for people: ``another process to leave the ledger``.
    """
    if not log.isEnabledFor(logging.INFO):
        yield
        return
    started = time.monotonic()
    said = threading.Event()

    def say() -> None:
        said.set()
        log.info("waiting for %(what)s", {"what": what})

    timer = make_timer(WAIT_SECONDS, say)
    timer.start()
    try:
        yield
    finally:
        timer.cancel()
        if said.is_set():
            spent = time.monotonic() - started
            log.info("waited %(seconds).1f s for %(what)s", {"seconds": spent, "what": what})
