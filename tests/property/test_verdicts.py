"""Properties of the verdict, over generated evidence: no loss helps, trust changes no fact, order does not matter."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from safegen.cli.verify import LEVELS, _meets_level
from safegen.credentials.assertions import binding_value
from safegen.types import (
    ContentMatch,
    CredentialsEvidence,
    CredentialState,
    LedgerEvidence,
    Report,
    SoftBinding,
    Verdict,
    WatermarkReading,
)
from safegen.verification.evidence import Evidence, Resolution, ResolvedManifest
from safegen.verification.verdict import decide_verdict
from tests.property.verdict_order import ABOUT_SIGNED, BEST_FIRST, worth

MARK = "org.safegen.watermark.tile.1"
IDS, MANIFESTS, LOGS, STORES = (1, 2), ("urn:a", "urn:b"), ("log.a", "log.b"), ("5" * 64, "6" * 64)
CODES = ("assertion.dataHash.mismatch", "claimSignature.mismatch", "assertion.bmffHash.mismatch")
UNREADABLE = ("algorithm.unsupported", "claim.cbor.invalid")
often = st.sampled_from([True, True, True, False])
seldom = st.sampled_from([False, False, False, True])


def some(values: tuple[Any, ...]) -> st.SearchStrategy[tuple[Any, ...]]:
    """None or a few of *values*, most often none."""
    return st.one_of(st.just(()), st.just(()), st.lists(st.sampled_from(values), max_size=2).map(tuple))


ids = st.sampled_from(IDS)
payloads = st.frozensets(ids, max_size=2)
SAME, INSET = ContentMatch(True, 0.9, 1.0, 0.5), ContentMatch(True, 0.9, 1.0, 0.5, share=0.2)
OTHER, UNDECIDED = ContentMatch(False, 0.1, 1.0, 0.5, differs=True), ContentMatch(False, 0.3, 0.2, 0.5)
contents = st.sampled_from([SAME, SAME, INSET, OTHER, OTHER, UNDECIDED, None])
readings = st.builds(
    WatermarkReading,
    alg=st.just(MARK),
    present=often,
    payload=st.sampled_from([*IDS, *IDS, None]),
    log10_p=st.just(-20.0),
)
resolutions = st.builds(
    Resolution,
    payload=ids,
    manifest_id=st.sampled_from(MANIFESTS),
    content=contents,
    by_content=seldom,
    proven=often,
    withdrawn=seldom,
    protected=seldom,
    is_source=seldom,
)
bindings = st.lists(ids.map(lambda i: SoftBinding(MARK, binding_value(i))), max_size=2, unique=True)
records = st.fixed_dictionaries(
    {
        "manifest_id": st.sampled_from(MANIFESTS),
        "manifest_sha256": st.sampled_from(STORES),
        "content_id": ids.map(lambda i: f"{i:016x}"),
        "watermark_alg": st.just(MARK),
    }
)
ledgers = st.builds(
    LedgerEvidence,
    proven=often,
    bytes_match=st.booleans(),
    source=st.sampled_from(["ledger", "sidecar"]),
    origin=st.sampled_from(LOGS),
    index=st.just(3),
    entry=records,
    time_stamped=st.booleans(),
    withdrawn=seldom,
)


@st.composite
def credentials(draw: st.DrawFn, state: CredentialState | None = None) -> CredentialsEvidence:
    """Credentials in any state, with the fields that such a state can have."""
    drawn = state or draw(st.sampled_from([*[CredentialState.VALID] * 6, *CredentialState]))
    if drawn is CredentialState.UNREADABLE:
        return CredentialsEvidence(drawn, unreadable=(draw(st.sampled_from(UNREADABLE)),))
    if drawn not in (CredentialState.VALID, CredentialState.INVALID):
        return CredentialsEvidence(drawn)
    expired, revoked, early = draw(seldom), draw(seldom), draw(seldom)
    stamped = draw(st.booleans())
    known = draw(often)
    return CredentialsEvidence(
        drawn,
        trusted=known and not revoked and not early and (stamped or not expired) and drawn.value == "valid",
        trusted_root="CN=root" if known else None,
        root_sha256="ab" * 32 if known else None,
        manifest_id=draw(st.sampled_from(MANIFESTS)),
        signer="Studio",
        time_stamped=stamped,
        expired=expired,
        revoked=revoked,
        not_yet_valid=early,
        failures=draw(st.sampled_from([CODES[:1], CODES])) if drawn.value == "invalid" else (),
        ingredient_failures=draw(some(CODES)),
        soft_bindings=tuple(draw(bindings)),
        ancestors=draw(some(MANIFESTS)),
    )


@st.composite
def evidences(draw: st.DrawFn, state: CredentialState | None = None) -> Evidence:
    """Evidence of any kind: a release with a few things wrong, a file without credentials, or anything."""
    kind = draw(st.sampled_from(["release", "gone", "any"]))
    if kind == "gone" and state is None:
        state = draw(st.sampled_from([s for s in CredentialState if s.value not in ("valid", "invalid")]))
    found = draw(credentials(state))
    ledger = draw(ledgers if kind == "release" else st.one_of(st.none(), ledgers))
    store = draw(st.sampled_from(["", *STORES]))
    logs = frozenset(draw(st.lists(st.sampled_from(LOGS), max_size=2)))
    expected = draw(st.one_of(st.just(frozenset()), st.just(frozenset()), payloads))
    if kind == "release" and ledger is not None:  # everything is tied together
        bound = SoftBinding(MARK, binding_value(int(ledger.entry["content_id"], 16)))
        found = replace(found, manifest_id=ledger.entry["manifest_id"], soft_bindings=(bound,))
        if draw(often):
            found, expected = replace(found, ingredient_failures=()), frozenset()
        if draw(seldom) and found.state is CredentialState.VALID:
            found = replace(found, expired=True, time_stamped=False, trusted=False, revoked=False)
        store, logs = ledger.entry["manifest_sha256"], logs | {ledger.origin}
    known = draw(st.lists(resolutions, min_size=2 * (kind == "gone"), max_size=3))
    if kind == "gone" and draw(st.booleans()):  # all of them releases with the same pictures
        known = [replace(r, content=SAME, proven=True) for r in known]
    return Evidence(
        credentials=found,
        watermarks=tuple(draw(st.lists(readings, min_size=2 * (kind == "gone"), max_size=3))),
        ledger=ledger,
        resolutions=tuple(known),
        bound_payloads=draw(payloads),
        expected_payloads=expected,
        ancestor_payloads=draw(payloads),
        source_payloads=draw(payloads),
        store_sha256=store,
        signer_logs=logs,
    )


def verdict(evidence: Evidence) -> Verdict:
    return decide_verdict(evidence).verdict


def with_credentials(evidence: Evidence, **changes: Any) -> Evidence:
    return replace(evidence, credentials=replace(evidence.credentials, **changes))


def with_ledger(evidence: Evidence, **changes: Any) -> Evidence:
    return evidence if evidence.ledger is None else replace(evidence, ledger=replace(evidence.ledger, **changes))


# --- the order


def test_every_verdict_has_its_place_in_the_order() -> None:
    assert sorted(BEST_FIRST, key=lambda v: v.value) == sorted(Verdict, key=lambda v: v.value)
    assert [worth(v) for v in BEST_FIRST] == list(range(len(Verdict), 0, -1))


@pytest.mark.parametrize("level", LEVELS)
def test_what_passes_a_level_is_the_better_part_of_the_order(level: str) -> None:
    """``--require`` follows the same order: whatever is better than what passes, passes."""
    passes = [_meets_level(_report(v), level) for v in BEST_FIRST]
    assert passes == sorted(passes, reverse=True) and any(passes)


def _report(found: Verdict) -> Report:
    from pathlib import Path

    return Report(Path("x"), "", found, "", (), CredentialsEvidence(CredentialState.ABSENT))


def test_generated_evidence_reaches_every_verdict() -> None:
    """Else the properties below would be about less than they say."""
    seen: set[Verdict] = set()

    @settings(max_examples=500)
    @given(evidences())
    def collect(evidence: Evidence) -> None:
        seen.add(verdict(evidence))

    collect()
    assert seen == set(Verdict)


# --- removing or damaging what speaks for a file

LOSSES: dict[str, Callable[[Evidence], Evidence]] = {
    "the proof is gone": lambda e: e if e.ledger and e.ledger.withdrawn else replace(e, ledger=None),
    "the proof does not verify": lambda e: (
        e if e.ledger and e.ledger.withdrawn else with_ledger(e, proven=False)
    ),
    "the bytes are others": lambda e: with_ledger(e, bytes_match=False),
    "the record has another hash": lambda e: (
        e
        if e.ledger is None or e.ledger.withdrawn
        else with_ledger(e, entry={**e.ledger.entry, "manifest_sha256": "0" * 64})
    ),
    "the record has another mark": lambda e: (
        e
        if e.ledger is None or e.ledger.withdrawn
        else with_ledger(e, entry={**e.ledger.entry, "content_id": "f" * 16})
    ),
    "no time stamp over the record": lambda e: with_ledger(e, time_stamped=False),
    "withdrawn": lambda e: with_ledger(e, withdrawn=True),
    "nobody is trusted": lambda e: (
        e
        if e.ledger and e.ledger.withdrawn
        else replace(
            with_credentials(e, trusted=False, trusted_root=None, root_sha256=None), signer_logs=frozenset()
        )
    ),
    "the signer is tied to no log": lambda e: (
        e if e.ledger and e.ledger.withdrawn else replace(e, signer_logs=frozenset())
    ),
    "revoked": lambda e: (
        e
        if e.ledger and e.ledger.withdrawn
        else with_credentials(e, revoked=True, trusted=False, trusted_root=None, root_sha256=None)
    ),
    "an ingredient does not match": lambda e: with_credentials(e, ingredient_failures=CODES[:1]),
    "a hash does not match": lambda e: (
        with_credentials(e, state=CredentialState.INVALID, failures=CODES[:1], trusted=False)
        if e.credentials.state is CredentialState.VALID
        else e
    ),
    "the store was not seen": lambda e: (
        e if e.ledger and e.ledger.withdrawn else replace(e, store_sha256="")
    ),
    "the mark is gone": lambda e: (
        e if e.credentials.state is not CredentialState.VALID else replace(e, watermarks=())
    ),
    "releases are not proven": lambda e: (
        replace(e, resolutions=tuple(replace(r, proven=False) for r in e.resolutions))
        if e.credentials.state is not CredentialState.VALID and not _against(e)
        else e
    ),
    "no release is known": lambda e: (
        replace(e, resolutions=())
        if e.credentials.state is not CredentialState.VALID and not _against(e)
        else e
    ),
}
"""What speaks for a file taken away or damaged. A withdrawal speaks against it: whoever hides one gains by it,
and nobody can see what is not there; the same goes for a release with other pictures (``_against``)."""


def _against(evidence: Evidence) -> bool:
    return any(r.withdrawn or (r.content is not None and r.content.differs) for r in evidence.resolutions)


@settings(max_examples=500)
@given(evidences())
def test_no_loss_improves_the_verdict(evidence: Evidence) -> None:
    before = verdict(evidence)
    for name, lose in LOSSES.items():
        after = verdict(lose(evidence))
        assert worth(after) <= worth(before), f"{name}: {before.name} became {after.name}"


@settings(max_examples=60)
@given(evidences(CredentialState.VALID))
def test_two_losses_are_no_better_than_one(evidence: Evidence) -> None:
    for first in LOSSES.values():
        once = first(evidence)
        for second in LOSSES.values():
            assert worth(verdict(second(once))) <= worth(verdict(once))


@settings(max_examples=300)
@given(evidences(), st.sampled_from([s for s in CredentialState if s.value not in ("valid", "invalid")]))
def test_without_credentials_nothing_is_called_signed(evidence: Evidence, state: CredentialState) -> None:
    """Stripped, a file is worth what its mark and its pictures lead to, whatever its credentials said."""
    stripped = replace(evidence, credentials=CredentialsEvidence(state), store_sha256="")
    found = verdict(stripped)
    assert found not in ABOUT_SIGNED - {Verdict.WITHDRAWN} and found is not Verdict.TAMPERED
    assert worth(found) <= worth(Verdict.RECOVERED)
    if found is Verdict.RECOVERED:
        assert any(r.proven and r.content is not None and r.content.matches for r in evidence.resolutions)


@settings(max_examples=400)
@given(evidences(CredentialState.INVALID))
def test_a_mismatch_outweighs_everything(evidence: Evidence) -> None:
    assert verdict(evidence) is Verdict.TAMPERED


@settings(max_examples=300)
@given(evidences())
def test_nothing_is_tampered_without_a_mismatch(evidence: Evidence) -> None:
    if verdict(evidence) is Verdict.TAMPERED:
        assert evidence.credentials.state is CredentialState.INVALID and evidence.credentials.failures


@settings(max_examples=500)
@given(evidences())
def test_verified_only_with_every_tie(evidence: Evidence) -> None:
    """The ties of docs/verify.md, written a second time."""
    found, ledger, held = verdict(evidence), evidence.ledger, evidence.credentials
    if found not in (Verdict.VERIFIED, Verdict.VERIFIED_REPACKED):
        return
    assert ledger is not None and ledger.proven and not ledger.withdrawn
    assert held.state is CredentialState.VALID and held.trusted and not held.ingredient_failures
    assert not held.revoked and not held.not_yet_valid and (held.time_stamped or not held.expired)
    assert ledger.entry["manifest_id"] == held.manifest_id
    assert ledger.entry["manifest_sha256"] == evidence.store_sha256
    assert binding_value(int(ledger.entry["content_id"], 16)) in {b.value for b in held.soft_bindings}
    assert ledger.origin in evidence.signer_logs
    assert (found is Verdict.VERIFIED) == ledger.bytes_match


# --- trust


def _trusting(evidence: Evidence) -> Evidence:
    """The same file with its signer's root pinned, together with both logs."""
    held = evidence.credentials
    good = not held.revoked and not held.not_yet_valid and (held.time_stamped or not held.expired)
    return replace(
        with_credentials(
            evidence,
            trusted=good and held.state is CredentialState.VALID,
            trusted_root="CN=root",
            root_sha256="ab" * 32,
        ),
        signer_logs=frozenset(LOGS),
    )


@settings(max_examples=400)
@given(evidences())
def test_trust_matters_only_where_the_credentials_are_intact(evidence: Evidence) -> None:
    """Nobody's trust makes a broken file whole, accuses an intact one, or finds what is not there."""
    before, after = verdict(evidence), verdict(_trusting(evidence))
    if before not in ABOUT_SIGNED or evidence.credentials.state is not CredentialState.VALID:
        assert after is before
        return
    assert after in ABOUT_SIGNED
    withdrawn = after is Verdict.WITHDRAWN and evidence.ledger is not None and evidence.ledger.withdrawn
    assert withdrawn or worth(after) >= worth(before)


# --- order


@st.composite
def shuffled(draw: st.DrawFn) -> tuple[Evidence, Evidence]:
    """Evidence, and the same evidence in another order."""
    evidence = draw(evidences())
    services = tuple(
        ResolvedManifest(i, "service.example", CredentialsEvidence(CredentialState.VALID), False) for i in IDS
    )
    evidence = replace(evidence, named=draw(st.sampled_from([(), services])))
    held = evidence.credentials
    other = replace(
        evidence,
        watermarks=tuple(draw(st.permutations(evidence.watermarks))),
        resolutions=tuple(draw(st.permutations(evidence.resolutions))),
        named=tuple(draw(st.permutations(evidence.named))),
        credentials=replace(
            held,
            failures=tuple(draw(st.permutations(held.failures))),
            ingredient_failures=tuple(draw(st.permutations(held.ingredient_failures))),
            soft_bindings=tuple(draw(st.permutations(held.soft_bindings))),
            ancestors=tuple(draw(st.permutations(held.ancestors))),
            codes=held.codes[::-1],
        ),
    )
    return evidence, other


@settings(max_examples=500)
@given(shuffled())
def test_the_order_of_findings_does_not_matter(pair: tuple[Evidence, Evidence]) -> None:
    assert verdict(pair[0]) is verdict(pair[1])
