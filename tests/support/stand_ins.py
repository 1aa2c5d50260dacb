"""Plug-ins that do what a test tells them, in the place of real ones."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

import pytest

from safegen import plugins


def stand_in(
    monkeypatch: pytest.MonkeyPatch, load: Callable[[str], Any], name: str, double: Any
) -> list[str]:
    """Have the loader *load* of ``safegen.plugins`` give *double* for *name*, and the real ones otherwise.

    The list that comes back names *name* once for every time it was loaded: a test that expects a failure
    says with it that the double was there to fail.
    """
    loaded: list[str] = []

    @wraps(load)
    def give(wanted: str) -> Any:
        if wanted != name:
            return load(wanted)
        loaded.append(wanted)
        return double

    monkeypatch.setattr(plugins, load.__name__, give)
    return loaded
