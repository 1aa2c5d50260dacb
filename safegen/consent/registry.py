"""The consent registry: the ledger's ``consent`` entries and what they add up to.

A grant's public part has its scope, end, evidence hash, and the registrar's signature; who agreed and their
pictures' descriptors are private: the entry commits to them. A revocation needs no signature: it can only
take away. Entries are checked against the ledger's tree; one that is not in it counts for nothing.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from safegen._util.hashing import file_sha256
from safegen._util.time import utc_now
from safegen.consent.records import SCOPES, Attestation, Consent, ConsentState, Grant, Reference
from safegen.consent.registrar import Registrar, is_signed
from safegen.errors import LedgerError, UsageError
from safegen.ledger.canonical import canonical, timestamp
from safegen.types import Json

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    from safegen.ledger.reader import LedgerReader
    from safegen.ledger.records import Entry
    from safegen.ledger.store import Ledger

MINORS_AT_MOST = timedelta(days=366)
MAX_NAME, MAX_REFERENCES = 200, 32
_PAGE = 1000


def grant(ledger: Ledger, wanted: Grant, registrar: Registrar, describe: Callable[[Path], str]) -> int:
    """Record the grant that is *wanted*, signed by *registrar*; its index.

    *describe* gives a file's descriptors (base64). Raises UsageError (a name or end that makes no sense, a
    minor without guardian or end), UnreadableInput (evidence, references), LedgerError.
    """
    now = ledger.clock()
    _check_grant(wanted, now)
    references = [
        {"name": path.name, "sha256": file_sha256(path), "descriptors": describe(path)}
        for path in wanted.references
    ]
    private: Json = {
        "subject": wanted.subject.strip(),
        "aliases": [a.strip() for a in wanted.aliases],
        "references": references,
        "guardian": wanted.guardian.strip(),
        "salt": secrets.token_hex(16),
    }
    terms: Json = {
        "act": "grant",
        "scope": sorted(wanted.scope),
        "expires": None if wanted.expires is None else timestamp(wanted.expires),
        "minor": wanted.minor,
        "evidence_sha256": file_sha256(wanted.evidence),
        "private_sha256": hashlib.sha256(canonical(private)).hexdigest(),
        "registrar": registrar.name,
    }
    return ledger.append("consent", {**terms, "signature": registrar.sign(terms)}, private)


def _check_grant(terms: Grant, now: datetime) -> None:
    for name in (terms.subject, *terms.aliases):
        if len(_letters(name)) < 2 or len(name) > MAX_NAME or not name.isprintable():
            raise UsageError(
                f"{name!r} is not a usable name", hint=f"use 2 to {MAX_NAME} printable characters"
            )
    if not terms.scope or set(terms.scope) - set(SCOPES):
        raise UsageError("a consent needs a scope", hint=f"give --scope: {', '.join(SCOPES)}")
    if terms.expires is not None and terms.expires <= now:
        raise UsageError("the consent would already have expired", hint="give a date in the future")
    if len(terms.references) > MAX_REFERENCES:
        raise UsageError(f"more than {MAX_REFERENCES} references", hint="keep the ones that differ most")
    if terms.minor:
        if not terms.guardian.strip():
            raise UsageError(
                "consent for a minor must be given by a guardian", hint="name the guardian with --guardian"
            )
        if terms.expires is None or terms.expires > now + MINORS_AT_MOST:
            raise UsageError("consent for a minor must end within a year", hint="give --expires")


def revoke(ledger: Ledger, index: int, reason: str = "") -> int:
    """Record that consent *index* is revoked; its index. Raises UsageError (no consent, revoked already)."""
    target = next((c for c in list_consents(ledger, None) if c.index == index), None)
    if target is None:
        raise UsageError(f"entry {index} is not a consent", hint="see `safegen consent list`")
    if target.state == "revoked":
        raise UsageError(f"consent {index} is already revoked", hint="no action is needed")
    return ledger.append(
        "consent", {"act": "revoke", "consent": index}, {"reason": reason} if reason else None
    )


def attest(
    ledger: Ledger, path: Path, *, consent: tuple[int, ...] = (), no_person: bool = False, by: str
) -> Attestation:
    """Record what *by* states about the file at *path*: it shows who gave *consent*, or no real person.

    Raises UsageError (both, neither, no such consent), UnreadableInput, LedgerError.
    """
    if bool(consent) == no_person:
        raise UsageError(
            "state whom the file shows, or that it shows nobody", hint="use --consent or --no-person"
        )
    known = {c.index for c in list_consents(ledger, None)}
    for index in consent:
        if index not in known:
            raise UsageError(f"entry {index} is not a consent", hint="see `safegen consent list`")
    digest = file_sha256(path)
    public: Json = {
        "act": "attest",
        "sha256": digest,
        "consents": sorted(consent),
        "no_person": no_person,
        "by": by,
    }
    index = ledger.append("consent", public)
    return Attestation(index, digest, tuple(sorted(consent)), no_person, by)


def list_consents(
    ledger: LedgerReader, registrar: Ed25519PublicKey | None, *, now: datetime | None = None
) -> list[Consent]:
    """Every grant, newest first, with its state *now*. Raises LedgerError for entries that make no sense."""
    moment = timestamp(now or utc_now())
    entries = _proven_entries(ledger)
    revoked = {e.public.get("consent") for e in entries if e.public.get("act") == "revoke"}
    return [
        _read_consent(ledger, e, registrar, moment, e.index in revoked)
        for e in entries
        if e.public.get("act") == "grant"
    ]


def find_attestation(ledger: LedgerReader, sha256: str) -> Attestation | None:
    """The newest attestation about the file with this hash. Raises LedgerError."""
    for entry in _proven_entries(ledger):
        public = entry.public
        if public.get("act") == "attest" and public.get("sha256") == sha256:
            consents = tuple(i for i in public.get("consents", ()) if isinstance(i, int))
            return Attestation(
                entry.index, sha256, consents, public.get("no_person") is True, str(public.get("by"))
            )
    return None


def _proven_entries(ledger: LedgerReader) -> list[Entry]:
    """Every consent entry, newest first, each proven to be in the ledger's tree."""
    out: list[Entry] = []
    before: int | None = None
    size = len(ledger)
    while True:
        page = ledger.entries("consent", _PAGE, before)
        for entry in page:
            if entry.index < size and ledger.checkpoint_including(entry.index, entry.leaf, size) is None:
                raise LedgerError(
                    f"consent entry {entry.index} is not in the ledger's tree", hint="run `safegen log check`"
                )
        out += page
        if len(page) < _PAGE:
            return out
        before = page[-1].index


def _read_consent(
    ledger: LedgerReader, entry: Entry, registrar: Ed25519PublicKey | None, moment: str, revoked: bool
) -> Consent:
    terms: dict[str, Any] = dict(entry.public)
    signature = str(terms.pop("signature", ""))
    private = ledger.private(entry.index)
    whole = private is not None and hashlib.sha256(canonical(private)).hexdigest() == terms.get(
        "private_sha256"
    )
    end = terms.get("expires")
    state: ConsentState = "live"
    if private is None:
        state = "redacted"
    elif not whole or not is_signed(terms, signature, registrar):
        state = "forged"
    elif revoked:
        state = "revoked"
    elif end is not None and str(end) <= moment:
        state = "expired"
    details = private or {}
    return Consent(
        entry.index,
        entry.time,
        str(details.get("subject", "")),
        tuple(map(str, details.get("aliases", ()))),
        tuple(map(str, terms.get("scope", ()))),
        None if end is None else str(end),
        terms.get("minor") is not False,
        str(terms.get("evidence_sha256", "")),
        tuple(
            Reference(str(r["name"]), str(r["sha256"]), str(r["descriptors"]))
            for r in details.get("references", ())
        ),
        "revoked" if revoked else state,
    )


def _letters(name: str) -> str:
    return "".join(c for c in name if c.isalnum())
