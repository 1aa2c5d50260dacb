"""What the commands do: run, judge, write the report files, record in the ledger."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from safegen._text import to_json as json_text
from safegen._util.files import write_durable
from safegen._util.hashing import sha256_of
from safegen.audit import html_report, journal, json_report
from safegen.audit.evaluation import Audit, evaluate_run
from safegen.audit.json_report import Subject
from safegen.audit.schema import Gate
from safegen.audit.suites import LoadedSuite
from safegen.errors import ReleaseFailed, UsageError
from safegen.protocols import NoProgress, Progress
from safegen.types import Json, JsonResult

if TYPE_CHECKING:
    from safegen.ledger.store import Ledger
    from safegen.protocols import Generator

REPORT, FIGURES, LINES = "report.html", "audit.json", "audit.jsonl"


@dataclass(frozen=True)
class AuditResult(JsonResult):
    """An audit with its subject. ``index``: its entry in the ledger; ``made``: clips made now."""

    audit: Audit
    subject: Subject
    folder: Path | None = None
    index: int | None = None
    made: int = 0

    def __repr__(self) -> str:
        """The verdict and the subject."""
        return f"<AuditResult {self.audit.verdict}: {self.subject.title}>"

    def to_dict(self) -> Json:
        """``safegen.audit/1``, with where it is."""
        body = json_report.to_json(self.audit, self.subject)
        where = {"report": str(self.folder / REPORT) if self.folder else None, "ledger_entry": self.index}
        return {**body, **where, "clips_made": self.made}


@dataclass(frozen=True)
class Plan:
    """How to run a suite; see ``run.run``."""

    model: str | None = None
    policy: str = "default"
    seeds: int | None = None
    seed: int = 0
    resume: bool = False


def run_and_report(
    named: LoadedSuite,
    folder: Path,
    plan: Plan = Plan(),
    *,
    when: datetime,
    ledger: Ledger | None = None,
    progress: Progress = NoProgress(),
    generator: Generator | None = None,
) -> AuditResult:
    """Run the suite into *folder*, judge it, write the report there, record it in *ledger*, if there is one.

    Raises what ``run.run`` raises, ReleaseFailed when a file or the ledger cannot be written.
    """
    from safegen.audit.run import run

    made = run(named, folder, **vars(plan), progress=progress, generator=generator)
    progress.stage("judging")
    audit, subject = load_audit(folder)
    index = record_once(ledger, audit, subject) if ledger is not None else None
    write(audit, subject, folder, when=when)
    return AuditResult(audit, subject, folder, index, made)


def load_audit(folder: Path, terms: Callable[[Gate], Gate] = lambda gate: gate) -> tuple[Audit, Subject]:
    """The audit of the run in *folder*, as far as it has got; *terms* may change its gate's.

    Raises UnreadableInput, UsageError.
    """
    head, seen = journal.read(folder)
    audit = evaluate_run(head.named.suite, seen, terms(head.named.suite.gate))
    file = folder / journal.NAME if folder.is_dir() else folder
    suite = head.named.suite
    subject = Subject(
        kind="model",
        title=f"Audit of {head.model.rsplit('/', 1)[-1]}: {suite.name}",
        about=" ".join(suite.about.split()),
        suite=suite.name,
        suite_sha256=head.named.digest,
        policy=str(head.policy.get("name", "")),
        source_sha256=sha256_of(file),
    )
    return audit, subject


def record_once(ledger: Ledger, audit: Audit, subject: Subject) -> int:
    """Record the audit unless exactly these observations are already recorded; returns the entry's index."""
    for entry in ledger.entries("audit", limit=100):
        if entry.public.get("observations_sha256") == subject.source_sha256:
            return entry.index
    return json_report.record_audit(ledger, audit, subject)


def write(audit: Audit, subject: Subject, folder: Path, *, when: datetime) -> None:
    """``report.html``, ``audit.json`` and ``audit.jsonl`` in *folder*. Raises ReleaseFailed."""
    stamp = when.strftime("%Y-%m-%d %H:%M UTC")
    files = {
        REPORT: html_report.render(audit, subject, when=stamp),
        FIGURES: json_text(json_report.to_json(audit, subject), indent=1) + "\n",
        LINES: json_report.to_jsonl(audit),
    }
    write_files(folder, files)


def write_files(folder: Path, files: Mapping[str, str]) -> None:
    """Write *files* into *folder*, each replaced at once. Raises ReleaseFailed."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, content in files.items():
            write_durable(folder / name, content.encode("utf-8", "backslashreplace"), mode=0o666)
    except OSError as error:
        why = f"{folder} cannot be written: {error.strerror}"
        raise ReleaseFailed(why, hint="choose another folder") from error


def targets(suite: LoadedSuite) -> Mapping[str, Mapping[str, float]]:
    """Shares aimed at by attribute, for an audit of what was released."""
    return {name: aim.shares for name, aim in suite.suite.attributes.items()}


def override_gate(
    gate: Gate, *, limit: float | None, effect: float | None, max_unknown: float | None
) -> Gate:
    """*gate* with other terms. Raises UsageError for terms that make no sense."""
    from pydantic import ValidationError

    chosen = {"limit": limit, "effect": effect, "max_unknown": max_unknown}
    try:
        return Gate(**{**gate.model_dump(), **{k: v for k, v in chosen.items() if v is not None}})
    except ValidationError as error:
        message = error.errors()[0]["msg"].removeprefix("Value error, ")
        raise UsageError(f"the gate's terms: {message}", hint="see docs/audit.md") from error
