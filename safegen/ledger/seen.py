"""The newest checkpoint of a log that this user has seen, kept apart from workspace and ledger.

Whoever can replace a workspace can put back an older copy of it, its checkpoints included. One file for each
log remembers how far it had come, so that going back is noticed: by ``check``, and before anything is
appended. It is written without waiting for the disk, and failing to write it stops nothing.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from safegen._util.files import write_durable
from safegen._util.logs import logger
from safegen.errors import LedgerError
from safegen.ledger.checkpoint import Checkpoint, parse_unverified
from safegen.ledger.checkpoint_folder import CheckpointFolder, FoundCheckpoint, newest, read_checkpoints

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

_log = logger(__name__)

SOURCE = "this user's record"
_LARGE = 64 * 1024
_TAIL = 4 * 1024


class SeenCheckpoints:
    """The record for one log, named by the first key it ever had (a verifier key), in *folder*."""

    def __init__(self, folder: Path, first_vkey: str) -> None:
        """Use *folder*; nothing is touched yet."""
        self.path = folder / f"{hashlib.sha256(first_vkey.encode()).hexdigest()[:32]}.txt"

    def latest(self, origin: str) -> FoundCheckpoint | None:
        """The largest of the last checkpoints remembered for *origin*. Raises LedgerError: unreadable."""
        found = read_checkpoints(self.path, tail=_TAIL, source=SOURCE)
        return newest(item for item in found if item.claim.origin == origin)

    def remember(self, note: str) -> None:
        """Note that *note* (whose signature the caller has checked or made) was seen."""
        try:
            claim: Checkpoint = parse_unverified(note)
            known = self.latest(claim.origin)
            if known is not None and known.claim.size >= claim.size:
                return
            self.path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            if self.path.exists() and self.path.stat().st_size > _LARGE:
                write_durable(self.path, note.encode())
                return
            descriptor = os.open(self.path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
            try:
                os.write(descriptor, f"\n{note}".encode())
            finally:
                os.close(descriptor)
        except (OSError, LedgerError) as error:
            reason = getattr(error, "strerror", None) or "it cannot be read"
            _log.warning("the newest checkpoint could not be remembered: %(why)s", {"why": reason})


def heads_seen(
    folder: CheckpointFolder | None,
    seen: SeenCheckpoints | None,
    *,
    keys: Sequence[Ed25519PublicKey],
    origin: str,
) -> list[Checkpoint]:
    """The newest checkpoints of the log *origin* outside its database that count: what it must extend.

    To be read before the database is. Raises LedgerError: unreadable.
    """
    found = [None if folder is None else folder.latest_signed({origin: tuple(keys)})]
    known = None if seen is None else seen.latest(origin)
    return [head for head in (*found, None if known is None else known.claim) if head is not None]
