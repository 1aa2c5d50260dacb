"""The keys that a log used to sign with, each with its announcement of the next.

The announcement is a signed note (c2sp.org/signed-note) by the old key with three lines: the origin, a fixed
text, the new verifier key. Its second line is no number, so it can never be taken for a checkpoint. Whoever
pinned the old key follows it to the new one; nobody who merely shows a new key can take its place.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from safegen.keys.log_key import decode_vkey

STATEMENT = "safegen log key rotation"
MAX_HISTORY = 64


@dataclass(frozen=True)
class PastKey:
    """A key that the log used to sign with, and its note that announces the next one."""

    vkey: str
    note: str

    @property
    def origin(self) -> str:
        """The log's origin. Raises UsageError on a malformed key."""
        return decode_vkey(self.vkey)[0]


def verify_key_history(pinned: Iterable[str], history: Sequence[PastKey], current: str) -> bool:
    """Whether every key of a log leads back to a *pinned* one by announcements.

    *history* is in order, oldest first; *current* is the verifier key now. A key from before the pinned ones
    is not vouched for: its note could have been made by anybody who knows a later key.
    """
    from safegen.ledger.note import NoteError, verify_note

    known = set(pinned)
    following = [*(past.vkey for past in history[1:]), current]
    for past, after in zip(history, following, strict=False):
        if past.vkey not in known:
            return False
        origin, key = decode_vkey(past.vkey)
        try:
            statement = verify_note(past.note, origin, key)
        except NoteError:
            return False
        if statement != f"{origin}\n{STATEMENT}\n{after}\n":
            return False
        known.add(after)
    return current in known
