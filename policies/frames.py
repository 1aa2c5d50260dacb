"""What a policy says about the pictures of a clip: which checks look, and what their findings lead to."""

from __future__ import annotations

from typing import Annotated, TypeAlias

from pydantic import BaseModel, ConfigDict, Field, model_validator

from safegen.types import Action

HIDING_ACTIONS: frozenset[Action] = frozenset({Action.PIXELATE, Action.BLUR})
_Threshold: TypeAlias = Annotated[float, Field(gt=0.0, le=1.0)]
_STRICT = ConfigDict(extra="forbid", frozen=True, strict=False)


class FrameRule(BaseModel):
    """From which score on a finding has which consequence; the strictest that is reached counts.

    ``pixelate`` and ``blur`` hide what was found: for faces.
    """

    model_config = _STRICT
    pixelate: _Threshold | None = None
    blur: _Threshold | None = None
    review: _Threshold | None = None
    block: _Threshold | None = None

    @model_validator(mode="after")
    def _ordered(self) -> FrameRule:
        limits = [t for t in (self.pixelate, self.blur, self.review, self.block) if t is not None]
        if limits != sorted(limits):
            raise ValueError("a milder action must not need a higher score than a stricter one")
        return self

    @property
    def thresholds(self) -> dict[Action, float | None]:
        """The score from which each action follows; ``None``: never."""
        return {
            Action.PIXELATE: self.pixelate,
            Action.BLUR: self.blur,
            Action.REVIEW: self.review,
            Action.BLOCK: self.block,
        }

    def action(self, score: float) -> Action:
        """What *score* in [0, 1] leads to."""
        reached = (a for a, limit in self.thresholds.items() if limit is not None and score >= limit)
        return max(reached, default=Action.ALLOW)

    def threshold(self, action: Action) -> float | None:
        """The score from which *action* follows."""
        return self.thresholds.get(action)


CONTENT: dict[str, str] = {
    "nudity": "nudity",
    "violence": "violence",
    "dangerous": "dangerous content",
}
"""What a picture may show that most people ask about, with words for a person."""
_CONTENT = FrameRule(review=0.5, block=0.85)
_NEVER_RELEASED = FrameRule(block=0.5)
RULES: dict[str, FrameRule] = {
    "blank_output": _NEVER_RELEASED,
    "black_output": _NEVER_RELEASED,
    "frozen_output": _NEVER_RELEASED,
    "flash_general": _NEVER_RELEASED,
    "flash_red": _NEVER_RELEASED,
    **dict.fromkeys(CONTENT, _CONTENT),
    "known_content": FrameRule(block=0.5),
    "undecodable": FrameRule(review=0.5),
    "face": FrameRule(),
}
"""Rules of the categories that frame checks report, where a policy has none of its own."""


class Frames(BaseModel):
    """Frame detectors by plug-in name, and rules by the category of their findings.

    ``required`` ones must run, or nothing passes. ``optional`` ones run where they are installed; the record
    names those that were not there. A check that is there and fails stops everything, required or not.
    ``look_for``: categories of findings that one of those that ran must have looked for, or nothing passes.
    """

    model_config = _STRICT
    required: tuple[str, ...] = ("blank",)
    optional: tuple[str, ...] = ()
    rules: dict[str, FrameRule] = {}
    look_for: tuple[str, ...] = ()

    @model_validator(mode="after")
    def _faces_only(self) -> Frames:
        for category, rule in self.rules.items():
            if category != "face" and (rule.pixelate is not None or rule.blur is not None):
                raise ValueError(f"only faces can be pixelated or blurred, not {category!r}")
        return self

    @model_validator(mode="after")
    def _known_categories(self) -> Frames:
        known = {**RULES, **self.rules}
        for category in self.look_for:
            if category not in known:
                raise ValueError(f"unknown category {category!r} in look_for; known: {', '.join(known)}")
        return self
