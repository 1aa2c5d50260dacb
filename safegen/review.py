"""The review queue: what a person decided about a request that the policy held.

Every step is a ``review`` entry of the ledger that names the held decision. The state of a case is what
its entries add up to, read and changed in one writing transaction and checked against the tree::

    waiting  --approve--> approved --use--> used --approve--> approved
       |                     |                      (each approval lets one request pass once)
       `--deny--> denied <-deny-'
                    `--appeal--> appealed --approve--> approved
                                        `--deny-----> finally denied

A decision that a spent approval let through is ``passed``; nothing more is decided about it. An approval is
spent when the request passes, before anything is generated: if the generator then fails, a
person approves again. The names of reviewers are what they call themselves; nobody verifies them.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, TypeAlias

from safegen.errors import HeldForReview, LedgerError, UsageError
from safegen.ledger.records import Draft, Entry
from safegen.types import Held, Json, Request

if TYPE_CHECKING:
    from safegen.ledger.reader import LedgerReader
    from safegen.ledger.store import Ledger
    from safegen.ledger.transaction import Transaction

Act: TypeAlias = Literal["approve", "deny", "appeal", "use"]
Status: TypeAlias = Literal["waiting", "approved", "denied", "appealed", "finally denied", "used", "passed"]

_NEXT: dict[tuple[Status, str], Status] = {
    ("waiting", "approve"): "approved",
    ("waiting", "deny"): "denied",
    ("approved", "deny"): "denied",
    ("approved", "use"): "used",
    ("used", "approve"): "approved",
    ("denied", "appeal"): "appealed",
    ("appealed", "approve"): "approved",
    ("appealed", "deny"): "finally denied",
}
OPEN: frozenset[Status] = frozenset({"waiting", "appealed"})
"""States that wait for a person."""
MAX_NAME, MAX_REASON = 100, 4000
_PAGE = 1000


@dataclass(frozen=True)
class Case:
    """A held decision and the entries about it, oldest first."""

    decision: Entry
    steps: tuple[Entry, ...]
    status: Status

    @property
    def index(self) -> int:
        """Number of the decision's entry."""
        return self.decision.index

    @property
    def approval(self) -> int | None:
        """Entry of the approval that counts now or was spent; None where there is none."""
        if self.status not in {"approved", "used"}:
            return None
        return next(s.index for s in reversed(self.steps) if s.public["act"] == "approve")


@dataclass(frozen=True)
class Approval:
    """An approval that was spent for one request: the entries of the decision, the approval, its use."""

    decision: int
    entry: int
    use: int


def cases(ledger: LedgerReader, *, everything: bool = False, limit: int = 100) -> list[Case]:
    """The cases that wait for a person (with *everything* all held decisions), newest first.

    Raises LedgerError when an entry makes no sense.
    """
    about: dict[int, list[Entry]] = {}
    steps = list(_all(ledger, "review"))
    passed = {step.public.get("passes") for step in steps}
    for step in reversed(steps):
        about.setdefault(_about(step), []).append(step)
    found: list[Case] = []
    for entry in _all(ledger, "decision"):
        if len(found) >= limit:
            break
        if entry.public.get("outcome") != "review":
            continue
        case = _case(entry, about.get(entry.index, ()), passed=entry.index in passed)
        if everything or case.status in OPEN:
            found.append(case)
    return found


def case(ledger: LedgerReader, index: int) -> Case:
    """The case of the held decision *index* (or of a review entry about it). Raises UsageError."""
    entry = ledger.entry(index)
    if entry.kind == "review":
        entry = ledger.entry(_about(entry))
    return _among(_held(entry), list(_all(ledger, "review"))[::-1])


def decide(
    ledger: Ledger,
    index: int,
    act: Literal["approve", "deny", "appeal"],
    *,
    by: str,
    reason: str = "",
    publish_reason: bool = False,
) -> Case:
    """Record that *by* approves, denies or appeals the held decision *index*; the case as it is then.

    The reason is committed to and kept in the workspace; with *publish_reason* it is part of the entry.
    Raises UsageError when *index* is no held decision, the step does not fit its state, or a text does not
    fit; LedgerError; KeyUnavailable without the log's key.
    """
    if not by.strip() or len(by) > MAX_NAME or not by.isprintable():
        raise UsageError(f"a reviewer's name has 1 to {MAX_NAME} printable characters", hint="see --reviewer")
    if len(reason) > MAX_REASON:
        raise UsageError(f"the reason is longer than {MAX_REASON} characters", hint="shorten it")
    with ledger.transaction() as batch:
        now = _load(batch, index)
        if (now.status, act) not in _NEXT:
            raise UsageError(
                f"decision {now.index} is {now.status}: it cannot be {_done(act)} now",
                hint=f"`safegen review show {now.index}` shows what happened",
            )
        public: Json = {"decision": now.index, "act": act, "reviewer": by.strip()}
        if reason and publish_reason:
            public["reason"] = reason
        private = {"reason": reason} if reason and not publish_reason else None
        (at,) = batch.append([Draft("review", public, private)])
        return _case(now.decision, (*now.steps, batch.entry(at)))


def spend(ledger: Ledger, index: int, decision: Held, *, recorded: int) -> Approval:
    """Spend the approval *index* (its entry, or the decision it is about) for *decision*, once.

    *recorded* is the entry of *decision* itself, which is ``passed`` from then on.

    Of several callers at once one succeeds. Raises HeldForReview when there is no unspent approval or it is
    for another request (prompts, way of working, inputs, storyboard, strength), model or policy; UsageError,
    LedgerError.
    """
    with ledger.transaction() as batch:
        now = _load(batch, index)
        if now.status != "approved" or now.approval is None:
            raise _still_held(decision, f"decision {now.index} is {now.status}, not approved")
        if index not in {now.index, now.approval}:
            raise _still_held(decision, f"entry {index} is not the approval that counts")
        if different := _differences(batch, now.decision, decision):
            raise _still_held(decision, f"it was given for another {' and '.join(different)}")
        public: Json = {"decision": now.index, "act": "use", "approval": now.approval, "passes": recorded}
        (at,) = batch.append([Draft("review", public)])
    return Approval(now.index, now.approval, at)


def fingerprint(asked: Request) -> Json:
    """What a decision's private part says about its request: by these an approval is matched.

    Prompts, storyboard and inputs as SHA-256 (hex), the way of working and its strength as they are.
    """
    return {
        "prompt_sha256": _sha256(asked.prompt),
        "negative_prompt_sha256": _sha256(asked.negative_prompt),
        "mode": asked.mode,
        "inputs": [{"role": i.role, "sha256": i.sha256} for i in asked.inputs],
        "shots": [{"at": repr(float(s.at)), "prompt_sha256": _sha256(s.prompt)} for s in asked.shots],
        "strength": None if asked.strength is None else repr(float(asked.strength)),
    }


_WORDS = {
    "prompt_sha256": "prompt",
    "negative_prompt_sha256": "negative prompt",
    "mode": "way of working",
    "inputs": "input",
    "shots": "storyboard",
    "strength": "strength",
}
"""How a part of the fingerprint is called."""


def _sha256(text: str) -> str:
    """Hash of a text; lone surrogates count as they are."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def _differences(batch: Transaction, approved: Entry, now: Held) -> list[str]:
    """What differs between the *approved* decision and the one at hand; what cannot be compared differs."""
    private = batch.private(approved.index) or {}
    asked = fingerprint(now.request)
    policy = approved.public.get("policy")
    pairs = {
        **{word: (private.get(key, "unknown"), asked[key]) for key, word in _WORDS.items()},
        "model": (approved.public.get("model"), now.request.model),
        "policy": (policy.get("sha256") if isinstance(policy, dict) else None, now.policy.digest),
    }
    if any(not i.sha256 for i in now.request.inputs):  # not admitted yet: nothing to compare it by
        pairs["input"] = (None, "unknown")
    return [name for name, (then, here) in pairs.items() if then != here]


def _still_held(decision: Held, why: str) -> HeldForReview:
    return HeldForReview(
        f"the approval does not let this request pass: {why}",
        decision=decision,
        hint="nothing was generated; see `safegen review list`",
    )


def _done(act: str) -> str:
    return {"approve": "approved", "deny": "denied", "appeal": "appealed"}[act]


def _load(batch: Transaction, index: int) -> Case:
    """The case, every entry of it checked against the tree, in a transaction that nobody else writes in."""
    entry = batch.entry(index)
    if entry.kind == "review":
        entry = batch.entry(_about(entry))
    return _among(_held(entry), batch.following("review", entry.index))


def _among(decision: Entry, steps: Sequence[Entry]) -> Case:
    """The case of *decision*, its steps picked from all review *steps* in order."""
    passed = any(step.public.get("passes") == decision.index for step in steps)
    return _case(decision, [s for s in steps if _about(s) == decision.index], passed=passed)


def _held(entry: Entry) -> Entry:
    if entry.kind != "decision" or entry.public.get("outcome") != "review":
        raise UsageError(
            f"entry {entry.index} is not a decision that waits for a person", hint="see `safegen review list`"
        )
    return entry


def _about(step: Entry) -> int:
    """The decision that a review entry is about."""
    index = step.public.get("decision")
    if not isinstance(index, int) or isinstance(index, bool) or not 0 <= index < step.index:
        raise LedgerError(f"review entry {step.index} is about no decision", hint="run `safegen log check`")
    return index


def _case(decision: Entry, steps: Iterable[Entry], *, passed: bool = False) -> Case:
    """Add up the steps. A step that does not fit the state before it is an error, never passed over."""
    status: Status = "waiting"
    ordered: Sequence[Entry] = tuple(steps)
    for step in ordered:
        after = _NEXT.get((status, str(step.public.get("act"))))
        if after is None:
            raise LedgerError(
                f"review entry {step.index} does not fit a decision that is {status}",
                hint="run `safegen log check`",
            )
        status = after
    return Case(decision, tuple(ordered), "passed" if passed else status)


def _all(ledger: LedgerReader, kind: Literal["review", "decision"]) -> Iterable[Entry]:
    """Every entry of *kind*, newest first, page by page."""
    before: int | None = None
    while True:
        page = ledger.entries(kind, _PAGE, before)
        yield from page
        if len(page) < _PAGE:
            return
        before = page[-1].index
