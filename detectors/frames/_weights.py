"""Where the models of frame checks are stored: a folder the user names, else the Hugging Face cache.

Nothing is fetched.
A check called ``falconsai`` takes the folder in ``SAFEGEN_FALCONSAI``; without that, the files that
``hf download`` put into the cache.
"""

from __future__ import annotations

import hashlib
import os
from functools import lru_cache
from pathlib import Path

from safegen._util.hashing import sha256_of
from safegen.errors import CheckAbsent, CheckUnavailable

_WEIGHTS = (".safetensors", ".onnx")
_READ = 1 << 22


def folder(name: str, source: str, *, needs: str) -> Path:
    """Folder of the model *source* for the check *name*, which holds the file *needs*.

    Raises CheckAbsent when it is not on this machine, CheckUnavailable when that cannot be said.
    """
    variable = f"SAFEGEN_{name.upper().replace('-', '_')}"
    named = os.environ.get(variable)
    if named:
        place = Path(named)
        if (place / needs).is_file():
            return place
        raise CheckAbsent(
            f"{variable} names {named}, which does not contain {needs}", hint="set it to the model's folder"
        )
    found = _cached(source, needs)
    if found is None:
        raise CheckAbsent(
            f"{source} is not on this machine",
            hint=f"run hf download {source}, or set {variable} to its folder",
        )
    return found


def _cached(source: str, needs: str) -> Path | None:
    """The newest snapshot in the Hugging Face cache that holds *needs*; None where there is none.

    A cache that cannot be read is not an empty one: CheckUnavailable.
    """
    home = os.environ.get("HF_HUB_CACHE") or Path(
        os.environ.get("HF_HOME") or Path.home() / ".cache" / "huggingface", "hub"
    )
    snapshots = Path(home) / f"models--{source.replace('/', '--')}" / "snapshots"
    try:
        found = [p for p in snapshots.iterdir() if (p / needs).is_file()]
        return max(found, key=lambda p: p.stat().st_mtime, default=None)
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        raise CheckUnavailable(
            f"{snapshots} cannot be read: {error.strerror}", hint="check its permissions"
        ) from error


def digest(place: Path) -> str:
    """SHA-256 (hex) over names and contents of a model's weight files (or of *place*, a file)."""
    files = [place] if place.is_file() else sorted(p for p in place.iterdir() if p.suffix in _WEIGHTS)
    looks = tuple((str(p), p.stat().st_size, p.stat().st_mtime_ns) for p in files)
    return _digest(looks)


@lru_cache(maxsize=16)
def _digest(looks: tuple[tuple[str, int, int], ...]) -> str:
    """The same files are hashed once in a process."""
    whole = hashlib.sha256()
    for path, _, _ in looks:
        whole.update(f"{Path(path).name} {sha256_of(Path(path))}\n".encode())
    return whole.hexdigest()
