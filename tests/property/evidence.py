"""Generated evidence: releases with a few things wrong, files without credentials, and anything else."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from hypothesis import strategies as st

from safegen.credentials.assertions import binding_value
from safegen.types import (
    ContentMatch,
    CredentialsEvidence,
    CredentialState,
    LedgerEvidence,
    SoftBinding,
    WatermarkReading,
)
from safegen.verification.evidence import Evidence, Resolution

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
