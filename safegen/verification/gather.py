"""Evidence from every layer of a file. What cannot be examined is reported, never silently skipped."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from safegen._util.hashing import hash_in_background, require_readable
from safegen.errors import CheckUnavailable, SafegenError
from safegen.types import CredentialsEvidence, CredentialState, LedgerEvidence, NotChecked
from safegen.verification import credential_sidecar, ledger_proofs, timestamps, watermarks
from safegen.verification.trust import Trust
from safegen.verification.verdict import Evidence, Resolution

if TYPE_CHECKING:
    from safegen.ledger.records import ReleaseEntry
    from safegen.ledger.store import Ledger
    from safegen.verification.soft_binding_api import ResolvedManifest

URL = re.compile(r"https?://\S+")


@dataclass(frozen=True)
class GatheredEvidence:
    """Evidence for the verdict, and what goes into the report beside it."""

    sha256: str
    evidence: Evidence
    recovered_release: ReleaseEntry | None
    not_checked: tuple[NotChecked, ...]


@dataclass(frozen=True)
class VerifyOptions:
    """How to examine a file: whose trust, which ledger, what to skip, what to fetch.

    ``ledger`` opens the user's own ledger (None: there is none); ``database`` is its file where it is
    SQLite. ``fetch_hosts`` are the hosts from which remote manifests may be fetched.
    """

    trust: Trust
    open_ledger: Callable[[], AbstractContextManager[Ledger | None]]
    database: Path | None = None
    proof: Path | None = None
    watermark: bool = True
    at: datetime | None = None
    fetch_hosts: Sequence[str] = ()
    index_file: Path | None = None
    """Where the index of the ledger's fingerprints is kept."""
    resolve: str | None = None
    """Address of a resolution service that may be asked about marks whose credentials are gone."""
    send: bool = False
    """Whether that service may be sent the file itself."""
    fragments: tuple[Path, ...] = ()
    """The other files of a fragmented MP4."""


def gather_evidence(path: Path, options: VerifyOptions) -> GatheredEvidence:
    """Look at every layer of *path*.

    Raises UnreadableInput when neither credentials nor pictures can be read, CheckUnavailable when a
    layer exists but cannot be examined here.
    """
    for file in (path, *options.fragments):
        require_readable(file)
    skipped: list[NotChecked] = []
    silent = "the pictures are in the fragments" if options.fragments else "you asked to skip it"
    if options.fragments:
        options = replace(options, watermark=False)
        skipped.append(NotChecked("fragments", "whether the fragments you named are complete"))
    with hash_in_background(path) as digest:
        credentials = _find_credentials(path, options, skipped)
        sha256 = digest()
    light = _ledger_fast_path(path, sha256, credentials, options)
    if light is not None:
        skipped.append(NotChecked("watermark", silent))
        light = timestamps.check_time_stamps(path, options, credentials, light, None, skipped)
        evidence = _assemble_evidence(credentials, watermarks.WatermarkSearch(), light)
        return GatheredEvidence(sha256, evidence, None, tuple(skipped))
    with options.open_ledger() as ledger:
        if options.watermark:
            looked = watermarks.detect_watermarks(path, credentials, ledger, skipped)
        else:
            skipped.append(NotChecked("watermark", silent))
            looked = watermarks.WatermarkSearch()
        named = _query_resolution_service(path, options, credentials, looked, skipped)
        credentials = next((n.credentials for n in named if n.hard_binding_match), credentials)
        entry = ledger_proofs.check_own_ledger(sha256, credentials, ledger, options.trust, skipped)
        if entry is None:
            entry = ledger_proofs.check_proof_sidecar(
                path, options.proof, sha256, credentials, options.trust, skipped
            )
        entry = timestamps.check_time_stamps(path, options, credentials, entry, ledger, skipped)
        resolutions, recovered = watermarks.resolve_payloads(looked, ledger)
        if not resolutions:
            resolutions, recovered = watermarks.recover_by_content(
                looked, credentials, ledger, options.index_file
            )
        if ledger is None:
            skipped.append(NotChecked("ledger", "no ledger of your own is available"))
    evidence = replace(_assemble_evidence(credentials, looked, entry, resolutions), named=named)
    return GatheredEvidence(sha256, evidence, recovered, tuple(skipped))


def _query_resolution_service(
    path: Path,
    how: VerifyOptions,
    credentials: CredentialsEvidence,
    looked: watermarks.WatermarkSearch,
    skipped: list[NotChecked],
) -> tuple[ResolvedManifest, ...]:
    """What the resolution service says about the marks, where one was named and the credentials are gone.

    The file itself is sent only where that was allowed and the marks led to nothing.
    """
    gone = {CredentialState.ABSENT, CredentialState.REMOTE_NOT_FETCHED, CredentialState.UNSUPPORTED}
    if how.resolve is None or credentials.state not in gone:
        return ()
    from safegen.credentials.formats import detect
    from safegen.credentials.remote import Upload, fetch_manifest
    from safegen.verification.soft_binding_api import resolve_by_binding, resolve_by_content, service_host

    hosts = [service_host(how.resolve)]

    def fetch(url: str, accept: str) -> bytes:
        return fetch_manifest(url, hosts, accept=accept)

    def send(url: str) -> bytes:
        whole = Upload(path, detect(path).mime or "application/octet-stream")
        return fetch_manifest(url, hosts, accept="application/json", send=whole)

    def read(store: bytes) -> CredentialsEvidence:
        return replace(_read_credentials(path, how, store), source="resolved")

    found = resolve_by_binding(how.resolve, looked.readings, read, fetch, skipped)
    if not found and how.send:
        marked = {r.payload for r in looked.readings if r.present and r.payload is not None}
        found = resolve_by_content(how.resolve, marked, read, fetch, send, skipped)
    return tuple(found)


def _ledger_fast_path(
    path: Path, sha256: str, credentials: CredentialsEvidence, how: VerifyOptions
) -> LedgerEvidence | None:
    """The ledger's part without opening it, where neither a mark nor another proof has to be looked at."""
    if how.watermark or how.proof is not None or how.database is None or credentials.expired:
        return None
    return ledger_proofs.check_own_ledger_fast(path, sha256, credentials, how.database, how.trust)


def _assemble_evidence(
    credentials: CredentialsEvidence,
    looked: watermarks.WatermarkSearch,
    entry: LedgerEvidence | None,
    resolutions: Sequence[Resolution] = (),
) -> Evidence:
    """Everything in the shape the verdict wants."""
    return Evidence(
        credentials=credentials,
        watermarks=looked.readings,
        ledger=entry,
        resolutions=tuple(resolutions),
        bound_payloads=watermarks.bound_payloads(credentials.soft_bindings),
        expected_payloads=watermarks.bound_payloads(
            [b for b in credentials.soft_bindings if b.alg in looked.searched_algs]
        ),
        ancestor_payloads=watermarks.bound_payloads(credentials.ancestor_bindings),
    )


def _find_credentials(path: Path, how: VerifyOptions, skipped: list[NotChecked]) -> CredentialsEvidence:
    """The C2PA layer: what the file carries, else what lies beside it, else where it says it lies."""
    found = _read_credentials(path, how, None)
    if set(found.failures) == {"assertion.bmffHash.mismatch"} and not how.fragments:
        _refuse_init_segment(path)
    if (
        found.state in credential_sidecar.SIDECAR_STATES
        and (store := credential_sidecar.read_sidecar_store(path, skipped)) is not None
    ):
        return replace(_read_credentials(path, how, store), source="sidecar")
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
    return replace(_read_credentials(path, how, fetched), source="remote")


def _refuse_init_segment(path: Path) -> None:
    """Refuse to judge the first part of a fragmented MP4 by itself: it is signed with its fragments."""
    from safegen.credentials.embedded import is_init_segment

    if is_init_segment(path):
        raise CheckUnavailable(
            f"{path} is the initialisation segment of a fragmented MP4, signed together with its fragments",
            hint="name each fragment as well, with --fragment FILE",
        )


def _read_credentials(path: Path, how: VerifyOptions, manifest: bytes | None) -> CredentialsEvidence:
    """c2pa's and our own look at the credentials in the file, or at *manifest* together with it."""
    from safegen.credentials.read import read_credentials

    trust = how.trust
    return read_credentials(
        path,
        anchors_pem=trust.anchors,
        tsa_anchors_pem=trust.tsa_anchors,
        at=how.at,
        manifest=manifest,
        crls=trust.crls,
        fragments=how.fragments,
    )
