"""Whom a user trusts: bundles to hand to others, and the store that pins them.

A bundle is one JSON text: the root that vouches for a maker's signatures, and the origin and key of
the maker's log. A bare PEM file (such as the C2PA trust list) is a bundle of roots without a log.
Time stamp authorities are kept apart: one of them never vouches for a signer.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from safegen.errors import UnreadableInput, UsageError
from safegen.keys.files import FOLDER_MODE, write_private
from safegen.keys.logkey import decode_vkey
from safegen.types import Json

if TYPE_CHECKING:
    from cryptography import x509
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    from safegen.keys.identity import Identity

FORMAT = "safegen-trust"
VERSION = 1
LIMIT = 1 << 20
MAX_ROOTS = 500
HINT = "a file from `safegen keys export-trust`, or certificates in PEM form"
Kind = Literal["signer", "tsa"]


@dataclass(frozen=True)
class Anchor:
    """A root for people to compare: subject (RFC 4514) and SHA-256 (hex) of its DER form."""

    subject: str
    sha256: str


@dataclass(frozen=True)
class TrustBundle:
    """``roots``: one PEM each. ``logs``: verification keys by origin. ``kind``: what the roots vouch for."""

    name: str
    roots: tuple[bytes, ...]
    logs: Mapping[str, Ed25519PublicKey] = field(default_factory=dict)
    created: str = ""
    kind: Kind = "signer"
    vkeys: tuple[str, ...] = ()

    @property
    def anchors(self) -> tuple[Anchor, ...]:
        """The roots as people compare them: what to show before pinning them."""
        from safegen.keys.chain import fingerprint

        found = [_certificates(root)[0] for root in self.roots]
        return tuple(Anchor(c.subject.rfc4514_string(), fingerprint(c)) for c in found)

    @property
    def id(self) -> str:
        """Sixteen hex digits over roots, logs and kind: its name in the store."""
        import hashlib

        parts = [self.kind, *(a.sha256 for a in self.anchors), *self.vkeys]
        return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:16]


def export_trust(identity: Identity, name: str, *, created: datetime) -> str:
    """What others pin to check *identity*'s videos: root, log origin and log key, as JSON text.

    Nothing in it is secret. *name* is what they see in their list. Raises UsageError on a bad name.
    """
    bundle = TrustBundle(
        name=_name(name),
        roots=(identity.root_pem,),
        logs=dict([decode_vkey(identity.log_vkey)]),
        created=created.isoformat(timespec="seconds"),
        vkeys=(identity.log_vkey,),
    )
    return _dump(bundle)


def export_pem(identity: Identity) -> str:
    """The bare root certificate, for tools that know nothing of logs."""
    return identity.root_pem.decode("ascii")


def parse_trust(data: bytes, *, name: str = "", kind: Kind = "signer") -> TrustBundle:
    """The bundle in *data*: JSON from ``export_trust``, or PEM certificates (roots only, no log).

    *name* names a PEM bundle. Raises UsageError: too large, malformed, not CA certificates.
    """
    if len(data) > LIMIT:
        raise UsageError("the trust file is larger than 1 MiB", hint=HINT)
    if data.lstrip()[:1] != b"{":
        return TrustBundle(_name(name or "certificates"), _roots(data), kind=kind)
    try:
        document = json.loads(data)
        if document["format"] != FORMAT:
            raise ValueError("another format")
        if document["version"] != VERSION:
            raise UsageError(
                f"the trust file has version {document['version']!r:.20}", hint="use a newer safegen"
            )
        roots = tuple(pem for text in _strings(document["roots"]) for pem in _roots(text.encode("ascii")))
        vkeys = tuple(_strings(document.get("logs", [])))
        found: Kind = {"signer": "signer", "tsa": "tsa"}[document.get("kind", "signer")]  # type: ignore[assignment]
        created = str(document.get("created", ""))[:40]
        return TrustBundle(_name(document["name"]), roots, _logs(vkeys), created, found, vkeys)
    except UsageError:
        raise
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise UsageError("this is not a safegen trust file", hint=HINT) from error


def read_trust_file(path: Path, *, kind: Kind = "signer") -> TrustBundle:
    """``parse_trust`` on a file. Raises UnreadableInput when it cannot be read, UsageError."""
    try:
        with path.open("rb") as file:
            data = file.read(LIMIT + 1)
    except OSError as error:
        raise UnreadableInput(f"cannot read {path}: {error.strerror}", hint=HINT) from error
    return parse_trust(data, name=path.stem, kind=kind)


class TrustStore:
    """Pinned bundles, one file each, in a folder of the workspace."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def add(self, bundle: TrustBundle) -> str:
        """Pin *bundle*; its id. Show ``bundle.anchors`` and get a yes first. Adding it again changes nothing.

        Raises UsageError when another bundle names the same log with another key, KeyUnavailable when
        the folder cannot be written.
        """
        from safegen.errors import KeyUnavailable

        for origin, key in bundle.logs.items():
            pinned = self.logs.get(origin)
            if pinned is not None and pinned != key:
                raise UsageError(
                    f"the log {origin} is already pinned with another key",
                    hint="ask its maker; if the new key is right, remove the old bundle first",
                )
        try:
            self.folder.mkdir(mode=FOLDER_MODE, parents=True, exist_ok=True)
        except OSError as error:
            raise KeyUnavailable(f"cannot make {self.folder}: {error.strerror}", hint="check it") from error
        write_private(self._file(bundle.id), _dump(bundle).encode())
        return bundle.id

    def list(self) -> tuple[tuple[str, TrustBundle], ...]:
        """Ids and bundles, by id. Raises UsageError when a pinned file is damaged."""
        if not self.folder.is_dir():
            return ()
        return tuple((p.stem, read_trust_file(p)) for p in sorted(self.folder.glob("*.json")))

    def remove(self, identifier: str) -> TrustBundle:
        """Unpin the bundle whose id starts with *identifier* (at least 4 characters).

        Raises UsageError when none or several match.
        """
        matches = [(i, b) for i, b in self.list() if len(identifier) >= 4 and i.startswith(identifier)]
        if len(matches) != 1:
            raise UsageError(
                f"{len(matches)} pinned bundles match {identifier!r}",
                hint="`safegen trust list` shows the ids",
            )
        self._file(matches[0][0]).unlink(missing_ok=True)
        return matches[0][1]

    def bundles(self) -> tuple[TrustBundle, ...]:
        """The pinned bundles that vouch for signers and logs."""
        return tuple(b for _, b in self.list() if b.kind == "signer")

    @property
    def roots(self) -> tuple[bytes, ...]:
        """PEM roots that vouch for signers."""
        return tuple(root for b in self.bundles() for root in b.roots)

    @property
    def tsa_roots(self) -> tuple[bytes, ...]:
        """PEM roots that vouch for time stamps, and for nothing else."""
        return tuple(root for _, b in self.list() if b.kind == "tsa" for root in b.roots)

    @property
    def logs(self) -> Mapping[str, Ed25519PublicKey]:
        """Verification keys of pinned logs by origin."""
        return {origin: key for b in self.bundles() for origin, key in b.logs.items()}

    def _file(self, identifier: str) -> Path:
        return self.folder / f"{identifier}.json"


def _dump(bundle: TrustBundle) -> str:
    document: Json = {
        "format": FORMAT,
        "version": VERSION,
        "name": bundle.name,
        "created": bundle.created,
        "kind": bundle.kind,
        "roots": [root.decode("ascii") for root in bundle.roots],
        "logs": list(bundle.vkeys),
    }
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"


def _name(name: object) -> str:
    if not isinstance(name, str) or not 1 <= len(name) <= 100 or not name.isprintable():
        raise UsageError("a trust bundle's name has 1 to 100 printable characters", hint=HINT)
    return name


def _strings(values: object) -> Sequence[str]:
    if not isinstance(values, list) or len(values) > MAX_ROOTS:
        raise ValueError("not a list")
    if not all(isinstance(v, str) for v in values):
        raise ValueError("not texts")
    return values


def _logs(vkeys: Sequence[str]) -> dict[str, Ed25519PublicKey]:
    logs = dict(decode_vkey(vkey) for vkey in vkeys)
    if len(logs) != len(vkeys):
        raise ValueError("a log is named twice")
    return logs


def _roots(pem: bytes) -> tuple[bytes, ...]:
    from cryptography import x509
    from cryptography.hazmat.primitives.serialization import Encoding

    found = _certificates(pem)
    for certificate in found:
        try:
            basic = certificate.extensions.get_extension_for_class(x509.BasicConstraints).value
        except (x509.ExtensionNotFound, ValueError) as error:
            raise UsageError("a certificate in the trust file is not a CA", hint=HINT) from error
        if not basic.ca:
            raise UsageError("a certificate in the trust file is not a CA", hint=HINT)
    return tuple(dict.fromkeys(c.public_bytes(Encoding.PEM) for c in found))


def _certificates(pem: bytes) -> list[x509.Certificate]:
    from cryptography import x509

    if b"PRIVATE KEY" in pem:
        raise UsageError("there is a private key in the trust file: keep it to yourself", hint=HINT)
    try:
        found = x509.load_pem_x509_certificates(pem)
    except ValueError as error:
        raise UsageError("no certificates can be read from the trust file", hint=HINT) from error
    if len(found) > MAX_ROOTS:
        raise UsageError(f"more than {MAX_ROOTS} certificates in the trust file", hint=HINT)
    return found
