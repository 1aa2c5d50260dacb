"""Trust bundles: what a maker hands to others so that they can check the maker's videos.

A bundle is one JSON text: the root that vouches for the maker's signatures, and the origin and key of
the maker's log. A bare PEM file (such as the C2PA trust list) is a bundle of roots without a log.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from safegen._text import to_json
from safegen.errors import UnreadableInput, UsageError
from safegen.keys.log_history import MAX_HISTORY, PastKey, verify_key_history
from safegen.keys.log_key import decode_vkey, encode_vkey
from safegen.keys.revocation import looks_like_crl, read_crls
from safegen.types import Json

if TYPE_CHECKING:
    from cryptography import x509
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    from safegen.keys.identity import Identity

FORMAT = "safegen-trust"
VERSION = 1
LIMIT = 1 << 20
MAX_ROOTS = 500
HINT = "use a file from `safegen keys export-trust`, or certificates in PEM form"
Kind = Literal["signer", "tsa"]


@dataclass(frozen=True)
class Anchor:
    """A root for people to compare: subject (RFC 4514) and SHA-256 (hex) of its DER form."""

    subject: str
    sha256: str


@dataclass(frozen=True)
class TrustBundle:
    """``roots`` vouch for signers, ``tsa_roots`` for time stamps only (one PEM each).

    ``logs`` holds verification keys by origin, ``vkeys`` the same as C2SP texts.
    """

    name: str
    roots: tuple[bytes, ...] = ()
    logs: Mapping[str, Ed25519PublicKey] = field(default_factory=dict)
    created: str = ""
    vkeys: tuple[str, ...] = ()
    tsa_roots: tuple[bytes, ...] = ()
    log_history: tuple[PastKey, ...] = ()
    """Earlier keys of the logs, oldest first: what they signed stays good."""
    crls: tuple[bytes, ...] = ()
    """Revocation lists (PEM); each speaks for its own issuer only, whoever handed it over."""

    @property
    def log_keys(self) -> Mapping[str, tuple[Ed25519PublicKey, ...]]:
        """Every key of each log, the one in use first."""
        past = [decode_vkey(past.vkey) for past in self.log_history]
        return {
            origin: (key, *(old for name, old in reversed(past) if name == origin))
            for origin, key in self.logs.items()
        }

    def log_chain(self, origin: str) -> tuple[str, ...]:
        """The verifier keys of the log *origin*, oldest first. Raises KeyError for one it does not name."""
        past = [decode_vkey(p.vkey)[1] for p in self.log_history if p.origin == origin]
        return tuple(encode_vkey(origin, key) for key in (*past, self.logs[origin]))

    @property
    def root_fingerprints(self) -> tuple[str, ...]:
        """SHA-256 (hex) of each certificate in ``roots``: of those that vouch for signers, and no other."""
        from safegen.keys.chain import fingerprint

        return tuple(fingerprint(c) for root in self.roots for c in _certificates(root))

    @property
    def anchors(self) -> tuple[Anchor, ...]:
        """The roots as people compare them: what to show before pinning them."""
        from safegen.keys.chain import fingerprint

        found = [_certificates(root)[0] for root in (*self.roots, *self.tsa_roots)]
        return tuple(Anchor(c.subject.rfc4514_string(), fingerprint(c)) for c in found)

    @property
    def id(self) -> str:
        """Sixteen hex digits over its roots and logs: its name in the store."""
        parts = [f"{len(self.roots)}", *(a.sha256 for a in self.anchors), *self.vkeys]
        if not self.anchors and not self.vkeys:
            parts += [hashlib.sha256(crl).hexdigest() for crl in self.crls]
        return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:16]


def export_trust(
    identity: Identity,
    name: str,
    *,
    created: datetime,
    roots: Sequence[bytes] = (),
    crls: Sequence[bytes] = (),
) -> str:
    """What others pin to check *identity*'s videos: root, log origin and log key, as JSON text.

    *roots* (PEM) are those of a certificate that signs instead of the identity's own, which then vouches for
    nothing and stays out; *crls* (PEM) are lists of its issuers. The identity's own list is in it always:
    earlier videos may be signed by it. Nothing in it is secret. *name* is what others see in their list.
    Raises UsageError on a bad name.
    """
    bundle = TrustBundle(
        name=_name(name),
        roots=tuple(roots) or (identity.root_pem,),
        logs=dict([decode_vkey(identity.log_vkey)]),
        created=created.isoformat(timespec="seconds"),
        vkeys=(identity.log_vkey,),
        log_history=identity.log_history,
        crls=tuple(dict.fromkeys((*identity.crls, *crls))),
    )
    return bundle_to_json(bundle)


def export_pem(identity: Identity, roots: Sequence[bytes] = ()) -> str:
    """The bare root certificate (*roots* as for ``export_trust``), for tools that know nothing of logs."""
    return b"".join(roots or (identity.root_pem,)).decode("ascii")


def parse_trust(data: bytes, *, name: str = "", kind: Kind = "signer") -> TrustBundle:
    """The bundle in *data*: JSON from ``export_trust``, PEM certificates (roots only, no log), or a CRL.

    *name* and *kind* are for PEM: what to call it, and whether it vouches for signers or time stamps.
    Raises UsageError: too large, malformed, not CA certificates.
    """
    if len(data) > LIMIT:
        raise UsageError("the trust file is larger than 1 MiB", hint=HINT)
    bare = data.lstrip()[:1] != b"{"
    if bare and looks_like_crl(data):
        return TrustBundle(_name(name or "revocation list"), crls=read_crls(data))
    if bare:
        roots = _roots(data)
        called = _name(name or "certificates")
        return TrustBundle(called, roots) if kind == "signer" else TrustBundle(called, tsa_roots=roots)
    try:
        document = json.loads(data)
        if document["format"] != FORMAT:
            raise ValueError("another format")
        if document["version"] != VERSION:
            raise UsageError(
                f"the trust file has version {document['version']!r:.20}", hint="use a newer safegen"
            )
        vkeys = tuple(_strings(document["logs"]))
        logs = _logs(vkeys)
        return TrustBundle(
            name=_name(document["name"]),
            roots=_each(document["roots"]),
            logs=logs,
            created=str(document["created"])[:40],
            vkeys=vkeys,
            tsa_roots=_each(document["tsaRoots"]),
            log_history=_history(document.get("logHistory", []), logs),
            crls=tuple(c for t in _strings(document.get("crls", [])) for c in read_crls(t.encode("ascii"))),
        )
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


def bundle_to_json(bundle: TrustBundle) -> str:
    """*bundle* as JSON text."""
    document: Json = {
        "format": FORMAT,
        "version": VERSION,
        "name": bundle.name,
        "created": bundle.created,
        "roots": [root.decode("ascii") for root in bundle.roots],
        "tsaRoots": [root.decode("ascii") for root in bundle.tsa_roots],
        "logs": list(bundle.vkeys),
    }
    if bundle.log_history:
        document["logHistory"] = [vars(past) for past in bundle.log_history]
    if bundle.crls:
        document["crls"] = [crl.decode("ascii") for crl in bundle.crls]
    return to_json(document, indent=2) + "\n"


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


def _each(texts: object) -> tuple[bytes, ...]:
    return tuple(pem for text in _strings(texts) for pem in _roots(text.encode("ascii")))


def _logs(vkeys: Sequence[str]) -> dict[str, Ed25519PublicKey]:
    logs = dict(decode_vkey(vkey) for vkey in vkeys)
    if len(logs) != len(vkeys):
        raise ValueError("a log is listed twice")
    return logs


def _history(values: object, logs: Mapping[str, Ed25519PublicKey]) -> tuple[PastKey, ...]:
    """Earlier keys of *logs*, each of which announced the next one."""
    if not isinstance(values, list) or len(values) > MAX_HISTORY:
        raise ValueError("not a list")
    found = tuple(PastKey(**value) for value in values)
    for past in found:
        if not isinstance(past.note, str) or not isinstance(past.vkey, str):
            raise ValueError("not texts")
        if past.origin not in logs:
            raise ValueError("an earlier key of a log that is not in it")
    for origin, key in logs.items():
        past_keys = [past for past in found if past.origin == origin]
        if past_keys and not verify_key_history([past_keys[0].vkey], past_keys, encode_vkey(origin, key)):
            raise UsageError(
                f"the earlier keys of the log {origin} did not announce the later ones", hint=HINT
            )
    return found


def _roots(pem: bytes) -> tuple[bytes, ...]:
    from cryptography import x509
    from cryptography.hazmat.primitives.serialization import Encoding

    found = _certificates(pem)
    for certificate in found:
        try:
            basic = certificate.extensions.get_extension_for_class(x509.BasicConstraints).value
        except (x509.ExtensionNotFound, ValueError) as error:
            raise UsageError("a certificate in the trust file is not a CA certificate", hint=HINT) from error
        if not basic.ca:
            raise UsageError("a certificate in the trust file is not a CA certificate", hint=HINT)
    return tuple(dict.fromkeys(c.public_bytes(Encoding.PEM) for c in found))


def _certificates(pem: bytes) -> list[x509.Certificate]:
    from cryptography import x509

    if b"PRIVATE KEY" in pem:
        raise UsageError("the trust file contains a private key: never share it", hint=HINT)
    try:
        found = x509.load_pem_x509_certificates(pem)
        for certificate in found:
            _readable(certificate)
    except ValueError as error:
        raise UsageError("the trust file contains no readable certificates", hint=HINT) from error
    if len(found) > MAX_ROOTS:
        raise UsageError(f"more than {MAX_ROOTS} certificates in the trust file", hint=HINT)
    return found


def _readable(certificate: x509.Certificate) -> None:
    """Decode the parts that are only decoded when they are asked for. Raises ValueError for a damaged one."""
    certificate.subject.rfc4514_string()
    certificate.issuer.rfc4514_string()
    certificate.not_valid_before_utc, certificate.not_valid_after_utc  # noqa: B018
