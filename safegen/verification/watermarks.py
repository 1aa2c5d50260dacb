"""Marks in the pictures, and what the user's own ledger knows about their ids."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from safegen.errors import CheckUnavailable, SafegenError, UnreadableInput
from safegen.types import (
    CredentialsEvidence,
    CredentialState,
    FrameSample,
    SoftBinding,
    WatermarkReading,
)
from safegen.verification.collector import EvidenceCollector
from safegen.verification.evidence import CREDENTIALS_GONE, Resolution

if TYPE_CHECKING:
    from safegen.ledger.records import ReleaseEntry
    from safegen.ledger.store import Ledger
    from safegen.protocols import Watermark

ALG_PREFIX = "org.safegen.watermark."
DEFAULT_SCHEME = "tile"


@dataclass(frozen=True)
class WatermarkSearch:
    """What the search for marks gave: readings, the pictures, and the schemes that were really run."""

    readings: tuple[WatermarkReading, ...] = ()
    sample: FrameSample | None = None
    searched_algs: frozenset[str] = frozenset()


def bound_payloads(bindings: Sequence[SoftBinding]) -> frozenset[int]:
    """Payloads that soft bindings of our watermarks name; other algorithms' values are left alone."""
    from safegen.credentials.assertions import parse_binding_value

    values = (b.value for b in bindings if b.alg.startswith(ALG_PREFIX))
    return frozenset(p for p in map(parse_binding_value, values) if p is not None)


def detect_watermarks(
    collector: EvidenceCollector, credentials: CredentialsEvidence, ledger: Ledger | None
) -> WatermarkSearch:
    """Marks in the pictures: the default scheme always, others where the credentials name them.

    Raises UnreadableInput when neither credentials nor pictures can be read, CheckUnavailable when a
    detector fails.
    """
    from safegen.watermarks import PUBLIC_KEY

    # The id that the credentials name is a candidate, too: some schemes claim no mark without one.
    ledger_ids = ledger.content_ids() if ledger is not None else ()
    known = tuple(dict.fromkeys((*bound_payloads(credentials.soft_bindings), *ledger_ids)))
    readings: list[WatermarkReading] = []
    algs: set[str] = set()
    first_sample: FrameSample | None = None
    for scheme in _load_schemes(collector, credentials):
        sample = _sample_frames(collector, scheme, credentials)
        if sample is None:
            return WatermarkSearch()
        try:
            readings.extend(scheme.detect(sample, key=PUBLIC_KEY, known=known))
        except Exception as error:
            raise CheckUnavailable(f"the watermark detector {scheme.alg} failed: {error}") from error
        first_sample = first_sample or sample
        algs.add(scheme.alg)
    return WatermarkSearch(tuple(readings), first_sample, frozenset(algs))


def _load_schemes(collector: EvidenceCollector, credentials: CredentialsEvidence) -> list[Watermark]:
    """The default scheme, and those that the soft bindings name (``org.safegen.watermark.NAME.VERSION``)."""
    from safegen import plugins

    algs = [b.alg for b in credentials.soft_bindings if b.alg.startswith(ALG_PREFIX)]
    found: list[Watermark] = []
    for name in dict.fromkeys([DEFAULT_SCHEME, *map(_scheme_name, algs)]):
        try:
            found.append(plugins.load_watermark(name))
        except SafegenError as error:
            collector.note(f"watermark {name}", f"{error}; {error.hint}".rstrip("; "))
    return found


def _scheme_name(alg: str) -> str:
    """The plug-in behind one of our algorithm ids: what lies between prefix and version."""
    return alg.removeprefix(ALG_PREFIX).rsplit(".", 1)[0]


def _sample_frames(
    collector: EvidenceCollector, scheme: Watermark, credentials: CredentialsEvidence
) -> FrameSample | None:
    """The pictures a scheme wants to see; None, with the reason noted, where signed files have none."""
    from safegen.media import sandbox

    try:
        return sandbox.sample_frames(
            collector.path, frames=scheme.sample_frames, short_side=scheme.sample_short_side
        )
    except sandbox.NoVideo:
        collector.note("watermark", "the file has no pictures")
    except UnreadableInput as error:
        held = {CredentialState.VALID, CredentialState.INVALID, CredentialState.UNREADABLE}
        if credentials.state not in held:
            raise
        collector.note("watermark", f"its frames cannot be decoded: {error}")
    return None


def resolve_payloads(
    search: WatermarkSearch, ledger: Ledger | None
) -> tuple[list[Resolution], ReleaseEntry | None]:
    """What the user's own ledger says about each id read, with the pictures compared."""
    resolutions: list[Resolution] = []
    recovered: ReleaseEntry | None = None
    if ledger is None or search.sample is None:
        return resolutions, recovered
    from safegen.detectors.provenance.content import Descriptors, compare_content

    for reading in search.readings:
        if not reading.present or reading.payload is None:
            continue
        for release in ledger.find_releases(content_id=reading.payload):
            match = None
            if release.descriptors:
                match = compare_content(
                    Descriptors.from_bytes(release.descriptors), search.sample, reading.geometry
                )
            resolutions.append(Resolution(reading.payload, release.manifest_id, match))
            if recovered is None or (match is not None and match.matches):
                recovered = release
    return resolutions, recovered


def recover_by_content(
    search: WatermarkSearch,
    credentials: CredentialsEvidence,
    ledger: Ledger | None,
    index: Path | None = None,
) -> tuple[list[Resolution], ReleaseEntry | None]:
    """The release whose recorded pictures this file shows, where neither credentials nor mark are left.

    *index*: where the index of the ledger's fingerprints is kept; without it one is made for this once.
    """
    if ledger is None or search.sample is None or credentials.state not in CREDENTIALS_GONE:
        return [], None
    if any(r.present for r in search.readings):
        return [], None
    from safegen.verification.content_index import search_releases

    matches = search_releases(ledger, search.sample, index)
    if not matches:
        return [], None
    release = ledger.release(matches[0].index)
    found = Resolution(release.content_id, release.manifest_id, matches[0].content, by_content=True)
    return [found], release
