"""From a soft binding to a manifest: by the user's own ledger, or by a resolution service named by the user.

The service speaks the C2PA Soft Binding Resolution API (C2PA 2.4, soft binding API, version 1): ``GET
/matches/byBinding?alg=&value=&maxResults=`` gives manifest ids, ``GET /manifests/ID`` a manifest store.
What it answers is evidence, not truth: the store's signature has to verify, and its own soft binding has to
name the mark. Whether the pictures are the same only descriptors can tell, and those lie in ledgers.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlencode, urlsplit

from safegen.errors import UnreadableInput, UsageError
from safegen.types import CredentialsEvidence, CredentialState, NotChecked, SoftBinding

if TYPE_CHECKING:
    from safegen.ledger.records import ReleaseEntry
    from safegen.ledger.store import Ledger
    from safegen.types import WatermarkReading

Fetch = Callable[[str, str], bytes]
"""Gets an address with an ``Accept`` header; raises UnreadableInput."""
Read = Callable[[bytes], CredentialsEvidence]
"""Judges a manifest store together with the file at hand."""
MAX_MATCHES = 5
MAX_ID = 512
LAYER = "resolution service"
BINDING_ONLY = {"assertion.bmffHash.mismatch", "assertion.dataHash.mismatch", "assertion.boxesHash.mismatch"}
"""Failures that only say that the bytes are not the ones signed: expected where credentials are gone."""


@dataclass(frozen=True)
class Named:
    """What a service says about a mark: the manifest that names it. ``exact``: about these very bytes."""

    payload: int
    host: str
    credentials: CredentialsEvidence
    exact: bool


def matches(base: str, binding: SoftBinding, fetch: Fetch) -> tuple[str, ...]:
    """Ids of the manifests that the service at *base* has for *binding*. Raises UnreadableInput."""
    query = urlencode({"alg": binding.alg, "value": binding.value, "maxResults": MAX_MATCHES})
    try:
        document: Any = json.loads(fetch(f"{base.rstrip('/')}/matches/byBinding?{query}", "application/json"))
        found = [match["manifestId"] for match in document["matches"]]
    except (ValueError, TypeError, KeyError, RecursionError) as error:
        raise UnreadableInput("the service's answer is not a list of matches", hint=_HINT) from error
    usable = [i for i in found if isinstance(i, str) and 0 < len(i) <= MAX_ID]
    return tuple(dict.fromkeys(usable))[:MAX_MATCHES]


def manifest(base: str, manifest_id: str, fetch: Fetch) -> bytes:
    """The manifest store *manifest_id* from the service at *base*. Raises UnreadableInput."""
    return fetch(f"{base.rstrip('/')}/manifests/{quote(manifest_id, safe='')}", "application/c2pa")


def host_of(base: str) -> str:
    """The host of a service's address. Raises UsageError unless it is a plain https address."""
    try:
        parts = urlsplit(base)
        host = parts.hostname or ""
    except ValueError:
        host, parts = "", urlsplit("")
    if parts.scheme != "https" or not host or parts.username or parts.query or parts.fragment:
        raise UsageError(f"{base!r:.80} is no address of a resolution service", hint=_HINT)
    return host


def ask(
    base: str, readings: Sequence[WatermarkReading], read: Read, fetch: Fetch, skipped: list[NotChecked]
) -> list[Named]:
    """What the service at *base* names for the marks that were read; whatever does not count is said."""
    host = host_of(base)
    found: list[Named] = []
    for reading in readings:
        if not reading.present or reading.payload is None:
            continue
        try:
            found += _named(base, host, reading.alg, reading.payload, read, fetch, skipped)
        except UnreadableInput as error:
            skipped.append(NotChecked(LAYER, str(error)))
    if not found:
        skipped.append(NotChecked(LAYER, f"{host} names no manifest for what the pictures carry"))
    return found


def _named(
    base: str, host: str, alg: str, payload: int, read: Read, fetch: Fetch, skipped: list[NotChecked]
) -> Iterator[Named]:
    from safegen.credentials.assertions import binding_value
    from safegen.verification.marks import payloads

    for identifier in matches(base, SoftBinding(alg, binding_value(payload)), fetch):
        credentials = read(manifest(base, identifier, fetch))
        exact = credentials.state is CredentialState.VALID
        sound = exact or (bool(credentials.failures) and set(credentials.failures) <= BINDING_ONLY)
        if not sound or payload not in payloads(credentials.soft_bindings):
            why = "does not verify" if not sound else "does not name this mark"
            skipped.append(NotChecked(LAYER, f"the manifest {identifier[:80]} from {host} {why}"))
            continue
        yield Named(payload, host, credentials, exact)


def mark_or_file(text: str) -> Path | int:
    """A mark's id where *text* is one (16 hexadecimal digits) and no file is called so; else a path."""
    path = Path(text)
    if len(text) == 16 and not path.exists() and all(c in "0123456789abcdefABCDEF" for c in text):
        return int(text, 16)
    return path


def locally(ledger: Ledger, what: Path | int) -> list[ReleaseEntry]:
    """The releases in *ledger* behind a watermark's id, or behind the mark or the pictures of a file.

    For a file only releases whose recorded pictures match. Raises UnreadableInput, CheckUnavailable.
    """
    from safegen.verification import marks

    if isinstance(what, int):
        return list(ledger.find(content_id=what))
    skipped: list[NotChecked] = []
    nothing = CredentialsEvidence(CredentialState.ABSENT)
    looked = marks.look(what, nothing, ledger, skipped)
    resolutions, _ = marks.resolve(looked, ledger)
    if not resolutions:
        resolutions, _ = marks.by_content(looked, nothing, ledger)
    ids = [r.manifest_id for r in resolutions if r.content is not None and r.content.matches]
    return [release for i in dict.fromkeys(ids) for release in ledger.find(manifest_id=i)]


_HINT = "give the https address under which the service has /matches and /manifests"
