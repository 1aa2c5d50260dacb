"""Every row of the verdict table, and the order in which the layers count."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from safegen.credentials.assertions import binding_value
from safegen.types import (
    ContentMatch,
    CredentialsEvidence,
    CredentialState,
    LedgerEvidence,
    SoftBinding,
    Verdict,
    WatermarkReading,
    WatermarkSegment,
)
from safegen.verification.verdict import Evidence, Resolution, decide_verdict

ID, OTHER = 0x1234, 0x9999
SAME = ContentMatch(True, 0.9, 1.0, 0.5)
DIFFERENT = ContentMatch(False, 0.1, 1.0, 0.5, differs=True)
UNCLEAR = ContentMatch(False, 0.4, 1.0, 0.5)
NOWHERE = ContentMatch(False, 0.0, 0.0, 0.5)
INSET = ContentMatch(True, 0.9, 1.0, 0.5, share=0.2)


def mark(payload: int | None = ID, **more: object) -> WatermarkReading:
    return replace(WatermarkReading("org.safegen.watermark.tile.1", True, payload, -30.0), **more)


ABSENT_MARK = WatermarkReading("org.safegen.watermark.tile.1", False, None, -0.5)
SIGNED = CredentialsEvidence(
    CredentialState.VALID,
    trusted=True,
    trusted_root="CN=root",
    root_sha256="r" * 64,
    manifest_id="urn:c2pa:a",
    signer="Studio",
    soft_bindings=(SoftBinding("org.safegen.watermark.tile.1", binding_value(ID)),),
)
STORE = "5" * 64
RECORD = {
    "manifest_id": "urn:c2pa:a",
    "manifest_sha256": STORE,
    "content_id": f"{ID:016x}",
    "watermark_alg": "org.safegen.watermark.tile.1",
}
LOGGED = LedgerEvidence(True, True, "ledger", "log.example", 7, RECORD)
BOUND = frozenset({ID})
GOOD = Evidence(
    SIGNED,
    (mark(),),
    LOGGED,
    (Resolution(ID, "urn:c2pa:a", SAME),),
    BOUND,
    BOUND,
    store_sha256=STORE,
    signer_logs=frozenset({"log.example"}),
)
GONE = Evidence(CredentialsEvidence(CredentialState.ABSENT), (mark(),), None)


def signed(**changes: object) -> Evidence:
    return replace(GOOD, credentials=replace(SIGNED, **changes))


ROWS = {
    "all layers agree": (GOOD, Verdict.VERIFIED),
    "bytes differ where C2PA does not look": (
        replace(GOOD, ledger=replace(LOGGED, bytes_match=False)),
        Verdict.VERIFIED_REPACKED,
    ),
    "unknown signer": (signed(trusted=False), Verdict.SIGNED_UNTRUSTED),
    "unknown signer in the ledger": (replace(signed(trusted=False), ledger=LOGGED), Verdict.SIGNED_UNTRUSTED),
    "no available ledger": (replace(GOOD, ledger=None), Verdict.SIGNED_UNLOGGED),
    "proof does not verify": (replace(GOOD, ledger=replace(LOGGED, proven=False)), Verdict.SIGNED_UNLOGGED),
    "proof of another release": (
        replace(GOOD, ledger=replace(LOGGED, entry={"manifest_id": "urn:c2pa:b"})),
        Verdict.SIGNED_UNLOGGED,
    ),
    "withdrawn": (replace(GOOD, ledger=replace(LOGGED, withdrawn=True)), Verdict.WITHDRAWN),
    "other tool's file": (Evidence(SIGNED, (ABSENT_MARK,)),
                          Verdict.SIGNED_UNLOGGED),
    "expired, logged, stamped": (
        replace(signed(trusted=False, expired=True), ledger=replace(LOGGED, time_stamped=True)),
        Verdict.EXPIRED_BUT_LOGGED,
    ),
    "expired, logged, stamped, under an unknown root": (
        replace(
            signed(trusted=False, expired=True, trusted_root=None), ledger=replace(LOGGED, time_stamped=True)
        ),
        Verdict.SIGNED_UNTRUSTED,
    ),
    "expired, own checkpoint only": (signed(trusted=False, expired=True), Verdict.SIGNED_UNTRUSTED),
    "expired but time-stamped signature": (signed(expired=True, time_stamped=True), Verdict.VERIFIED),
    "hash mismatch": (signed(state=CredentialState.INVALID, failures=("x",)), Verdict.TAMPERED),
    "hash mismatch although recorded": (
        replace(signed(state=CredentialState.INVALID), ledger=LOGGED),
        Verdict.TAMPERED,
    ),
    "broken ingredient": (signed(ingredient_failures=("x",)), Verdict.CONFLICT),
    "untrusted ingredient is a note": (signed(notes=("x",)), Verdict.VERIFIED),
    "mark of another release": (replace(GOOD, watermarks=(mark(OTHER),)), Verdict.CONFLICT),
    "mark of an ancestor": (
        replace(GOOD, watermarks=(mark(), mark(OTHER)), ancestor_payloads=frozenset({OTHER})),
        Verdict.VERIFIED,
    ),
    "two marks, one of them planted by whomever": (
        replace(GOOD, watermarks=(mark(), mark(OTHER))),
        Verdict.VERIFIED,
    ),
    "two marks, one of another release with other pictures": (
        replace(
            GOOD,
            watermarks=(mark(), mark(OTHER)),
            resolutions=(Resolution(OTHER, "urn:c2pa:other", DIFFERENT),),
        ),
        Verdict.VERIFIED,
    ),
    "two marks, the pictures are those of the other release": (
        replace(
            GOOD, watermarks=(mark(), mark(OTHER)), resolutions=(Resolution(OTHER, "urn:c2pa:other", SAME),)
        ),
        Verdict.CONFLICT,
    ),
    "the same, said by its maker": (
        replace(
            GOOD,
            watermarks=(mark(), mark(OTHER)),
            resolutions=(Resolution(OTHER, "urn:c2pa:other", SAME),),
            source_payloads=frozenset({OTHER}),
        ),
        Verdict.VERIFIED,
    ),
    "the same, by a record that the ledger does not prove": (
        replace(
            GOOD,
            watermarks=(mark(), mark(OTHER)),
            resolutions=(Resolution(OTHER, "urn:c2pa:other", SAME, proven=False),),
        ),
        Verdict.VERIFIED,
    ),
    "certificate of the future": (signed(trusted=False, not_yet_valid=True), Verdict.SIGNED_UNTRUSTED),
    "revoked": (signed(trusted=False, revoked=True), Verdict.SIGNED_UNTRUSTED),
    "stripped, same pictures by a record that is not proven": (
        replace(GONE, resolutions=(Resolution(ID, "urn:c2pa:a", SAME, proven=False),)),
        Verdict.MARKED_UNRESOLVED,
    ),
    "stripped, the comparison does not decide": (
        replace(GONE, resolutions=(Resolution(ID, "urn:c2pa:a", UNCLEAR),)),
        Verdict.MARKED_UNRESOLVED,
    ),
    "stripped, of two records one is unclear": (
        replace(
            GONE,
            resolutions=(
                Resolution(ID, "urn:c2pa:a", DIFFERENT),
                Resolution(ID, "urn:c2pa:b", UNCLEAR),
            ),
        ),
        Verdict.MARKED_UNRESOLVED,
    ),
    "stripped, its maker withdrew it": (
        replace(GONE, resolutions=(Resolution(ID, "urn:c2pa:a", SAME, withdrawn=True),)),
        Verdict.WITHDRAWN,
    ),
    "mark promised and missing": (replace(GOOD, watermarks=(ABSENT_MARK,)), Verdict.CONFLICT),
    "mark not looked for": (replace(GOOD, watermarks=(), expected_payloads=frozenset()), Verdict.VERIFIED),
    "foreign credentials over our resolved mark": (
        Evidence(SIGNED, (mark(),), None, (Resolution(ID, "urn:c2pa:other", SAME),)),
        Verdict.CONFLICT,
    ),
    "credentials that cannot be checked": (
        Evidence(CredentialsEvidence(CredentialState.UNREADABLE, unreadable=("algorithm.unsupported",))),
        Verdict.CREDENTIALS_UNREADABLE,
    ),
    "stripped, content matches": (
        replace(GONE, resolutions=(Resolution(ID, "urn:c2pa:a", SAME),)),
        Verdict.RECOVERED,
    ),
    "stripped, mark gone, pictures known": (
        replace(GONE, watermarks=(ABSENT_MARK,), resolutions=(Resolution(ID, "urn:c2pa:a", SAME, True),)),
        Verdict.RECOVERED,
    ),
    "stripped, pasted mark": (
        replace(GONE, resolutions=(Resolution(ID, "urn:c2pa:a", DIFFERENT),)),
        Verdict.CONFLICT,
    ),
    "stripped, pictures that cannot be laid over the recorded ones": (
        replace(GONE, resolutions=(Resolution(ID, "urn:c2pa:a", NOWHERE),)),
        Verdict.MARKED_UNRESOLVED,
    ),
    "stripped, nothing to compare with": (
        replace(GONE, resolutions=(Resolution(ID, "urn:c2pa:a", None),)),
        Verdict.MARKED_UNRESOLVED,
    ),
    "stripped, unknown id": (GONE, Verdict.MARKED_UNRESOLVED),
    "stripped, unreadable id": (replace(GONE, watermarks=(mark(None),)), Verdict.MARKED_UNRESOLVED),
    "nothing": (replace(GONE, watermarks=(ABSENT_MARK,)), Verdict.NO_PROVENANCE),
    "remote manifest not fetched": (
        replace(GONE, credentials=CredentialsEvidence(CredentialState.REMOTE_NOT_FETCHED), watermarks=()),
        Verdict.NO_PROVENANCE,
    ),
    "format without credentials": (
        replace(GONE, credentials=CredentialsEvidence(CredentialState.UNSUPPORTED), watermarks=()),
        Verdict.NO_PROVENANCE,
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", ROWS)
def test_row(name: str) -> None:
    evidence, expected = ROWS[name]
    answer = decide_verdict(evidence)
    assert answer.verdict is expected
    assert answer.summary


def test_every_verdict_has_a_row() -> None:
    assert {v for _, v in ROWS.values()} == set(Verdict)


def test_exit_codes_are_those_of_the_documentation() -> None:
    expected = [0, 10, 11, 12, 13, 14, 20, 21, 22, 30, 31, 40]
    assert [v.exit_code for v in Verdict] == expected


def test_nothing_found_never_says_real_or_not_ai() -> None:
    text = decide_verdict(replace(GONE, watermarks=())).summary.lower()
    assert "says nothing about whether" in text


def test_a_release_among_other_things_is_said() -> None:
    answer = decide_verdict(replace(GONE, resolutions=(Resolution(ID, "urn:c2pa:a", INSET),)))
    assert answer.verdict is Verdict.RECOVERED
    assert any("20% of the picture" in r for r in answer.reasons)


def test_partly_marked_clip_is_said() -> None:
    segments = tuple(WatermarkSegment(i, i + 1, i < 2, -20 if i < 2 else 0) for i in range(4))
    evidence = replace(
        GONE, watermarks=(mark(segments=segments),), resolutions=(Resolution(ID, "urn:c2pa:a", SAME),)
    )
    answer = decide_verdict(evidence)
    assert answer.verdict is Verdict.RECOVERED
    assert any("2-3 s" in r for r in answer.reasons)


@pytest.mark.parametrize(
    ("payload", "more"),
    [
        (ID, {}),
        (None, {}),
        (ID, {"resolutions": (Resolution(ID, "urn:c2pa:a", UNCLEAR),)}),
        (ID, {"resolutions": (Resolution(ID, "urn:c2pa:a", DIFFERENT),)}),
    ],
)
def test_a_mark_does_not_hide_that_credentials_cannot_be_read(payload: int | None, more: Any) -> None:
    unread = CredentialsEvidence(CredentialState.UNREADABLE, reason="they end early")
    answer = decide_verdict(replace(GONE, credentials=unread, watermarks=(mark(payload),), **more))
    assert answer.verdict in (Verdict.MARKED_UNRESOLVED, Verdict.CONFLICT)
    assert "Its credentials cannot be read: they end early." in answer.reasons
