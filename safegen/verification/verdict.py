"""The verdict: a pure function of the evidence. No I/O, no clock.

The order matters. A mismatch that was found outweighs everything (TAMPERED, CONFLICT); then what the
credentials prove; only where they are gone, what the watermark leads to. The words of every reason
are for people who do not know what a hash is.
"""

from __future__ import annotations

from safegen.credentials.explain import explain_each
from safegen.types import CredentialState, Verdict
from safegen.verification.evidence import Evidence, Resolution, VerdictResult, decoded_readings
from safegen.verification.ties import broken_ties
from safegen.verification.unsigned import decide_unsigned

__all__ = ["Evidence", "Resolution", "VerdictResult", "decide_verdict"]


def decide_verdict(evidence: Evidence) -> VerdictResult:
    """One verdict from all layers (the table in docs/verify.md)."""
    state = evidence.credentials.state
    if state is CredentialState.INVALID:
        return _tampered(evidence)
    if state is CredentialState.VALID:
        return _conflict(evidence) or _signed(evidence)
    return decide_unsigned(evidence)


def _tampered(evidence: Evidence) -> VerdictResult:
    """A hash or a signature was computed and does not match."""
    summary = f"This {evidence.noun} does not match its credentials: bytes were changed after it was signed."
    if evidence.credentials.source == "sidecar":
        summary = (
            f"This {evidence.noun} does not match the credentials beside it: bytes were changed after it was "
            "signed, or these are the credentials of another file."
        )
    return VerdictResult(
        Verdict.TAMPERED,
        summary,
        (*explain_each(evidence.credentials.failures), *_recovery_notes(evidence)),
    )


def _recovery_notes(evidence: Evidence) -> tuple[str, ...]:
    """What the watermark still says about a tampered file."""
    return tuple(
        f"The hidden mark in the pictures still names the release {r.manifest_id} (id {r.payload:016x})."
        for r in evidence.resolutions
    )


def _conflict(evidence: Evidence) -> VerdictResult | None:
    """CONFLICT for a file whose own credentials are intact, or None.

    A mark alone accuses nobody, since anyone can plant one: what it names has to show the same pictures.
    """
    credentials = evidence.credentials
    if credentials.ingredient_failures:
        return VerdictResult(
            Verdict.CONFLICT,
            "This file is intact, but something it was made from does not match its credentials.",
            explain_each(credentials.ingredient_failures),
        )
    for resolution in evidence.resolutions:
        if _stolen(evidence, resolution):
            return VerdictResult(
                Verdict.CONFLICT,
                "The pictures are those of another release, which the attached credentials do not mention.",
                (
                    f"The mark carries id {resolution.payload:016x} of release {resolution.manifest_id}.",
                    "The pictures match the ones recorded for that release.",
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


def _stolen(evidence: Evidence, resolution: Resolution) -> bool:
    """Whether the pictures are proven to be those of a release that the credentials know nothing of."""
    credentials = evidence.credentials
    known = evidence.bound_payloads | evidence.ancestor_payloads | evidence.source_payloads
    mentioned = resolution.manifest_id in {credentials.manifest_id, *credentials.ancestors}
    same = resolution.content is not None and resolution.content.matches
    return same and resolution.proven and not mentioned and resolution.payload not in known


def _signed(evidence: Evidence) -> VerdictResult:
    """Verdicts for intact credentials without conflicts."""
    credentials, ledger = evidence.credentials, evidence.ledger
    signer = credentials.signer or "an unnamed signer"
    reasons = [f"The content is exactly what {signer} signed.", *_mark_notes(evidence)]
    ties = broken_ties(evidence)
    if (untrusted := _untrusted(evidence, reasons, logged=not ties)) is not None:
        return untrusted
    reasons.append(f"The signer is trusted through {credentials.trusted_root}.")
    if ties or ledger is None:
        reasons.extend(ties)
        return VerdictResult(
            Verdict.SIGNED_UNLOGGED, "Intact, and signed by a signer you trust.", tuple(reasons)
        )
    reasons.append(f"The release is entry {ledger.index} of the ledger {ledger.origin}.")
    if ledger.withdrawn:
        reasons.append("The maker has withdrawn this release.")
        if ledger.superseded_by:
            reasons.append(f"It was replaced by the release {ledger.superseded_by}.")
        return VerdictResult(
            Verdict.WITHDRAWN, "Intact and trusted, but withdrawn by its maker.", tuple(reasons)
        )
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


def _untrusted(evidence: Evidence, reasons: list[str], *, logged: bool) -> VerdictResult | None:
    """The verdict where the signature holds and its signer is not, or no longer, one to rely on; or None."""
    credentials = evidence.credentials
    if credentials.revoked:
        reasons.append(f"Its signer is no longer valid: {credentials.revocation}.")
        return VerdictResult(
            Verdict.SIGNED_UNTRUSTED, "Intact, but the signer's certificate was revoked.", tuple(reasons)
        )
    if credentials.not_yet_valid:
        reasons.append(
            "The signer's certificate is not valid yet: the signer's clock or this computer's clock is wrong."
        )
        return VerdictResult(
            Verdict.SIGNED_UNTRUSTED, "Intact, but signed with a certificate of the future.", tuple(reasons)
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
    return None


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


def _mark_notes(evidence: Evidence) -> list[str]:
    """What other marks the pictures carry; it changes nothing, for anyone can plant one."""
    known = evidence.bound_payloads | evidence.ancestor_payloads
    notes = []
    for reading in decoded_readings(evidence):
        if reading.payload is None or reading.payload in known:
            continue
        if reading.payload in evidence.source_payloads:
            notes.append(
                f"The pictures carried the mark {reading.payload:016x} before, as the credentials say."
            )
        else:
            notes.append(
                f"The pictures also carry the mark {reading.payload:016x}, which the credentials do not "
                "mention; anyone can plant such a mark."
            )
    return notes
