"""What the checks see in requests: the required detectors, the negative prompt, the language."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import TypeAlias

from safegen import plugins
from safegen.detectors.prompt.language import Language, identify, is_hardly_english
from safegen.detectors.prompt.rules import Rules
from safegen.detectors.prompt.views import views
from safegen.errors import CheckUnavailable, SafegenError, UsageError
from safegen.policies.schema import Policy
from safegen.protocols import EnglishReader, PromptDetector
from safegen.screening._encoder import encoder_findings, pool_opinions
from safegen.types import CheckRun, Finding, Request

CheckResult: TypeAlias = tuple[list[Finding], list[CheckRun]]


@dataclass(frozen=True)
class CheckedRequest:
    """A request and what was found. ``unsupported`` says why nobody could understand it, or is empty."""

    request: Request
    findings: list[Finding]
    checks: list[CheckRun]
    language: str
    unsupported: str


def run_checks(requests: Sequence[Request], policy: Policy) -> list[CheckedRequest | UsageError]:
    """Run every check that *policy* requires on all *requests*, in order.

    A request whose text is empty, not text or too long has its UsageError in its place. Raises
    CheckUnavailable when a check cannot run.
    """
    asked = [_texts_to_check(r, policy) for r in requests]
    texts = list(dict.fromkeys(t for a in asked if not isinstance(a, UsageError) for t in a))
    found = dict(zip(texts, _run(policy, texts), strict=True))
    return [
        a if isinstance(a, UsageError) else _collect_findings(r, policy, found)
        for r, a in zip(requests, asked, strict=True)
    ]


def _texts_to_check(request: Request, policy: Policy) -> list[str] | UsageError:
    """The texts of *request* that every check must see, or what is wrong with one."""
    try:
        _check_text(request.prompt, "prompt", policy.max_prompt_chars, empty=_needs_no_prompt(request))
        if request.negative_prompt:
            _check_text(request.negative_prompt, "negative prompt", policy.max_prompt_chars, empty=True)
    except UsageError as error:
        return error
    texts = [request.prompt, *(shot.prompt for shot in request.shots)]
    if _screens_negative_fully(request.negative_prompt, policy):
        texts.append(request.negative_prompt)
    return texts


def _collect_findings(request: Request, policy: Policy, found: Mapping[str, CheckResult]) -> CheckedRequest:
    """What was *found* in the texts of *request*, together."""
    findings, checks = list(found[request.prompt][0]), list(found[request.prompt][1])
    for shot in request.shots:  # each alone too: between harmless ones a bad one would weigh less
        findings += [replace(f, span=None) for f in found[shot.prompt][0]]
    more, negative_checks = _negative(policy, request.negative_prompt, found)
    language = language_of(request.prompt, policy)
    unsupported = "" if _needs_no_prompt(request) else _unsupported(language, policy)
    return CheckedRequest(
        request, [*findings, *more], [*checks, *negative_checks], language.code, unsupported
    )


def language_of(text: str, policy: Policy) -> Language:
    """The language of *text*; what is hardly English is told by a required detector that knows the words."""
    plain = views(text)[0].text
    found = identify(plain)
    if found.code == "en":
        readers = [d for d in _detectors(policy) if isinstance(d, EnglishReader)]
        if readers and is_hardly_english(plain, readers[0].vocabulary()):
            return Language("und", found.script, "most of the prompt's words are not English")
    return found


def _needs_no_prompt(request: Request) -> bool:
    """Whether the request says nothing in words and need not: a clip says what it is about."""
    from_clip = any(i.role in {"video", "next_video"} for i in request.inputs)
    return from_clip and request.mode != "edit" and not _visible(request.prompt)


def _check_text(text: object, what: str, limit: int, *, empty: bool = False) -> None:
    if not isinstance(text, str):
        raise UsageError(f"the {what} is not text", hint="pass a string")
    if len(text) > limit:
        raise UsageError(
            f"the {what} has {len(text)} characters; the policy accepts {limit}",
            hint="shorten it, or raise `generation: max_prompt_chars:` in your own policy",
        )
    if not _visible(text) and not empty:
        raise UsageError(f"the {what} is empty", hint="describe what the video should show")


def _visible(text: str) -> bool:
    return any(unicodedata.category(c)[0] not in "CZ" for c in text)


def _run(policy: Policy, texts: Sequence[str]) -> list[CheckResult]:
    """Every required check on each of *texts*. Whatever goes wrong in one, nothing passes."""
    if not policy.checks.required:
        raise CheckUnavailable(
            "the policy requires no prompt checks", hint="name at least one under `checks:`"
        )
    out: list[CheckResult] = [([], []) for _ in texts]
    for name in policy.checks.required:
        for (findings, checks), (found, run) in zip(out, _run_detector(name, policy, texts), strict=True):
            findings += found
            checks.append(run)
    if policy.encoder is None:
        return out
    thought = encoder_findings(policy.encoder, texts)
    rating = rating_detectors(policy)
    return [
        (pool_opinions(findings, found, rating), [*checks, run])
        for (findings, checks), (found, run) in zip(out, thought, strict=True)
    ]


def _run_detector(
    name: str, policy: Policy, texts: Sequence[str]
) -> list[tuple[Sequence[Finding], CheckRun]]:
    """What the check *name* finds in each of *texts*."""
    detector = _detector(name, policy.lists)
    try:
        answers = list(detector.run_many(texts))
        if len(answers) != len(texts):
            raise ValueError(f"{len(answers)} answers for {len(texts)} texts")
        return answers
    except SafegenError:
        raise
    except Exception as e:
        raise CheckUnavailable(
            f"the check {name!r} failed: {type(e).__name__}", hint="nothing was let through; report this"
        ) from e


def _detectors(policy: Policy) -> list[PromptDetector]:
    """The detectors that *policy* requires."""
    return [_detector(name, policy.lists) for name in policy.checks.required]


def rating_detectors(policy: Policy) -> frozenset[str]:
    """Names of the required detectors whose findings rate the prompt as a whole. Raises CheckUnavailable."""
    return frozenset(d.name for d in _detectors(policy) if d.rates_whole_prompt)


@lru_cache(maxsize=32)
def _detector(name: str, lists: tuple[str, ...]) -> PromptDetector:
    """The prompt detector *name*, reading *lists*; one that cannot be made cannot run."""
    try:
        return plugins.load_prompt_detector(name).with_lists(lists)
    except CheckUnavailable:
        raise
    except Exception as e:
        raise CheckUnavailable(
            f"the policy requires the check {name!r}, which cannot run here", hint=getattr(e, "hint", "")
        ) from e


def _screens_negative_fully(text: str, policy: Policy) -> bool:
    """Whether the negative prompt *text* is screened like a prompt."""
    return policy.negative_prompt.screen == "full" and bool(text.strip())


def _negative(policy: Policy, text: str, seen: Mapping[str, CheckResult]) -> CheckResult:
    """Findings about the negative prompt, as the policy wants it looked at; without spans.

    Naming blood or nudity as *unwanted* is the safe thing to do, so by default only evasion counts: asking
    for the absence of clothes or censorship.
    """
    if not text.strip():
        return [], []
    found, run = Rules(policy.lists, scope="negative").run(text)
    findings, checks = list(found), [replace(run, name="rules-negative")]
    if _screens_negative_fully(text, policy):
        more, runs = seen[text]
        findings += more
        checks += [replace(r, name=f"{r.name}-negative") for r in runs]
    return [replace(f, span=None, reason=f"negative prompt: {f.reason}") for f in findings], checks


def _unsupported(language: Language, policy: Policy) -> str:
    """Why the checks do not understand the prompt, or empty."""
    if language.code in policy.languages.supported:
        return ""
    known = ", ".join(policy.languages.supported)
    if language.note.startswith("most of"):
        return f"{language.note}, and the checks understand only: {known}"
    if language.code == "und" and language.script == "Common":
        return "the prompt has no letters, so its meaning cannot be checked"
    what = f"{language.script} script" if language.code == "und" else f"language {language.code!r}"
    return f"the prompt's {what} is not supported by the checks (supported: {known})"
