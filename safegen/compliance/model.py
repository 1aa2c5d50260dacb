"""Rules as data: requirements, each with its source and a pure check of the evidence."""

from __future__ import annotations

import enum
from collections.abc import Callable
from dataclasses import dataclass

from safegen.compliance.statements import Statements
from safegen.types import Json, JsonResult

SCHEMA = "safegen.comply/1"
"""Described in docs/comply.md."""

NOT_ADVICE = (
    "This is not legal advice. It reports what this file shows, not whether a law applies to you or "
    "is complied with."
)


class Status(enum.Enum):
    """What the file shows about one requirement."""

    MET = "met"
    NOT_MET = "not_met"
    OUTSIDE = "outside"
    """A file cannot show it either way, so it does not count."""


@dataclass(frozen=True)
class CheckResult:
    """A status, the evidence behind it, and what would help where it is not met."""

    status: Status
    evidence: str
    hint: str = ""


@dataclass(frozen=True)
class Requirement:
    """``source`` names article, section or code; ``text`` says in plain words what it asks for."""

    id: str
    source: str
    text: str
    check: Callable[[Statements], CheckResult]


@dataclass(frozen=True)
class Rule:
    """A rule by its name on the command line. ``note`` is what a reader should also know."""

    name: str
    title: str
    note: str
    requirements: tuple[Requirement, ...]


@dataclass(frozen=True)
class RequirementFinding:
    """A requirement and the answer for one file."""

    requirement: Requirement
    answer: CheckResult


@dataclass(frozen=True)
class ComplianceReport(JsonResult):
    """Every finding for one file under one rule."""

    rule: Rule
    statements: Statements
    findings: tuple[RequirementFinding, ...]

    @property
    def all_met(self) -> bool:
        """Whether nothing that a file can show is missing."""
        return not any(f.answer.status is Status.NOT_MET for f in self.findings)

    def __repr__(self) -> str:
        """The rule, the answer and the file."""
        answer = "all met" if self.all_met else "not met"
        return f"<ComplianceReport {self.rule.name}: {answer}, {self.statements.report.path.name}>"

    def to_dict(self) -> Json:
        """The whole answer (``safegen.comply/1``)."""
        report = self.statements.report
        return {
            "schema": SCHEMA,
            "path": str(report.path),
            "sha256": report.sha256,
            "rule": self.rule.name,
            "title": self.rule.title,
            "note": self.rule.note,
            "disclaimer": NOT_ADVICE,
            "verdict": report.verdict.name,
            "all_met": self.all_met,
            "requirements": [
                {
                    "id": f.requirement.id,
                    "source": f.requirement.source,
                    "text": f.requirement.text,
                    "status": f.answer.status.value,
                    "evidence": f.answer.evidence,
                    "hint": f.answer.hint,
                }
                for f in self.findings
            ],
        }


def met(evidence: str) -> CheckResult:
    """The file shows it."""
    return CheckResult(Status.MET, evidence)


def missing(evidence: str, hint: str = "") -> CheckResult:
    """The file does not show it."""
    return CheckResult(Status.NOT_MET, evidence, hint)


def outside(evidence: str) -> CheckResult:
    """No file can show it."""
    return CheckResult(Status.OUTSIDE, evidence)
