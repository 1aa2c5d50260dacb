"""How one verification is to be done: whose trust, which ledger, what to skip, what may be fetched."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from safegen.verification.trust import Trust

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    from safegen.ledger.checkpoint import Checkpoint
    from safegen.ledger.store import Ledger


@dataclass(frozen=True)
class VerifyOptions:
    """How to examine a file. By default nobody is trusted and no ledger is at hand.

    ``open_ledger`` opens the user's own ledger (None: there is none); ``database`` is its file where it is
    SQLite. ``fetch_hosts`` are the hosts from which remote manifests may be fetched.
    """

    trust: Trust = Trust()
    open_ledger: Callable[[], AbstractContextManager[Ledger | None]] = nullcontext
    database: Path | None = None
    heads_seen: Callable[[str, Sequence[Ed25519PublicKey]], Sequence[Checkpoint]] = lambda *_: ()
    """What the own log of that origin has shown before, signed by these keys, outside of its database."""
    proof: Path | None = None
    watermark: bool = True
    at: datetime | None = None
    fetch_hosts: Sequence[str] = ()
    index_file: Path | None = None
    """Where the index of the ledger's fingerprints is kept."""
    resolve: str | None = None
    """Address of a resolution service that may be asked about marks whose credentials are gone."""
    send: bool = False
    """Whether that service may be sent the file itself."""
    fragments: tuple[Path, ...] = ()
    """The other files of a fragmented MP4."""
