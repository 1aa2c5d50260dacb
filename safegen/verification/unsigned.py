"""The verdict where a file has no credentials that could be checked: what its mark or its pictures lead to.

A mark alone proves nothing, for its key is public. RECOVERED needs pictures that match a proven record,
CONFLICT pictures that were compared and show something else; between them stands MARKED_UNRESOLVED.
"""

from __future__ import annotations

from collections.abc import Sequence

from safegen.credentials.explain import explain_each
from safegen.types import CredentialState, Verdict, WatermarkReading
from safegen.verification.evidence import (
    Evidence,
    Resolution,
    ResolvedManifest,
    VerdictResult,
    decoded_readings,
    nearness,
)


def decide_unsigned(evidence: Evidence) -> VerdictResult:
    """The verdict on a file whose credentials are gone, absent or unreadable."""
    readings = decoded_readings(evidence)
    read = {r.payload for r in readings}
    resolved = [r for r in evidence.resolutions if r.by_content or r.payload in read]
    same = [r for r in resolved if r.proven and r.content is not None and r.content.matches]
    if same:
        return _recovered(evidence, min(same, key=nearness))
    if resolved:
        return _compared(evidence, resolved)
    if readings:
        ids = ", ".join(f"{r.payload:016x}" for r in readings)
        return VerdictResult(
            Verdict.MARKED_UNRESOLVED,
            f"Carries the hidden mark of a safegen release (id {ids}) that no ledger at hand knows: ask its "
            "maker.",
            (
                *_service_notes(evidence.named),
                *_unread(evidence),
                "A mark does not say how something was made: generated clips and camera files get the same.",
                "Anyone can copy such a mark, so alone it proves nothing about the origin.",
            ),
        )
    if any(r.present for r in evidence.watermarks):
        return VerdictResult(
            Verdict.MARKED_UNRESOLVED,
            "Carries a hidden mark of safegen, but the id in it can no longer be read.",
            (
                "The file contains a hidden mark but was processed too heavily to read its id.",
                *_unread(evidence),
            ),
        )
    return _nothing(evidence)


def _compared(evidence: Evidence, resolved: Sequence[Resolution]) -> VerdictResult:
    """The mark leads to releases that the pictures were not found to be."""
    lines = tuple(f"The mark carries id {r.payload:016x} of release {r.manifest_id}." for r in resolved)
    if all(r.proven and r.content is not None and r.content.differs for r in resolved):
        return VerdictResult(
            Verdict.CONFLICT,
            "The hidden mark belongs to a release whose pictures are different: it may have been pasted in.",
            (
                *lines,
                "The pictures were compared with the recorded ones and show something else.",
                *_unread(evidence),
            ),
        )
    if not all(r.proven for r in resolved):
        why = "The ledger does not prove its record of that release: run `safegen log check`."
    elif all(r.content is None for r in resolved):
        why = "Nothing is recorded to compare the pictures with."
    else:
        why = (
            "The comparison does not decide: the file shows part of the release among other content, was "
            "changed heavily, or the mark was pasted in."
        )
    return VerdictResult(
        Verdict.MARKED_UNRESOLVED,
        "The hidden mark belongs to a known release, but whether the pictures are those of that release "
        "could not be settled.",
        (*lines, why, *_unread(evidence)),
    )


def _unread(evidence: Evidence) -> tuple[str, ...]:
    """That there are credentials, where they cannot be read and the verdict speaks of something else."""
    if evidence.credentials.state is not CredentialState.UNREADABLE:
        return ()
    why = evidence.credentials.reason
    return (f"Its credentials cannot be read{f': {why}' if why else ''}.",)


def _nothing(evidence: Evidence) -> VerdictResult:
    """No mark and no release: what is left to be said about the credentials."""
    credentials = evidence.credentials
    if credentials.state is CredentialState.UNREADABLE:
        codes = explain_each(credentials.unreadable)
        return VerdictResult(
            Verdict.CREDENTIALS_UNREADABLE,
            f"This {evidence.noun} carries credentials that cannot be checked here; nothing shows that it "
            "was changed.",
            (*codes, *filter(None, [credentials.reason])),
        )
    return VerdictResult(
        Verdict.NO_PROVENANCE,
        f"No provenance found. This says nothing about whether the {evidence.noun} is real or made by AI.",
        (*_service_notes(evidence.named), *filter(None, [credentials.reason])),
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
    """A proven release whose pictures these are, found through the mark or by the pictures themselves."""
    lead = (
        f"The pictures led to {resolution.manifest_id} in the ledger."
        if resolution.by_content
        else f"The hidden mark carries id {resolution.payload:016x}, which the ledger records as "
        f"{resolution.manifest_id}."
    )
    reasons = [lead, "The pictures match the ones recorded for that release."]
    share = 1.0 if resolution.content is None else resolution.content.share
    if share < 1:
        reasons.append(f"They take up {share:.0%} of the picture: the area around them comes from elsewhere.")
    reasons += _segment_notes(evidence.watermarks)
    if resolution.withdrawn:
        return VerdictResult(
            Verdict.WITHDRAWN,
            "The pictures are those of a release that its maker has withdrawn.",
            (*reasons, "The maker has withdrawn this release."),
        )
    return VerdictResult(Verdict.RECOVERED, _direction(evidence, resolution), tuple(reasons))


def _direction(evidence: Evidence, resolution: Resolution) -> str:
    """Which came first, the file or the release, as far as that is known."""
    if resolution.is_source:
        return f"This is the {evidence.noun} that a release was made from: it never had credentials."
    if resolution.by_content:
        if resolution.protected:
            return (
                "A release in the ledger shows these pictures: this is either what it was made from, or a "
                "copy that lost credentials and mark."
            )
        return "A release in the ledger shows these pictures; this copy has lost credentials and mark."
    if evidence.credentials.state is CredentialState.UNREADABLE:
        return "The credentials cannot be read; the hidden mark led back to the original release."
    return "This copy has no credentials any more; the hidden mark led back to the original release."


def _segment_notes(readings: Sequence[WatermarkReading]) -> tuple[str, ...]:
    """A sentence where only parts of a clip carry the mark."""
    for reading in readings:
        missing = [s for s in reading.segments if not s.present]
        if reading.payload is not None and missing and len(missing) < len(reading.segments):
            spans = ", ".join(f"{s.start:.0f}-{s.end:.0f} s" for s in missing[:8])
            why = "they may come from elsewhere or be too heavily compressed"
            return (f"No mark was found in parts of the clip ({spans}): {why}.",)
    return ()
