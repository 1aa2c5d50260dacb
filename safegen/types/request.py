"""A request and what the policy says about it."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, TypeAlias

from safegen.types.action import Action, PromptAction

Json: TypeAlias = dict[str, Any]
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


@dataclass(frozen=True)
class CheckRun:
    """A check that really ran, as recorded in manifests and the ledger.

    ``digest`` is the SHA-256 (hex) of the model or list it used, when it has one.
    """

    name: str
    version: str
    digest: str | None = None
    score: float | None = None


@dataclass(frozen=True)
class PolicyRef:
    """Which policy decided: its name and the SHA-256 (hex) of its resolved content."""

    name: str
    digest: str


@dataclass(frozen=True)
class Decision:
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
    def outcome(self) -> PromptAction:
        """The action this decision stands for."""
        raise TypeError("use Allowed, Held or Refused")


@dataclass(frozen=True)
class Allowed(Decision):
    """May be generated."""

    @property
    def outcome(self) -> PromptAction:
        """``allow``."""
        return Action.ALLOW


@dataclass(frozen=True)
class Held(Decision):
    """Waits for a person (exit 7)."""

    @property
    def outcome(self) -> PromptAction:
        """``review``."""
        return Action.REVIEW


@dataclass(frozen=True)
class Refused(Decision):
    """Will not be generated (exit 3)."""

    @property
    def outcome(self) -> PromptAction:
        """``block``."""
        return Action.BLOCK


DECISIONS: Mapping[Action, type[Allowed] | type[Held] | type[Refused]] = {
    Action.ALLOW: Allowed,
    Action.REVIEW: Held,
    Action.BLOCK: Refused,
}
"""The decision that each action on a prompt makes."""
