"""Admission of inputs: the pictures and videos that a request builds on.

Each is first copied into the job's own folder, so that what is examined, used and named as an ingredient
is one and the same. Then, for each: its credentials (is it what they say, may it be used), the pictures
(decoded in the sandbox, within limits), and the policy's frame checks. What was found joins the decision
about the request; only where that decision lets it pass is anything generated.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from safegen._util.files import text_name
from safegen._util.hashing import sha256_of
from safegen.consent import image_check
from safegen.moderation.checks import run_check
from safegen.pipeline.input_credentials import CHECK, VERSION, InputCredentials, assess_credentials
from safegen.pipeline.input_media import copy_input, decode_input, has_sound
from safegen.pipeline.stages import IngredientFile
from safegen.protocols import NoProgress, Progress
from safegen.request.validate import check_input_lengths, with_input_digests
from safegen.types import (
    DECISIONS,
    Action,
    Allowed,
    CheckRun,
    Clip,
    Condition,
    Finding,
    Held,
    Input,
    Mode,
    Refused,
)

if TYPE_CHECKING:
    from safegen.consent.records import Consent
    from safegen.credentials.sign import Relationship
    from safegen.ledger.reader import LedgerReader
    from safegen.policies.schema import Policy

_PARENT_MODES: frozenset[Mode] = frozenset({"edit", "extend", "extend_back", "loop"})
"""Ways of working that change one clip (a blend holds two, a picture is only looked at)."""


@dataclass(frozen=True)
class Admitted:
    """The decision with the inputs in it, and the inputs as generator and manifest want them."""

    decision: Allowed | Held | Refused
    conditions: tuple[Condition, ...] = ()
    ingredients: tuple[IngredientFile, ...] = ()
    notes: tuple[str, ...] = ()


@dataclass
class _Assessment:
    """What is known about the inputs so far."""

    findings: list[Finding] = field(default_factory=list)
    checks: list[CheckRun] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    worst: Action = Action.ALLOW

    def add(self, finding: Finding, action: Action) -> None:
        """Count a finding that leads to *action*."""
        if action != Action.ALLOW:
            self.findings.append(finding)
            self.worst = max(self.worst, action)


def admit_inputs(
    decision: Allowed | Held | Refused,
    policy: Policy,
    *,
    temporary: Callable[[str], Path],
    anchors: Sequence[bytes | str],
    ledger: LedgerReader | None,
    consents: Sequence[Consent] = (),
    progress: Progress = NoProgress(),
    tsa_anchors: Sequence[bytes | str] = (),
    crls: Sequence[bytes] = (),
) -> Admitted:
    """Examine the inputs of the request in *decision* and decide again with what was found.

    *temporary* gives a path for a file of that name; *anchors* vouch for signers, *tsa_anchors* for time
    stamps, *crls* are revocation lists; *ledger* is the own one, if there is any; *consents* those of the
    registry. Raises UnreadableInput (not a file, empty, huge, damaged, a picture where a video belongs or the
    reverse), UsageError (inputs as long as the whole should be), CheckUnavailable when a check cannot run,
    LedgerError, Interrupted.
    """
    request = decision.request
    if not request.inputs:
        return Admitted(decision)
    progress.stage("reading inputs", len(request.inputs))
    copies = [copy_input(item, temporary, number) for number, item in enumerate(request.inputs, 1)]
    request = with_input_digests(request, tuple(sha256_of(copy) for copy in copies))
    assessment = _Assessment()
    conditions, ingredients = [], []
    for number, (item, copy) in enumerate(zip(request.inputs, copies, strict=True), 1):
        credentials = assess_credentials(
            copy,
            text_name(item.path),
            policy.inputs,
            anchors=anchors,
            ledger=ledger,
            tsa_anchors=tsa_anchors,
            crls=crls,
        )
        assessment.checks.append(CheckRun(f"{CHECK}-{item.role}", VERSION))
        for finding, action in credentials.findings:
            assessment.add(finding, action)
        clip = decode_input(item, copy, temporary(f"input-{number}.raw"), progress)
        _run_frame_checks(item, clip, policy, assessment)
        if assessment.worst != Action.BLOCK:
            _check_likeness(item, clip, policy, assessment, ledger, consents, credentials.generated)
        if has_sound(item, copy):
            assessment.notes.append(f"the sound of {text_name(item.path)} is discarded")
        conditions.append(Condition(item.role, clip, text_name(item.path)))
        ingredients.append(_ingredient(request.mode, item, copy, credentials, number))
        progress.advance()
    check_input_lengths(request, conditions)
    final = _combine_decisions(replace(decision, request=request), assessment)
    return Admitted(final, tuple(conditions), tuple(ingredients), tuple(assessment.notes))


def _run_frame_checks(item: Input, clip: Clip, policy: Policy, assessment: _Assessment) -> None:
    """The policy's frame checks on an input: whatever they find, it is not built upon."""
    for name in policy.frames_required:
        findings, ran = run_check(name, clip)
        assessment.checks.append(replace(ran, name=f"{ran.name}-{item.role}"))
        for finding in findings:
            assessment.add(replace(finding, reason=f"{text_name(item.path)}: {finding.reason}"), Action.BLOCK)


def _check_likeness(
    item: Input,
    clip: Clip,
    policy: Policy,
    assessment: _Assessment,
    ledger: LedgerReader | None,
    consents: Sequence[Consent],
    generated: bool,
) -> None:
    """Whom the input shows, and whether they agreed."""
    findings, ran = image_check.check_likeness(
        clip,
        text_name(item.path),
        item.sha256,
        ledger=ledger,
        consents=consents,
        generated=generated,
        people=policy.inputs.people,
    )
    assessment.checks.append(replace(ran, name=f"{ran.name}-{item.role}"))
    for finding, action in findings:
        assessment.add(finding, action)


def _ingredient(
    mode: Mode, item: Input, copy: Path, credentials: InputCredentials, number: int
) -> IngredientFile:
    """The input as an ingredient: a clip that is changed is the parent, blended ones are components of the
    result, a picture is an input to the model.
    """
    relationship: Relationship = (
        "parentOf" if mode in _PARENT_MODES else "componentOf" if mode == "blend" else "inputTo"
    )
    return IngredientFile(
        copy, text_name(item.path), relationship, f"input-{number}", credentials.generated, credentials.broken
    )


def _combine_decisions(
    decision: Allowed | Held | Refused, assessment: _Assessment
) -> Allowed | Held | Refused:
    """The worse of what the prompt and what the inputs lead to, with everything that ran."""
    outcome = max(decision.outcome, assessment.worst)
    findings = sorted([*assessment.findings, *decision.findings], key=lambda f: -f.score)
    return DECISIONS[outcome](
        request=decision.request,
        policy=decision.policy,
        checks=(*decision.checks, *assessment.checks),
        findings=tuple(findings),
        score=max([decision.score, *(f.score for f in assessment.findings)]),
        categories=decision.categories,
        language=decision.language,
    )
