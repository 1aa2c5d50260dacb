"""Compliance: evidence counts only where it is reliable; JSON is as documented."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from safegen.compliance.model import ComplianceReport
from safegen.compliance.rules import RULES, check_compliance, rule_named
from safegen.credentials.assertions import GENERATED, binding_value
from safegen.errors import UsageError
from safegen.types import (
    CredentialsEvidence,
    CredentialState,
    NotChecked,
    Report,
    SoftBinding,
    Verdict,
    WatermarkReading,
)
from safegen.verification.html_report import ReportItem
from tests.unit.verification.test_html_report import report as any_report

TILE = "org.safegen.watermark.tile.1"
MADE = {
    "contentId": "0000000000000abc",
    "system": {"name": "safegen", "version": "0.1.0"},
    "model": {"name": "tiny", "version": "1"},
    "when": "2026-11-22T16:00:00Z",
    "provider": "Studio Nord",
}


def manifest(*, source: str = GENERATED, **made: Any) -> dict[str, Any]:
    action = {"action": "c2pa.created", "digitalSourceType": source}
    return {
        "assertions": [
            {"label": "c2pa.actions.v2", "data": {"actions": [action]}},
            {"label": "org.safegen.generation", "data": MADE | made},
        ]
    }


CREDENTIALS = CredentialsEvidence(
    CredentialState.VALID,
    trusted=True,
    signer="Studio Nord",
    signed_at="2026-11-22T16:00:00Z",
    time_stamped=True,
    manifest_id="urn:c2pa:a",
    soft_bindings=(SoftBinding(TILE, binding_value(0xABC)),),
    manifest=manifest(),
)
GOOD = Report(
    Path("clip.mp4"),
    "0" * 64,
    Verdict.VERIFIED,
    "Verified",
    (),
    CREDENTIALS,
    watermarks=(WatermarkReading(TILE, True, 0xABC, -40.0),),
)


def missing(report: Report, rule: str) -> set[str]:
    found = check_compliance(report, rule_named(rule))
    return {f.requirement.id for f in found.findings if f.answer.status.value == "not_met"}


@pytest.mark.parametrize("rule", RULES)
def test_a_full_file_meets_what_a_file_can_show(rule: str) -> None:
    assert check_compliance(GOOD, rule_named(rule)).all_met


def credentials(**changes: Any) -> Report:
    return replace(GOOD, credentials=replace(CREDENTIALS, **changes))


GAPS = {
    "no time stamp": (credentials(time_stamped=False, signed_at=None), {"time-stamped"}, set()),
    "time stamp of nobody": (credentials(time_stamped=False), {"time-stamped"}, set()),
    "no provider": (credentials(manifest=manifest(provider="")), set(), {"provider"}),
    "no version": (credentials(manifest=manifest(model={"name": "tiny"})), set(), {"system"}),
    "not said to be AI": (
        credentials(manifest=manifest(source="http://cv.iptc.org/newscodes/digitalsourcetype/digitalCapture")),
        {"machine-readable"},
        set(),
    ),
    "no mark": (replace(GOOD, watermarks=()), {"imperceptible-mark"}, {"hard-to-remove"}),
    "mark not looked for": (
        replace(GOOD, watermarks=(), not_checked=(NotChecked("watermark", "you asked to skip it"),)),
        {"imperceptible-mark"},
        {"hard-to-remove"},
    ),
    "mark of another file": (
        replace(GOOD, watermarks=(WatermarkReading(TILE, True, 0xDEF, -40.0),)),
        {"imperceptible-mark"},
        {"hard-to-remove"},
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", GAPS)
def test_a_gap_is_named(name: str) -> None:
    report, eu, california = GAPS[name]
    assert missing(report, "eu-ai-act-50") == eu
    assert missing(report, "ca-bpc-22757") == california


@pytest.mark.parametrize("verdict", [Verdict.TAMPERED, Verdict.CONFLICT])
@pytest.mark.parametrize("rule", RULES)
def test_statements_of_a_broken_file_count_for_nothing(rule: str, verdict: Verdict) -> None:
    found = check_compliance(replace(GOOD, verdict=verdict), rule_named(rule))
    assert not [f for f in found.findings if f.answer.status.value == "met"]


@pytest.mark.parametrize("rule", RULES)
def test_statements_under_a_revoked_key_count_for_nothing(rule: str) -> None:
    """As for `verify`, where such a signature is nobody's word any more."""
    revoked = credentials(trusted=False, revoked=True, revocation="revoked by a pinned list")
    report = replace(revoked, verdict=Verdict.SIGNED_UNTRUSTED)
    found = check_compliance(report, rule_named(rule))
    assert {f.requirement.id for f in found.findings if f.answer.status.value == "met"} <= {
        "imperceptible-mark",
        "hard-to-remove",
    }
    assert any("certificate was revoked" in f.answer.evidence for f in found.findings)


def test_an_expired_signer_is_not_called_a_stranger() -> None:
    report = replace(credentials(trusted=False, expired=True), verdict=Verdict.SIGNED_UNTRUSTED)
    found = check_compliance(report, rule_named("eu-ai-act-50"))
    assert any("has expired" in f.answer.evidence for f in found.findings)


def test_a_recovered_file_carries_only_its_mark() -> None:
    gone = replace(
        GOOD,
        verdict=Verdict.RECOVERED,
        credentials=CredentialsEvidence(CredentialState.ABSENT),
        recovered_manifest=manifest(),
    )
    assert "machine-readable" in missing(gone, "eu-ai-act-50")


@pytest.mark.parametrize("junk", [None, [], "x", {"actions": "x"}, {"actions": [1, None]}])
def test_hostile_manifests_do_not_crash(junk: Any) -> None:
    bad = {"assertions": [{"label": n, "data": junk} for n in ("c2pa.actions.v2", "org.safegen.generation")]}
    for rule in RULES:
        assert not check_compliance(credentials(manifest=bad), rule_named(rule)).all_met


def test_unknown_rule() -> None:
    with pytest.raises(UsageError, match="no rule"):
        rule_named("gdpr")


def schema(root: Path, name: str) -> Any:
    found = json.loads((root / f"docs/{name}.schema.json").read_text(encoding="utf-8"))
    jsonschema.Draft202012Validator.check_schema(found)
    return found


@pytest.mark.parametrize("rule", RULES)
def test_json_is_as_documented(rule: str, root: Path) -> None:
    found: ComplianceReport = check_compliance(GOOD, rule_named(rule))
    jsonschema.validate(found.to_dict(), schema(root, "comply"))
    assert "not legal advice" in found.to_dict()["disclaimer"]


def test_reports_are_as_documented(root: Path) -> None:
    documented = schema(root, "verify")
    for report in (
        GOOD,
        any_report("x"),
        replace(GOOD, watermarks=(), credentials=CredentialsEvidence(CredentialState.ABSENT)),
    ):
        jsonschema.validate(json.loads(json.dumps(report.to_dict())), documented)
    jsonschema.validate(ReportItem(Path("x"), error="cut off", exit_code=2).to_dict(), documented)
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(GOOD.to_dict() | {"verdict": "REAL"}, documented)


def test_rules_are_documented(root: Path) -> None:
    text = (root / "docs/comply.md").read_text(encoding="utf-8")
    for rule in RULES.values():
        assert rule.name in text
        for requirement in rule.requirements:
            assert f"`{requirement.id}`" in text
    assert "not legal advice" in text.lower()
