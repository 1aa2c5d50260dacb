"""The registrar's key: granting consent is a separate permission from generating with it.

The private half (``consent.key``) is needed to grant; whoever generates needs the public half
(``consent.pub``) only, and without a signature of the registrar's an entry of the ledger grants nothing.
"""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from safegen._util.files import write_durable
from safegen.errors import KeyUnavailable
from safegen.keys.files import locked_folder, read_private, write_private
from safegen.ledger.canonical import canonical
from safegen.types import Json

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

KEY_FILE, PUBLIC_KEY_FILE = "consent.key", "consent.pub"
PASSPHRASE_VARIABLE = "SAFEGEN_CONSENT_PASSPHRASE"  # noqa: S105
_CONTEXT = b"safegen consent 1\n"


@dataclass(frozen=True)
class Registrar:
    """Signs grants (Ed25519). ``name`` is the first half of the public key's SHA-256, hex."""

    key: Ed25519PrivateKey

    @property
    def name(self) -> str:
        """Which registrar signed."""
        return registrar_name(self.key.public_key())

    def sign(self, terms: Json) -> str:
        """Signature over *terms* (canonical JSON), hex."""
        return self.key.sign(_CONTEXT + canonical(terms)).hex()


def registrar_name(public: Ed25519PublicKey) -> str:
    """The registrar's name."""
    return hashlib.sha256(public.public_bytes_raw()).hexdigest()[:32]


def is_signed(terms: Json, signature: str, public: Ed25519PublicKey | None) -> bool:
    """Whether *signature* over *terms* is the registrar's."""
    from cryptography.exceptions import InvalidSignature

    if public is None:
        return False
    try:
        public.verify(bytes.fromhex(signature), _CONTEXT + canonical(terms))
    except (InvalidSignature, ValueError):
        return False
    return True


def open_registrar(folder: Path) -> Registrar:
    """The registrar's key in *folder*, made on first use.

    ``SAFEGEN_CONSENT_PASSPHRASE`` locks it. Raises KeyUnavailable: missing although there is a public half,
    locked by another passphrase, readable by others.
    """
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    phrase = os.environ.get(PASSPHRASE_VARIABLE, "").encode() or None
    with locked_folder(folder):
        if not (folder / KEY_FILE).exists():
            if (folder / PUBLIC_KEY_FILE).exists():
                raise KeyUnavailable(
                    "the registrar's key is not in this workspace, so no consent can be granted here",
                    hint=f"copy {KEY_FILE} into the workspace, or ask whoever holds it",
                )
            _create_key(folder, phrase)
        data = read_private(folder / KEY_FILE)
    try:
        key = serialization.load_pem_private_key(data, phrase)
    except (ValueError, TypeError) as error:
        raise KeyUnavailable(
            "the registrar's key cannot be opened", hint=f"set {PASSPHRASE_VARIABLE}"
        ) from error
    if not isinstance(key, Ed25519PrivateKey) or key.public_key() != load_public_key(folder):
        raise KeyUnavailable(
            f"{KEY_FILE} and {PUBLIC_KEY_FILE} do not belong together", hint=f"restore {folder}"
        )
    return Registrar(key)


def _create_key(folder: Path, phrase: bytes | None) -> None:
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    key = Ed25519PrivateKey.generate()
    lock = serialization.BestAvailableEncryption(phrase) if phrase else serialization.NoEncryption()
    pem = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, lock)
    write_private(folder / KEY_FILE, pem)
    write_durable(
        folder / PUBLIC_KEY_FILE, key.public_key().public_bytes_raw().hex().encode() + b"\n", mode=0o644
    )


def load_public_key(folder: Path) -> Ed25519PublicKey | None:
    """The registrar's public key in *folder*; None if no consent was ever granted. Raises KeyUnavailable."""
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    try:
        text = (folder / PUBLIC_KEY_FILE).read_text(encoding="ascii")
    except FileNotFoundError:
        return None
    except (OSError, UnicodeDecodeError) as error:
        raise KeyUnavailable(f"{PUBLIC_KEY_FILE} cannot be read", hint=f"check {folder}") from error
    try:
        return Ed25519PublicKey.from_public_bytes(bytes.fromhex(text.strip()))
    except ValueError as error:
        raise KeyUnavailable(
            f"{PUBLIC_KEY_FILE} does not contain a key",
            hint=f"restore {folder / PUBLIC_KEY_FILE} from a backup",
        ) from error
