"""The libraries that run pipelines: imported late, kept quiet, and held to one thread.

What is switched here concerns the whole process, so threads that generate at once share it.
"""

from __future__ import annotations

import contextlib
import importlib
import sys
import threading
import warnings
from collections.abc import Callable, Iterator
from typing import Any

from safegen._util.model_loading import MODEL_LOADING
from safegen.errors import Interrupted, MissingExtra

INSTALL_HINT = 'pip install "safegen[video]"'
_SWITCHING = threading.Lock()
_silenced = contextlib.ExitStack()
_silencers = 0
"""How many want silence now; the first one silences, the last one restores."""
_SINGLE_THREADED = threading.Lock()
_POLL_SECONDS = 0.2


def require_module(module: str) -> Any:
    """Import an optional dependency. Raises MissingExtra when it is not installed."""
    found = sys.modules.get(module)
    there = found is not None and not getattr(found.__spec__, "_initializing", False)
    # diffusers imports parts of itself in circles, which two threads at once break
    alone: contextlib.AbstractContextManager[object] = contextlib.nullcontext() if there else MODEL_LOADING
    try:
        with alone:
            return importlib.import_module(module)
    except ImportError as error:
        raise MissingExtra(f"generating video needs {module.split('.')[0]}", hint=INSTALL_HINT) from error


@contextlib.contextmanager
def silenced_libraries() -> Iterator[None]:
    """No loading bars and no warnings of the libraries underneath, which would write over ours.

    Restored when the last of the threads that are inside at once leaves.
    """
    global _silencers
    with _SWITCHING:
        if _silencers == 0:
            _silenced.enter_context(_silence())
        _silencers += 1
    try:
        yield
    finally:
        with _SWITCHING:
            _silencers -= 1
            if _silencers == 0:
                _silenced.close()


@contextlib.contextmanager
def _silence() -> Iterator[None]:
    from_diffusers = require_module("diffusers.utils.logging")
    from_transformers = require_module("transformers.utils.logging")
    before = [
        (m, m.get_verbosity(), m.is_progress_bar_enabled()) for m in (from_diffusers, from_transformers)
    ]
    try:
        for module, _, _ in before:
            module.set_verbosity_error()
            module.disable_progress_bar()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        for module, verbosity, shown in before:
            module.set_verbosity(verbosity)
            if shown:
                module.enable_progress_bar()


@contextlib.contextmanager
def single_threaded(cancelled: Callable[[], bool]) -> Iterator[None]:
    """One thread for a model so small that threads cost more than they bring.

    On a busy machine two threads that wait for each other at every layer took 18 times as long as one. The
    number is the whole process's and decides about the last bits of a result, so whoever comes second waits
    for the first. Raises Interrupted when *cancelled* while waiting.
    """
    torch = require_module("torch")
    with in_turn(_SINGLE_THREADED, cancelled):
        before = torch.get_num_threads()
        torch.set_num_threads(1)
        try:
            yield
        finally:
            torch.set_num_threads(before)


@contextlib.contextmanager
def in_turn(lock: threading.Lock, cancelled: Callable[[], bool]) -> Iterator[None]:
    """Hold *lock*. Raises Interrupted when *cancelled* while another thread holds it."""
    while not lock.acquire(timeout=_POLL_SECONDS):
        if cancelled():
            raise Interrupted("stopped while waiting for another clip")
    try:
        yield
    finally:
        lock.release()
