"""Verdicts for files whose credentials are gone: what the mark, or the pictures themselves, lead to."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from safegen.types import Verdict, WatermarkReading
from safegen.verification.evidence import Evidence, Resolution, VerdictResult, decoded_readings

if TYPE_CHECKING:
    from safegen.verification.soft_binding_api import ResolvedManifest


def decide_unsigned(evidence: Evidence) -> VerdictResult:
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
                *_named_notes(evidence.named),
                "Anyone can copy such a mark, so alone it proves nothing about the origin.",
            ),
        )
    if any(r.present for r in evidence.watermarks):
        return VerdictResult(
            Verdict.MARKED_UNRESOLVED,
            "Made with safegen, but the id in the mark can no longer be read.",
            ("The file contains a hidden mark but was processed too heavily to read its id.",),
        )
    return VerdictResult(
        Verdict.NO_PROVENANCE,
        "No provenance found. This says nothing about whether the video is real or made by AI.",
        (*_named_notes(evidence.named), *filter(None, [evidence.credentials.reason])),
    )


def _named_notes(named: Sequence[ResolvedManifest]) -> tuple[str, ...]:
    """What a resolution service answered: a lead, since nothing at hand compares the pictures."""
    return tuple(
        f"The service {n.host} says that {_subject(n)} belongs to {n.credentials.manifest_id}, signed "
        f"by {n.credentials.signer or 'an unnamed signer'}; nothing here shows whether the pictures "
        "are the same."
        for n in named
    )


def _subject(named: ResolvedManifest) -> str:
    """What the service was asked about."""
    if named.payload is not None:
        return f"id {named.payload:016x}"
    score = "" if named.similarity is None else f" (similarity {named.similarity} of 100)"
    return f"what the file shows{score}"


def _recovered(evidence: Evidence, resolution: Resolution) -> VerdictResult:
    """Credentials gone, found again through the mark."""
    how = (
        f"Neither credentials nor mark are left; the pictures led to {resolution.manifest_id} in the ledger."
        if resolution.by_content
        else f"The hidden mark carries id {resolution.payload:016x}, which the ledger records as "
        f"{resolution.manifest_id}."
    )
    reasons = [how, "The pictures match the ones recorded for that release."]
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
