"""What a file was made from, as people and programs see it; hostile stores included."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from safegen.credentials.ingredients import MOST, list_ingredients
from safegen.types import CredentialsEvidence, CredentialState, IngredientEvidence, Report, Verdict
from safegen.verification.summary import ingredient_rows, summary_rows

CAMERA = "http://cv.iptc.org/newscodes/digitalsourcetype/digitalCapture"
ACTIONS = {"label": "c2pa.actions.v2", "data": {"actions": [{"digitalSourceType": CAMERA}, {}]}}
STORE: dict[str, Any] = {
    "a": {"ingredients": [{"title": "b.mp4", "relationship": "parentOf", "active_manifest": "b"}]},
    "b": {
        "signature_info": {"common_name": "Camera Maker", "time": "2026-01-01T00:00:00Z"},
        "assertions": [ACTIONS],
        "ingredients": [
            {"title": "c.png", "relationship": "inputTo"},
            {
                "title": "d.mp4",
                "relationship": "componentOf",
                "validation_status": [
                    {"code": "assertion.bmffHash.mismatch"},
                    {"code": "x", "success": True},
                ],
            },
        ],
    },
}


def test_a_tree_in_order() -> None:
    first, second, third = list_ingredients(STORE, "a")
    assert (first.title, first.level, first.signer, first.source_type) == ("b.mp4", 1, "Camera Maker", CAMERA)
    assert (second.title, second.level, second.manifest_id) == ("c.png", 2, None)
    assert third.failures == ("assertion.bmffHash.mismatch",)
    rows = [value for _, value in ingredient_rows((first, second, third))]
    assert rows[0] == "b.mp4: the source that was changed, signed by Camera Maker, captured by a camera"
    assert rows[1] == "> c.png: given to the model, no credentials of its own"
    assert "DOES NOT MATCH" in rows[2]


def test_a_store_that_bites_its_tail_ends() -> None:
    loop = {"a": {"ingredients": [{"title": "a", "active_manifest": "a"}] * 3}}
    assert len(list_ingredients(loop, "a")) == 3
    wide = {"a": {"ingredients": [{"active_manifest": "b"}] * 500}, "b": {"ingredients": [{}] * 500}}
    assert len(list_ingredients(wide, "a")) == MOST


def test_what_is_no_object_is_passed_over() -> None:
    odd: dict[str, Any] = {"a": {"ingredients": [3, None, {"title": 7, "active_manifest": ["x"]}]}, "b": 4}
    assert list_ingredients(odd, "a") == (IngredientEvidence("", ""),)
    assert list_ingredients(odd, "b") == list_ingredients(odd, "missing") == ()


def test_people_and_programs_see_it() -> None:
    found = list_ingredients(STORE, "a")
    evidence = CredentialsEvidence(CredentialState.VALID, manifest=STORE["a"], ingredients=found)
    report = Report(Path("x.mp4"), "0" * 64, Verdict.VERIFIED, "", (), evidence)
    assert [label for label, _ in summary_rows(report)].count("made from") == 3
    listed = report.to_dict()["credentials"]["ingredients"]
    assert [(i["level"], i["title"]) for i in listed] == [(1, "b.mp4"), (2, "c.png"), (2, "d.mp4")]


def test_a_long_list_is_cut_for_people() -> None:
    many = tuple(IngredientEvidence(str(i), "inputTo") for i in range(20))
    assert ingredient_rows(many)[-1] == ("made from", "and 12 more")
