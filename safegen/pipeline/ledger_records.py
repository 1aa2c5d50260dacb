"""What goes into the ledger's entries, as canonical JSON (numbers that are not integers as text)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from safegen._version import __version__
from safegen.pipeline.stages import Moderated, UnmarkedClip
from safegen.review.matching import request_digests
from safegen.review.queue import Approval
from safegen.types import CheckRun, Decision, Finding, Held, Json

if TYPE_CHECKING:
    from safegen.workspace.session import Session


def check_json(check: CheckRun) -> Json:
    """A check that ran."""
    check_entry: Json = {"name": check.name, "version": check.version}
    if check.digest is not None:
        check_entry["sha256"] = check.digest
    if check.score is not None:
        check_entry["score"] = f"{check.score:.4f}"
    return check_entry


def decision_public(decision: Decision) -> Json:
    """The public part of a decision entry: never the prompt."""
    return {
        "outcome": decision.outcome,
        "policy": {"name": decision.policy.name, "sha256": decision.policy.digest},
        "checks": [check_json(c) for c in decision.checks],
        "score": f"{decision.score:.4f}",
        "categories": sorted({f.category for f in decision.findings}),
        "model": decision.request.model,
        "mode": decision.request.mode,
    }


def decision_private(decision: Decision, *, keep_prompt: bool) -> Json:
    """The private part, of which only a salted commitment is public: hashes of prompts and inputs, findings.

    The prompts themselves, and reasons that may quote them, only with *keep_prompt*.
    """
    request = decision.request
    private: Json = request_digests(request)
    private["findings"] = [_finding_json(f, reasons=keep_prompt) for f in decision.findings]
    if keep_prompt:
        private["prompt"] = request.prompt
        private["negative_prompt"] = request.negative_prompt
        if request.shots:
            private["storyboard"] = [{"at": repr(float(s.at)), "prompt": s.prompt} for s in request.shots]
    return private


def append_decision(session: Session, decision: Decision, public: Json) -> int:
    """Append a decision with this *public* part; its index. Of a held one the prompt is sealed for a person.

    Raises LedgerError.
    """
    keep = session.workspace.config.keep_prompts
    index = session.ledger.append("decision", public, decision_private(decision, keep_prompt=keep))
    request = decision.request
    if isinstance(decision, Held) and (request.prompt or request.negative_prompt or request.shots):
        from safegen.workspace.sealed_prompts import seal_prompt

        kept = decision_private(decision, keep_prompt=True)
        seal_prompt(session.workspace, session.ledger.entry(index), kept)
    return index


def _finding_json(finding: Finding, *, reasons: bool) -> Json:
    """What a reviewer sees of a finding."""
    finding_entry: Json = {
        "category": finding.category,
        "score": f"{finding.score:.4f}",
        "detector": finding.detector,
    }
    if finding.threshold is not None:
        finding_entry["threshold"] = f"{finding.threshold:.4f}"
    if finding.time is not None:
        finding_entry["at"] = f"{finding.time:.2f}"
    if reasons:
        finding_entry["reason"] = finding.reason
    return finding_entry


def release_public(
    moderated: Moderated, decision_index: int | None, approval: Approval | None = None
) -> Json:
    """The public part of a release entry, beside hashes and ids; *approval*: what a person let pass."""
    unmarked = moderated.unmarked
    public: Json = {
        "made": unmarked.origin,
        "safegen": __version__,
        "frame_checks": [check_json(c) for c in moderated.checks],
        "frame_checks_requested": list(moderated.requested),
    }
    if moderated.absent:
        public["frame_checks_absent"] = list(moderated.absent)
    if decision_index is not None:
        public["decision"] = decision_index
    if approval is not None:
        public["review"] = approval.entry
    if unmarked.source is not None and unmarked.source.marks:
        public["source_marks"] = [mark.to_dict() for mark in unmarked.source.marks]
    if unmarked.generation is not None:
        public["frames_sha256"] = unmarked.generation.frames_sha256
    if unmarked.annotations.reproduces:
        public["reproduces"] = to_canonical(unmarked.annotations.reproduces)
    if unmarked.model is not None:
        public["model"] = {
            k: v
            for k, v in {
                "name": unmarked.model.name,
                "version": unmarked.model.version,
                "sha256": unmarked.model.digest,
            }.items()
            if v
        }
    return public


def release_private(unmarked: UnmarkedClip) -> Json:
    """Settings of the generator and what else reproducing needs; what the label keeps private."""
    private: Json = {"settings": to_canonical(unmarked.settings)}
    if unmarked.generation is not None:
        private["request"] = to_canonical(unmarked.generation.request)
        private["build"] = to_canonical(unmarked.generation.environment)
    if unmarked.source is not None and unmarked.source.sha256:
        private["source_sha256"] = unmarked.source.sha256
    if unmarked.annotations.private:
        private["label"] = to_canonical(unmarked.annotations.private)
    return private


def to_canonical(value: Any) -> Any:
    """A canonical JSON value: floats become text, unknown objects their type's name."""
    if value is None or isinstance(value, bool | int | str):
        return value
    if isinstance(value, float):
        return repr(value)
    if isinstance(value, Mapping):
        return {str(k): to_canonical(v) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [to_canonical(v) for v in value]
    return f"({type(value).__name__})"
