"""What a policy says about the pictures of a clip: which checks look, and what their findings lead to."""

from __future__ import annotations

from typing import Annotated, Literal, TypeAlias

from pydantic import BaseModel, ConfigDict, Field, model_validator

FrameAction: TypeAlias = Literal["allow", "pixelate", "blur", "review", "block"]
"""From the mildest to the strictest."""
RANK: dict[FrameAction, int] = {"allow": 0, "pixelate": 1, "blur": 2, "review": 3, "block": 4}
HIDING_ACTIONS: frozenset[FrameAction] = frozenset({"pixelate", "blur"})
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

    def action(self, score: float) -> FrameAction:
        """What *score* in [0, 1] leads to."""
        reached: FrameAction = "allow"
        steps: tuple[tuple[FrameAction, float | None], ...] = (
            ("pixelate", self.pixelate),
            ("blur", self.blur),
            ("review", self.review),
            ("block", self.block),
        )
        for name, threshold in steps:
            if threshold is not None and score >= threshold:
                reached = name
        return reached

    def threshold(self, action: FrameAction) -> float | None:
        """The score from which *action* follows."""
        value: float | None = getattr(self, action, None)
        return value


_CONTENT = FrameRule(review=0.5, block=0.85)
_NEVER_RELEASED = FrameRule(block=0.5)
RULES: dict[str, FrameRule] = {
    "blank_output": _NEVER_RELEASED,
    "black_output": _NEVER_RELEASED,
    "frozen_output": _NEVER_RELEASED,
    "flash_general": _NEVER_RELEASED,
    "flash_red": _NEVER_RELEASED,
    "nudity": _CONTENT,
    "violence": _CONTENT,
    "dangerous": _CONTENT,
    "known_content": FrameRule(block=0.5),
    "undecodable": FrameRule(review=0.5),
    "face": FrameRule(),
}
"""Rules of the categories that frame checks report, where a policy has none of its own."""


class Frames(BaseModel):
    """Frame detectors by plug-in name, and rules by the category of their findings.

    ``required`` ones must run, or nothing passes. ``optional`` ones run where they are installed; the record
    names those that were not there. A check that is there and fails stops everything, required or not.
    """

    model_config = _STRICT
    required: tuple[str, ...] = ("blank",)
    optional: tuple[str, ...] = ()
    rules: dict[str, FrameRule] = {}

    @model_validator(mode="after")
    def _faces_only(self) -> Frames:
        for category, rule in self.rules.items():
            if category != "face" and (rule.pixelate is not None or rule.blur is not None):
                raise ValueError(f"only faces can be pixelated or blurred, not {category!r}")
        return self
