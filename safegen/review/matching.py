"""What an approval was given for: exactly one request, or exactly one clip."""

from __future__ import annotations

from safegen._util.hashing import text_sha256
from safegen.errors import HeldForReview
from safegen.types import Decision, Held, Json, Request


def request_digests(request: Request) -> Json:
    """What a decision's private part says about its request: by these an approval is matched.

    Prompts, storyboard and inputs as SHA-256 (hex), the way of working and its strength as they are.
    """
    return {
        "prompt_sha256": text_sha256(request.prompt),
        "negative_prompt_sha256": text_sha256(request.negative_prompt),
        "mode": request.mode,
        "inputs": [{"role": i.role, "sha256": i.sha256} for i in request.inputs],
        "shots": [{"at": repr(float(s.at)), "prompt_sha256": text_sha256(s.prompt)} for s in request.shots],
        "strength": None if request.strength is None else repr(float(request.strength)),
    }


_PART_NAMES = {
    "prompt_sha256": "prompt",
    "negative_prompt_sha256": "negative prompt",
    "mode": "way of working",
    "inputs": "input",
    "shots": "storyboard",
    "strength": "strength",
}
"""How a part of the fingerprint is called."""


def approval_mismatches(public: Json, private: Json | None, now: Decision, output: Json | None) -> list[str]:
    """What differs between an approved decision (the two parts of its entry) and what is at hand *now*.

    *output*: digests of the clip at hand, None where it is a request. What cannot be compared differs.
    """
    private = private or {}
    digests = request_digests(now.request)
    policy = public.get("policy")
    pairs = {
        **{word: (private.get(key, "unknown"), digests[key]) for key, word in _PART_NAMES.items()},
        "clip": (public.get("output"), output),
        "model": (public.get("model"), now.request.model),
        "policy": (policy.get("sha256") if isinstance(policy, dict) else None, now.policy.digest),
    }
    if any(not i.sha256 for i in now.request.inputs):  # not admitted yet: nothing to compare it by
        pairs["input"] = (None, "unknown")
    return [name for name, (then, here) in pairs.items() if then != here]


def approved_findings(private: Json | None) -> frozenset[tuple[str, str]]:
    """The findings that an approved decision was about, as (category, detector)."""
    findings = (private or {}).get("findings") or []
    return frozenset((str(f["category"]), str(f["detector"])) for f in findings)


def still_held_error(
    decision: Decision,
    reason: str,
    *,
    subject: str = "the approval does not let this pass",
    hint: str = "nothing was released; see `safegen review list`",
) -> HeldForReview:
    """The error for an approval that does not help: *subject* says what cannot be, *reason* why."""
    held = Held(decision.request, decision.policy, decision.checks, decision.findings, decision.score)
    return HeldForReview(f"{subject}: {reason}", decision=held, hint=hint)
