"""The verdict: a pure function of the evidence. No I/O, no clock.

The order matters. A mismatch that was found outweighs everything (TAMPERED, CONFLICT); then what the
credentials prove; only where they are gone, what the watermark leads to. The words of every reason
are for people who do not know what a hash is.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from safegen.credentials.explain import explain
from safegen.types import (
    ContentMatch,
    CredentialsEvidence,
    CredentialState,
    LedgerEvidence,
    Verdict,
    WatermarkReading,
)

if TYPE_CHECKING:
    from safegen.verification.resolving import Named


@dataclass(frozen=True)
class Resolution:
    """What a ledger at hand says about one payload that a mark carries.

    ``manifest_id`` is the manifest that the id names; ``content`` compares the file's pictures with
    the ones recorded for it (None: no descriptors at hand).
    """

    payload: int
    manifest_id: str
    content: ContentMatch | None
    by_content: bool = False
    """Found by its pictures alone: no mark was read."""


@dataclass(frozen=True)
class Evidence:
    """Every layer's findings about one file."""

    credentials: CredentialsEvidence
    watermarks: tuple[WatermarkReading, ...] = ()
    ledger: LedgerEvidence | None = None
    resolutions: tuple[Resolution, ...] = ()
    bound_payloads: frozenset[int] = field(default_factory=frozenset)
    """Payloads that the attached manifest's own soft bindings name."""
    expected_payloads: frozenset[int] = field(default_factory=frozenset)
    """Those of them whose scheme was really searched for."""
    ancestor_payloads: frozenset[int] = field(default_factory=frozenset)
    """Payloads that the manifests of its ingredients name."""
    named: tuple[Named, ...] = ()
    """What a resolution service says about marks whose credentials are gone."""


@dataclass(frozen=True)
class Answer:
    """The verdict, one sentence for a person, and the reasons behind it."""

    verdict: Verdict
    summary: str
    reasons: tuple[str, ...]


def decide(evidence: Evidence) -> Answer:
    """One verdict from all layers (the table in docs/verify.md)."""
    state = evidence.credentials.state
    if state is CredentialState.INVALID:
        return _tampered(evidence)
    if state is CredentialState.VALID:
        return _conflict(evidence) or _signed(evidence)
    return _unsigned(evidence)


def _tampered(evidence: Evidence) -> Answer:
    """A hash or a signature does not match."""
    return Answer(
        Verdict.TAMPERED,
        "This file was changed after it was signed, or its signature is broken.",
        (*_explained(evidence.credentials.failures), *_recovery_notes(evidence)),
    )


def _explained(codes: Sequence[str]) -> tuple[str, ...]:
    """C2PA status codes as sentences, each once, the code behind it."""
    return tuple(dict.fromkeys(f"{explain(code)} ({code})." for code in codes))


def _recovery_notes(evidence: Evidence) -> tuple[str, ...]:
    """What the watermark still says about a tampered file."""
    return tuple(
        f"The hidden mark in the pictures still names the release {r.manifest_id} (id {r.payload:016x})."
        for r in evidence.resolutions
    )


def _conflict(evidence: Evidence) -> Answer | None:
    """CONFLICT for a file whose own credentials are intact, or None."""
    credentials = evidence.credentials
    if credentials.ingredient_failures:
        return Answer(
            Verdict.CONFLICT,
            "This file is intact, but something it was made from is not what its credentials say.",
            _explained(credentials.ingredient_failures),
        )
    allowed = evidence.bound_payloads | evidence.ancestor_payloads
    own = {credentials.manifest_id, *credentials.ancestors}
    for reading in _read(evidence):
        if reading.payload in allowed:
            continue
        named = next((r.manifest_id for r in evidence.resolutions if r.payload == reading.payload), None)
        if evidence.bound_payloads or (named is not None and named not in own):
            return Answer(
                Verdict.CONFLICT,
                "The hidden mark in the pictures belongs to another release than the attached credentials.",
                (
                    f"The mark carries id {reading.payload:016x}"
                    + (f", which is the release {named}." if named else ".")
                    + " The attached credentials do not mention it.",
                ),
            )
    found = {r.payload for r in _read(evidence)}
    if evidence.expected_payloads and not (found & evidence.expected_payloads):
        return Answer(
            Verdict.CONFLICT,
            "The credentials say that the pictures carry a hidden mark, and it is not there.",
            ("No mark with the id that the credentials name was found in the pictures.",),
        )
    return None


def _signed(evidence: Evidence) -> Answer:
    """Verdicts for intact credentials without conflicts."""
    credentials, ledger = evidence.credentials, evidence.ledger
    who = credentials.signer or "an unnamed signer"
    reasons = [f"The content is exactly what {who} signed."]
    logged = (
        ledger is not None and ledger.proven and ledger.entry.get("manifest_id") == credentials.manifest_id
    )
    if credentials.revoked:
        reasons.append(f"Its signer no longer counts: {credentials.revocation}.")
        return Answer(
            Verdict.SIGNED_UNTRUSTED, "Intact, but the signer's certificate was revoked.", tuple(reasons)
        )
    if credentials.expired and not credentials.time_stamped:
        return _expired(evidence, reasons, logged)
    if not credentials.trusted:
        reasons.append("The signer's certificate does not lead to any authority that you trust.")
        return Answer(
            Verdict.SIGNED_UNTRUSTED,
            "Intact and signed, but by a signer you have not chosen to trust.",
            tuple(reasons),
        )
    reasons.append(f"The signer is trusted through {credentials.trusted_root}.")
    if ledger is not None and ledger.withdrawn:
        reasons.append("The maker has withdrawn this release.")
        if ledger.superseded_by:
            reasons.append(f"It is replaced by the release {ledger.superseded_by}.")
        return Answer(
            Verdict.SIGNED_UNLOGGED, "Intact and trusted, but withdrawn by its maker.", tuple(reasons)
        )
    if not logged or ledger is None:
        reasons.append("No proof from the maker's ledger is at hand.")
        return Answer(Verdict.SIGNED_UNLOGGED, "Intact, and signed by a signer you trust.", tuple(reasons))
    reasons.append(f"The release is entry {ledger.index} of the ledger {ledger.origin}.")
    if not ledger.bytes_match:
        reasons.append("Some bytes that do not affect the content differ from the recorded file.")
        return Answer(
            Verdict.VERIFIED_REPACKED,
            "Verified: the content is the released one; the file was repacked.",
            tuple(reasons),
        )
    reasons.append("The file is the recorded one, byte for byte.")
    return Answer(Verdict.VERIFIED, "Verified: released, signed, recorded and unchanged.", tuple(reasons))


def _expired(evidence: Evidence, reasons: list[str], logged: bool) -> Answer:
    """An expired certificate, with or without an independent witness of the time."""
    reasons.append("The signer's certificate has expired.")
    ledger = evidence.ledger
    known = evidence.credentials.trusted_root is not None
    if known and logged and ledger is not None and ledger.time_stamped and not ledger.withdrawn:
        reasons.append("An independent time stamp proves that the release was recorded before that.")
        return Answer(
            Verdict.EXPIRED_BUT_LOGGED,
            "Signed with a certificate that has expired since; its time is proven.",
            tuple(reasons),
        )
    reasons.append("Nothing independent proves that it was signed before that.")
    return Answer(Verdict.SIGNED_UNTRUSTED, "Signed with an expired certificate.", tuple(reasons))


def _unsigned(evidence: Evidence) -> Answer:
    """Verdicts for files whose credentials are gone: what the mark leads to."""
    readings = _read(evidence)
    known = {r.payload: r for r in evidence.resolutions}
    resolved = [known[r.payload] for r in readings if r.payload in known]
    resolved += [r for r in evidence.resolutions if r.by_content]
    if any(r.content is not None and r.content.matches for r in resolved):
        return _recovered(evidence, next(r for r in resolved if r.content is not None and r.content.matches))
    if resolved:
        return Answer(
            Verdict.CONFLICT,
            "The hidden mark belongs to a release whose pictures are different: it may have been pasted in.",
            tuple(
                f"The mark carries id {r.payload:016x} of release {r.manifest_id}; "
                + (
                    "the pictures do not match the recorded ones."
                    if r.content
                    else "there is nothing recorded to compare the pictures with."
                )
                for r in resolved
            ),
        )
    if readings:
        ids = ", ".join(f"{r.payload:016x}" for r in readings)
        return Answer(
            Verdict.MARKED_UNRESOLVED,
            f"Made with safegen (id {ids}), but no ledger at hand knows this id: ask its maker.",
            (
                *_named_notes(evidence.named),
                "Anyone can copy such a mark, so alone it proves nothing about the origin.",
            ),
        )
    if any(r.present for r in evidence.watermarks):
        return Answer(
            Verdict.MARKED_UNRESOLVED,
            "Made with safegen, but the id in the mark cannot be read any more.",
            ("A hidden mark is there; the file was processed too much to read which one.",),
        )
    return Answer(
        Verdict.NO_PROVENANCE,
        "No provenance found. This says nothing about whether the video is real or made by AI.",
        (evidence.credentials.reason,) if evidence.credentials.reason else (),
    )


def _named_notes(named: Sequence[Named]) -> tuple[str, ...]:
    """What a resolution service answered: a lead, since nothing at hand compares the pictures."""
    return tuple(
        f"The service {n.host} says that id {n.payload:016x} belongs to {n.credentials.manifest_id}, signed "
        f"by {n.credentials.signer or 'nobody named'}; nothing here shows whether the pictures are the same."
        for n in named
    )


def _recovered(evidence: Evidence, resolution: Resolution) -> Answer:
    """Credentials gone, found again through the mark."""
    how = (
        f"Neither credentials nor mark are left; the pictures led to {resolution.manifest_id} in the ledger."
        if resolution.by_content
        else f"The hidden mark carries id {resolution.payload:016x}: in the ledger, {resolution.manifest_id}."
    )
    reasons = [
        how,
        "The pictures match the ones recorded for that release.",
    ]
    return Answer(
        Verdict.RECOVERED,
        "The credentials were removed; "
        + ("the pictures" if resolution.by_content else "the hidden mark")
        + " led back to the original release.",
        (*reasons, *_segment_notes(evidence.watermarks)),
    )


def _segment_notes(readings: Sequence[WatermarkReading]) -> tuple[str, ...]:
    """A sentence where only parts of a clip carry the mark."""
    for reading in readings:
        missing = [s for s in reading.segments if not s.present]
        if reading.payload is not None and missing and len(missing) < len(reading.segments):
            spans = ", ".join(f"{s.start:.0f}-{s.end:.0f} s" for s in missing[:8])
            return (f"Parts of the clip carry no mark and may come from elsewhere: {spans}.",)
    return ()


def _read(evidence: Evidence) -> list[WatermarkReading]:
    """Readings whose payload was decoded."""
    return [r for r in evidence.watermarks if r.present and r.payload is not None]
