"""What weights a pipeline folder holds: their digest, and whether shipped ones are unchanged."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

from safegen._util.hashing import sha256_of
from safegen.errors import GenerationFailed

DIGESTS = "digests.json"
_WEIGHTS = frozenset({".safetensors", ".json", ".model", ".txt"})


def file_digests(folder: Path) -> dict[str, str]:
    """SHA-256 (hex) of every file of a pipeline folder that loading it reads, by relative path."""
    files = sorted(p for p in folder.rglob("*") if p.suffix in _WEIGHTS and p.is_file() and p.name != DIGESTS)
    return {p.relative_to(folder).as_posix(): sha256_of(p) for p in files}


def combined_digest(digests: dict[str, str]) -> str:
    """One SHA-256 (hex) over a table: of the lines ``digest, two spaces, path, newline``, sorted by path."""
    lines = "".join(f"{digests[name]}  {name}\n" for name in sorted(digests))
    return hashlib.sha256(lines.encode()).hexdigest()


def verify_shipped_weights(folder: Path) -> str:
    """Combined digest of shipped weights, after comparing every file with ``digests.json``.

    Raises GenerationFailed when the folder is missing, a file is altered, missing, or was added.
    """
    listing = folder / DIGESTS
    try:
        shipped: dict[str, str] = json.loads(listing.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise GenerationFailed(
            f"the embedded model is incomplete: {DIGESTS} cannot be read", hint="reinstall safegen"
        ) from error
    found = file_digests(folder)
    wrong = sorted(name for name in {*shipped, *found} if shipped.get(name) != found.get(name))
    if wrong:
        raise GenerationFailed(
            f"the embedded model's files differ from the shipped ones: {', '.join(wrong)}",
            hint="reinstall safegen; altered weights are never used",
        )
    return combined_digest(shipped)
