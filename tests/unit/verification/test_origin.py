"""The first line of a report: what a file is, by whom, how sure; and never more than is known."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from safegen.credentials.source_types import IPTC, NAMES
from safegen.types import (
    CredentialsEvidence,
    CredentialState,
    IngredientEvidence,
    Origin,
    Verdict,
    WatermarkReading,
)
from safegen.verification import origin as origins
from safegen.verification.evidence import Evidence
from safegen.verification.origin import SOURCE_TYPES, SURE, UNKNOWN, find_origin


def manifest(*actions: tuple[str, str | None], **assertions: Any) -> dict[str, Any]:
    stated = [
        {"action": name, **({} if kind is None else {"digitalSourceType": IPTC + kind})}
        for name, kind in actions
    ]
    return {
        "assertions": [
            {"label": "c2pa.actions.v2", "data": {"actions": stated}},
            *({"label": f"org.safegen.{name}", "data": data} for name, data in assertions.items()),
        ]
    }


def origin(found: dict[str, Any], verdict: Verdict = Verdict.SIGNED_UNLOGGED, **more: Any) -> Origin:
    credentials = CredentialsEvidence(CredentialState.VALID, signer="Nord", trusted=True, manifest=found)
    return find_origin(Evidence(replace(credentials, **more)), verdict, None)


@pytest.mark.parametrize(
    ("found", "kind", "words"),
    [
        (manifest(("c2pa.created", "trainedAlgorithmicMedia")), "generated", "Made by AI"),
        (
            manifest(
                ("c2pa.created", "trainedAlgorithmicMedia"),
                ("c2pa.watermarked.bound", None),
                generation={"model": {"name": "tiny", "version": "3"}},
            ),
            "generated",
            "Made by AI (tiny 3)",
        ),
        (
            manifest(("c2pa.opened", None), ("c2pa.edited", "compositeWithTrainedAlgorithmicMedia")),
            "partly generated",
            "Partly made by AI",
        ),
        (
            manifest(("c2pa.created", "digitalCapture"), ("c2pa.edited", "trainedAlgorithmicMedia")),
            "partly generated",
            "Partly made by AI",
        ),
        (manifest(("c2pa.created", "digitalCapture")), "captured", "Captured with a camera"),
        (
            manifest(("c2pa.created", "digitalCapture"), ("c2pa.cropped", None)),
            "edited",
            "Captured with a camera, then edited",
        ),
        (manifest(("c2pa.created", "digitalCreation")), "created", "Made by people with software"),
        (
            manifest(("c2pa.opened", None), ("c2pa.transcoded", None)),
            "unknown",
            "How it was made is not stated",
        ),
        (
            manifest(("c2pa.opened", None), ("c2pa.color_adjustments", None)),
            "edited",
            "Edited; how the original was made is not stated",
        ),
        (
            manifest(("c2pa.opened", None), protection={"sourceTypeStatedByUser": "digitalCapture"}),
            "captured",
            "Captured with a camera, as its owner states",
        ),
        (
            manifest(
                ("c2pa.opened", None),
                ("c2pa.transcoded", "trainedAlgorithmicMedia"),
                protection={"sourceTypeStatedByUser": "trainedAlgorithmicMedia"},
            ),
            "generated",
            "Made by AI, as its owner states",
        ),
        (
            manifest(
                ("c2pa.opened", None),
                ("c2pa.transcoded", "digitalCapture"),
                protection={"sourceTypeStatedByUser": "digitalCapture"},
            ),
            "captured",
            "Captured with a camera, as its owner states",
        ),
        (
            manifest(
                ("c2pa.created", "trainedAlgorithmicMedia"),
                protection={"sourceTypeStatedByUser": "digitalCapture"},
            ),
            "generated",
            "Made by AI",
        ),
        (manifest(("c2pa.created", "somethingNew")), "unknown", "How it was made is not stated"),
        ({"assertions": "no list"}, "unknown", "How it was made is not stated"),
        ({}, "unknown", "How it was made is not stated"),
    ],
)
def test_what_it_is(found: dict[str, Any], kind: str, words: str) -> None:
    said = origin(found)
    assert (said.kind, said.statement) == (kind, words)
    assert said.by == "Nord"
    assert said.statement[1:] in said.sentence and "Nord" in said.sentence


AI, CAPTURED = "trainedAlgorithmicMedia", "digitalCapture"
OPENED = manifest(("c2pa.opened", None), ("c2pa.color_adjustments", None))
EDITED = manifest(("c2pa.opened", None), ("c2pa.edited", "humanEdits"))
Item = tuple[int, str, str | None]


@pytest.mark.parametrize(
    ("found", "items", "kind"),
    [
        (OPENED, [(1, "parentOf", AI)], "generated"),
        (OPENED, [(1, "parentOf", None), (2, "parentOf", AI)], "generated"),
        (OPENED, [(1, "parentOf", "humanEdits"), (2, "parentOf", AI)], "partly generated"),
        (OPENED, [(1, "componentOf", AI), (1, "componentOf", CAPTURED)], "partly generated"),
        (OPENED, [(1, "componentOf", AI), (1, "componentOf", None)], "partly generated"),
        (OPENED, [(1, "parentOf", "compositeWithTrainedAlgorithmicMedia")], "partly generated"),
        (
            EDITED,
            [(1, "parentOf", AI)],
            "partly generated",
        ),
        (OPENED, [(1, "parentOf", CAPTURED)], "edited"),
        (OPENED, [(1, "inputTo", AI)], "edited"),
        (OPENED, [(1, "parentOf", CAPTURED), (2, "inputTo", None), (3, "parentOf", AI)], "edited"),
        (OPENED, [], "edited"),
    ],
)
def test_what_is_made_from_ai_is_said(found: dict[str, Any], items: list[Item], kind: str) -> None:
    """Also where the signer states nothing, at any depth; what was only given to a model does not count."""
    made = tuple(
        IngredientEvidence("", how, level=level, source_type=stated and IPTC + stated)
        for level, how, stated in items
    )
    assert origin(found, ingredients=made).kind == kind


@pytest.mark.parametrize("verdict", UNKNOWN)
def test_what_does_not_match_says_nothing(verdict: Verdict) -> None:
    said = origin(manifest(("c2pa.created", "digitalCapture")), verdict)
    assert (said.kind, said.by) == ("unknown", None)
    assert "unknown" in said.sentence


def test_every_type_that_can_be_stated_has_words() -> None:
    assert set(SOURCE_TYPES) == set(NAMES)


@pytest.mark.parametrize(
    ("stated", "below", "words"),
    [
        ("trainedAlgorithmicMedia", "digitalCapture", "Made by AI, as its owner states"),
        ("compositeWithTrainedAlgorithmicMedia", "digitalCapture", "Partly made by AI, as its owner states"),
        ("digitalCapture", "trainedAlgorithmicMedia", "Made by AI"),
        ("digitalCapture", "humanEdits", "Edited by people"),
    ],
)
def test_an_owner_is_believed_over_the_source_only_about_ai(
    stated: str, below: str, words: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(origins, "_below", lambda _: iter([below]))
    found = manifest(
        ("c2pa.opened", None), ("c2pa.transcoded", stated), protection={"sourceTypeStatedByUser": stated}
    )
    assert origin(found).statement == words


def test_every_verdict_is_provided_for() -> None:
    assert {*SURE, *UNKNOWN, Verdict.SIGNED_UNTRUSTED} == set(Verdict)
    assert all(words[:1].islower() for _, words in SOURCE_TYPES.values())


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ({"trusted": False}, "anyone can sign by that name"),
        ({"trusted": False, "revoked": True}, "revoked"),
        ({"trusted": False, "expired": True}, "expired"),
        ({"trusted": False, "not_yet_valid": True}, "not valid yet"),
    ],
)
def test_an_untrusted_signer_is_no_witness(more: dict[str, Any], words: str) -> None:
    said = origin(manifest(("c2pa.created", "digitalCapture")), Verdict.SIGNED_UNTRUSTED, **more)
    assert words in said.certainty


def test_a_mark_that_was_not_looked_for_is_said() -> None:
    evidence = Evidence(CredentialsEvidence(CredentialState.VALID), bound_payloads=frozenset({5}))
    assert "not looked for" in find_origin(evidence, Verdict.VERIFIED, None).certainty
    seen = replace(evidence, watermarks=(WatermarkReading("a", True, 5, -30.0),))
    assert "mark agrees" in find_origin(seen, Verdict.VERIFIED, None).certainty


def test_a_recovered_release_speaks_through_its_record() -> None:
    recorded = manifest(("c2pa.created", "trainedAlgorithmicMedia"))
    recorded["signature_info"] = {"common_name": "Nord"}
    evidence = Evidence(CredentialsEvidence(CredentialState.ABSENT))
    said = find_origin(evidence, Verdict.RECOVERED, recorded)
    assert (said.kind, said.by) == ("generated", "Nord")
