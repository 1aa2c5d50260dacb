"""Every tie between credentials and a ledger's record: with any one of them missing, nothing is verified."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from safegen.credentials.assertions import binding_value
from safegen.types import (
    CredentialsEvidence,
    CredentialState,
    LedgerEvidence,
    SoftBinding,
    Verdict,
    WatermarkReading,
)
from safegen.verification.evidence import Evidence
from safegen.verification.ties import broken_ties
from safegen.verification.verdict import decide_verdict

ALG, PAYLOAD, STORE = "org.safegen.watermark.tile.1", 0x1234, "5" * 64
RECORD = {
    "manifest_id": "urn:c2pa:a",
    "manifest_sha256": STORE,
    "content_id": f"{PAYLOAD:016x}",
    "watermark_alg": ALG,
}
CREDENTIALS = CredentialsEvidence(
    CredentialState.VALID,
    trusted=True,
    trusted_root="CN=root",
    root_sha256="r" * 64,
    manifest_id="urn:c2pa:a",
    signer="Studio",
    soft_bindings=(SoftBinding(ALG, binding_value(PAYLOAD)),),
)
TIED = Evidence(
    CREDENTIALS,
    (WatermarkReading(ALG, True, PAYLOAD, -30.0),),
    LedgerEvidence(True, True, "ledger", "log.example", 7, RECORD),
    bound_payloads=frozenset({PAYLOAD}),
    expected_payloads=frozenset({PAYLOAD}),
    store_sha256=STORE,
    signer_logs=frozenset({"log.example", "another.example"}),
)


def record(**changes: Any) -> Evidence:
    assert TIED.ledger is not None
    return replace(TIED, ledger=replace(TIED.ledger, entry={**RECORD, **changes}))


def credentials(**changes: Any) -> Evidence:
    return replace(TIED, credentials=replace(CREDENTIALS, **changes))


def ledger(**changes: Any) -> Evidence:
    assert TIED.ledger is not None
    return replace(TIED, ledger=replace(TIED.ledger, **changes))


MISSING = {
    "no ledger": replace(TIED, ledger=None),
    "the record is not proven": ledger(proven=False),
    "the record is of another manifest": record(manifest_id="urn:c2pa:b"),
    "the record names no manifest": record(manifest_id=None),
    "the credentials name no manifest": credentials(manifest_id=None),
    "the credentials are others under the same id": record(manifest_sha256="6" * 64),
    "the record has no hash of the credentials": record(manifest_sha256=None),
    "the credentials' bytes are not at hand": replace(TIED, store_sha256=""),
    "the record has no hash and the bytes are not at hand": replace(
        record(manifest_sha256=""), store_sha256=""
    ),
    "the record names another mark": record(content_id=f"{PAYLOAD + 1:016x}"),
    "the record names another scheme": record(watermark_alg="org.safegen.watermark.other.1"),
    "the record names no mark": record(content_id=None, watermark_alg=None),
    "the credentials were not seen in the bytes": credentials(store_seen=False),
    "other bytes, and the signature leaves out more than usual": replace(
        ledger(bytes_match=False),
        credentials=replace(CREDENTIALS, codes=("assertion.dataHash.additionalExclusionsPresent",)),
    ),
    "the credentials name no mark": credentials(soft_bindings=()),
    "the log was pinned with another signer": replace(TIED, signer_logs=frozenset({"another.example"})),
    "the signer was pinned without a log": replace(TIED, signer_logs=frozenset()),
    "the proof is of another log": ledger(origin="elsewhere.example"),
    "the log has signed two histories": ledger(contradiction="Both cannot be true."),
}


def test_with_every_tie_it_is_verified() -> None:
    assert broken_ties(TIED) == ()
    assert decide_verdict(TIED).verdict is Verdict.VERIFIED
    assert decide_verdict(ledger(bytes_match=False)).verdict is Verdict.VERIFIED_REPACKED


@pytest.mark.parametrize("name", MISSING)
def test_a_missing_tie_leaves_it_signed_and_says_why(name: str) -> None:
    evidence = MISSING[name]
    reasons = broken_ties(evidence)
    assert reasons
    answer = decide_verdict(evidence)
    assert answer.verdict is Verdict.SIGNED_UNLOGGED
    assert set(reasons) <= set(answer.reasons)


@pytest.mark.parametrize("name", MISSING)
def test_a_missing_tie_proves_no_time_either(name: str) -> None:
    evidence = MISSING[name]
    late = replace(evidence.credentials, trusted=False, expired=True)
    stamped = None if evidence.ledger is None else replace(evidence.ledger, time_stamped=True)
    answer = decide_verdict(replace(evidence, credentials=late, ledger=stamped))
    assert answer.verdict is Verdict.SIGNED_UNTRUSTED


def test_a_withdrawal_counts_only_for_the_release_itself() -> None:
    assert decide_verdict(ledger(withdrawn=True)).verdict is Verdict.WITHDRAWN
    other = replace(record(manifest_sha256="6" * 64), store_sha256=STORE)
    assert other.ledger is not None
    withdrawn = replace(other, ledger=replace(other.ledger, withdrawn=True))
    assert decide_verdict(withdrawn).verdict is Verdict.SIGNED_UNLOGGED
