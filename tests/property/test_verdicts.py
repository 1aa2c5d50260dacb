"""Properties of the verdict over generated evidence: losses, trust, order."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from safegen.cli.verify import LEVELS, _meets_level
from safegen.credentials.assertions import binding_value
from safegen.types import CredentialsEvidence, CredentialState, Report, Verdict
from safegen.verification.evidence import Evidence, ResolvedManifest
from safegen.verification.verdict import decide_verdict
from tests.property.evidence import CODES, IDS, LOGS, evidences
from tests.property.verdict_order import ABOUT_SIGNED, BEST_FIRST, worth


def verdict(evidence: Evidence) -> Verdict:
    return decide_verdict(evidence).verdict


def with_credentials(evidence: Evidence, **changes: Any) -> Evidence:
    return replace(evidence, credentials=replace(evidence.credentials, **changes))


def with_ledger(evidence: Evidence, **changes: Any) -> Evidence:
    return (
        evidence if evidence.ledger is None else replace(evidence, ledger=replace(evidence.ledger, **changes))
    )


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

    @settings(max_examples=800)
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
    "the store was not seen": lambda e: e if e.ledger and e.ledger.withdrawn else replace(e, store_sha256=""),
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
"""What speaks for a file taken away or damaged. A withdrawal speaks against it: whoever hides one gains
by it, and nobody sees what is not there; the same goes for a release with other pictures (``_against``)."""


def _against(evidence: Evidence) -> bool:
    return any(r.withdrawn or (r.content is not None and r.content.differs) for r in evidence.resolutions)


@settings(max_examples=250)
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


@settings(max_examples=150)
@given(evidences(), st.sampled_from([s for s in CredentialState if s.value not in ("valid", "invalid")]))
def test_without_credentials_nothing_is_called_signed(evidence: Evidence, state: CredentialState) -> None:
    """Stripped, a file is worth what its mark and its pictures lead to, whatever its credentials said."""
    stripped = replace(evidence, credentials=CredentialsEvidence(state), store_sha256="")
    found = verdict(stripped)
    assert found not in ABOUT_SIGNED - {Verdict.WITHDRAWN} and found is not Verdict.TAMPERED
    assert worth(found) <= worth(Verdict.RECOVERED)
    if found is Verdict.RECOVERED:
        assert any(r.proven and r.content is not None and r.content.matches for r in evidence.resolutions)


@settings(max_examples=200)
@given(evidences(CredentialState.INVALID))
def test_a_mismatch_outweighs_everything(evidence: Evidence) -> None:
    assert verdict(evidence) is Verdict.TAMPERED


@settings(max_examples=150)
@given(evidences())
def test_nothing_is_tampered_without_a_mismatch(evidence: Evidence) -> None:
    if verdict(evidence) is Verdict.TAMPERED:
        assert evidence.credentials.state is CredentialState.INVALID and evidence.credentials.failures


@settings(max_examples=250)
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


@settings(max_examples=200)
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


@settings(max_examples=250)
@given(shuffled())
def test_the_order_of_findings_does_not_matter(pair: tuple[Evidence, Evidence]) -> None:
    assert verdict(pair[0]) is verdict(pair[1])
