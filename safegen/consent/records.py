"""The values of the consent registry."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Literal, TypeAlias

from safegen.types import Json, JsonResult

SCHEMA = "safegen.consent/1"
ConsentState: TypeAlias = Literal["live", "expired", "revoked", "forged", "redacted"]
Scope: TypeAlias = Literal["likeness", "voice", "style"]
SCOPES: tuple[Scope, ...] = ("likeness", "voice", "style")
STATE_PHRASES: dict[ConsentState, str] = {
    "live": "is live",
    "expired": "has expired",
    "revoked": "was revoked",
    "forged": "is not signed by the registrar",
    "redacted": "was redacted",
}


@dataclass(frozen=True)
class Grant:
    """What is to be granted: *subject* agrees to *scope* until *expires*; *evidence* shows that.

    ``references`` are pictures or videos of the subject. A minor's consent is a guardian's.
    """

    subject: str
    evidence: Path
    scope: tuple[Scope, ...] = ("likeness",)
    aliases: tuple[str, ...] = ()
    references: tuple[Path, ...] = ()
    expires: datetime | None = None
    minor: bool = False
    guardian: str = ""


@dataclass(frozen=True)
class Reference:
    """A picture or video of a subject: its name, SHA-256 (hex), and descriptors (base64)."""

    name: str
    sha256: str
    descriptors: str


@dataclass(frozen=True)
class Consent(JsonResult):
    """A grant in the ledger, and its current state. Names and references are gone once redacted."""

    index: int
    time: str
    subject: str
    aliases: tuple[str, ...]
    scope: tuple[str, ...]
    expires: str | None
    minor: bool
    evidence_sha256: str
    references: tuple[Reference, ...]
    state: ConsentState

    @property
    def live(self) -> bool:
        """Whether it counts now."""
        return self.state == "live"

    @property
    def names(self) -> tuple[str, ...]:
        """The subject's name and the others it is known by."""
        return tuple(n for n in (self.subject, *self.aliases) if n)

    def covers(self, scope: Scope) -> bool:
        """Whether it counts now, for *scope*."""
        return self.live and scope in self.scope

    def __repr__(self) -> str:
        """Number, state and scope; names are private."""
        return f"<Consent {self.index} {self.state}: {', '.join(self.scope)}>"

    def to_dict(self) -> Json:
        """``safegen.consent/1``; descriptors stay out."""
        return {
            "schema": SCHEMA,
            "entry": self.index,
            "time": self.time,
            "state": self.state,
            "subject": self.subject,
            "aliases": list(self.aliases),
            "scope": list(self.scope),
            "expires": self.expires,
            "minor": self.minor,
            "evidence_sha256": self.evidence_sha256,
            "references": [{"name": r.name, "sha256": r.sha256} for r in self.references],
        }


@dataclass(frozen=True)
class ConsentCheck(JsonResult):
    """What the registry says about a prompt or a file: the consequence, and why."""

    about: str
    outcome: str
    reasons: tuple[str, ...]
    exit_code: int

    def __repr__(self) -> str:
        """The outcome; what it is about may be a prompt."""
        return f"<ConsentCheck {self.outcome}, {len(self.reasons)} reasons>"

    def to_dict(self) -> Json:
        """``safegen.consent/1``."""
        return {
            "schema": SCHEMA,
            "about": self.about,
            "outcome": self.outcome,
            "reasons": list(self.reasons),
            "exit_code": self.exit_code,
        }


@dataclass(frozen=True)
class Attestation:
    """What an uploader states about a file: which consents cover who is in it, or that it shows no person."""

    index: int
    sha256: str
    consents: tuple[int, ...]
    no_person: bool
    by: str
