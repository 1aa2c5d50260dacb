"""Where a step puts large temporary files: the release job's own folder while one is under way.

There they have an owner: they go when the job ends, and after a kill at the next start.
"""

from __future__ import annotations

import contextlib
import tempfile
from collections.abc import Iterator
from contextvars import ContextVar
from functools import cache
from pathlib import Path

_FOLDER: ContextVar[Path | None] = ContextVar("safegen_scratch", default=None)


@contextlib.contextmanager
def scratch_in(folder: Path) -> Iterator[None]:
    """Within the block, ``scratch_file`` gives files in *folder*, which its owner clears away."""
    before = _FOLDER.set(folder)
    try:
        yield
    finally:
        _FOLDER.reset(before)


def scratch_file(name: str) -> Path:
    """A path for a new file called like *name*, in the job's folder, else in one removed at exit (0700)."""
    folder = _FOLDER.get()
    path = (folder or Path(_own().name)) / name
    number = 1
    while path.exists():
        number += 1
        path = path.with_name(f"{Path(name).stem}-{number}{Path(name).suffix}")
    return path


@cache
def _own() -> tempfile.TemporaryDirectory[str]:
    return tempfile.TemporaryDirectory(prefix="safegen-")
