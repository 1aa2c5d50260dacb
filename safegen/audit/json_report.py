"""An audit as JSON (``safegen.audit/1``), as JSON lines (a cell a line), and as an entry of the ledger."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from safegen._text import to_json as json_text
from safegen.audit.evaluation import Audit, Cell
from safegen.types import Json

if TYPE_CHECKING:
    from safegen.ledger.store import Ledger

SCHEMA = "safegen.audit/1"


@dataclass(frozen=True)
class Subject:
    """What was audited: its kind, a title for people, the suite's name and SHA-256, and whose policy."""

    kind: str
    title: str
    about: str = ""
    suite: str = ""
    suite_sha256: str = ""
    policy: str = ""
    source_sha256: str = ""
    """SHA-256 of the observations."""


def to_json(audit: Audit, subject: Subject) -> Json:
    """All figures, rounded to four decimals."""
    return {
        "schema": SCHEMA,
        "subject": {k: v for k, v in vars(subject).items() if v},
        "models": [dict(m) for m in audit.models],
        "gate": {**audit.gate.model_dump(), "verdict": audit.verdict, "exit_code": audit.exit_code},
        "outcomes": {g: dict(c) for g, c in audit.outcomes.items()},
        "cells": [cell_json(c) for c in audit.cells],
        "contrasts": [rounded(vars(b)) for b in audit.contrasts],
        "notes": list(audit.notes),
    }


def cell_json(cell: Cell) -> Json:
    """One cell."""
    body = rounded({k: v for k, v in vars(cell).items() if k != "shares"})
    body["intensity"] = round(cell.intensity, 4)
    body["shares"] = [rounded(vars(s)) for s in cell.shares]
    return body


def to_jsonl(audit: Audit) -> str:
    """A cell a line."""
    return "".join(json_text(cell_json(c)) + "\n" for c in audit.cells)


def record_audit(ledger: Ledger, audit: Audit, subject: Subject) -> int:
    """Enter the audit into the ledger; returns the entry's index.

    Public: suite, model, policy, the hash of the observations, every cell's verdict with its figures as text.
    """
    public: Json = {
        "suite": {"name": subject.suite, "sha256": subject.suite_sha256},
        "policy": subject.policy,
        "models": [dict(m) for m in audit.models],
        "observations_sha256": subject.source_sha256,
        "verdict": audit.verdict,
        "gate": {k: str(v) for k, v in audit.gate.model_dump().items()},
        "outcomes": {g: dict(c) for g, c in audit.outcomes.items()},
        "cells": [_line(c) for c in audit.cells],
    }
    return ledger.append("audit", public)


def _line(cell: Cell) -> Json:
    figures = {k: f"{getattr(cell, k):.4f}" for k in ("tv", "null", "corrected", "low", "high", "bound")}
    body: Json = {"group": cell.group, "attribute": cell.attribute, "n": cell.n, "unknown": cell.unknown}
    body |= {"verdict": cell.verdict, **figures, "n_effective": round(cell.n_effective)}
    shares = {s.name: f"{s.share:.4f}" for s in cell.shares}
    return {**body, "shares": shares}


def rounded(values: Mapping[str, object]) -> Json:
    """Values with floats cut to four decimals."""

    def plain(value: object) -> object:
        if isinstance(value, float):
            return round(float(value), 4)
        return list(map(plain, value)) if isinstance(value, tuple) else value

    return {k: plain(v) for k, v in values.items()}
