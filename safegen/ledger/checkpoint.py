"""Signed tree heads: c2sp.org/tlog-checkpoint."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

from safegen.ledger.merkle import HASH_BYTES
from safegen.ledger.note import LogSigner, NoteError, b64, split_note, unb64, verify_note

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    Logs: TypeAlias = Mapping[str, Ed25519PublicKey | Sequence[Ed25519PublicKey]]
    """Pinned logs: origin -> its key, or its keys after a rotation."""

MAX_SIZE = 2**63 - 1
DECIMAL = re.compile(r"0|[1-9][0-9]{0,18}")


@dataclass(frozen=True)
class Checkpoint:
    """A tree head: the log's origin, its number of leaves, its root (32 bytes). By itself unverified."""

    origin: str
    size: int
    root: bytes

    @property
    def text(self) -> str:
        """The note text: three lines."""
        return f"{self.origin}\n{self.size}\n{b64(self.root)}\n"


def sign_checkpoint(signer: LogSigner, size: int, root: bytes) -> str:
    """The signed checkpoint of *signer*'s log at *size* leaves with *root* (32 bytes)."""
    return signer.sign(Checkpoint(signer.origin, size, root).text)


def parse_decimal(text: str) -> int:
    """An ASCII decimal without leading zeros, at most 2**63 - 1. Raises NoteError."""
    if not DECIMAL.fullmatch(text) or int(text) > MAX_SIZE:
        raise NoteError("a number is malformed")
    return int(text)


def _parse_text(text: str) -> Checkpoint:
    """Read the note text. Extension lines are refused: nothing audits them and no log of ours writes them."""
    lines = text.split("\n")
    if len(lines) != 4 or lines[3]:
        raise NoteError("a checkpoint must have exactly three lines")
    root = unb64(lines[2])
    if not lines[0] or len(root) != HASH_BYTES:
        raise NoteError("the checkpoint is malformed")
    return Checkpoint(lines[0], parse_decimal(lines[1]), root)


def parse_unverified(note: str) -> Checkpoint:
    """What an unverified checkpoint claims. Raises NoteError when malformed. Never trust it as it is."""
    return _parse_text(split_note(note)[0])


def verify_checkpoint(note: str, *, logs: Logs) -> Checkpoint:
    """The checkpoint in *note*, once a pinned key of its origin has signed it.

    Raises NoteError when malformed, of an origin that is not in *logs*, or not signed by its key.
    """
    claimed = parse_unverified(note)
    pinned = logs.get(claimed.origin)
    if pinned is None:
        raise NoteError(f"the log {claimed.origin} is not pinned")
    keys = pinned if isinstance(pinned, Sequence) else (pinned,)
    reason = NoteError(f"no key is pinned for {claimed.origin}")
    for key in keys:
        try:
            return _parse_text(verify_note(note, claimed.origin, key))
        except NoteError as error:
            reason = error
    raise reason
