"""numpy's matrix products on one thread, for products so small that threads only wait for each other."""

from __future__ import annotations

import contextlib
import ctypes
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

_LOCK = threading.Lock()
_AFFIXES = [(prefix, suffix) for prefix in ("scipy_", "") for suffix in ("64_", "_64", "")]
_OPENMP = 2
"""What OpenBLAS calls its threads when they are OpenMP's, of which every thread sets its own number."""
_inside = 0
_before = 0


@dataclass(frozen=True)
class Blas:
    """How numpy's OpenBLAS is asked for its number of threads, and given one.

    ``per_thread``: every thread has a number of its own, not the process.
    """

    get: Callable[[], int]
    put: Callable[[int], object]
    per_thread: bool


@contextlib.contextmanager
def one_blas_thread() -> Iterator[None]:
    """One thread for numpy's matrix products while any thread of the process is inside.

    The number is the whole process's: the first one inside sets it, the last one out restores what it was.
    Another BLAS than OpenBLAS, which numpy's wheels bring, is left as it is.
    """
    global _inside, _before
    blas = numpys_blas()
    if blas is None:
        yield
        return
    if blas.per_thread:
        own = blas.get()
        blas.put(1)
        try:
            yield
        finally:
            blas.put(own)
        return
    with _LOCK:
        if _inside == 0:
            _before = blas.get()
            blas.put(1)
        _inside += 1
    try:
        yield
    finally:
        with _LOCK:
            _inside -= 1
            if _inside == 0:
                blas.put(_before)


@cache
def numpys_blas() -> Blas | None:
    """The OpenBLAS that numpy multiplies with; None where it uses another one."""
    import numpy as np

    home = Path(np.__file__).parent
    extension = home.glob("_core/_multiarray_umath.*")  # what it depends on is looked through, too
    beside = home.parent.glob("numpy.libs/*openblas*")  # ... but not on Windows
    for place in map(str, (*sorted(extension), *sorted(beside))):
        with contextlib.suppress(OSError):
            found = _in_library(ctypes.CDLL(place))  # loaded already: this only names it
            if found is not None:
                return found
    return None


def _in_library(library: Any) -> Blas | None:
    """The functions in *library* or in what it depends on."""
    for prefix, suffix in _AFFIXES:
        names = [f"{prefix}openblas_{what}{suffix}" for what in ("get_num_threads", "set_num_threads")]
        with contextlib.suppress(AttributeError):
            get, put = (getattr(library, name) for name in names)
            kind = getattr(library, f"{prefix}openblas_get_parallel{suffix}", None)
            put.argtypes, put.restype = [ctypes.c_int], None
            return Blas(get, put, kind is not None and kind() == _OPENMP)
    return None
