"""The verdict of ``verify``, and the report it stands in."""

from __future__ import annotations

import enum
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from safegen.types.evidence import ContentMatch, CredentialsEvidence, LedgerEvidence, WatermarkReading
from safegen.types.request import Json


class Verdict(enum.Enum):
    """The one answer of ``verify``; the value is its exit code."""

    VERIFIED = 0
    VERIFIED_REPACKED = 10
    SIGNED_UNTRUSTED = 11
    SIGNED_UNLOGGED = 12
    EXPIRED_BUT_LOGGED = 13
    RECOVERED = 20
    MARKED_UNRESOLVED = 21
    TAMPERED = 30
    CONFLICT = 31
    NO_PROVENANCE = 40

    @property
    def exit_code(self) -> int:
        """The process exit code of ``safegen verify`` for this verdict."""
        return self.value


@dataclass(frozen=True)
class NotChecked:
    """A layer that was not examined, and why."""

    layer: str
    reason: str


@dataclass(frozen=True)
class TextBeside:
    """A text track (``captions``, ``descriptions``, ``chapters``, ``transcript``) that the credentials name.

    ``state``: what was found beside the file under ``name``.
    """

    kind: str
    name: str
    state: Literal["as released", "changed", "absent", "unreadable"]


@dataclass(frozen=True)
class Report:
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

    @property
    def exit_code(self) -> int:
        """The exit code of the verdict."""
        return self.verdict.exit_code
