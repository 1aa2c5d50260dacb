"""From a soft binding to a manifest by way of a resolution service that the user names.

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
from typing import TYPE_CHECKING
from urllib.parse import quote, urlencode, urlsplit

from safegen.errors import UnreadableInput, UsageError
from safegen.types import CredentialsEvidence, CredentialState, SoftBinding
from safegen.verification.evidence import ResolvedManifest
from safegen.verification.watermarks import bound_payloads

if TYPE_CHECKING:
    from safegen.types import WatermarkReading

Fetch = Callable[[str, str], bytes]
"""Gets an address with an ``Accept`` header; raises UnreadableInput."""
Send = Callable[[str], bytes]
"""Sends the file at hand to an address; the JSON that is answered. Raises UnreadableInput."""
ReadStore = Callable[[bytes], CredentialsEvidence]
"""Judges a manifest store together with the file at hand."""
Note = Callable[[str, str], object]
"""Is told the layer, and what in it does not count and why."""
MAX_MATCHES = 5
MAX_ID = 512
LAYER = "resolution service"
BINDING_ONLY = {"assertion.bmffHash.mismatch", "assertion.dataHash.mismatch", "assertion.boxesHash.mismatch"}
"""Failures that only say that the bytes are not the ones signed: expected where credentials are gone."""


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


@dataclass(frozen=True)
class ResolutionService:
    """The service at ``base``, asked about one file.

    ``read`` judges a manifest store together with that file; ``note`` (layer, reason) is told whatever does
    not count. Raises UsageError unless ``base`` is a plain https address.
    """

    base: str
    fetch: Fetch
    send: Send
    read: ReadStore
    note: Note

    def __post_init__(self) -> None:
        """Refuse an address that cannot be asked before anything is."""
        service_host(self.base)

    @property
    def host(self) -> str:
        """The host of the service: what the report calls it."""
        return service_host(self.base)

    def resolve_by_binding(self, readings: Sequence[WatermarkReading]) -> list[ResolvedManifest]:
        """What the service names for the marks that were read."""
        found: list[ResolvedManifest] = []
        for reading in readings:
            if not reading.present or reading.payload is None:
                continue
            try:
                found += self._verified_by_binding(reading.alg, reading.payload)
            except UnreadableInput as error:
                self.note(LAYER, str(error))
        if not found:
            self.note(LAYER, f"{self.host} has no manifest for the mark in the pictures")
        return found

    def resolve_by_content(self, payloads: Collection[int]) -> list[ResolvedManifest]:
        """What the service names for the file itself, which it is sent; *payloads*: ids read in it."""
        found: list[ResolvedManifest] = []
        try:
            for match in query_by_content(self.base, self.send):
                found += self._verified_by_content(match, payloads)
        except UnreadableInput as error:
            self.note(LAYER, str(error))
        if not found:
            self.note(LAYER, f"{self.host} has no manifest for the file itself")
        return found

    def _verified_by_content(
        self, match: ManifestMatch, payloads: Collection[int]
    ) -> Iterator[ResolvedManifest]:
        """The manifest behind one match of the file, if it counts."""
        subject = f"the manifest {match.manifest_id[:80]}"
        if match.endpoint is not None and match.endpoint.rstrip("/") != self.base.rstrip("/"):
            self.note(LAYER, f"{subject} is at {match.endpoint[:80]}, a host you did not name")
            return
        credentials = self.read(fetch_manifest_store(self.base, match.manifest_id, self.fetch))
        exact, sound = _check_bindings(credentials)
        bound = bound_payloads(credentials.soft_bindings)
        if not sound or (payloads and bound and not bound & set(payloads)):
            why = "does not verify" if not sound else "names a different mark from the one in the file"
            self.note(LAYER, f"{subject} from {self.host} {why}")
            return
        yield ResolvedManifest(None, self.host, credentials, exact, match.similarity)

    def _verified_by_binding(self, alg: str, payload: int) -> Iterator[ResolvedManifest]:
        """The manifests that the service names for one mark, as far as they count."""
        from safegen.credentials.assertions import binding_value

        for identifier in query_by_binding(self.base, SoftBinding(alg, binding_value(payload)), self.fetch):
            credentials = self.read(fetch_manifest_store(self.base, identifier, self.fetch))
            exact, sound = _check_bindings(credentials)
            if not sound or payload not in bound_payloads(credentials.soft_bindings):
                why = "does not verify" if not sound else "does not name this mark"
                self.note(LAYER, f"the manifest {identifier[:80]} from {self.host} {why}")
                continue
            yield ResolvedManifest(payload, self.host, credentials, exact)


def _check_bindings(credentials: CredentialsEvidence) -> tuple[bool, bool]:
    """Whether a store is about these very bytes, and whether it is whole but for the bytes."""
    exact = credentials.state is CredentialState.VALID
    return exact, exact or (bool(credentials.failures) and set(credentials.failures) <= BINDING_ONLY)


_HINT = "give the https address at which the service offers /matches and /manifests"
