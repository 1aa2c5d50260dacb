"""The libraries that run pipelines: imported late, kept quiet, and held to one thread."""

from __future__ import annotations

import contextlib
import importlib
import warnings
from collections.abc import Iterator
from typing import Any

from safegen.errors import MissingExtra

INSTALL_HINT = 'pip install "safegen[video]"'


def require_module(module: str) -> Any:
    """Import an optional dependency. Raises MissingExtra when it is not installed."""
    try:
        return importlib.import_module(module)
    except ImportError as error:
        raise MissingExtra(f"generating video needs {module.split('.')[0]}", hint=INSTALL_HINT) from error


@contextlib.contextmanager
def silenced_libraries() -> Iterator[None]:
    """No loading bars and no warnings of the libraries underneath, which would write over ours; restored
    after."""
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
def single_threaded() -> Iterator[None]:
    """One thread for a model so small that threads cost more than they bring.

    On a busy machine two threads that wait for each other at every layer took 18 times as long as one.
    """
    torch = require_module("torch")
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)
