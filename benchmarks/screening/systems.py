"""What is compared: each system gives a prompt a score in [0, 1] and says whether it would pass."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from importlib.util import find_spec
from typing import TypeAlias

from safegen import policies
from safegen.detectors.prompt.guards import family_of
from safegen.detectors.prompt.rules import Rules
from safegen.errors import UsageError
from safegen.policies.engine import decide
from safegen.policies.schema import Encoder, Guard, Policy
from safegen.screening import screen_requests
from safegen.types import Action, Request

System: TypeAlias = Callable[[Sequence[str]], list[tuple[float, bool]]]
"""Prompts -> (score, flagged) of each. Flagged means anything but allowed."""
_TOGETHER = 64


def keyword_list() -> System:
    """The rule lists alone."""
    policy, rules = policies.load("default"), Rules()

    def one(text: str) -> tuple[float, bool]:
        findings, check = rules.run(text)
        decision = decide(Request(text), policy=policy, findings=findings, checks=[check])
        return decision.score, decision.outcome is not Action.ALLOW

    return lambda texts: [one(t) for t in texts]


def embedded(name: str = "default") -> System:
    """Rules and embedded classifier under policy *name*; languages aside, so that only content counts."""
    return _under(policies.load(name))


def with_guard(model: str, *, when: str = "review", name: str = "default") -> System:
    """``embedded`` with the guard *model*, which may also clear what only the classifier holds."""
    guard = Guard.model_validate(
        {
            "model": model,
            "family": family_of(model) or "qwen3guard",
            "when": when,
            "clears": 0.2,
            "timeout": 600,
        }
    )
    return _under(policies.load(name).model_copy(update={"guard": guard}))


def with_encoder(model: str, heads: str | None, *, name: str = "default") -> System:
    """``embedded`` with the sentence encoder *model* (a folder or a downloaded hub id) and its *heads*."""
    return _under(policies.load(name).model_copy(update={"encoder": Encoder(model=model, heads=heads)}))


def _under(policy: Policy) -> System:
    def run(texts: Sequence[str]) -> list[tuple[float, bool]]:
        out: list[tuple[float, bool]] = []
        for start in range(0, len(texts), _TOGETHER):
            part = [Request(t[: policy.max_prompt_chars]) for t in texts[start : start + _TOGETHER]]
            for verdict in screen_requests(part, policy):
                if isinstance(verdict, UsageError):
                    out.append((0.0, False))
                    continue
                content = [f for f in verdict.findings if f.category != "language"]
                out.append((verdict.score, bool(content)))
        return out

    return run


def better_profanity() -> System:
    """The word list of the ``better-profanity`` package (only measured here, never used)."""
    from better_profanity import profanity  # type: ignore[import-not-found,unused-ignore]

    profanity.load_censor_words()

    def run(texts: Sequence[str]) -> list[tuple[float, bool]]:
        found = [bool(profanity.contains_profanity(t)) for t in texts]
        return [(float(bad), bad) for bad in found]

    return run


def available(
    guard: str | None = None, encoder: str | None = None, heads: str | None = None
) -> dict[str, System]:
    """Every system that is installed here, by name; with *guard* or *encoder* those, too."""
    out: dict[str, System] = {"keyword list": keyword_list()}
    if find_spec("better_profanity"):
        out["better-profanity"] = better_profanity()
    out["embedded"] = embedded()
    if encoder is not None:
        out["embedded + encoder"] = with_encoder(encoder, heads)
    if guard is not None:
        out["embedded + guard"] = with_guard(guard)
        out["embedded + guard on all"] = with_guard(guard, when="all")
    return out
