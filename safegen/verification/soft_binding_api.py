"""From a soft binding to a manifest: by the user's own ledger, or by a resolution service named by the user.

The service speaks the C2PA Soft Binding Resolution API (C2PA 2.4, soft binding API, version 1): ``GET
/matches/byBinding?alg=&value=&maxResults=`` gives manifest ids, and so does ``POST /matches/byContent`` for
the file itself, which is sent only when the user says so; ``GET /manifests/ID`` gives a manifest store.
What it answers is evidence, not truth: the store's signature has to verify, and where a mark was read its
own soft binding has to name it. Whether the pictures are the same only descriptors can tell, and those lie
in ledgers.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote, urlencode, urlsplit

from safegen.errors import UnreadableInput, UsageError
from safegen.types import CredentialsEvidence, CredentialState, NotChecked, SoftBinding

if TYPE_CHECKING:
    from safegen.ledger.records import ReleaseEntry
    from safegen.ledger.store import Ledger
    from safegen.types import WatermarkReading

Fetch = Callable[[str, str], bytes]
"""Gets an address with an ``Accept`` header; raises UnreadableInput."""
Send = Callable[[str], bytes]
"""Sends the file at hand to an address; the JSON that is answered. Raises UnreadableInput."""
ReadStore = Callable[[bytes], CredentialsEvidence]
"""Judges a manifest store together with the file at hand."""
MAX_MATCHES = 5
MAX_ID = 512
LAYER = "resolution service"
BINDING_ONLY = {"assertion.bmffHash.mismatch", "assertion.dataHash.mismatch", "assertion.boxesHash.mismatch"}
"""Failures that only say that the bytes are not the ones signed: expected where credentials are gone."""


@dataclass(frozen=True)
class ResolvedManifest:
    """What a service says about a mark or a file: the manifest of it. ``exact``: about these very bytes.

    ``payload`` is the mark's (None: the service was shown the file), ``similarity`` the service's own word
    from 0 to 100, where it gave one.
    """

    payload: int | None
    host: str
    credentials: CredentialsEvidence
    hard_binding_match: bool
    similarity: int | None = None


@dataclass(frozen=True)
class ManifestMatch:
    """One line of a service's answer. ``endpoint``: another service that has the manifest."""

    manifest_id: str
    similarity: int | None = None
    endpoint: str | None = None


def query_by_binding(base: str, binding: SoftBinding, fetch: Fetch) -> tuple[str, ...]:
    """Ids of the manifests that the service at *base* has for *binding*. Raises UnreadableInput."""
    query = urlencode({"alg": binding.alg, "value": binding.value, "maxResults": MAX_MATCHES})
    found = _parsed(fetch(f"{base.rstrip('/')}/matches/byBinding?{query}", "application/json"))
    return tuple(match.manifest_id for match in found)


def query_by_content(base: str, send: Send) -> tuple[ManifestMatch, ...]:
    """What the service at *base* has for the file itself (``byContent``). Raises UnreadableInput."""
    return _parsed(send(f"{base.rstrip('/')}/matches/byContent?maxResults={MAX_MATCHES}"))


def _parsed(answer: bytes) -> tuple[ManifestMatch, ...]:
    """A ``softBindingQueryResult``: every manifest once, at most ``MAX_MATCHES``. Raises UnreadableInput."""
    found: dict[str, ManifestMatch] = {}
    try:
        for match in json.loads(answer)["matches"]:
            identifier, score = match["manifestId"], match.get("similarityScore")
            endpoint = match.get("endpoint")
            if isinstance(identifier, str) and 0 < len(identifier) <= MAX_ID:
                known = type(score) is int and 0 <= score <= 100
                other = endpoint if isinstance(endpoint, str) else None
                found.setdefault(identifier, ManifestMatch(identifier, score if known else None, other))
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        raise UnreadableInput("the service's answer is not a list of matches", hint=_HINT) from error
    return tuple(found.values())[:MAX_MATCHES]


def fetch_manifest_store(base: str, manifest_id: str, fetch: Fetch) -> bytes:
    """The manifest store *manifest_id* from the service at *base*. Raises UnreadableInput."""
    return fetch(f"{base.rstrip('/')}/manifests/{quote(manifest_id, safe='')}", "application/c2pa")


def service_host(base: str) -> str:
    """The host of a service's address. Raises UsageError unless it is a plain https address."""
    try:
        parts = urlsplit(base)
        host = parts.hostname or ""
    except ValueError:
        host, parts = "", urlsplit("")
    if parts.scheme != "https" or not host or parts.username or parts.query or parts.fragment:
        raise UsageError(f"{base!r:.80} is not the address of a resolution service", hint=_HINT)
    return host


def resolve_by_binding(
    base: str, readings: Sequence[WatermarkReading], read: ReadStore, fetch: Fetch, skipped: list[NotChecked]
) -> list[ResolvedManifest]:
    """What the service at *base* names for the marks that were read; whatever does not count is said."""
    host = service_host(base)
    found: list[ResolvedManifest] = []
    for reading in readings:
        if not reading.present or reading.payload is None:
            continue
        try:
            found += _verified_by_binding(base, host, reading.alg, reading.payload, read, fetch, skipped)
        except UnreadableInput as error:
            skipped.append(NotChecked(LAYER, str(error)))
    if not found:
        skipped.append(NotChecked(LAYER, f"{host} has no manifest for the mark in the pictures"))
    return found


def resolve_by_content(
    base: str, marked: Collection[int], read: ReadStore, fetch: Fetch, send: Send, skipped: list[NotChecked]
) -> list[ResolvedManifest]:
    """What the service at *base* names for the file itself, which it is sent; *marked*: ids read in it."""
    host = service_host(base)
    found: list[ResolvedManifest] = []
    try:
        for match in query_by_content(base, send):
            found += _verified_by_content(base, host, match, marked, read, fetch, skipped)
    except UnreadableInput as error:
        skipped.append(NotChecked(LAYER, str(error)))
    if not found:
        skipped.append(NotChecked(LAYER, f"{host} has no manifest for the file itself"))
    return found


def _verified_by_content(
    base: str,
    host: str,
    match: ManifestMatch,
    marked: Collection[int],
    read: ReadStore,
    fetch: Fetch,
    skipped: list[NotChecked],
) -> Iterator[ResolvedManifest]:
    """The manifest behind one match of the file, if it counts."""
    from safegen.verification.watermarks import bound_payloads

    said = f"the manifest {match.manifest_id[:80]}"
    if match.endpoint is not None and match.endpoint.rstrip("/") != base.rstrip("/"):
        skipped.append(NotChecked(LAYER, f"{said} is at {match.endpoint[:80]}, a host you did not name"))
        return
    credentials = read(fetch_manifest_store(base, match.manifest_id, fetch))
    exact, sound = _check_bindings(credentials)
    bound = bound_payloads(credentials.soft_bindings)
    if not sound or (marked and bound and not bound & set(marked)):
        why = "does not verify" if not sound else "names a different mark from the one in the file"
        skipped.append(NotChecked(LAYER, f"{said} from {host} {why}"))
        return
    yield ResolvedManifest(None, host, credentials, exact, match.similarity)


def _check_bindings(credentials: CredentialsEvidence) -> tuple[bool, bool]:
    """Whether a store is about these very bytes, and whether it is whole but for the bytes."""
    exact = credentials.state is CredentialState.VALID
    return exact, exact or (bool(credentials.failures) and set(credentials.failures) <= BINDING_ONLY)


def _verified_by_binding(
    base: str, host: str, alg: str, payload: int, read: ReadStore, fetch: Fetch, skipped: list[NotChecked]
) -> Iterator[ResolvedManifest]:
    from safegen.credentials.assertions import binding_value
    from safegen.verification.watermarks import bound_payloads

    for identifier in query_by_binding(base, SoftBinding(alg, binding_value(payload)), fetch):
        credentials = read(fetch_manifest_store(base, identifier, fetch))
        exact, sound = _check_bindings(credentials)
        if not sound or payload not in bound_payloads(credentials.soft_bindings):
            why = "does not verify" if not sound else "does not name this mark"
            skipped.append(NotChecked(LAYER, f"the manifest {identifier[:80]} from {host} {why}"))
            continue
        yield ResolvedManifest(payload, host, credentials, exact)


def parse_payload_or_path(text: str) -> Path | int:
    """A mark's id where *text* is one (16 hexadecimal digits) and no file is called so; else a path."""
    path = Path(text)
    if len(text) == 16 and not path.exists() and all(c in "0123456789abcdefABCDEF" for c in text):
        return int(text, 16)
    return path


def find_local_releases(ledger: Ledger, what: Path | int) -> list[ReleaseEntry]:
    """The releases in *ledger* behind a watermark's id, or behind the mark or the pictures of a file.

    For a file only releases whose recorded pictures match. Raises UnreadableInput, CheckUnavailable.
    """
    from safegen.verification import watermarks

    if isinstance(what, int):
        return list(ledger.find_releases(content_id=what))
    skipped: list[NotChecked] = []
    nothing = CredentialsEvidence(CredentialState.ABSENT)
    looked = watermarks.detect_watermarks(what, nothing, ledger, skipped)
    resolutions, _ = watermarks.resolve_payloads(looked, ledger)
    if not resolutions:
        resolutions, _ = watermarks.recover_by_content(looked, nothing, ledger)
    ids = [r.manifest_id for r in resolutions if r.content is not None and r.content.matches]
    return [release for i in dict.fromkeys(ids) for release in ledger.find_releases(manifest_id=i)]


_HINT = "give the https address at which the service offers /matches and /manifests"
