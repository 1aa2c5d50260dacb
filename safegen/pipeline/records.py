"""What goes into the ledger's entries, as canonical JSON (numbers that are not integers as text)."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any

from safegen import __version__
from safegen.pipeline.steps import Made, Moderated
from safegen.types import CheckRun, Decision, Json


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
    }


def decision_private(decision: Decision, *, keep_prompt: bool) -> Json:
    """The private part, of which only a salted commitment is public: the prompt's hash, or the prompt."""
    text = decision.request.prompt
    private: Json = {"prompt_sha256": hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()}
    if keep_prompt:
        private["prompt"] = text
        private["negative_prompt"] = decision.request.negative_prompt
    return private


def release_public(moderated: Moderated, decision_index: int | None) -> Json:
    """The public part of a release entry, beside hashes and ids."""
    made = moderated.made
    public: Json = {
        "made": made.origin,
        "safegen": __version__,
        "frame_checks": [check_json(c) for c in moderated.checks],
    }
    if decision_index is not None:
        public["decision"] = decision_index
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


def seed_and_settings(made: Made) -> Json:
    """Settings of the generator, for reproducing."""
    return {"settings": plain(made.settings)}


def plain(value: Any) -> Any:
    """A canonical JSON value: floats become text, unknown objects their type's name."""
    if value is None or isinstance(value, bool | int | str):
        return value
    if isinstance(value, float):
        return repr(value)
    if isinstance(value, Mapping):
        return {str(k): plain(v) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [plain(v) for v in value]
    return f"({type(value).__name__})"
