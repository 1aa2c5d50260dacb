"""Decide about requests: look, ask the guard where the policy wants it, let the policy decide."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import TypeAlias

from safegen import policies
from safegen.errors import UsageError
from safegen.policies.engine import decide
from safegen.policies.schema import Policy
from safegen.screening._checks import CheckedRequest, rating_detectors, run_checks
from safegen.screening._second_opinion import drop_cleared, guard_opinions
from safegen.types import Allowed, CheckRun, Finding, Held, PolicyRef, Refused, Request

ScreeningDecision: TypeAlias = Allowed | Held | Refused
Opinion: TypeAlias = tuple[list[Finding], list[CheckRun]]


def screen(request: Request, *, policy: Policy | None = None) -> ScreeningDecision:
    """Decide about *request* under *policy* (default: the one it names).

    Returns Allowed, Held or Refused with findings strongest first, whose spans point into ``request.prompt``
    (findings about the negative prompt have none). Deterministic. Raises UsageError for a prompt that is
    empty, not text or too long, and for an unknown policy; CheckUnavailable when a required check cannot run.
    """
    [verdict] = screen_requests([request], policy if policy is not None else policies.load(request.policy))
    if isinstance(verdict, UsageError):
        raise verdict
    return verdict


def screen_requests(requests: Sequence[Request], policy: Policy) -> list[ScreeningDecision | UsageError]:
    """Decide about all *requests* at once, in order, so that a guard sees them in batches.

    A request that cannot be screened (empty, not text, too long) has its UsageError in its place. Raises
    CheckUnavailable when a check cannot run: that concerns all of them.
    """
    seen = run_checks(requests, policy)
    first = [s if isinstance(s, UsageError) else _decide(s, policy) for s in seen]
    if policy.guard is None:
        return first
    asks = [
        i for i, verdict in enumerate(first)
        if not isinstance(verdict, UsageError) and (policy.guard.when == "all" or isinstance(verdict, Held))
    ]  # fmt: skip
    for i, opinion in zip(asks, guard_opinions(policy.guard, [requests[i] for i in asks]), strict=True):
        looked = seen[i]
        assert isinstance(looked, CheckedRequest)
        first[i] = _decide(looked, policy, opinion)
    return first


def _decide(seen: CheckedRequest, policy: Policy, opinion: Opinion | None = None) -> ScreeningDecision:
    """The policy's decision, with the guard's *opinion* if there is one."""
    findings, checks = seen.findings, seen.checks
    rating = rating_detectors(policy)
    if opinion is not None and policy.guard is not None:
        findings = [*drop_cleared(findings, opinion, policy, rating), *opinion[0]]
        checks = [*checks, *opinion[1]]
    return decide(
        seen.request,
        policy=policy,
        findings=findings,
        checks=checks,
        language=seen.language,
        language_reason=seen.unsupported,
        ref=_policy_ref(_PolicyIdentity(policy)),
        rated=bool(rating),
    )


class _PolicyIdentity:
    """A policy as a key by identity: policies are frozen, and their digest takes longer than a decision."""

    def __init__(self, policy: Policy) -> None:
        self.policy = policy

    def __hash__(self) -> int:
        return id(self.policy)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _PolicyIdentity) and other.policy is self.policy


@lru_cache(maxsize=16)
def _policy_ref(key: _PolicyIdentity) -> PolicyRef:
    """Name and digest of a policy."""
    return PolicyRef(key.policy.name, key.policy.digest)
