"""One model is loaded at a time: while they load, the libraries change settings of the whole process."""

from __future__ import annotations

import threading
from collections.abc import Callable
from functools import wraps
from typing import ParamSpec, TypeVar

P = ParamSpec("P")
R = TypeVar("R")

MODEL_LOADING = threading.RLock()
"""Held while libraries of torch are imported and a model is loaded, whichever part of safegen does it.

While accelerate and transformers load one, every module that any thread makes is put on the device ``meta``,
without numbers, and gets the number format of the model being loaded: two at once spoil each other.
"""


def loading_alone(load: Callable[P, R]) -> Callable[P, R]:
    """*load*, which makes a model and keeps it, run by one thread at a time; the others find it made."""

    @wraps(load)
    def alone(*arguments: P.args, **named: P.kwargs) -> R:
        with MODEL_LOADING:
            return load(*arguments, **named)

    return alone
