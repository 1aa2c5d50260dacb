"""What ledgers prove about a file: the user's own ledger, or the proof sidecar beside the file."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from safegen.errors import LedgerError, UnreadableInput, UsageError
from safegen.ledger import fast_lookup
from safegen.ledger.proven import HINT, MOST_LATER
from safegen.types import CredentialsEvidence, Json, LedgerEvidence
from safegen.verification.collector import EvidenceCollector

if TYPE_CHECKING:
    from safegen.ledger.proof import VerifiedProof
    from safegen.ledger.records import ReleaseEntry
    from safegen.ledger.store import Ledger

MAX_SIDECAR_BYTES = 4 * 2**20


def check_own_ledger(
    collector: EvidenceCollector, sha256: str, credentials: CredentialsEvidence, ledger: Ledger | None
) -> LedgerEvidence | None:
    """The entry of the user's own ledger that records this file, with its proof checked."""
    if ledger is None or credentials.manifest_id is None:
        return None
    found = ledger.find_releases(manifest_id=credentials.manifest_id)
    if not found:
        return None
    best = next((r for r in found if r.sha256 == sha256), found[0])
    proof = _verify_release_proof(collector, ledger.prove(best.index), "proof")
    if proof is None:
        return None
    withdrawn = _withdrawal(collector, ledger, best, proof.origin)
    evidence = _ledger_evidence(proof, sha256, own=True, withdrawn=withdrawn is not None)
    if withdrawn is None:
        return evidence
    later = ledger.entry(withdrawn).public.get("superseded_by")
    return replace(evidence, superseded_by=str(later["manifest_id"])) if isinstance(later, dict) else evidence


def check_proof_sidecar(
    collector: EvidenceCollector, sha256: str, credentials: CredentialsEvidence, ledger: Ledger | None = None
) -> LedgerEvidence | None:
    """The entry that a proof sidecar shows, if its log is pinned and it is about this file.

    What the user's own log has proven once must be in the own *ledger* still, which knows of withdrawals.
    Raises UnreadableInput when the user named a proof that cannot be read, LedgerError when the ledger ends
    before the entry.
    """
    proof = _verify_sidecar(collector)
    found = None if proof is None else _ledger_evidence(proof, sha256, own=False)
    if proof is None or found is None:
        return None
    if not _is_about(found, credentials):
        collector.note("proof sidecar", "it is about a different file")
        return None
    return _compare_with_own(collector, proof, found, ledger)


def compare_with_sidecar(
    collector: EvidenceCollector,
    entry: LedgerEvidence,
    sha256: str,
    credentials: CredentialsEvidence,
    ledger: Ledger | None,
) -> LedgerEvidence:
    """*entry* of the own ledger, beside what the sidecar of the file proves: contradicted, or as it is.

    A withdrawal stays one: it speaks against the file as well.
    """
    proof = None if entry.withdrawn else _verify_sidecar(collector.muted())
    if proof is None or not _is_about(_ledger_evidence(proof, sha256, own=False), credentials):
        return entry
    return _compare_with_own(collector, proof, entry, ledger)


def _is_about(found: LedgerEvidence, credentials: CredentialsEvidence) -> bool:
    """Whether a proof is about the file with these credentials."""
    return found.bytes_match or found.entry.get("manifest_id") == credentials.manifest_id


def _compare_with_own(
    collector: EvidenceCollector, proof: VerifiedProof, found: LedgerEvidence, ledger: Ledger | None
) -> LedgerEvidence:
    """*found* as the own ledger has it, where the *proof* is of its log; or with its ``contradiction``.

    Where the ledger has something else in the proof's place, the key of one log has signed two histories: a
    backup was restored and written to, or the key is in other hands. Raises LedgerError for a ledger that
    ends before: an older copy may lack a withdrawal.
    """
    if ledger is None or proof.origin not in collector.trust.own_logs:
        return found
    if proof.index >= len(ledger):
        raise LedgerError(
            f"it ends before entry {proof.index}, which its log has signed: it is an older copy",
            hint="restore the newest copy, and record nothing in this one",
        )
    try:
        own = ledger.entry(proof.index)
    except UsageError as error:
        raise LedgerError(f"it lacks entry {proof.index}, which its log has signed", hint=HINT) from error
    if own.leaf != proof.leaf:
        said = (
            f"The proof beside the file and your own ledger cannot both be true: the log {proof.origin} has "
            f"signed both, and they have different entries in place {proof.index}. Either a backup of the "
            "ledger was restored and written to, or somebody else has the log's key."
        )
        collector.note(
            "ledger", f"its entry {proof.index} is not the one that the proof beside the file shows"
        )
        return replace(found, contradiction=said)
    if found.source == "ledger":
        return found
    try:
        release = ledger.release(proof.index)
    except UsageError as error:
        raise LedgerError(f"it lacks the details of release {proof.index}", hint=HINT) from error
    withdrawn = _withdrawal(collector, ledger, release, proof.origin)
    return replace(found, source="ledger", withdrawn=withdrawn is not None)


def _withdrawal(
    collector: EvidenceCollector, ledger: Ledger, release: ReleaseEntry, origin: str
) -> int | None:
    """The entry that withdraws *release*, or None: proven, or noted as read only where too much follows it.

    Raises LedgerError when the ledger is not what its key has signed.
    """
    if len(ledger) - release.index > MOST_LATER:
        reason = "too many later entries to prove here whether it was withdrawn: see `safegen log check`"
        collector.note("withdrawal", reason)
        return release.withdrawn
    keys = collector.trust.log_keys.get(origin, ())
    return ledger.proven_release(release.index, keys=tuple(keys), origin=origin).withdrawn


def proves_release(collector: EvidenceCollector, ledger: Ledger, release: ReleaseEntry) -> bool:
    """Whether *release* is in the tree under a checkpoint that a pinned key of the own log signed.

    Why not is noted. The release's stored parts were compared with its entry when it was read.
    """
    try:
        text = ledger.prove(release.index)
    except LedgerError as error:
        collector.note("ledger", str(error))
        return False
    proof = _verify_release_proof(collector, text, "ledger")
    if proof is None or proof.origin not in collector.trust.own_logs:
        return False
    return (proof.index, proof.leaf) == (release.index, release.entry.leaf)


def prove_record(collector: EvidenceCollector, ledger: Ledger, release: ReleaseEntry) -> tuple[bool, bool]:
    """Whether the ledger proves *release* (see ``proves_release``), and whether it was withdrawn.

    A ledger that hides or invents a withdrawal proves nothing; why is noted.
    """
    claimed = release.withdrawn is not None
    if not proves_release(collector, ledger, release):
        return False, claimed
    origin = ledger.origin
    try:
        return True, _withdrawal(collector, ledger, release, origin) is not None
    except LedgerError as error:
        collector.note("ledger", str(error))
        return False, claimed


def check_own_ledger_fast(
    collector: EvidenceCollector, sha256: str, credentials: CredentialsEvidence
) -> LedgerEvidence | None:
    """The own ledger's entry by way of the sidecar; None: ask the ledger itself.

    The sidecar's proof has to verify under a pinned key, be about exactly these bytes and this manifest,
    and its leaf has to stand in the ledger at that place; then the ledger adds whether it was withdrawn.
    """
    options = collector.options
    if options.database is None or options.proof is not None:
        return None
    # Muted: where this gives up, the way through the ledger notes the same reasons.
    proof = _verify_sidecar(collector.muted())
    if proof is None or credentials.manifest_id is None:
        return None
    keys = tuple(collector.trust.log_keys.get(proof.origin, ()))
    try:
        seen = options.heads_seen(proof.origin, keys)
    except LedgerError:
        return None
    logs = {proof.origin: keys}
    row = fast_lookup.lookup_release(options.database, credentials.manifest_id, logs, seen)
    if row is None or row.withdrawn or (row.index, row.leaf) != (proof.index, proof.leaf):
        return None  # a withdrawal has more to say: the ledger itself is asked
    found = _ledger_evidence(proof, sha256, own=True)
    return found if found is not None and found.bytes_match else None


def _verify_sidecar(collector: EvidenceCollector) -> VerifiedProof | None:
    """The sidecar's proof, verified; None, with the reason noted, where there is none that counts."""
    from safegen.ledger.proof import SUFFIX

    path, proof = collector.path, collector.options.proof
    file = proof or path.with_name(path.name + SUFFIX)
    if proof is None and not file.is_file():
        return None
    try:
        if file.stat().st_size > MAX_SIDECAR_BYTES:
            raise UnreadableInput(f"{file}: too large for a proof", hint="check the path")
        text = file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError, UnreadableInput) as error:
        if proof is not None:
            raise UnreadableInput(f"{file}: the proof cannot be read", hint="check the path") from error
        collector.note("proof sidecar", "it cannot be read")
        return None
    if not collector.trust.log_keys:
        collector.note("proof sidecar", "you have not pinned any log: see `safegen trust add`")
        return None
    return _verify_release_proof(collector, text, "proof sidecar")


def _verify_release_proof(collector: EvidenceCollector, text: str, layer: str) -> VerifiedProof | None:
    """A proof of a release that verifies under a pinned log; None, with the reason noted, otherwise."""
    from safegen.ledger.proof import ProofRejected, verify_proof

    try:
        proof = verify_proof(text, logs=collector.trust.log_keys)
    except ProofRejected as error:
        collector.note(layer, str(error))
        return None
    if proof.entry.get("kind") != "release":
        collector.note(layer, "it proves an entry that is not a release")
        return None
    return proof


def _ledger_evidence(
    proof: VerifiedProof, sha256: str, *, own: bool, withdrawn: bool = False
) -> LedgerEvidence:
    """What a verified proof says about a file with these bytes."""
    public: Json = proof.entry.get("public", {})
    return LedgerEvidence(
        proven=True,
        bytes_match=public.get("sha256") == sha256,
        source="ledger" if own else "sidecar",
        origin=proof.origin,
        index=proof.index,
        entry=public,
        withdrawn=withdrawn,
    )
