"""Evidence from every layer of a file. What cannot be examined is reported, never silently skipped."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from safegen._util.hashing import hashing, require_readable
from safegen.errors import CheckUnavailable, SafegenError
from safegen.types import CredentialsEvidence, CredentialState, LedgerEvidence, NotChecked
from safegen.verification import credential_sidecar, ledger_proofs, timestamps, watermarks
from safegen.verification.trust import Trust
from safegen.verification.verdict import Evidence, Resolution

if TYPE_CHECKING:
    from safegen.ledger.records import ReleaseEntry
    from safegen.ledger.store import Ledger
    from safegen.verification.soft_binding_api import Named

URL = re.compile(r"https?://\S+")


@dataclass(frozen=True)
class Gathered:
    """Evidence for the verdict, and what goes into the report beside it."""

    sha256: str
    evidence: Evidence
    recovered: ReleaseEntry | None
    not_checked: tuple[NotChecked, ...]


@dataclass(frozen=True)
class Look:
    """How to examine a file: whose trust, which ledger, what to skip, what to fetch.

    ``ledger`` opens the user's own ledger (None: there is none); ``database`` is its file where it is
    SQLite. ``fetch_hosts`` are the hosts from which remote manifests may be fetched.
    """

    trust: Trust
    ledger: Callable[[], AbstractContextManager[Ledger | None]]
    database: Path | None = None
    proof: Path | None = None
    watermark: bool = True
    at: datetime | None = None
    fetch_hosts: Sequence[str] = ()
    index: Path | None = None
    """Where the index of the ledger's fingerprints is kept."""
    resolve: str | None = None
    """Address of a resolution service that may be asked about marks whose credentials are gone."""
    send: bool = False
    """Whether that service may be sent the file itself."""
    fragments: tuple[Path, ...] = ()
    """The other files of a fragmented MP4."""


def gather(path: Path, how: Look) -> Gathered:
    """Look at every layer of *path*.

    Raises UnreadableInput when neither credentials nor pictures can be read, CheckUnavailable when a
    layer exists but cannot be examined here.
    """
    for file in (path, *how.fragments):
        require_readable(file)
    skipped: list[NotChecked] = []
    silent = "the pictures are in the fragments" if how.fragments else "you asked to skip it"
    if how.fragments:
        how = replace(how, watermark=False)
        skipped.append(NotChecked("fragments", "whether the fragments you named are complete"))
    with hashing(path) as digest:
        credentials = _credentials(path, how, skipped)
        sha256 = digest()
    light = _lightly(path, sha256, credentials, how)
    if light is not None:
        skipped.append(NotChecked("watermark", silent))
        light = timestamps.witnessed(path, how, credentials, light, None, skipped)
        evidence = _evidence(credentials, watermarks.Looked(), light)
        return Gathered(sha256, evidence, None, tuple(skipped))
    with how.ledger() as ledger:
        if how.watermark:
            looked = watermarks.look(path, credentials, ledger, skipped)
        else:
            skipped.append(NotChecked("watermark", silent))
            looked = watermarks.Looked()
        named = _resolved(path, how, credentials, looked, skipped)
        credentials = next((n.credentials for n in named if n.exact), credentials)
        entry = ledger_proofs.own_entry(sha256, credentials, ledger, how.trust, skipped)
        if entry is None:
            entry = ledger_proofs.sidecar_entry(path, how.proof, sha256, credentials, how.trust, skipped)
        entry = timestamps.witnessed(path, how, credentials, entry, ledger, skipped)
        resolutions, recovered = watermarks.resolve(looked, ledger)
        if not resolutions:
            resolutions, recovered = watermarks.by_content(looked, credentials, ledger, how.index)
        if ledger is None:
            skipped.append(NotChecked("ledger", "no ledger of your own is available"))
    evidence = replace(_evidence(credentials, looked, entry, resolutions), named=named)
    return Gathered(sha256, evidence, recovered, tuple(skipped))


def _resolved(
    path: Path,
    how: Look,
    credentials: CredentialsEvidence,
    looked: watermarks.Looked,
    skipped: list[NotChecked],
) -> tuple[Named, ...]:
    """What the resolution service says about the marks, where one was named and the credentials are gone.

    The file itself is sent only where that was allowed and the marks led to nothing.
    """
    gone = {CredentialState.ABSENT, CredentialState.REMOTE_NOT_FETCHED, CredentialState.UNSUPPORTED}
    if how.resolve is None or credentials.state not in gone:
        return ()
    from safegen.credentials.formats import detect
    from safegen.credentials.remote import Upload, fetch_manifest
    from safegen.verification.soft_binding_api import ask, ask_by_content, host_of

    hosts = [host_of(how.resolve)]

    def fetch(url: str, accept: str) -> bytes:
        return fetch_manifest(url, hosts, accept=accept)

    def send(url: str) -> bytes:
        whole = Upload(path, detect(path).mime or "application/octet-stream")
        return fetch_manifest(url, hosts, accept="application/json", send=whole)

    def read(store: bytes) -> CredentialsEvidence:
        return replace(_read(path, how, store), source="resolved")

    found = ask(how.resolve, looked.readings, read, fetch, skipped)
    if not found and how.send:
        marked = {r.payload for r in looked.readings if r.present and r.payload is not None}
        found = ask_by_content(how.resolve, marked, read, fetch, send, skipped)
    return tuple(found)


def _lightly(path: Path, sha256: str, credentials: CredentialsEvidence, how: Look) -> LedgerEvidence | None:
    """The ledger's part without opening it, where neither a mark nor another proof has to be looked at."""
    if how.watermark or how.proof is not None or how.database is None or credentials.expired:
        return None
    return ledger_proofs.glanced_entry(path, sha256, credentials, how.database, how.trust)


def _evidence(
    credentials: CredentialsEvidence,
    looked: watermarks.Looked,
    entry: LedgerEvidence | None,
    resolutions: Sequence[Resolution] = (),
) -> Evidence:
    """Everything in the shape the verdict wants."""
    return Evidence(
        credentials=credentials,
        watermarks=looked.readings,
        ledger=entry,
        resolutions=tuple(resolutions),
        bound_payloads=watermarks.payloads(credentials.soft_bindings),
        expected_payloads=watermarks.payloads([b for b in credentials.soft_bindings if b.alg in looked.algs]),
        ancestor_payloads=watermarks.payloads(credentials.ancestor_bindings),
    )


def _credentials(path: Path, how: Look, skipped: list[NotChecked]) -> CredentialsEvidence:
    """The C2PA layer: what the file carries, else what lies beside it, else where it says it lies."""
    found = _read(path, how, None)
    if set(found.failures) == {"assertion.bmffHash.mismatch"} and not how.fragments:
        _not_alone(path)
    if (
        found.state in credential_sidecar.WITHOUT
        and (store := credential_sidecar.beside(path, skipped)) is not None
    ):
        return replace(_read(path, how, store), source="sidecar")
    if found.state is not CredentialState.REMOTE_NOT_FETCHED:
        return found
    address = URL.search(found.reason)
    if not how.fetch_hosts or address is None:
        lie = f"at {address[0]}" if address else "elsewhere"
        where = f"they are {lie}; allow a host with --fetch-remote HOST to fetch them"
        skipped.append(NotChecked("remote credentials", where))
        return found
    from safegen.credentials.remote import fetch_manifest

    try:
        fetched = fetch_manifest(address[0], how.fetch_hosts)
    except SafegenError as error:
        skipped.append(NotChecked("remote credentials", str(error)))
        return found
    return replace(_read(path, how, fetched), source="remote")


def _not_alone(path: Path) -> None:
    """Refuse to judge the first part of a fragmented MP4 by itself: it is signed with its fragments."""
    from safegen.credentials.embedded import waits_for_fragments

    if waits_for_fragments(path):
        raise CheckUnavailable(
            f"{path} is the initialisation segment of a fragmented MP4, signed together with its fragments",
            hint="name each fragment as well, with --fragment FILE",
        )


def _read(path: Path, how: Look, manifest: bytes | None) -> CredentialsEvidence:
    """c2pa's and our own look at the credentials in the file, or at *manifest* together with it."""
    from safegen.credentials.read import read_credentials

    trust = how.trust
    return read_credentials(
        path,
        anchors_pem=trust.anchors,
        tsa_anchors_pem=trust.stamps,
        at=how.at,
        manifest=manifest,
        crls=trust.crls,
        fragments=how.fragments,
    )
