"""A new key for the log, announced under the old one.

The announcement is a signed note (c2sp.org/signed-note) by the old key with three lines: the origin, a fixed
text, the new verifier key. Its second line is no number, so it can never be taken for a checkpoint. Whoever
pinned the old key follows it to the new one; nobody who merely shows a new key can take its place.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from safegen.errors import KeyUnavailable
from safegen.keys.files import locked_folder, write_private
from safegen.keys.identity_files import PUBLIC, read_public_part
from safegen.keys.log_key import decode_vkey, encode_vkey

if TYPE_CHECKING:
    from safegen.keys.identity import Identity

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


def rotate_log(identity: Identity, announce: Callable[[str, str, str], object]) -> Identity:
    """Put a fresh log key in place and destroy the old one; earlier checkpoints stay verifiable.

    *announce* (old verifier key, new one, note) records the change while the old key still signs: a failure
    there leaves everything as it was. Raises KeyUnavailable, and what *announce* raises.
    """
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    from safegen.keys.creation import key_pem
    from safegen.ledger.note import LogSigner

    folder = identity.folder
    with locked_folder(folder):
        now = type(identity).load(folder, passphrase=identity.passphrase, clock=identity.clock)
        if len(now.log_history) >= MAX_HISTORY:
            raise KeyUnavailable("the log's key was rotated too many times", hint="create a new identity")
        origin, old = now.log_origin, now.log_key
        fresh = Ed25519PrivateKey.generate()
        vkey = encode_vkey(origin, fresh.public_key())
        note = LogSigner(origin, old).sign(f"{origin}\n{STATEMENT}\n{vkey}\n")
        # The new key lies under a name of its own, so that replacing identity.json is the whole change.
        file = f"log-{vkey.split('+')[1]}.pem"
        write_private(folder / file, key_pem(fresh, now.password()))
        try:
            announce(now.log_vkey, vkey, note)
            history = [*now.log_history, PastKey(now.log_vkey, note)]
            public = read_public_part(folder) | {
                "log_vkey": vkey,
                "log_file": file,
                "log_history": [vars(past) for past in history],
            }
            write_private(folder / PUBLIC, json.dumps(public, indent=2).encode() + b"\n")
        except BaseException:
            (folder / file).unlink(missing_ok=True)
            raise
        (folder / now.log_file).unlink(missing_ok=True)
    return type(identity).load(folder, passphrase=identity.passphrase, clock=identity.clock)


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
            said = verify_note(past.note, origin, key)
        except NoteError:
            return False
        if said != f"{origin}\n{STATEMENT}\n{after}\n":
            return False
        known.add(after)
    return current in known
