"""What goes into the ledger's entries, as canonical JSON (numbers that are not integers as text)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from safegen._version import __version__
from safegen.pipeline.stages import Moderated, UnmarkedClip
from safegen.review.matching import request_digests
from safegen.review.queue import Approval
from safegen.types import CheckRun, Decision, Finding, Json


def check_json(check: CheckRun) -> Json:
    """A check that ran."""
    found: Json = {"name": check.name, "version": check.version}
    if check.digest is not None:
        found["sha256"] = check.digest
    if check.score is not None:
        found["score"] = f"{check.score:.4f}"
    return found


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
    asked = decision.request
    private: Json = request_digests(asked)
    private["findings"] = [_finding_json(f, reasons=keep_prompt) for f in decision.findings]
    if keep_prompt:
        private["prompt"] = asked.prompt
        private["negative_prompt"] = asked.negative_prompt
        if asked.shots:
            private["storyboard"] = [{"at": repr(float(s.at)), "prompt": s.prompt} for s in asked.shots]
    return private


def _finding_json(finding: Finding, *, reasons: bool) -> Json:
    """What a reviewer sees of a finding."""
    found: Json = {
        "category": finding.category,
        "score": f"{finding.score:.4f}",
        "detector": finding.detector,
    }
    if finding.threshold is not None:
        found["threshold"] = f"{finding.threshold:.4f}"
    if finding.time is not None:
        found["at"] = f"{finding.time:.2f}"
    if reasons:
        found["reason"] = finding.reason
    return found


def release_public(
    moderated: Moderated, decision_index: int | None, approval: Approval | None = None
) -> Json:
    """The public part of a release entry, beside hashes and ids; *approval*: what a person let pass."""
    made = moderated.unmarked
    public: Json = {
        "made": made.origin,
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
    if made.generation is not None:
        public["frames_sha256"] = made.generation.frames_sha256
    if made.annotations.reproduces:
        public["reproduces"] = to_canonical(made.annotations.reproduces)
    if made.model is not None:
        public["model"] = {
            k: v
            for k, v in {
                "name": made.model.name,
                "version": made.model.version,
                "sha256": made.model.digest,
            }.items()
            if v
        }
    return public


def release_private(made: UnmarkedClip) -> Json:
    """Settings of the generator and what else reproducing needs; what the label keeps private."""
    private: Json = {"settings": to_canonical(made.settings)}
    if made.generation is not None:
        private["request"] = to_canonical(made.generation.request)
        private["build"] = to_canonical(made.generation.environment)
    if made.annotations.private:
        private["label"] = to_canonical(made.annotations.private)
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
