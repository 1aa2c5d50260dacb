"""What ties a file's credentials to a ledger's record of a release: every tie is checked, by itself.

A manifest's id is a name that anyone can give; a proof says something about one record only. So "recorded
in the maker's ledger" needs all of these (the table in docs/verify.md): the record is proven, it has the
manifest's id *and* the hash of these very credentials, it names the mark that the credentials name, and
the log is one that was pinned together with the signer's own root and has signed nothing else in its place.
"""

from __future__ import annotations

from safegen.types import CredentialsEvidence, LedgerEvidence
from safegen.verification.evidence import Evidence

LEFT_OUT = {f"assertion.{kind}.additionalExclusionsPresent" for kind in ("dataHash", "bmffHash", "boxesHash")}
"""The signed hash leaves out bytes besides the credentials: what stands there may be anyone's."""
NO_PROOF = "No proof from the maker's ledger is available."


def broken_ties(evidence: Evidence) -> tuple[str, ...]:
    """Why the ledger's record says nothing about these credentials, one sentence each; none: it does."""
    ledger, credentials = evidence.ledger, evidence.credentials
    if ledger is None or not ledger.proven:
        return (NO_PROOF,)
    if ledger.contradiction:
        return (ledger.contradiction,)
    record = ledger.entry
    if not credentials.manifest_id or record.get("manifest_id") != credentials.manifest_id:
        return ("The proof at hand is about another release.",)
    found = []
    if not evidence.store_sha256 or record.get("manifest_sha256") != evidence.store_sha256:
        found.append(
            "The credentials bear the id of a recorded release, but are not the ones that were recorded "
            "for it."
        )
    if not credentials.store_seen:
        found.append("The credentials were not found in the file's own bytes where they ought to be.")
    if not ledger.bytes_match and LEFT_OUT & {*credentials.codes, *credentials.notes}:
        found.append("Bytes differ from the recorded file, and the signature leaves out more than usual.")
    if not _names_recorded_mark(credentials, ledger):
        found.append("The recorded release has another mark than the one that the credentials name.")
    if ledger.origin not in evidence.signer_logs:
        found.append(
            f"The signer was not pinned together with the ledger {ledger.origin}, so it cannot vouch for "
            "what is recorded there."
        )
    return tuple(found)


def _names_recorded_mark(credentials: CredentialsEvidence, ledger: LedgerEvidence) -> bool:
    """Whether a soft binding names the scheme and the payload (16 hexadecimal digits) of the record."""
    from safegen.credentials.assertions import parse_binding_value

    alg, text = ledger.entry.get("watermark_alg"), str(ledger.entry.get("content_id"))
    return any(
        b.alg == alg and (payload := parse_binding_value(b.value)) is not None and f"{payload:016x}" == text
        for b in credentials.soft_bindings
    )
