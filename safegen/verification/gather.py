"""Evidence from every layer of a file. What cannot be looked at is said, never skipped in silence."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from safegen import plugins
from safegen.errors import CheckUnavailable, SafegenError, UnreadableInput
from safegen.media import sandbox
from safegen.protocols import Watermark
from safegen.types import (
    CredentialsEvidence,
    CredentialState,
    FrameSample,
    Json,
    LedgerEvidence,
    NotChecked,
    SoftBinding,
    WatermarkReading,
)
from safegen.verification.verdict import Evidence, Resolution
from safegen.watermarks import PUBLIC_KEY

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    from safegen.ledger.records import ReleaseEntry
    from safegen.ledger.store import Ledger

MAX_PROOF = 4 * 2**20
OURS = "org.safegen.watermark."
DEFAULT_SCHEME = "tile"
MAX_SEARCHED = 2000
"""Entries up to which every release is compared by content; larger ledgers need an index."""
_GONE = frozenset({CredentialState.ABSENT, CredentialState.UNSUPPORTED, CredentialState.REMOTE_NOT_FETCHED})


@dataclass(frozen=True)
class Trust:
    """Whom the user trusts: PEM anchors of signers, keys of logs by origin, PEM anchors of time stamps."""

    anchors: tuple[bytes, ...] = ()
    logs: Mapping[str, Sequence[Ed25519PublicKey]] = field(default_factory=dict)
    stamps: tuple[bytes, ...] = ()
    names: Mapping[str, str] = field(default_factory=dict)
    """Where each signer anchor comes from, by the SHA-256 (hex) of its certificate."""


@dataclass(frozen=True)
class Gathered:
    """Evidence for the verdict, and what goes into the report beside it."""

    sha256: str
    evidence: Evidence
    recovered: ReleaseEntry | None
    not_checked: tuple[NotChecked, ...]


def gather(
    path: Path,
    *,
    trust: Trust,
    ledger: Ledger | None,
    proof: Path | None,
    watermark: bool,
    at: datetime | None = None,
) -> Gathered:
    """Look at every layer of *path*.

    Raises UnreadableInput when neither credentials nor pictures can be read, CheckUnavailable when a
    layer exists but cannot be examined here.
    """
    from safegen.credentials.read import read_credentials

    sha256 = file_sha256(path)
    credentials = read_credentials(path, anchors_pem=trust.anchors, tsa_anchors_pem=trust.stamps, at=at)
    skipped: list[NotChecked] = []
    looked = _watermark(path, credentials, ledger, watermark, skipped)
    entry = _ledger_entry(sha256, credentials, ledger, trust, skipped)
    if entry is None:
        entry = _sidecar_entry(path, proof, sha256, credentials, trust, skipped)
    resolutions, recovered = _resolve(looked.readings, looked.sample, ledger)
    if not resolutions and credentials.state in _GONE and not any(r.present for r in looked.readings):
        resolutions, recovered = _by_content(looked.sample, ledger, skipped)
    if ledger is None:
        skipped.append(NotChecked("ledger", "no ledger of your own at hand"))
    evidence = Evidence(
        credentials=credentials,
        watermarks=looked.readings,
        ledger=entry,
        resolutions=tuple(resolutions),
        bound_payloads=payloads(credentials.soft_bindings),
        expected_payloads=payloads([b for b in credentials.soft_bindings if b.alg in looked.algs]),
        ancestor_payloads=payloads(credentials.ancestor_bindings),
    )
    return Gathered(sha256, evidence, recovered, tuple(skipped))


def file_sha256(path: Path) -> str:
    """SHA-256 (hex) of a file. Raises UnreadableInput."""
    try:
        if not path.is_file():
            raise UnreadableInput(f"{path}: no such file", hint="check the path")
        if path.stat().st_size == 0:
            raise UnreadableInput(f"{path}: the file is empty", hint="fetch or make it again")
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise UnreadableInput(f"{path}: {error.strerror}", hint="check its permissions") from error


def payloads(bindings: Sequence[SoftBinding]) -> frozenset[int]:
    """Payloads that soft bindings of our watermarks name; other algorithms' values are left alone."""
    from safegen.credentials.assertions import parse_binding_value

    ours = (b.value for b in bindings if b.alg.startswith(OURS))
    return frozenset(p for p in map(parse_binding_value, ours) if p is not None)


@dataclass(frozen=True)
class _Looked:
    """What the search for marks gave: readings, the pictures, and the schemes that were really run."""

    readings: tuple[WatermarkReading, ...] = ()
    sample: FrameSample | None = None
    algs: frozenset[str] = frozenset()


def _watermark(
    path: Path,
    credentials: CredentialsEvidence,
    ledger: Ledger | None,
    wanted: bool,
    skipped: list[NotChecked],
) -> _Looked:
    """Marks in the pictures: the default scheme always, others where the credentials name them."""
    if not wanted:
        skipped.append(NotChecked("watermark", "you asked to skip it"))
        return _Looked()
    known = ledger.content_ids() if ledger is not None else ()
    readings: list[WatermarkReading] = []
    algs: set[str] = set()
    shown: FrameSample | None = None
    for scheme in _schemes(credentials, skipped):
        sample = _sample(path, scheme, credentials, skipped)
        if sample is None:
            return _Looked()
        try:
            readings.extend(scheme.detect(sample, key=PUBLIC_KEY, known=known))
        except Exception as error:
            raise CheckUnavailable(f"the watermark detector {scheme.alg} failed: {error}") from error
        shown = shown or sample
        algs.add(scheme.alg)
    return _Looked(tuple(readings), shown, frozenset(algs))


def _schemes(credentials: CredentialsEvidence, skipped: list[NotChecked]) -> list[Watermark]:
    """The default scheme, and those that the soft bindings name (``org.safegen.watermark.NAME.VERSION``)."""
    wanted = dict.fromkeys([DEFAULT_SCHEME, *(_scheme_name(b.alg) for b in credentials.soft_bindings)])
    found: list[Watermark] = []
    for name in wanted:
        if not name:
            continue
        try:
            found.append(plugins.load("watermarks", name))
        except SafegenError as error:
            skipped.append(NotChecked(f"watermark {name}", f"{error}; {error.hint}".rstrip("; ")))
    return found


def _scheme_name(alg: str) -> str:
    """The plug-in behind one of our algorithm ids; empty for other makers' algorithms."""
    parts = alg.split(".")
    return parts[3] if parts[:3] == OURS.rstrip(".").split(".") and len(parts) == 5 else ""


def _sample(
    path: Path, scheme: Watermark, credentials: CredentialsEvidence, skipped: list[NotChecked]
) -> FrameSample | None:
    """The pictures a scheme wants to see; None, with the reason kept, where signed files have none."""
    try:
        return sandbox.sample(path, frames=scheme.sample_frames, short_side=scheme.sample_short_side)
    except sandbox.NoVideo:
        skipped.append(NotChecked("watermark", "the file has no pictures"))
    except UnreadableInput as error:
        if credentials.state not in {CredentialState.VALID, CredentialState.INVALID}:
            raise
        skipped.append(NotChecked("watermark", f"its pictures cannot be decoded: {error}"))
    return None


def _ledger_entry(
    sha256: str,
    credentials: CredentialsEvidence,
    ledger: Ledger | None,
    trust: Trust,
    skipped: list[NotChecked],
) -> LedgerEvidence | None:
    """The entry of the user's own ledger that records this file, with its proof checked."""
    if ledger is None or credentials.manifest_id is None:
        return None
    found = ledger.find(manifest_id=credentials.manifest_id)
    if not found:
        return None
    best = next((r for r in found if r.sha256 == sha256), found[0])
    return _proven(
        ledger.prove(best.index), sha256, trust, "ledger", skipped, withdrawn=best.withdrawn is not None
    )


def _sidecar_entry(
    path: Path,
    proof: Path | None,
    sha256: str,
    credentials: CredentialsEvidence,
    trust: Trust,
    skipped: list[NotChecked],
) -> LedgerEvidence | None:
    """The entry that a proof sidecar shows, if its log is pinned and it is about this file."""
    from safegen.ledger.proof import SUFFIX

    file = proof or path.with_name(path.name + SUFFIX)
    if proof is None and not file.is_file():
        return None
    try:
        if file.stat().st_size > MAX_PROOF:
            raise UnreadableInput(f"{file}: too large for a proof")
        text = file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        if proof is not None:
            raise UnreadableInput(f"{file}: the proof cannot be read", hint="check the path") from error
        skipped.append(NotChecked("proof sidecar", "it cannot be read"))
        return None
    if not trust.logs:
        skipped.append(NotChecked("proof sidecar", "you have pinned no log: see `safegen trust add`"))
        return None
    found = _proven(text, sha256, trust, "sidecar", skipped)
    if found is None:
        return None
    if found.bytes_match or found.entry.get("manifest_id") == credentials.manifest_id:
        return found
    skipped.append(NotChecked("proof sidecar", "it is about another file"))
    return None


def _proven(
    text: str,
    sha256: str,
    trust: Trust,
    source: str,
    skipped: list[NotChecked],
    *,
    withdrawn: bool = False,
) -> LedgerEvidence | None:
    """Evidence from a proof that verifies under a pinned log; None, with the reason kept, otherwise."""
    from safegen.ledger.proof import ProofRejected, verify_proof

    try:
        shown = verify_proof(text, logs=trust.logs)
    except ProofRejected as error:
        skipped.append(NotChecked("proof" if source == "ledger" else "proof sidecar", str(error)))
        return None
    public: Json = shown.entry.get("public", {})
    if shown.entry.get("kind") != "release":
        skipped.append(NotChecked("proof", "it proves an entry that is not a release"))
        return None
    return LedgerEvidence(
        proven=True,
        bytes_match=public.get("sha256") == sha256,
        source="ledger" if source == "ledger" else "sidecar",
        origin=shown.origin,
        index=shown.index,
        entry=public,
        withdrawn=withdrawn,
    )


def _by_content(
    sample: FrameSample | None, ledger: Ledger | None, skipped: list[NotChecked]
) -> tuple[list[Resolution], ReleaseEntry | None]:
    """The release whose recorded pictures this file shows, where neither credentials nor mark are left."""
    from safegen.detectors.provenance.fingerprint import search

    if ledger is None or sample is None:
        return [], None
    if len(ledger) > MAX_SEARCHED:
        skipped.append(NotChecked("fingerprint", f"the ledger has more than {MAX_SEARCHED} entries"))
        return [], None
    matches = search(ledger.descriptors(), sample)
    if not matches:
        return [], None
    release = ledger.release(matches[0].index)
    found = Resolution(release.content_id, release.manifest_id, matches[0].content, by_content=True)
    return [found], release


def _resolve(
    readings: Sequence[WatermarkReading], sample: FrameSample | None, ledger: Ledger | None
) -> tuple[list[Resolution], ReleaseEntry | None]:
    """What the user's own ledger says about each id read, with the pictures compared."""
    from safegen.detectors.provenance.content import Descriptors, compare

    resolutions: list[Resolution] = []
    recovered: ReleaseEntry | None = None
    if ledger is None or sample is None:
        return resolutions, recovered
    for reading in readings:
        if not reading.present or reading.payload is None:
            continue
        for release in ledger.find(content_id=reading.payload):
            match = None
            if release.descriptors:
                match = compare(Descriptors.from_bytes(release.descriptors), sample, reading.geometry)
            resolutions.append(Resolution(reading.payload, release.manifest_id, match))
            if recovered is None or (match is not None and match.matches):
                recovered = release
    return resolutions, recovered
