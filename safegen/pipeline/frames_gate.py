"""The frames gate and the attributes: what the policy requires to be examined before a clip is marked."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, TypeAlias

from safegen.errors import CheckUnavailable, GenerationFailed, HeldForReview, RefusedByPolicy
from safegen.moderation.checks import Checked, Extracted, run_check, run_extractor
from safegen.moderation.gate import FAILURES, HARMLESS_ELSEWHERE, Looked, look
from safegen.pipeline.stages import Made, Moderated
from safegen.policies.frames import HIDING, RANK, FrameAction
from safegen.protocols import NoProgress, Progress
from safegen.types import CheckRun, Finding, Held, PolicyRef, Refused, Request

if TYPE_CHECKING:
    from safegen.policies.schema import Policy

__all__ = ["Checked", "Extracted", "judged", "moderate", "passed", "run_check", "run_extractor"]

Approved: TypeAlias = frozenset[tuple[str, str]]
"""(category, detector) of findings with which a person let a clip pass."""
NOBODY: Approved = frozenset()

_STOPPING: tuple[FrameAction, FrameAction] = ("block", "review")
_HINTS = {
    "generated": "try another seed or prompt; nothing was released",
    "protected": "nothing was released; another policy may require different frame checks",
}


def moderate(
    made: Made, policy: Policy, *, progress: Progress = NoProgress(), approved: Approved = NOBODY
) -> Moderated:
    """Run every frames check and extractor that *policy* asks for, and do what its rules say.

    Raises CheckUnavailable when one cannot run or answers nonsense, GenerationFailed when the output is no
    video (blank, frozen) or flashes, RefusedByPolicy and HeldForReview for what it shows. Where the policy
    hides faces, the clip that comes back shows none. *approved*: what a person saw in this very clip.
    """
    checks = (*policy.frames.required, *policy.frames.optional)
    progress.stage("checking", len(checks) + len(policy.attributes))
    looked = look(made.clip, policy, progress=progress)
    passed(made, policy, looked, approved)
    extracted = []
    for name in policy.attributes:
        extracted.append(run_extractor(name, made.clip))
        progress.advance()
    return judged(made, policy, looked, extracted, approved)


def passed(made: Made, policy: Policy, looked: Looked, approved: Approved = NOBODY) -> None:
    """Raises GenerationFailed, RefusedByPolicy or HeldForReview when the clip must not be released.

    What is *approved* excuses findings that would hold it, never one that blocks.
    """
    for action in _STOPPING:
        findings = [f for f in looked.those(action) if not _excused(made, f)]
        if action == "review":
            findings = [f for f in findings if (f.category, f.detector) not in approved]
        if not findings:
            continue
        worst = findings[0]
        message = f"the clip did not pass the frames gate: {worst.reason}"
        if worst.category in FAILURES | HARMLESS_ELSEWHERE:
            raise GenerationFailed(message, hint=_HINTS[made.origin])
        about = Request("", policy=policy.name)
        by = PolicyRef(policy.name, policy.digest)
        hint = _HINTS[made.origin]
        if action == "block":
            refused = Refused(about, by, looked.ran, tuple(findings), worst.score)
            raise RefusedByPolicy(message, decision=refused, hint=hint)
        held = Held(about, by, looked.ran, tuple(findings), worst.score)
        raise HeldForReview(message, decision=held, hint=hint)


def _excused(made: Made, finding: Finding) -> bool:
    """Whether a finding is a fact about somebody else's video rather than a fault of ours."""
    return made.origin == "protected" and finding.category in HARMLESS_ELSEWHERE


def judged(
    made: Made,
    policy: Policy,
    looked: Looked,
    extracted: Sequence[Extracted],
    approved: Approved = NOBODY,
) -> Moderated:
    """The clip with what checks and extractors say, faces hidden where the policy says so.

    Raises as ``passed``.
    """
    passed(made, policy, looked, approved)
    notes = [f"the video {f.reason}" for r in looked.ruled if _excused(made, f := r.finding)]
    made = replace(made, warnings=(*made.warnings, *notes))
    ran = [*looked.ran, *(r for _, r in extracted)]
    hiding = [r.action for r in looked.ruled if r.action in HIDING]
    if hiding:
        made = _hidden(made, max(hiding, key=RANK.__getitem__))
        ran.append(CheckRun(f"faces-{max(hiding, key=RANK.__getitem__)}", "1"))
    return Moderated(
        made,
        tuple(r.finding for r in looked.ruled),
        tuple(ran),
        tuple(a for values, _ in extracted for a in values),
        looked.requested,
        tuple(looked.absent),
    )


def _hidden(made: Made, how: FrameAction) -> Made:
    """The clip with every face pixelated or blurred. Raises CheckUnavailable for a video made elsewhere."""
    from safegen.moderation.hide import hidden

    if made.origin == "protected":
        raise CheckUnavailable(
            f"the policy requires faces to be hidden ({how}), which `protect` does not do",
            hint="hide the faces in an editor first, or use another policy",
        )
    note = f"faces were hidden ({how})"
    return replace(made, clip=hidden(made.clip, how), warnings=(*made.warnings, note))
