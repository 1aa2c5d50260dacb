"""Prompts that name somebody: they need live consent to pass; with it, a name alone is no reason to hold."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from safegen.consent.records import STATE_PHRASES, Consent, Scope
from safegen.detectors.prompt.views import views
from safegen.screening import rating_detectors
from safegen.types import DECISIONS, Action, Allowed, CheckRun, Finding, Held, PromptAction, Refused

if TYPE_CHECKING:
    from safegen.policies.schema import Policy

NAME, VERSION = "consent", "1"
LIKENESS, PRIVACY = "deepfake_public_figure", "privacy"
_MAX_FINDINGS = 20
"""The engine keeps at most so many findings; where there are as many, some may be missing."""


def fold_name(text: str) -> str:
    """*text* in small letters, words apart by one space, one around it all: for looking up names."""
    words = "".join(c if c.isalnum() else " " for c in text.casefold()).split()
    return f" {' '.join(words)} "


def find_named_subjects(text: str, consents: Sequence[Consent]) -> dict[str, list[Consent]]:
    """Subjects (folded names) of *consents* that *text* names, also in disguise, with their consents."""
    folded_views = [fold_name(view.text) for view in views(text)] + [fold_name(text)]
    out: dict[str, list[Consent]] = {}
    for consent in consents:
        if any(_fold_normalised(name) in view for name in consent.names for view in folded_views):
            out.setdefault(fold_name(consent.subject), []).append(consent)
    return out


def _fold_normalised(name: str) -> str:
    """A name as the normaliser leaves it."""
    from safegen.detectors.prompt.normalise import plain_view

    return fold_name(plain_view(name).text)


def apply_consent(
    decision: Allowed | Held | Refused,
    policy: Policy,
    consents: Sequence[Consent],
    *,
    scope: Scope = "likeness",
) -> Allowed | Held | Refused:
    """*decision* (about the prompt) after a look at who is named in it.

    A subject without live consent for *scope*: refused. With one: the finding that a real person is named
    goes, unless the context makes it worse (it reaches the policy's ``block``). A minor's consent lifts
    nothing, and a prompt about a minor that is held for any reason is refused.
    """
    if not consents:
        return decision
    named_subjects = find_named_subjects(decision.request.prompt, consents)
    checks = (*decision.checks, CheckRun(NAME, VERSION, score=float(bool(named_subjects))))
    if not named_subjects:
        return replace(decision, checks=checks)
    missing = [
        _missing_consent(group, scope)
        for group in named_subjects.values()
        if not any(c.covers(scope) for c in group)
    ]
    minors = any(c.minor for group in named_subjects.values() for c in group)
    kept = list(decision.findings)
    if not minors and not missing and len(kept) < _MAX_FINDINGS:
        names = {
            _fold_normalised(n)
            for group in named_subjects.values()
            for c in group
            if c.covers(scope)
            for n in c.names
        }
        kept = _drop_lifted(kept, names, policy, rating_detectors(policy))
    worst = decision.outcome if len(kept) == len(decision.findings) else _outcome(kept, policy)
    if minors and worst != Action.ALLOW:
        missing.append(
            Finding(
                "likeness_consent", 1.0, NAME, "it is about a minor and was held for another reason as well"
            )
        )
    if missing:
        worst = Action.BLOCK
    changed = worst != decision.outcome
    return DECISIONS[worst](
        request=decision.request,
        policy=decision.policy,
        checks=checks,
        findings=tuple(sorted([*missing, *kept], key=lambda f: -f.score)),
        score=1.0 if missing else (max((f.score for f in kept), default=0.0) if changed else decision.score),
        categories=decision.categories,
        language=decision.language,
    )


def _missing_consent(group: Sequence[Consent], scope: Scope) -> Finding:
    """Why nobody of *group* (the consents of one subject, newest first) covers *scope*."""
    latest = group[0]
    why = f"covers {', '.join(latest.scope)} only" if latest.live else STATE_PHRASES[latest.state]
    subject = latest.subject or "a subject"
    reason = f"{subject} is named, and the consent (entry {latest.index}) {why}"
    return Finding("likeness_consent", 1.0, NAME, reason, threshold=1.0)


def _drop_lifted(
    findings: Sequence[Finding], names: set[str], policy: Policy, rating: Collection[str]
) -> list[Finding]:
    """*findings* without those that say no more than that these people are named.

    Where a list names anybody else, none goes: a detector that rates the prompt as a whole (one of *rating*)
    cannot say whom it means.
    """
    kept = [f for f in findings if not _is_lifted(f, names, policy, rating)]
    return list(findings) if any(f.category == LIKENESS and f.text for f in kept) else kept


def _is_lifted(finding: Finding, names: set[str], policy: Policy, rating: Collection[str]) -> bool:
    """Whether *finding* says no more than that a person who agreed is named."""
    if (
        finding.category not in {LIKENESS, PRIVACY}
        or policy.rule(finding.category).action(finding.score) == Action.BLOCK
    ):
        return False
    if finding.detector in rating:  # it rates the whole prompt: there is a person in it
        return True
    matched = _fold_normalised(finding.text)
    return bool(matched.strip()) and any(matched in name or name in matched for name in names)


def _outcome(findings: Sequence[Finding], policy: Policy) -> PromptAction:
    """What the policy says about *findings*; an unknown category keeps a hold."""
    worst: PromptAction = Action.ALLOW
    for finding in findings:
        if finding.category == "language":
            action: PromptAction = policy.languages.unsupported
        elif finding.category in policy.categories:
            action = policy.rule(finding.category).action(finding.score)
        else:
            action = Action.REVIEW
        worst = max(worst, action)
    return worst
