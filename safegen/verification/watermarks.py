"""Marks in the pictures, and what the user's own ledger knows about their ids."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from safegen.errors import CheckUnavailable, SafegenError, UnreadableInput
from safegen.types import (
    ContentMatch,
    CredentialsEvidence,
    CredentialState,
    FrameSample,
    Json,
    SoftBinding,
    WatermarkReading,
)
from safegen.verification import ledger_proofs
from safegen.verification.collector import EvidenceCollector
from safegen.verification.evidence import CREDENTIALS_GONE, Resolution, nearness

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
        readings.extend(run_detector(scheme, sample, known))
        first_sample = first_sample or sample
        algs.add(scheme.alg)
    return WatermarkSearch(tuple(readings), first_sample, frozenset(algs))


def run_detector(
    scheme: Watermark, sample: FrameSample, known: Sequence[int] = ()
) -> Sequence[WatermarkReading]:
    """What *scheme* reads in *sample*; *known* payloads are tested for. Raises CheckUnavailable."""
    from safegen.watermarks import PUBLIC_KEY

    try:
        return scheme.detect(sample, key=PUBLIC_KEY, known=known)
    except Exception as error:
        raise CheckUnavailable(f"the watermark detector {scheme.alg} failed: {error}") from error


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


def source_payloads(manifest: Json | None) -> frozenset[int]:
    """Payloads of the marks that the maker of *manifest* found in the pictures before marking them."""
    from safegen.credentials.assertions import parse_source_marks
    from safegen.credentials.read import find_assertion

    bindings = parse_source_marks(find_assertion(manifest, "org.safegen.protection"))
    return bound_payloads(bindings)


def resolve_payloads(
    collector: EvidenceCollector, search: WatermarkSearch, ledger: Ledger | None, digest: str
) -> tuple[list[Resolution], ReleaseEntry | None]:
    """What the user's own ledger says about each id read, with the pictures compared.

    *digest* is the file's SHA-256 (hex). The release that the pictures match comes second, if there is one
    (of several the one that the verdict is about).
    """
    resolutions: list[Resolution] = []
    matching: list[tuple[Resolution, ReleaseEntry]] = []
    if ledger is None or search.sample is None:
        return resolutions, None
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
            found = _resolution(collector, ledger, release, match, digest)
            resolutions.append(replace(found, payload=reading.payload))
            if match is not None and match.matches:
                matching.append((resolutions[-1], release))
    matching.sort(key=lambda pair: nearness(pair[0]))
    return resolutions, matching[0][1] if matching else None


def _resolution(
    collector: EvidenceCollector,
    ledger: Ledger,
    release: ReleaseEntry,
    content: ContentMatch | None,
    digest: str,
) -> Resolution:
    """What the ledger says about *release*, whether it proves it, and how the file is related to it."""
    proven, withdrawn = ledger_proofs.prove_record(collector, ledger, release)
    return Resolution(
        release.content_id,
        release.manifest_id,
        content,
        proven=proven,
        withdrawn=withdrawn,
        protected=release.entry.public.get("made") == "protected",
        is_source=(ledger.private(release.index) or {}).get("source_sha256") == digest,
    )


def recover_by_content(
    collector: EvidenceCollector,
    search: WatermarkSearch,
    credentials: CredentialsEvidence,
    ledger: Ledger | None,
    digest: str,
) -> tuple[list[Resolution], ReleaseEntry | None]:
    """The release whose recorded pictures this file shows, where neither credentials nor mark are left.

    *digest* is the file's SHA-256 (hex). The index of the ledger's fingerprints is kept where the options
    say; without that one is made for this once.
    """
    if ledger is None or search.sample is None or credentials.state not in CREDENTIALS_GONE:
        return [], None
    if any(r.present for r in search.readings):
        return [], None
    from safegen.verification.content_index import search_releases

    matches = search_releases(ledger, search.sample, collector.options.index_file)
    if not matches:
        return [], None
    release = ledger.release(matches[0].index)
    found = _resolution(collector, ledger, release, matches[0].content, digest)
    return [replace(found, by_content=True)], release
