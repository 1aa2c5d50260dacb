"""What is compared: each system gives a prompt a score in [0, 1] and says whether it would pass."""

from __future__ import annotations

from collections.abc import Callable
from importlib.util import find_spec
from typing import TypeAlias

from safegen import policies
from safegen.detectors.prompt.rules import Rules
from safegen.policies.engine import decide
from safegen.screening import screen
from safegen.types import Request

System: TypeAlias = Callable[[str], tuple[float, bool]]
"""Prompt -> (score, flagged). Flagged means anything but allowed."""


def keyword_list() -> System:
    """The rule lists alone."""
    policy, rules = policies.load("default"), Rules()

    def run(text: str) -> tuple[float, bool]:
        findings, check = rules.run(text)
        decision = decide(Request(text), policy=policy, findings=findings, checks=[check])
        return decision.score, decision.outcome != "allow"

    return run


def embedded(name: str = "default") -> System:
    """Rules and embedded classifier under policy *name*; languages aside, so that only content counts."""
    policy = policies.load(name)

    def run(text: str) -> tuple[float, bool]:
        decision = screen(Request(text[: policy.max_prompt_chars]), policy=policy)
        content = [f for f in decision.findings if f.category != "language"]
        return decision.score, bool(content)

    return run


def better_profanity() -> System:
    """The word list of the ``better-profanity`` package."""
    from better_profanity import profanity  # type: ignore[import-not-found,unused-ignore]

    profanity.load_censor_words()

    def run(text: str) -> tuple[float, bool]:
        bad = bool(profanity.contains_profanity(text))
        return float(bad), bad

    return run


def available() -> dict[str, System]:
    """Every system that is installed here, by name."""
    out: dict[str, System] = {"keyword list": keyword_list(), "embedded": embedded()}
    if find_spec("better_profanity"):
        out["better-profanity"] = better_profanity()
    return out
