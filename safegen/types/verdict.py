"""The verdict of ``verify``, and the report it stands in."""

from __future__ import annotations

import enum
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, TypeAlias

from safegen.types.evidence import ContentMatch, CredentialsEvidence, LedgerEvidence
from safegen.types.serial import Json, JsonResult
from safegen.types.watermark import WatermarkReading

REPORT_SCHEMA = "safegen.verify/1"
"""Described in docs/verify.md."""


class Verdict(enum.Enum):
    """The one answer of ``verify``; the value is its exit code."""

    VERIFIED = 0
    VERIFIED_REPACKED = 10
    SIGNED_UNTRUSTED = 11
    SIGNED_UNLOGGED = 12
    EXPIRED_BUT_LOGGED = 13
    WITHDRAWN = 14
    RECOVERED = 20
    MARKED_UNRESOLVED = 21
    CREDENTIALS_UNREADABLE = 22
    TAMPERED = 30
    CONFLICT = 31
    NO_PROVENANCE = 40

    @property
    def exit_code(self) -> int:
        """The process exit code of ``safegen verify`` for this verdict."""
        return self.value


@dataclass(frozen=True)
class NotChecked(JsonResult):
    """A layer that was not examined, and why."""

    layer: str
    reason: str

    def to_dict(self) -> Json:
        """As in ``safegen.verify/1``."""
        return {"layer": self.layer, "reason": self.reason}


@dataclass(frozen=True)
class TextBeside(JsonResult):
    """A text track (``captions``, ``descriptions``, ``chapters``, ``transcript``) that the credentials name.

    ``state``: what was found beside the file under ``name``.
    """

    kind: str
    name: str
    state: Literal["as released", "changed", "absent", "unreadable"]

    def to_dict(self) -> Json:
        """As in ``safegen.verify/1``."""
        return {"kind": self.kind, "name": self.name, "state": self.state}


OriginKind: TypeAlias = Literal["generated", "partly generated", "edited", "captured", "created", "unknown"]
"""What a file is, as far as reliable credentials or records state it."""


@dataclass(frozen=True)
class Origin(JsonResult):
    """What a file is, by whom, how sure: the first line of a report.

    ``statement`` says what it is, ``by`` who says so (None: nobody), ``certainty`` what that is worth.
    """

    kind: OriginKind
    statement: str
    by: str | None
    certainty: str

    @property
    def sentence(self) -> str:
        """All three as one line."""
        if self.by is None:
            return f"{self.statement}: {self.certainty}."
        if self.kind == "unknown":
            return f"Signed by {self.by}; {self.statement[:1].lower()}{self.statement[1:]}: {self.certainty}."
        return f"{self.statement}, as {self.by} states: {self.certainty}."

    def to_dict(self) -> Json:
        """As in ``safegen.verify/1``."""
        return {
            "kind": self.kind,
            "statement": self.statement,
            "by": self.by,
            "certainty": self.certainty,
            "sentence": self.sentence,
        }


NO_ORIGIN = Origin("unknown", "How it was made is unknown", None, "nothing was found that says so")


@dataclass(frozen=True)
class Report(JsonResult):
    """Everything ``verify`` found out about one file."""

    path: Path
    sha256: str
    verdict: Verdict
    summary: str
    reasons: tuple[str, ...]
    credentials: CredentialsEvidence
    watermarks: tuple[WatermarkReading, ...] = ()
    ledger: LedgerEvidence | None = None
    content: ContentMatch | None = None
    recovered_manifest: Json | None = None
    trusted_by: str | None = None
    not_checked: tuple[NotChecked, ...] = ()
    texts: tuple[TextBeside, ...] = ()
    """Text tracks beside the file; they do not change the verdict, which is about the file."""
    origin: Origin = NO_ORIGIN
    noun: str = "file"
    """What the file is, in a word: video, picture, sound, document, file."""

    @property
    def exit_code(self) -> int:
        """The exit code of the verdict."""
        return self.verdict.exit_code

    def __repr__(self) -> str:
        """Verdict and file."""
        return f"<Report {self.verdict.name} {self.path.name}>"

    def to_dict(self) -> Json:
        """The whole report with every layer (``safegen.verify/1``)."""
        return {
            "schema": REPORT_SCHEMA,
            "path": str(self.path),
            "sha256": self.sha256,
            "verdict": self.verdict.name,
            "exit_code": self.exit_code,
            "origin": self.origin.to_dict(),
            "media": self.noun,
            "summary": self.summary,
            "reasons": list(self.reasons),
            "trusted_by": self.trusted_by,
            "credentials": self.credentials.to_dict(),
            "watermarks": [w.to_dict() for w in self.watermarks],
            "content": None if self.content is None else self.content.to_dict(),
            "ledger": None if self.ledger is None else self.ledger.to_dict(),
            "recovered_manifest": self.recovered_manifest,
            "texts": [t.to_dict() for t in self.texts],
            "not_checked": [n.to_dict() for n in self.not_checked],
        }
