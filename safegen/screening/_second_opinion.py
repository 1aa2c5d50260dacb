"""The second opinion: a policy's guard, asked about requests in batches."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import replace

from safegen.detectors.prompt import encoder, guards
from safegen.errors import CheckUnavailable, SafegenError
from safegen.policies.schema import Guard, Policy
from safegen.types import Action, CheckRun, Finding, Request


def guard_opinions(
    guard: Guard, requests: Sequence[Request]
) -> Iterator[tuple[list[Finding], list[CheckRun]]]:
    """What *guard* says about each of *requests*, in order; a storyboard's shots are asked about one by one.

    Raises CheckUnavailable when the guard is not there, fails, or is not done in time.
    """
    if not requests:
        return
    texts = [list(dict.fromkeys([r.prompt, *(s.prompt for s in r.shots)])) for r in requests]
    flat = [t for each in texts for t in each]
    try:
        asked = guards.load(guard.model, guard.family, guard.revision)
        said = []
        for start in range(0, len(flat), guard.batch):
            said += asked.run(flat[start : start + guard.batch], timeout=guard.timeout)
    except SafegenError:
        raise
    except Exception as error:
        raise CheckUnavailable(
            f"the guard failed: {type(error).__name__}", hint="nothing was let through; report this"
        ) from error
    left = iter(said)
    for each in texts:
        answers = [next(left) for _ in each]
        found = [f for findings, _ in answers for f in findings]
        run = answers[0][1]
        yield found, [replace(run, score=max(r.score or 0.0 for _, r in answers))]


def drop_cleared(
    findings: Sequence[Finding],
    opinion: tuple[list[Finding], list[CheckRun]],
    policy: Policy,
    rating: Collection[str],
) -> list[Finding]:
    """*findings* without those that the guard clears, if it is sure: opinions on the whole prompt, in the
    review band. They are those of the *rating* detectors (the classifier) and the encoder's.

    What a rule list found stays, and so does what would be refused.
    """
    limit = policy.guard.clears if policy.guard is not None else None
    worst = max((f.score for f in opinion[0]), default=1.0)
    if limit is None or worst >= limit:
        return list(findings)
    return [
        f
        for f in findings
        if f.detector not in {*rating, encoder.NAME}
        or policy.rule(f.category).action(f.score) != Action.REVIEW
    ]
