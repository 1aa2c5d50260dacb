"""What changes in an identity's folder while it lives: a fresh leaf, the root's key taken away."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from safegen._util.files import sync_folder
from safegen.errors import KeyUnavailable, UsageError
from safegen.keys.files import locked_folder, read_private, write_private
from safegen.keys.identity_files import HISTORY, ROOT_KEY, SIGNING

if TYPE_CHECKING:
    from safegen.keys.identity import Identity


def rotate_leaf(identity: Identity) -> Identity:
    """Put a fresh leaf key and certificate in place of *identity*'s; the identity with them.

    The old certificate joins the history, the old private key is destroyed. Raises KeyUnavailable.
    """
    load = type(identity).load
    # Loaded anew on both sides: another process may have renewed it since, and nothing cached is stale.
    _renew_leaf(load(identity.folder, passphrase=identity.passphrase, clock=identity.clock))
    return load(identity.folder, passphrase=identity.passphrase, clock=identity.clock)


def _renew_leaf(identity: Identity) -> None:
    from cryptography.hazmat.primitives.serialization import Encoding

    from safegen.keys.certificates import issue_leaf
    from safegen.keys.creation import pem_pair

    folder = identity.folder
    with locked_folder(folder):
        issuing, old, now = identity.issuing, identity.leaf, identity.clock()
        key_of_issuing = identity.issuing_key()
        if now >= issuing.not_valid_after_utc:
            raise KeyUnavailable("the issuing CA has expired", hint="create a new identity")
        leaf, key = issue_leaf(identity.name, issuing, key_of_issuing, now)
        history = folder / HISTORY
        history.mkdir(mode=0o700, exist_ok=True)
        valid_from = f"{old.not_valid_before_utc:%Y%m%dT%H%M%SZ}-{len(identity.history):06d}"
        archived = history / f"leaf-{valid_from}-{old.serial_number:x}.pem"
        write_private(archived, old.public_bytes(Encoding.PEM))
        write_private(folder / SIGNING, pem_pair(key, leaf, identity.password()))


def move_root_key(identity: Identity, destination: Path) -> None:
    """Move the root's encrypted key out of *identity*'s folder to *destination*, a new file.

    It is gone from the folder only once the copy is on the disk. Raises UsageError when *destination*
    exists, KeyUnavailable when there is no root key here or the copy cannot be written.
    """
    if destination.exists() or destination.is_symlink():
        raise UsageError(f"{destination} exists", hint="give the name of a new file")
    if not identity.encrypted:
        raise KeyUnavailable(
            "the root's key was never written: without a passphrase it is thrown away at once",
            hint="nothing has to be moved; day-to-day work needs the issuing CA only",
        )
    with locked_folder(identity.folder):
        if not identity.root_key_here:
            raise KeyUnavailable(
                f"the root's key is not in {identity.folder}", hint="it was moved before: see your backups"
            )
        write_private(destination, read_private(identity.folder / ROOT_KEY))
        (identity.folder / ROOT_KEY).unlink()
        sync_folder(identity.folder)
