"""The local identity: who signs when nobody brought a certificate, and the key of the log.

::

    <folder>/            0700
      identity.json      name, origin, log key (public part), salt: nothing secret
      root.pem           root certificate
      root.key.pem       its key, only when there is a passphrase (`safegen keys move-root` takes it offline)
      issuing.pem        issuing CA: key and certificate
      signing.pem        leaf: key and certificate (one file, so that a renewal is atomic)
      log.pem            Ed25519 key of the log, apart from the signing keys (log-ID.pem after a change)
      history/           leaf certificates of the past
      revoked.crl.pem    which of them were revoked, signed by the issuing CA

Without a passphrase the root's key is never written: the issuing CA lives as long as the root, so
nothing but its theft is made harder.
"""

from __future__ import annotations

import base64
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from safegen._util.time import Clock, utc_now
from safegen.errors import KeyUnavailable
from safegen.keys.files import check_private, read_private
from safegen.keys.identity_files import (
    CRL,
    HISTORY,
    ISSUING,
    LOG,
    PUBLIC,
    ROOT,
    ROOT_KEY,
    SIGNING,
    damaged_identity,
    read_public_part,
)
from safegen.keys.log_history import PastKey
from safegen.keys.passphrase import HINT, Passphrase, derive_password, resolve_passphrase

if TYPE_CHECKING:
    from cryptography import x509
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    from safegen.keys.signers import KeySigner


@dataclass(frozen=True)
class Identity:
    """An identity on disk. The public parts are read at once, private keys when they are needed.

    ``root_pem`` and ``chain_pem`` (leaf, issuing CA) are PEM bytes; ``log_origin`` and ``log_vkey``
    name the log (C2SP signed note), ``log_history`` its earlier keys; ``created`` is an ISO 8601 time.
    """

    folder: Path
    name: str
    created: str
    encrypted: bool
    log_origin: str
    log_vkey: str
    root_pem: bytes
    clock: Clock = field(default=utc_now, repr=False)
    salt: bytes = field(default=b"", repr=False)
    passphrase: Passphrase = field(default=None, repr=False)
    log_file: str = LOG
    log_history: tuple[PastKey, ...] = ()
    _cache: dict[str, bytes] = field(default_factory=dict, repr=False, compare=False)

    @classmethod
    def load_or_create(
        cls, folder: Path, *, name: str, passphrase: Passphrase = None, clock: Clock = utc_now
    ) -> Identity:
        """The identity in *folder*; made first (for the organisation *name*) when there is none.

        Of two processes making it at once one wins and both use its identity; a process killed in the
        middle leaves no identity. Raises KeyUnavailable, UsageError (a name that cannot be used).
        """
        if not (folder / PUBLIC).exists():
            from safegen.keys.creation import create_identity

            create_identity(folder, name=name, passphrase=resolve_passphrase(passphrase), clock=clock)
        return cls.load(folder, passphrase=passphrase, clock=clock)

    @classmethod
    def load(cls, folder: Path, *, passphrase: Passphrase = None, clock: Clock = utc_now) -> Identity:
        """The identity in *folder*. Raises KeyUnavailable: missing, damaged, too new, open to others.

        The passphrase is not asked for yet: see ``unlock``.
        """
        public = read_public_part(folder)
        log_file = Path(str(public.get("log_file", LOG))).name
        for file in (ISSUING, SIGNING, log_file):
            check_private(folder / file)
        try:
            return cls(
                folder=folder,
                name=str(public["name"]),
                created=str(public["created"]),
                encrypted=bool(public["encrypted"]),
                log_origin=str(public["log_origin"]),
                log_vkey=str(public["log_vkey"]),
                root_pem=(folder / ROOT).read_bytes(),
                clock=clock,
                salt=base64.b64decode(public["salt"]),
                passphrase=passphrase,
                log_file=log_file,
                log_history=tuple(PastKey(**past) for past in public.get("log_history", [])),
            )
        except (KeyError, ValueError, TypeError, OSError) as error:
            raise damaged_identity(folder, str(error)) from error

    @property
    def chain_pem(self) -> bytes:
        """Leaf, then issuing CA, as PEM."""
        from cryptography.hazmat.primitives.serialization import Encoding

        return b"".join(c.public_bytes(Encoding.PEM) for c in (self.leaf, self.issuing))

    @property
    def leaf(self) -> x509.Certificate:
        """The claim-signing certificate in use."""
        return self._certificate(SIGNING)

    @property
    def issuing(self) -> x509.Certificate:
        """The issuing CA's certificate."""
        return self._certificate(ISSUING)

    @property
    def expires(self) -> datetime:
        """When the leaf certificate ends (UTC)."""
        return self.leaf.not_valid_after_utc

    @property
    def expired(self) -> bool:
        """Whether the leaf certificate has ended."""
        return self.clock() >= self.expires

    @property
    def fingerprint(self) -> str:
        """SHA-256 (hex) of the root certificate: what a trust store shows."""
        from safegen.keys.chain import fingerprint
        from safegen.keys.signers import load_chain

        return fingerprint(load_chain(self.root_pem)[0])

    @property
    def history(self) -> tuple[bytes, ...]:
        """The leaf certificates of the past as PEM, oldest first."""
        return tuple(p.read_bytes() for p in sorted((self.folder / HISTORY).glob("leaf-*.pem")))

    @property
    def crls(self) -> tuple[bytes, ...]:
        """The list of this identity's revoked certificates (PEM), if there is one. Raises KeyUnavailable."""
        file = self.folder / CRL
        return (read_private(file),) if file.exists() else ()

    @property
    def root_key_here(self) -> bool:
        """Whether the root's (encrypted) key still lies in the folder."""
        return (self.folder / ROOT_KEY).exists()

    def unlock(self) -> None:
        """Open every private key now, so that a wrong passphrase is found before hours of work.

        Raises KeyUnavailable.
        """
        self.signer()
        _ = self.log_key

    def signer(self) -> KeySigner:
        """The signer with the leaf key. Raises KeyUnavailable: locked, damaged, or the leaf has expired."""
        from safegen.keys.signers import signer_for

        if self.expired:
            raise KeyUnavailable(
                f"the signing certificate expired on {self.expires:%Y-%m-%d}",
                hint="renew it with `safegen keys rotate`",
            )
        return signer_for(self._private(SIGNING), self.chain_pem)

    @property
    def log_key(self) -> Ed25519PrivateKey:
        """The log's private key. Raises KeyUnavailable: locked, damaged, or not the one in identity.json."""
        from safegen.keys.log_key import encode_vkey

        key: Ed25519PrivateKey = self._private(self.log_file)
        if encode_vkey(self.log_origin, key.public_key()) != self.log_vkey:
            raise damaged_identity(self.folder, "the log key is not the one the identity names")
        return key

    def password(self) -> bytes | None:
        """What opens the key files; ``None`` when they are not encrypted. Raises KeyUnavailable."""
        if not self.encrypted:
            return None
        if "password" not in self._cache:
            secret = resolve_passphrase(self.passphrase)
            if secret is None:
                raise KeyUnavailable("the identity is locked and no passphrase was given", hint=HINT)
            self._cache["password"] = derive_password(secret, self.salt)
        return self._cache["password"]

    def issuing_key(self) -> Any:
        """The issuing CA's private key. Raises KeyUnavailable."""
        return self._private(ISSUING)

    def _private(self, file: str) -> Any:
        from safegen.keys.signers import load_private_key

        return load_private_key(read_private(self.folder / file), self.password)

    def _certificate(self, file: str) -> x509.Certificate:
        from safegen.keys.signers import load_chain

        return load_chain(read_private(self.folder / file))[0]
