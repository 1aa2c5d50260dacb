"""Rules as data: requirements, each with its source and a pure check of the evidence."""

from __future__ import annotations

import enum
from collections.abc import Callable
from dataclasses import dataclass

from safegen.compliance.statements import Statements

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
class Answer:
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
    check: Callable[[Statements], Answer]


@dataclass(frozen=True)
class Rule:
    """A rule by its name on the command line. ``note`` is what a reader should also know."""

    name: str
    title: str
    note: str
    requirements: tuple[Requirement, ...]


@dataclass(frozen=True)
class Finding:
    """A requirement and the answer for one file."""

    requirement: Requirement
    answer: Answer


@dataclass(frozen=True)
class Compliance:
    """Every finding for one file under one rule."""

    rule: Rule
    statements: Statements
    findings: tuple[Finding, ...]

    @property
    def all_met(self) -> bool:
        """Whether nothing that a file can show is missing."""
        return not any(f.answer.status is Status.NOT_MET for f in self.findings)


def met(evidence: str) -> Answer:
    """The file shows it."""
    return Answer(Status.MET, evidence)


def missing(evidence: str, hint: str = "") -> Answer:
    """The file does not show it."""
    return Answer(Status.NOT_MET, evidence, hint)


def outside(evidence: str) -> Answer:
    """No file can show it."""
    return Answer(Status.OUTSIDE, evidence)
