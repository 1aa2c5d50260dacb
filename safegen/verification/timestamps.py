"""Whether an independent time stamp shows that a release was recorded while its signer's chain was valid.

A stamp covers a checkpoint, the checkpoint an entry, the entry the manifest store by its hash: only all of
that together says anything about the file. Where a stamp is at hand and does not count, the report says why.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from safegen.errors import SafegenError
from safegen.types import CredentialsEvidence, LedgerEvidence
from safegen.verification.collector import EvidenceCollector

if TYPE_CHECKING:
    from safegen.ledger.proof import VerifiedProof
    from safegen.ledger.store import Ledger

LAYER = "time stamp"


def check_time_stamps(
    collector: EvidenceCollector,
    credentials: CredentialsEvidence,
    entry: LedgerEvidence | None,
    ledger: Ledger | None,
) -> LedgerEvidence | None:
    """*entry* with ``time_stamped`` set where a trusted authority's stamp proves it was in time."""
    from safegen.ledger.timestamp import StampRejected, verify_stamp

    if entry is None or not entry.proven:
        return entry
    anchors = collector.trust.tsa_anchors
    reasons: list[str] = []
    try:
        for token, body in (*_sidecar_stamps(collector, entry), *_ledger_stamps(entry, ledger)):
            if not anchors:
                reasons.append("you have not pinned any time stamp authority: see `safegen trust add --tsa`")
                break
            try:
                stamped_at = verify_stamp(token, body, anchors)
            except StampRejected as error:
                reasons.append(str(error))
                continue
            reason = _rejection_reason(collector, credentials, entry, stamped_at)
            if reason is None:
                return replace(entry, time_stamped=True, stamped_at=stamped_at.isoformat(timespec="seconds"))
            reasons.append(reason)
    except StampRejected as error:
        reasons.append(str(error))
    collector.note_all(LAYER, reasons)
    return entry


def _sidecar_stamps(collector: EvidenceCollector, entry: LedgerEvidence) -> Iterator[tuple[bytes, bytes]]:
    """The stamp beside the proof sidecar, with the checkpoint of the proof: if that shows this entry."""
    from safegen.ledger.proof import SUFFIX as PROOF
    from safegen.ledger.timestamp import SUFFIX, checkpoint_body, read_token

    path = collector.path
    proof = collector.options.proof or path.with_name(path.name + PROOF)
    file = proof.with_name(proof.name + SUFFIX)
    if not file.is_file():
        return
    verified = _read_verified_proof(collector, proof)
    if verified is None or (verified.origin, verified.index) != (entry.origin, entry.index):
        return
    if verified.entry.get("public") == entry.entry:
        yield read_token(file), checkpoint_body(verified.checkpoint)


def _read_verified_proof(collector: EvidenceCollector, file: Path) -> VerifiedProof | None:
    """The verified sidecar; None where it does not count (the report has its reason already)."""
    from safegen.ledger.proof import MAX_PROOF, verify_proof

    try:
        with file.open(encoding="utf-8") as lines:
            return verify_proof(lines.read(MAX_PROOF + 1), logs=collector.trust.log_keys)
    except (OSError, UnicodeDecodeError, SafegenError):
        return None


def _ledger_stamps(entry: LedgerEvidence, ledger: Ledger | None) -> Iterator[tuple[bytes, bytes]]:
    """The stamps that the user's own ledger keeps over trees with this entry, oldest first."""
    from safegen.ledger.timestamp import read_stamps

    if ledger is None or ledger.checkpoint_folder is None or entry.source != "ledger":
        return
    leaf = ledger.entry(entry.index).leaf
    for stamp in read_stamps(ledger.checkpoint_folder.folder, entry.index + 1):
        body = ledger.checkpoint_including(entry.index, leaf, stamp.size)
        if body is not None:
            yield stamp.token, body.encode()


def _rejection_reason(
    collector: EvidenceCollector,
    credentials: CredentialsEvidence,
    entry: LedgerEvidence,
    stamped_at: datetime,
) -> str | None:
    """Why a genuine stamp says nothing about this file's signature; None: it does."""
    from safegen.credentials.claim_signature import SignatureUnreadable, verify_claim_signature
    from safegen.credentials.library import certificates
    from safegen.keys.chain import check_chain

    if collector.options.at is not None and stamped_at > collector.options.at:
        return "the time stamp is later than the time you asked about"
    store = credentials.store
    if store is None or credentials.manifest_id is None:
        return "there are no embedded credentials for the time stamp to cover"
    if hashlib.sha256(store).hexdigest() != entry.entry.get("manifest_sha256"):
        return "the credentials differ from the ones that were recorded and stamped"
    try:
        chain = verify_claim_signature(store, credentials.manifest_id).chain
    except SignatureUnreadable as error:
        return str(error)
    result = check_chain(chain, certificates(collector.trust.anchors), at=stamped_at)
    if not result.trusted:
        return f"at the time of the stamp ({stamped_at:%Y-%m-%d}) the signer was not valid: {result.reason}"
    return None
