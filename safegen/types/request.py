"""A request and what the policy says about it."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, TypeAlias

from safegen._text import to_json
from safegen.types.action import Action
from safegen.types.serial import Json, JsonResult

DECISION_SCHEMA = "safegen.screen/1"
"""Described in docs/screening.md."""
PathLike: TypeAlias = str | os.PathLike[str]
"""A path as users write it."""
Span: TypeAlias = tuple[int, int]
"""Half-open character range ``[start, end)`` in the user's own text."""


Mode: TypeAlias = Literal["text", "image", "edit", "extend", "extend_back", "loop", "blend", "storyboard"]
"""How a clip comes about: from words; from a first (and last) picture; a clip made anew with ``strength``;
what comes after a clip, or before it; a clip that ends where it begins; a passage from one clip to another;
several prompts on one time line."""

Role: TypeAlias = Literal["first_frame", "last_frame", "video", "next_video"]
"""What an input is for: pictures to begin or end with, the clip to work on, the clip to blend into."""


@dataclass(frozen=True)
class Input:
    """A picture or video that a request builds on. ``sha256`` (hex) is filled in when it is admitted."""

    role: Role
    path: Path
    sha256: str = ""


@dataclass(frozen=True)
class Shot:
    """One prompt of a storyboard, from ``at`` (seconds from the start) on."""

    at: float
    prompt: str


@dataclass(frozen=True)
class Request:
    """A request for a clip.

    ``width``, ``height`` (pixels), ``seconds`` and ``fps`` describe the *released* clip; ``None``
    leaves the choice to the generator. ``options`` holds generator-specific settings by name.
    ``strength`` in (0, 1] says how far an edit may leave its input. A storyboard's ``prompt`` is all its
    ``shots``' prompts, one a line, so that whatever reads the prompt reads all of them.
    """

    prompt: str
    negative_prompt: str = ""
    model: str = "tiny"
    policy: str = "default"
    seed: int = 0
    width: int | None = None
    height: int | None = None
    seconds: float | None = None
    fps: int | None = None
    steps: int | None = None
    guidance: float | None = None
    options: Mapping[str, Any] = field(default_factory=dict)
    mode: Mode = "text"
    inputs: tuple[Input, ...] = ()
    shots: tuple[Shot, ...] = ()
    strength: float | None = None

    def __repr__(self) -> str:
        """Way, model and seed; never the prompt."""
        return f"<Request {self.mode}, model {self.model}, seed {self.seed}>"


@dataclass(frozen=True)
class Finding:
    """Something a detector saw. ``score`` in [0, 1]; ``span`` points into the user's own text."""

    category: str
    score: float
    detector: str
    reason: str
    span: Span | None = None
    text: str = ""
    threshold: float | None = None
    time: float | None = None
    """Seconds from the start, for findings about frames."""

    def __repr__(self) -> str:
        """Category, score and detector; the reason and the text may repeat the prompt."""
        return f"<Finding {self.category} {self.score:.2f} by {self.detector}>"


@dataclass(frozen=True)
class CheckRun(JsonResult):
    """A check that really ran, as recorded in manifests and the ledger.

    ``digest`` is the SHA-256 (hex) of the model or list it used, when it has one. ``looked_for``: the
    categories that it would have reported, where it says so; these are not recorded.
    """

    name: str
    version: str
    digest: str | None = None
    score: float | None = None
    looked_for: tuple[str, ...] = ()

    def to_dict(self) -> Json:
        """As in a release and a decision: what it does not have is left out."""
        shown = {"name": self.name, "version": self.version, "digest": self.digest, "score": self.score}
        return {key: value for key, value in shown.items() if value is not None}


@dataclass(frozen=True)
class PolicyRef:
    """Which policy decided: its name and the SHA-256 (hex) of its resolved content."""

    name: str
    digest: str


@dataclass(frozen=True)
class Decision(JsonResult):
    """What the policy said about a request. Use the three subclasses."""

    request: Request
    policy: PolicyRef
    checks: tuple[CheckRun, ...]
    findings: tuple[Finding, ...] = ()
    score: float = 0.0
    """Overall probability in [0, 1] that the policy would not allow the request."""
    categories: Mapping[str, float] = field(default_factory=dict)
    language: str = "en"

    @property
    def outcome(self) -> Action:
        """The action this decision stands for."""
        raise TypeError("use Allowed, Held or Refused")

    def __repr__(self) -> str:
        """Policy, score and what was found; never the prompt."""
        found = ", ".join(dict.fromkeys(f.category for f in self.findings))
        return (
            f"<{type(self).__name__} by {self.policy.name}, score {self.score:.2f}{found and f' ({found})'}>"
        )

    def to_json(self, indent: int | None = 2, *, private: bool = False) -> str:
        """``to_dict`` as text."""
        return to_json(self.to_dict(private=private), indent=indent)

    def to_dict(self, *, private: bool = False) -> Json:
        """``safegen.screen/1``. Spans are character offsets into the prompt as it was given.

        *private* leaves out what could repeat words of the prompt: the findings' reasons.
        """
        return {
            "schema": DECISION_SCHEMA,
            "verdict": str(self.outcome),
            "score": round(self.score, 6),
            "categories": {k: round(v, 6) for k, v in self.categories.items()},
            "language": self.language,
            "findings": [
                {
                    "category": f.category,
                    "score": round(f.score, 6),
                    "threshold": f.threshold,
                    "detector": f.detector,
                    **({} if private else {"reason": f.reason}),
                    "span": list(f.span) if f.span else None,
                }
                for f in self.findings
            ],
            "policy": {"name": self.policy.name, "sha256": self.policy.digest},
            "checks": [c.to_dict() for c in self.checks],
        }


@dataclass(frozen=True, repr=False)
class Allowed(Decision):
    """May be generated."""

    @property
    def outcome(self) -> Action:
        """``allow``."""
        return Action.ALLOW


@dataclass(frozen=True, repr=False)
class Held(Decision):
    """Waits for a person (exit 7)."""

    @property
    def outcome(self) -> Action:
        """``review``."""
        return Action.REVIEW


@dataclass(frozen=True, repr=False)
class Refused(Decision):
    """Will not be generated (exit 3)."""

    @property
    def outcome(self) -> Action:
        """``block``."""
        return Action.BLOCK


DECISIONS: Mapping[Action, type[Allowed] | type[Held] | type[Refused]] = {
    Action.ALLOW: Allowed,
    Action.REVIEW: Held,
    Action.BLOCK: Refused,
}
"""The decision that each action on a prompt makes."""
