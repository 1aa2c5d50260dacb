"""The frames gate and the attributes: what the policy requires to be examined before a clip is marked."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, TypeAlias

from safegen.errors import CheckUnavailable, GenerationFailed, HeldForReview, RefusedByPolicy
from safegen.moderation.checks import CheckResult, ExtractionResult, run_check, run_extractor
from safegen.moderation.gate import FAILURE_CATEGORIES, SOURCE_FAULT_CATEGORIES, GateResult, run_checks
from safegen.pipeline.stages import Moderated, UnmarkedClip
from safegen.policies.frames import HIDING_ACTIONS
from safegen.protocols import NoProgress, Progress
from safegen.types import Action, CheckRun, Finding, Held, PolicyRef, Refused, Request

if TYPE_CHECKING:
    from safegen.policies.schema import Policy

__all__ = [
    "CheckResult",
    "ExtractionResult",
    "apply_gate",
    "enforce_gate",
    "moderate",
    "run_check",
    "run_extractor",
]

ApprovedFindings: TypeAlias = frozenset[tuple[str, str]]
"""(category, detector) of findings with which a person let a clip pass."""
NO_FINDINGS: ApprovedFindings = frozenset()

_STOPPING_ACTIONS = (Action.BLOCK, Action.REVIEW)
_HINTS = {
    "generated": "try another seed or prompt; nothing was released",
    "protected": "nothing was released; another policy may require different frame checks",
}


def moderate(
    made: UnmarkedClip,
    policy: Policy,
    *,
    progress: Progress = NoProgress(),
    approved: ApprovedFindings = NO_FINDINGS,
) -> Moderated:
    """Run every frames check and extractor that *policy* asks for, and do what its rules say.

    Raises CheckUnavailable when a check cannot run or answers nonsense, GenerationFailed when the output is
    no video (blank, frozen) or flashes, RefusedByPolicy and HeldForReview for what it shows. Where the policy
    hides faces, the clip that comes back shows none. *approved*: what a person saw in this very clip.
    """
    checks = (*policy.frames.required, *policy.frames.optional)
    progress.stage("checking", len(checks) + len(policy.attributes))
    looked = run_checks(made.clip, policy, progress=progress)
    enforce_gate(made, policy, looked, approved)
    extracted = []
    for name in policy.attributes:
        extracted.append(run_extractor(name, made.clip))
        progress.advance()
    return apply_gate(made, policy, looked, extracted, approved)


def enforce_gate(
    made: UnmarkedClip, policy: Policy, looked: GateResult, approved: ApprovedFindings = NO_FINDINGS
) -> None:
    """Raises GenerationFailed, RefusedByPolicy or HeldForReview when the clip must not be released.

    What is *approved* excuses findings that would hold it, never one that blocks.
    """
    for action in _STOPPING_ACTIONS:
        findings = [f for f in looked.findings_for(action) if not _is_source_fault(made, f)]
        if action == Action.REVIEW:
            findings = [f for f in findings if (f.category, f.detector) not in approved]
        if not findings:
            continue
        worst = findings[0]
        message = f"the clip did not pass the frames gate: {worst.reason}"
        if worst.category in FAILURE_CATEGORIES | SOURCE_FAULT_CATEGORIES:
            raise GenerationFailed(message, hint=_HINTS[made.origin])
        about = Request("", policy=policy.name)
        by = PolicyRef(policy.name, policy.digest)
        hint = _HINTS[made.origin]
        if action == Action.BLOCK:
            refused = Refused(about, by, looked.ran, tuple(findings), worst.score)
            raise RefusedByPolicy(message, decision=refused, hint=hint)
        held = Held(about, by, looked.ran, tuple(findings), worst.score)
        raise HeldForReview(message, decision=held, hint=hint)


def _is_source_fault(made: UnmarkedClip, finding: Finding) -> bool:
    """Whether a finding is a fact about somebody else's video rather than a fault of ours."""
    return made.origin == "protected" and finding.category in SOURCE_FAULT_CATEGORIES


def apply_gate(
    made: UnmarkedClip,
    policy: Policy,
    looked: GateResult,
    extracted: Sequence[ExtractionResult | str],
    approved: ApprovedFindings = NO_FINDINGS,
) -> Moderated:
    """The clip with what checks and extractors say, faces hidden where the policy says so.

    An extractor that failed (a text among *extracted*) becomes a warning. Raises GenerationFailed,
    RefusedByPolicy, HeldForReview.
    """
    enforce_gate(made, policy, looked, approved)
    described = [e for e in extracted if not isinstance(e, str)]
    notes = [e for e in extracted if isinstance(e, str)]
    notes += [f"the video {f.reason}" for r in looked.findings if _is_source_fault(made, f := r.finding)]
    made = replace(made, warnings=(*made.warnings, *notes))
    ran = [*looked.ran, *(r for _, r in described)]
    hiding = [r.action for r in looked.findings if r.action in HIDING_ACTIONS]
    if hiding:
        made = _hide_faces(made, max(hiding))
        ran.append(CheckRun(f"faces-{max(hiding)}", "1"))
    return Moderated(
        made,
        tuple(r.finding for r in looked.findings),
        tuple(ran),
        tuple(a for values, _ in described for a in values),
        looked.requested,
        tuple(looked.absent),
    )


def _hide_faces(made: UnmarkedClip, how: Action) -> UnmarkedClip:
    """The clip with every face pixelated or blurred. Raises CheckUnavailable for a video made elsewhere."""
    from safegen.moderation.hide_faces import hide_faces

    if made.origin == "protected":
        raise CheckUnavailable(
            f"the policy requires faces to be hidden ({how}), which `protect` does not do",
            hint="hide the faces in an editor first, or use another policy",
        )
    note = f"faces were hidden ({how})"
    return replace(made, clip=hide_faces(made.clip, how), warnings=(*made.warnings, note))
