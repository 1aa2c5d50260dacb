"""Evidence from every layer of a file. What cannot be examined is reported, never silently skipped."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from hashlib import sha256
from typing import TYPE_CHECKING

from safegen._util.hashing import hash_in_background, require_readable
from safegen.credentials import formats
from safegen.errors import CheckUnavailable, SafegenError, UsageError
from safegen.types import CredentialsEvidence, CredentialState, LedgerEvidence
from safegen.verification import credential_sidecar, ledger_proofs, timestamps, watermarks
from safegen.verification.collector import EvidenceCollector
from safegen.verification.evidence import CREDENTIALS_GONE, Evidence, Resolution, ResolvedManifest

if TYPE_CHECKING:
    from pathlib import Path

    from safegen.ledger.records import ReleaseEntry
    from safegen.ledger.store import Ledger

URL = re.compile(r"https?://\S+")


@dataclass(frozen=True)
class GatheredEvidence:
    """Evidence for the verdict, and what goes into the report beside it."""

    sha256: str
    evidence: Evidence
    recovered_release: ReleaseEntry | None


def gather_evidence(collector: EvidenceCollector) -> GatheredEvidence:
    """Look at every layer of the collector's file; what cannot be checked is noted there.

    Raises UnreadableInput when neither credentials nor pictures can be read, CheckUnavailable when a
    layer exists but cannot be examined here.
    """
    options = collector.options
    for file in (collector.path, *options.fragments):
        require_readable(file)
    if options.fragments:
        _require_init_segment(collector.path)
        collector.note("fragments", "whether the fragments you named are complete")
    with hash_in_background(collector.path) as digest:
        credentials = _find_credentials(collector)
        digest_of_file = digest()
    entry = _ledger_fast_path(collector, digest_of_file, credentials)
    if entry is not None:
        search = _search_watermarks(collector, credentials, None)
        entry = timestamps.check_time_stamps(collector, credentials, entry, None)
        evidence = _assemble_evidence(collector, credentials, search, entry)
        return GatheredEvidence(digest_of_file, evidence, None)
    with options.open_ledger() as ledger:
        search = _search_watermarks(collector, credentials, ledger)
        resolved = _query_resolution_service(collector, credentials, search)
        credentials = next((n.credentials for n in resolved if n.hard_binding_match), credentials)
        entry = ledger_proofs.check_own_ledger(collector, digest_of_file, credentials, ledger)
        if entry is None:
            entry = ledger_proofs.check_proof_sidecar(collector, digest_of_file, credentials, ledger)
        else:
            entry = ledger_proofs.compare_with_sidecar(collector, entry, digest_of_file, credentials, ledger)
        entry = timestamps.check_time_stamps(collector, credentials, entry, ledger)
        resolutions, recovered = watermarks.resolve_payloads(collector, search, ledger, digest_of_file)
        if not resolutions:
            resolutions, recovered = watermarks.recover_by_content(
                collector, search, credentials, ledger, digest_of_file
            )
        proven = {r.manifest_id for r in resolutions if r.proven}
        if recovered is not None and recovered.manifest_id not in proven:
            recovered = None  # nobody vouches for what it says about the file
        if ledger is None:
            collector.note("ledger", "no ledger of your own is available")
    evidence = _assemble_evidence(collector, credentials, search, entry, resolutions)
    return GatheredEvidence(digest_of_file, replace(evidence, named=resolved), recovered)


def _wants_watermarks(collector: EvidenceCollector) -> bool:
    """Whether marks are searched for: with fragments the pictures are not in the file."""
    return collector.options.watermark and not collector.options.fragments


def _search_watermarks(
    collector: EvidenceCollector, credentials: CredentialsEvidence, ledger: Ledger | None
) -> watermarks.WatermarkSearch:
    """The search for marks, or a note that there was none."""
    if _wants_watermarks(collector):
        return watermarks.detect_watermarks(collector, credentials, ledger)
    fragments = collector.options.fragments
    collector.note("watermark", "the pictures are in the fragments" if fragments else "you asked to skip it")
    return watermarks.WatermarkSearch()


def _query_resolution_service(
    collector: EvidenceCollector, credentials: CredentialsEvidence, search: watermarks.WatermarkSearch
) -> tuple[ResolvedManifest, ...]:
    """What the resolution service says about the marks, where one was named and the credentials are gone.

    The file itself is sent only where that was allowed and the marks led to nothing.
    """
    base = collector.options.resolve
    if base is None or credentials.state not in CREDENTIALS_GONE:
        return ()
    from safegen.credentials.remote import Upload, fetch_manifest
    from safegen.verification.soft_binding_api import ResolutionService, service_host

    hosts = [service_host(base)]

    def fetch(url: str, accept: str) -> bytes:
        return fetch_manifest(url, hosts, accept=accept)

    def send(url: str) -> bytes:
        whole = Upload(collector.path, formats.detect(collector.path).mime or "application/octet-stream")
        return fetch_manifest(url, hosts, accept="application/json", send=whole)

    def read(store: bytes) -> CredentialsEvidence:
        return replace(collector.read_credentials(store), source="resolved")

    service = ResolutionService(base, fetch, send, read, collector.note)
    found = service.resolve_by_binding(search.readings)
    if not found and collector.options.send:
        payloads = {r.payload for r in search.readings if r.present and r.payload is not None}
        found = service.resolve_by_content(payloads)
    return tuple(found)


def _ledger_fast_path(
    collector: EvidenceCollector, digest: str, credentials: CredentialsEvidence
) -> LedgerEvidence | None:
    """The ledger's part without opening it, where no mark and no other proof has to be looked up."""
    if _wants_watermarks(collector) or credentials.expired:
        return None
    return ledger_proofs.check_own_ledger_fast(collector, digest, credentials)


def _assemble_evidence(
    collector: EvidenceCollector,
    credentials: CredentialsEvidence,
    search: watermarks.WatermarkSearch,
    entry: LedgerEvidence | None,
    resolutions: Sequence[Resolution] = (),
) -> Evidence:
    """Everything in the shape the verdict wants."""
    store, root = credentials.store, credentials.root_sha256
    return Evidence(
        source_payloads=watermarks.source_payloads(credentials.manifest),
        store_sha256="" if store is None else sha256(store).hexdigest(),
        signer_logs=frozenset() if root is None else collector.trust.logs_of(root),
        noun=formats.kind_of(collector.path),
        credentials=credentials,
        watermarks=search.readings,
        ledger=entry,
        resolutions=tuple(resolutions),
        bound_payloads=watermarks.bound_payloads(credentials.soft_bindings),
        expected_payloads=watermarks.bound_payloads(
            [b for b in credentials.soft_bindings if b.alg in search.searched_algs]
        ),
        ancestor_payloads=watermarks.bound_payloads(credentials.ancestor_bindings),
    )


def _find_credentials(collector: EvidenceCollector) -> CredentialsEvidence:
    """The C2PA layer: what the file carries, else what lies beside it, else where it says it lies."""
    found = collector.read_credentials()
    if set(found.failures) == {"assertion.bmffHash.mismatch"} and not collector.options.fragments:
        _refuse_init_segment(collector.path)
    if (
        found.state in credential_sidecar.SIDECAR_STATES
        and (store := credential_sidecar.read_sidecar_store(collector)) is not None
    ):
        beside = replace(collector.read_credentials(store), source="sidecar")
        if beside.state is not CredentialState.INVALID or not credential_sidecar.may_be_anothers(
            collector.path
        ):
            return beside
        reason = f"{collector.path.stem}.c2pa does not match it, and may be that of another file of this name"
        collector.note(credential_sidecar.LAYER, reason)
    if found.state is not CredentialState.REMOTE_NOT_FETCHED:
        return found
    address = URL.search(found.reason)
    if not collector.options.fetch_hosts or address is None:
        location = f"at {address[0]}" if address else "elsewhere"
        reason = f"they are {location}; allow a host with --fetch-remote HOST to fetch them"
        collector.note("remote credentials", reason)
        return found
    from safegen.credentials.remote import fetch_manifest

    try:
        fetched = fetch_manifest(address[0], collector.options.fetch_hosts)
    except SafegenError as error:
        collector.note("remote credentials", str(error))
        return found
    return replace(collector.read_credentials(fetched), source="remote")


def _require_init_segment(path: Path) -> None:
    """Raise UsageError for a file that announces no fragments: naming some would make them its business."""
    from safegen.credentials.embedded import is_init_segment

    if not is_init_segment(path):
        raise UsageError(
            f"{path} is not the first part of a fragmented MP4",
            hint="give that part as FILE, and each of its fragments with --fragment",
        )


def _refuse_init_segment(path: Path) -> None:
    """Refuse to judge the first part of a fragmented MP4 by itself: it is signed with its fragments."""
    from safegen.credentials.embedded import is_init_segment

    if is_init_segment(path):
        raise CheckUnavailable(
            f"{path} is the initialisation segment of a fragmented MP4, signed together with its fragments",
            hint="name each fragment as well, with --fragment FILE",
        )
