"""The workspace's own log: its keys, and the whole check of a copy of its ledger."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from safegen.errors import GateFailed, LedgerError

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    from safegen.ledger.checkpoint import Checkpoint
    from safegen.ledger.records import CheckReport
    from safegen.workspace.config import Workspace


@dataclass(frozen=True)
class LogIdentity:
    """Whose log it is: its origin, and every key that has signed for it."""

    origin: str
    keys: tuple[Ed25519PublicKey, ...]

    @classmethod
    def load(cls, folder: Path) -> LogIdentity:
        """The log of the identity in *folder*; no passphrase is needed. Raises KeyUnavailable."""
        from safegen.keys.identity import Identity
        from safegen.keys.log_key import decode_vkey

        own = Identity.load(folder)
        decoded = [decode_vkey(text) for text in (own.log_vkey, *(past.vkey for past in own.log_history))]
        return cls(own.log_origin, tuple(key for _, key in decoded))


def check_ledger_at(url: str, workspace: Workspace, *, remember: bool = True) -> CheckReport:
    """``log check`` of the ledger at *url* with keys, checkpoints and anchors of *workspace*.

    With *remember* it is also compared with what this user has seen of the log. Raises GateFailed where
    anything is wrong.
    """
    from safegen.keys.trust import TrustStore
    from safegen.ledger.store import Ledger
    from safegen.workspace.session import seen_checkpoints

    log = LogIdentity.load(workspace.keys)
    seen = seen_checkpoints(workspace) if remember else None
    with Ledger.open(url, read_only=True, checkpoint_dir=workspace.checkpoints, seen=seen) as ledger:
        report = ledger.check(
            keys=log.keys, origin=log.origin, authorities=TrustStore(workspace.trust).tsa_roots
        )
    if not report.ok:
        first = report.problems[0]
        raise GateFailed(
            f"the ledger fails its check: {first.message} ({first.code})",
            hint="nothing was changed; `safegen log check` lists every problem",
        )
    return report


def extends(url: str, seen: Checkpoint) -> bool:
    """Whether the ledger at *url* begins with the tree that the checkpoint *seen* is over. LedgerError."""
    from safegen.ledger.store import Ledger

    with Ledger.open(url, read_only=True) as ledger:
        return seen.size == 0 or (seen.size <= len(ledger) and ledger.root(seen.size) == seen.root)


def newest_checkpoint(url: str) -> tuple[str, Checkpoint]:
    """The newest checkpoint in the ledger at *url*: the note, and what it claims. Raises LedgerError."""
    from safegen.ledger.checkpoint import parse_unverified
    from safegen.ledger.store import Ledger

    with Ledger.open(url, read_only=True) as ledger:
        note = ledger.latest_checkpoint()
    if note is None:
        raise LedgerError("the ledger is empty", hint="there is nothing to keep yet")
    return note, parse_unverified(note)
