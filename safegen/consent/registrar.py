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
from safegen.keys.files import exclusive, read_private, write_private
from safegen.ledger.canonical import canonical
from safegen.types import Json

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

KEY, PUBLIC = "consent.key", "consent.pub"
VARIABLE = "SAFEGEN_CONSENT_PASSPHRASE"
_CONTEXT = b"safegen consent 1\n"


@dataclass(frozen=True)
class Registrar:
    """Signs grants (Ed25519). ``name`` is the first half of the public key's SHA-256, hex."""

    key: Ed25519PrivateKey

    @property
    def name(self) -> str:
        """Which registrar signed."""
        return name_of(self.key.public_key())

    def sign(self, terms: Json) -> str:
        """Signature over *terms* (canonical JSON), hex."""
        return self.key.sign(_CONTEXT + canonical(terms)).hex()


def name_of(public: Ed25519PublicKey) -> str:
    """The registrar's name."""
    return hashlib.sha256(public.public_bytes_raw()).hexdigest()[:32]


def signed(terms: Json, signature: str, public: Ed25519PublicKey | None) -> bool:
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

    phrase = os.environ.get(VARIABLE, "").encode() or None
    with exclusive(folder):
        if not (folder / KEY).exists():
            if (folder / PUBLIC).exists():
                raise KeyUnavailable(
                    "the registrar's key is not in this workspace, so no consent can be granted here",
                    hint=f"copy {KEY} into the workspace, or ask whoever holds it",
                )
            _make(folder, phrase)
        data = read_private(folder / KEY)
    try:
        key = serialization.load_pem_private_key(data, phrase)
    except (ValueError, TypeError) as error:
        raise KeyUnavailable("the registrar's key cannot be opened", hint=f"set {VARIABLE}") from error
    if not isinstance(key, Ed25519PrivateKey) or key.public_key() != public_half(folder):
        raise KeyUnavailable(f"{KEY} and {PUBLIC} do not belong together", hint=f"restore {folder}")
    return Registrar(key)


def _make(folder: Path, phrase: bytes | None) -> None:
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    key = Ed25519PrivateKey.generate()
    lock = serialization.BestAvailableEncryption(phrase) if phrase else serialization.NoEncryption()
    pem = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, lock)
    write_private(folder / KEY, pem)
    write_durable(folder / PUBLIC, key.public_key().public_bytes_raw().hex().encode() + b"\n", mode=0o644)


def public_half(folder: Path) -> Ed25519PublicKey | None:
    """The registrar's public key in *folder*; None if no consent was ever granted. Raises KeyUnavailable."""
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    try:
        text = (folder / PUBLIC).read_text(encoding="ascii")
    except FileNotFoundError:
        return None
    except (OSError, UnicodeDecodeError) as error:
        raise KeyUnavailable(f"{PUBLIC} cannot be read", hint=f"check {folder}") from error
    try:
        return Ed25519PublicKey.from_public_bytes(bytes.fromhex(text.strip()))
    except ValueError as error:
        raise KeyUnavailable(
            f"{PUBLIC} does not contain a key", hint=f"restore {folder / PUBLIC} from a backup"
        ) from error
