"""What the release protocol answers with."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Recorded:
    """The ledger has it: entry ``index``, the video's SHA-256 (hex), the proof's text."""

    index: int
    sha256: str
    proof: str


@dataclass(frozen=True)
class Published:
    """The final paths. ``sidecars`` includes the proof, last."""

    path: Path
    sha256: str
    index: int
    sidecars: tuple[Path, ...]
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True)
class RecoveryReport:
    """What recovery did. ``waiting``: jobs left alone for now, with the reason."""

    published: tuple[Path, ...] = ()
    withdrawn: tuple[int, ...] = ()
    """Indices of the releases withdrawn."""
    removed: int = 0
    """Jobs that had only temporaries."""
    waiting: tuple[str, ...] = ()
