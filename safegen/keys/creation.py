"""Making a local identity: everything in a hidden folder first, then one rename."""

from __future__ import annotations

import base64
import contextlib
import json
import os
import secrets
import shutil
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from safegen._util.files import sync_folder
from safegen._util.time import Clock
from safegen.errors import KeyUnavailable, UsageError
from safegen.keys.files import FOLDER_MODE, write_private
from safegen.keys.identity_files import ISSUING, LOG, PUBLIC, ROOT, ROOT_KEY, SIGNING, VERSION
from safegen.keys.passphrase import derive_password

if TYPE_CHECKING:
    from cryptography import x509

STALE_SECONDS = 3600
"""Half-made folders older than this belong to a process that was killed."""


def create_identity(folder: Path, *, name: str, passphrase: bytes | None, clock: Clock) -> None:
    """Make an identity for the organisation *name* in *folder* (absent or empty).

    Returns quietly when another process was faster. Raises KeyUnavailable, UsageError.
    """
    _check_name(name)
    parts = _parts(name, passphrase, clock)
    temporary = folder.parent / f".{folder.name}.making-{secrets.token_hex(8)}"
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        _remove_stale(folder)
        temporary.mkdir(mode=FOLDER_MODE)
        try:
            for file, data in parts.items():
                write_private(temporary / file, data)
            _publish(temporary, folder)
        finally:
            shutil.rmtree(temporary, ignore_errors=True)
    except OSError as error:
        raise KeyUnavailable(
            f"cannot create an identity in {folder}: {error.strerror}", hint="check the folder's permissions"
        ) from error


def pem_pair(key: Any, certificate: x509.Certificate, password: bytes | None) -> bytes:
    """Private key (PKCS#8, encrypted when there is a *password*) and certificate in one PEM file."""
    from cryptography.hazmat.primitives.serialization import Encoding

    return key_pem(key, password) + certificate.public_bytes(Encoding.PEM)


def key_pem(key: Any, password: bytes | None) -> bytes:
    """A private key as PKCS#8 PEM, encrypted when there is a *password*."""
    from cryptography.hazmat.primitives import serialization

    protection: serialization.KeySerializationEncryption = serialization.NoEncryption()
    if password is not None:
        protection = serialization.BestAvailableEncryption(password)
    pem: bytes = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, protection)
    return pem


def _parts(name: str, passphrase: bytes | None, clock: Clock) -> dict[str, bytes]:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
    from cryptography.hazmat.primitives.serialization import Encoding

    from safegen.keys.certificates import issue_hierarchy
    from safegen.keys.log_key import encode_vkey

    now = clock()
    hierarchy = issue_hierarchy(name, now)
    log_key, origin, salt = Ed25519PrivateKey.generate(), _origin(), secrets.token_bytes(16)
    password = derive_password(passphrase, salt) if passphrase else None
    public = {
        "version": VERSION,
        "name": name,
        "created": now.isoformat(timespec="seconds"),
        "encrypted": password is not None,
        "log_origin": origin,
        "log_vkey": encode_vkey(origin, log_key.public_key()),
        "salt": base64.b64encode(salt).decode(),
    }
    parts = {
        ROOT: hierarchy.root.public_bytes(Encoding.PEM),
        ISSUING: pem_pair(hierarchy.issuing_key, hierarchy.issuing, password),
        SIGNING: pem_pair(hierarchy.leaf_key, hierarchy.leaf, password),
        LOG: key_pem(log_key, password),
        PUBLIC: json.dumps(public, indent=2).encode() + b"\n",
    }
    if password is not None:
        parts[ROOT_KEY] = key_pem(hierarchy.root_key, password)
    return parts


def _origin() -> str:
    """A fresh name for a log: it has to be unique, and says nothing about its owner."""
    return f"safegen.local/{secrets.token_hex(8)}"


def _publish(temporary: Path, folder: Path) -> None:
    sync_folder(temporary)
    try:
        # The rename succeeds only onto an absent or empty folder: of two makers one wins.
        if os.name != "posix" and folder.is_dir():
            with contextlib.suppress(OSError):
                folder.rmdir()
        temporary.rename(folder)
    except OSError as error:
        if (folder / PUBLIC).exists():
            return
        raise KeyUnavailable(
            f"{folder} is not empty and contains no identity", hint="choose an empty folder for the identity"
        ) from error
    sync_folder(folder.parent)


def _remove_stale(folder: Path) -> None:
    for left in folder.parent.glob(f".{folder.name}.making-*"):
        with contextlib.suppress(OSError):
            if time.time() - left.stat().st_mtime > STALE_SECONDS:
                shutil.rmtree(left, ignore_errors=True)


def _check_name(name: str) -> None:
    # RFC 5280 appendix A: ub-organization-name is 64 characters.
    if not 1 <= len(name.strip()) <= 64 or not name.isprintable():
        raise UsageError(
            "the organisation's name needs 1 to 64 printable characters",
            hint="give a shorter name: it goes into every certificate of the identity",
        )
