"""A compliance answer as JSON: stable, versioned (``safegen.comply/1``), described in docs/comply.md."""

from __future__ import annotations

from safegen.compliance.model import NOT_ADVICE, ComplianceReport
from safegen.types import Json

SCHEMA = "safegen.comply/1"


def compliance_to_json(found: ComplianceReport) -> Json:
    """The whole answer; values are JSON types only."""
    report = found.statements.report
    return {
        "schema": SCHEMA,
        "path": str(report.path),
        "sha256": report.sha256,
        "rule": found.rule.name,
        "title": found.rule.title,
        "note": found.rule.note,
        "disclaimer": NOT_ADVICE,
        "verdict": report.verdict.name,
        "all_met": found.all_met,
        "requirements": [
            {
                "id": f.requirement.id,
                "source": f.requirement.source,
                "text": f.requirement.text,
                "status": f.answer.status.value,
                "evidence": f.answer.evidence,
                "hint": f.answer.hint,
            }
            for f in found.findings
        ],
    }
