"""The verdict: a pure function of the evidence. No I/O, no clock.

The order matters. A mismatch that was found outweighs everything (TAMPERED, CONFLICT); then what the
credentials prove; only where they are gone, what the watermark leads to. The words of every reason
are for people who do not know what a hash is.
"""

from __future__ import annotations

from collections.abc import Sequence

from safegen.credentials.explain import explain
from safegen.types import CredentialState, Verdict, WatermarkReading
from safegen.verification.evidence import (
    Evidence,
    Resolution,
    ResolvedManifest,
    VerdictResult,
    decoded_readings,
)

__all__ = ["Evidence", "Resolution", "VerdictResult", "decide_verdict"]


def decide_verdict(evidence: Evidence) -> VerdictResult:
    """One verdict from all layers (the table in docs/verify.md)."""
    state = evidence.credentials.state
    if state is CredentialState.INVALID:
        return _tampered(evidence)
    if state is CredentialState.VALID:
        return _conflict(evidence) or _signed(evidence)
    return _unsigned(evidence)


def _tampered(evidence: Evidence) -> VerdictResult:
    """A hash or a signature does not match."""
    return VerdictResult(
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


def _conflict(evidence: Evidence) -> VerdictResult | None:
    """CONFLICT for a file whose own credentials are intact, or None."""
    credentials = evidence.credentials
    if credentials.ingredient_failures:
        return VerdictResult(
            Verdict.CONFLICT,
            "This file is intact, but something it was made from does not match its credentials.",
            _explained(credentials.ingredient_failures),
        )
    allowed = evidence.bound_payloads | evidence.ancestor_payloads
    manifest_ids = {credentials.manifest_id, *credentials.ancestors}
    for reading in decoded_readings(evidence):
        if reading.payload in allowed:
            continue
        named = next((r.manifest_id for r in evidence.resolutions if r.payload == reading.payload), None)
        if evidence.bound_payloads or (named is not None and named not in manifest_ids):
            return VerdictResult(
                Verdict.CONFLICT,
                "The hidden mark in the pictures belongs to a different release from the attached "
                "credentials.",
                (
                    f"The mark carries id {reading.payload:016x}"
                    + (f", which belongs to the release {named}." if named else ".")
                    + " The attached credentials do not mention it.",
                ),
            )
    found = {r.payload for r in decoded_readings(evidence)}
    if evidence.expected_payloads and not (found & evidence.expected_payloads):
        return VerdictResult(
            Verdict.CONFLICT,
            "The credentials say that the pictures carry a hidden mark, but it is not there.",
            ("No mark with the id named in the credentials was found in the pictures.",),
        )
    return None


def _signed(evidence: Evidence) -> VerdictResult:
    """Verdicts for intact credentials without conflicts."""
    credentials, ledger = evidence.credentials, evidence.ledger
    signer = credentials.signer or "an unnamed signer"
    reasons = [f"The content is exactly what {signer} signed."]
    logged = (
        ledger is not None and ledger.proven and ledger.entry.get("manifest_id") == credentials.manifest_id
    )
    if credentials.revoked:
        reasons.append(f"Its signer is no longer valid: {credentials.revocation}.")
        return VerdictResult(
            Verdict.SIGNED_UNTRUSTED, "Intact, but the signer's certificate was revoked.", tuple(reasons)
        )
    if credentials.expired and not credentials.time_stamped:
        return _expired(evidence, reasons, logged)
    if not credentials.trusted:
        reasons.append("The signer's certificate does not chain to any authority you trust.")
        return VerdictResult(
            Verdict.SIGNED_UNTRUSTED,
            "Intact and signed, but by a signer you have not chosen to trust.",
            tuple(reasons),
        )
    reasons.append(f"The signer is trusted through {credentials.trusted_root}.")
    if ledger is not None and ledger.withdrawn:
        reasons.append("The maker has withdrawn this release.")
        if ledger.superseded_by:
            reasons.append(f"It was replaced by the release {ledger.superseded_by}.")
        return VerdictResult(
            Verdict.WITHDRAWN, "Intact and trusted, but withdrawn by its maker.", tuple(reasons)
        )
    if not logged or ledger is None:
        reasons.append("No proof from the maker's ledger is available.")
        return VerdictResult(
            Verdict.SIGNED_UNLOGGED, "Intact, and signed by a signer you trust.", tuple(reasons)
        )
    reasons.append(f"The release is entry {ledger.index} of the ledger {ledger.origin}.")
    if not ledger.bytes_match:
        reasons.append("Some bytes that do not affect the content differ from the recorded file.")
        return VerdictResult(
            Verdict.VERIFIED_REPACKED,
            "Verified: the content is as released; the file was repacked.",
            tuple(reasons),
        )
    reasons.append("The file is the recorded one, byte for byte.")
    return VerdictResult(
        Verdict.VERIFIED, "Verified: released, signed, recorded and unchanged.", tuple(reasons)
    )


def _expired(evidence: Evidence, reasons: list[str], logged: bool) -> VerdictResult:
    """An expired certificate, with or without an independent witness of the time."""
    reasons.append("The signer's certificate has expired.")
    ledger = evidence.ledger
    known = evidence.credentials.trusted_root is not None
    if known and logged and ledger is not None and ledger.time_stamped and not ledger.withdrawn:
        reasons.append("An independent time stamp proves that the release was recorded before that.")
        return VerdictResult(
            Verdict.EXPIRED_BUT_LOGGED,
            "Signed with a certificate that has since expired; the time of signing is proven.",
            tuple(reasons),
        )
    reasons.append("Nothing independent proves that the file was signed before that.")
    return VerdictResult(Verdict.SIGNED_UNTRUSTED, "Signed with an expired certificate.", tuple(reasons))


def _unsigned(evidence: Evidence) -> VerdictResult:
    """Verdicts for files whose credentials are gone: what the mark leads to."""
    readings = decoded_readings(evidence)
    known = {r.payload: r for r in evidence.resolutions}
    resolved = [known[r.payload] for r in readings if r.payload in known]
    resolved += [r for r in evidence.resolutions if r.by_content]
    if any(r.content is not None and r.content.matches for r in resolved):
        return _recovered(evidence, next(r for r in resolved if r.content is not None and r.content.matches))
    if resolved and all(r.content is not None and r.content.overlap == 0 for r in resolved):
        return VerdictResult(
            Verdict.MARKED_UNRESOLVED,
            "The hidden mark belongs to a known release, but the pictures cannot be compared with "
            "those of that release.",
            (
                *(f"The mark carries id {r.payload:016x} of release {r.manifest_id}." for r in resolved),
                "The file shows part of the release among other content, or the mark was pasted in.",
            ),
        )
    if resolved:
        return VerdictResult(
            Verdict.CONFLICT,
            "The hidden mark belongs to a release whose pictures are different: it may have been pasted in.",
            tuple(
                f"The mark carries id {r.payload:016x} of release {r.manifest_id}; "
                + (
                    "the pictures do not match the recorded ones."
                    if r.content
                    else "nothing is recorded to compare the pictures with."
                )
                for r in resolved
            ),
        )
    if readings:
        ids = ", ".join(f"{r.payload:016x}" for r in readings)
        return VerdictResult(
            Verdict.MARKED_UNRESOLVED,
            f"Made with safegen (id {ids}), but no available ledger knows this id: ask its maker.",
            (
                *_service_notes(evidence.named),
                "Anyone can copy such a mark, so alone it proves nothing about the origin.",
            ),
        )
    if any(r.present for r in evidence.watermarks):
        return VerdictResult(
            Verdict.MARKED_UNRESOLVED,
            "Made with safegen, but the id in the mark can no longer be read.",
            ("The file contains a hidden mark but was processed too heavily to read its id.",),
        )
    if evidence.credentials.state is CredentialState.UNREADABLE:
        return VerdictResult(
            Verdict.CREDENTIALS_UNREADABLE,
            "This file carries credentials that cannot be checked here; nothing shows that it was changed.",
            (*_explained(evidence.credentials.unreadable), *filter(None, [evidence.credentials.reason])),
        )
    return VerdictResult(
        Verdict.NO_PROVENANCE,
        "No provenance found. This says nothing about whether the video is real or made by AI.",
        (*_service_notes(evidence.named), *filter(None, [evidence.credentials.reason])),
    )


def _service_notes(resolved: Sequence[ResolvedManifest]) -> tuple[str, ...]:
    """What a resolution service answered: a lead, since nothing at hand compares the pictures."""
    return tuple(
        f"The service {n.host} says that {_subject(n)} belongs to {n.credentials.manifest_id}, signed "
        f"by {n.credentials.signer or 'an unnamed signer'}; nothing here shows whether the pictures "
        "are the same."
        for n in resolved
    )


def _subject(resolved: ResolvedManifest) -> str:
    """What the service was asked about."""
    if resolved.payload is not None:
        return f"id {resolved.payload:016x}"
    score = "" if resolved.similarity is None else f" (similarity {resolved.similarity} of 100)"
    return f"what the file shows{score}"


def _recovered(evidence: Evidence, resolution: Resolution) -> VerdictResult:
    """Credentials gone, found again through the mark."""
    lead = (
        f"Neither credentials nor mark are left; the pictures led to {resolution.manifest_id} in the ledger."
        if resolution.by_content
        else f"The hidden mark carries id {resolution.payload:016x}, which the ledger records as "
        f"{resolution.manifest_id}."
    )
    reasons = [lead, "The pictures match the ones recorded for that release."]
    share = 1.0 if resolution.content is None else resolution.content.share
    if share < 1:
        reasons.append(f"They take up {share:.0%} of the picture: the area around them comes from elsewhere.")
    return VerdictResult(
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
            why = "they may come from elsewhere or be too heavily compressed"
            return (f"No mark was found in parts of the clip ({spans}): {why}.",)
    return ()
