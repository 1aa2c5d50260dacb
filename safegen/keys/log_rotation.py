"""A new key for the log, announced under the old one (``log_history`` has the form of the announcement)."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import TYPE_CHECKING

from safegen.errors import KeyUnavailable
from safegen.keys.files import locked_folder, write_private
from safegen.keys.identity_files import PUBLIC, read_public_part
from safegen.keys.log_history import MAX_HISTORY, STATEMENT, PastKey
from safegen.keys.log_key import encode_vkey

if TYPE_CHECKING:
    from safegen.keys.identity import Identity


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
