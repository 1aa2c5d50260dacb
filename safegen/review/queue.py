"""The review queue: what a person decided about requests and clips that the policy held.

Every step is a ``review`` entry of the ledger that names the held decision. The state of a case is what
its entries add up to, read and changed in one writing transaction and checked against the tree::

    waiting  --approve--> approved --use--> used --approve--> approved
       |                     |                      (each approval lets one request pass once)
       `--deny--> denied <-deny-'
                    `--appeal--> appealed --approve--> approved
                                        `--deny-----> finally denied

A decision that a spent approval let through is ``passed``; nothing more is decided about it. An approval is
spent when the request passes, before anything is generated: if the generator then fails, a
person approves again. The approval of a clip lets exactly that clip pass the frames gate (the entry's
``output`` names it by SHA-256), never another one. The names of reviewers are what they call themselves;
nobody verifies them.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, TypeAlias

from safegen._util.logs import logger
from safegen.errors import LedgerError, UsageError
from safegen.ledger.records import Draft, Entry
from safegen.review.matching import approval_mismatches, approved_findings, still_held_error
from safegen.types import Decision, Json, JsonResult

if TYPE_CHECKING:
    from safegen.ledger.reader import LedgerReader
    from safegen.ledger.store import Ledger
    from safegen.ledger.transaction import Transaction

_log = logger(__name__)

Status: TypeAlias = Literal["waiting", "approved", "denied", "appealed", "finally denied", "used", "passed"]

_TRANSITIONS: dict[tuple[Status, str], Status] = {
    ("waiting", "approve"): "approved",
    ("waiting", "deny"): "denied",
    ("approved", "deny"): "denied",
    ("approved", "use"): "used",
    ("used", "approve"): "approved",
    ("denied", "appeal"): "appealed",
    ("appealed", "approve"): "approved",
    ("appealed", "deny"): "finally denied",
}
OPEN_STATES: frozenset[Status] = frozenset({"waiting", "appealed"})
"""States that wait for a person."""
SCHEMA = "safegen.review/1"
MAX_NAME, MAX_REASON = 100, 4000
_PAGE = 1000


@dataclass(frozen=True)
class Case(JsonResult):
    """A held decision and the entries about it, oldest first."""

    decision: Entry
    steps: tuple[Entry, ...]
    status: Status

    @property
    def index(self) -> int:
        """Number of the decision's entry."""
        return self.decision.index

    @property
    def output(self) -> Json | None:
        """Digests of the clip that is held; None where a request is."""
        output = self.decision.public.get("output")
        return output if isinstance(output, dict) else None

    @property
    def approval(self) -> int | None:
        """Entry of the approval that counts now or was spent; None where there is none."""
        if self.status not in {"approved", "used"}:
            return None
        return next(s.index for s in reversed(self.steps) if s.public["act"] == "approve")

    def __repr__(self) -> str:
        """Number and status."""
        return f"<Case {self.index} {self.status}>"

    def to_dict(self) -> Json:
        """``safegen.review/1``: what is public of it."""
        public = self.decision.public
        return {
            "schema": SCHEMA,
            "decision": self.index,
            "time": self.decision.time,
            "status": self.status,
            "approval": self.approval,
            "categories": public.get("categories", []),
            "score": public.get("score"),
            "policy": public.get("policy"),
            "model": public.get("model"),
            "output": self.output,
            "checks": public.get("checks", []),
            "steps": [{"index": s.index, "time": s.time, **s.public} for s in self.steps],
        }


@dataclass(frozen=True)
class Approval:
    """An approval that was spent once: the entries of the decision, the approval, its use.

    ``findings``: what a person saw in the clip and let pass, as (category, detector).
    """

    decision: int
    entry: int
    use: int
    findings: frozenset[tuple[str, str]] = frozenset()


def list_cases(ledger: LedgerReader, *, include_decided: bool = False, limit: int = 100) -> list[Case]:
    """The cases waiting for a person (with *include_decided*, all held decisions), newest first.

    Raises LedgerError when an entry makes no sense.
    """
    about: dict[int, list[Entry]] = {}
    steps = list(_iter_entries(ledger, "review"))
    passed = {step.public.get("passes") for step in steps}
    for step in reversed(steps):
        about.setdefault(_decision_of(step), []).append(step)
    cases: list[Case] = []
    for entry in _iter_entries(ledger, "decision"):
        if len(cases) >= limit:
            break
        if entry.public.get("outcome") != "review":
            continue
        case = _replay(entry, about.get(entry.index, ()), passed=entry.index in passed)
        if include_decided or case.status in OPEN_STATES:
            cases.append(case)
    return cases


def list_unspent(ledger: LedgerReader) -> list[Case]:
    """Every case whose approval is not spent yet, newest first. Raises LedgerError."""
    steps = _iter_entries(ledger, "review")
    approved = {_decision_of(step) for step in steps if step.public.get("act") == "approve"}
    cases = load_held_cases(ledger, sorted(approved, reverse=True))
    return [case for case in cases if case.status == "approved"]


def load_held_cases(ledger: LedgerReader, indices: Iterable[int]) -> list[Case]:
    """The cases of those *indices* that are held decisions of *ledger*. Raises LedgerError."""
    found, steps, size = [], list(_iter_entries(ledger, "review"))[::-1], len(ledger)
    for index in indices:
        entry = ledger.entry(index) if index < size else None
        if entry is not None and entry.kind == "decision" and entry.public.get("outcome") == "review":
            found.append(_case_from_steps(entry, steps))
    return found


def load_case(ledger: LedgerReader, index: int) -> Case:
    """The case of the held decision *index* (or of a review entry about it). Raises UsageError."""
    entry = ledger.entry(index)
    if entry.kind == "review":
        entry = ledger.entry(_decision_of(entry))
    return _case_from_steps(_require_held(entry), list(_iter_entries(ledger, "review"))[::-1])


def record_review(
    ledger: Ledger,
    index: int,
    act: Literal["approve", "deny", "appeal"],
    *,
    reviewer: str,
    reason: str = "",
    publish_reason: bool = False,
) -> Case:
    """Record that *reviewer* approves, denies or appeals the held decision *index*; returns the updated case.

    The reason is committed to and kept in the workspace; with *publish_reason* it is part of the entry.
    Raises UsageError if *index* is not a held decision (the number of a step about one is none), the step
    does not fit its state, or a text is too long; LedgerError; KeyUnavailable without the log's key.
    """
    if not reviewer.strip() or len(reviewer) > MAX_NAME or not reviewer.isprintable():
        raise UsageError(
            f"a reviewer's name must have 1 to {MAX_NAME} printable characters", hint="see --reviewer"
        )
    if len(reason) > MAX_REASON:
        raise UsageError(f"the reason is longer than {MAX_REASON} characters", hint="shorten it")
    with ledger.transaction() as batch:
        _refuse_step(batch.entry(index))
        now = _load_checked(batch, index)
        if (now.status, act) not in _TRANSITIONS:
            raise UsageError(
                f"decision {now.index} is {now.status}: it cannot be {_past_tense(act)} now",
                hint=f"see what happened with `safegen review show {now.index}`",
            )
        public: Json = {"decision": now.index, "act": act, "reviewer": reviewer.strip()}
        if reason and publish_reason:
            public["reason"] = reason
        private = {"reason": reason} if reason and not publish_reason else None
        (at,) = batch.append([Draft("review", public, private)])
        _log.info("decision %(decision)d: %(act)s", {"decision": now.index, "act": act})
        return _replay(now.decision, (*now.steps, batch.entry(at)))


def spend_approval(
    ledger: Ledger, index: int, decision: Decision, *, recorded: int | None, output: Json | None = None
) -> Approval:
    """Spend the approval *index* (its entry, or the decision it is about) for *decision*, once.

    *recorded* is the entry of *decision* itself, which is ``passed`` from then on. *output*: digests of the
    clip at hand, where it is a clip that was held.

    Of several callers at once one succeeds. Raises HeldForReview when there is no unspent approval or it is
    for another request (prompts, way of working, inputs, storyboard, strength), clip, model or policy;
    UsageError, LedgerError.
    """
    with ledger.transaction() as batch:
        now = _load_checked(batch, index)
        if now.status != "approved" or now.approval is None:
            raise still_held_error(decision, f"decision {now.index} is {now.status}, not approved")
        if index not in {now.index, now.approval}:
            raise still_held_error(decision, f"entry {index} is not the approval that counts")
        private = batch.private(now.index)
        if different := approval_mismatches(now.decision.public, private, decision, output):
            raise still_held_error(decision, f"it was given for a different {' and '.join(different)}")
        public: Json = {"decision": now.index, "act": "use", "approval": now.approval}
        if recorded is not None:
            public["passes"] = recorded
        (at,) = batch.append([Draft("review", public)])
    return Approval(now.index, now.approval, at, approved_findings(private) if output else frozenset())


def _refuse_step(entry: Entry) -> None:
    """Refuse the number of a review entry where a decision has to be named. Raises UsageError."""
    if entry.kind == "review":
        about = _decision_of(entry)
        raise UsageError(
            f"entry {entry.index} is itself a step of the review of decision {about}, not a decision",
            hint=f"see `safegen review show {about}`, and name the decision itself if you mean it",
        )


def _past_tense(act: str) -> str:
    return {"approve": "approved", "deny": "denied", "appeal": "appealed"}[act]


def _load_checked(batch: Transaction, index: int) -> Case:
    """The case, every entry of it checked against the tree, in a transaction that nobody else writes in."""
    entry = batch.entry(index)
    if entry.kind == "review":
        entry = batch.entry(_decision_of(entry))
    return _case_from_steps(_require_held(entry), batch.following("review", entry.index))


def _case_from_steps(decision: Entry, steps: Sequence[Entry]) -> Case:
    """The case of *decision*, its steps picked from all review *steps* in order."""
    passed = any(step.public.get("passes") == decision.index for step in steps)
    return _replay(decision, [s for s in steps if _decision_of(s) == decision.index], passed=passed)


def _require_held(entry: Entry) -> Entry:
    if entry.kind != "decision" or entry.public.get("outcome") != "review":
        raise UsageError(
            f"entry {entry.index} is not a decision that waits for a person", hint="see `safegen review list`"
        )
    return entry


def _decision_of(step: Entry) -> int:
    """The decision that a review entry is about."""
    index = step.public.get("decision")
    if not isinstance(index, int) or isinstance(index, bool) or not 0 <= index < step.index:
        raise LedgerError(f"review entry {step.index} refers to no decision", hint="run `safegen log check`")
    return index


def _replay(decision: Entry, steps: Iterable[Entry], *, passed: bool = False) -> Case:
    """Add up the steps. A step that does not fit the state before it is an error, never passed over."""
    status: Status = "waiting"
    ordered: Sequence[Entry] = tuple(steps)
    for step in ordered:
        after = _TRANSITIONS.get((status, str(step.public.get("act"))))
        if after is None:
            raise LedgerError(
                f"review entry {step.index} does not fit a decision that is {status}",
                hint="run `safegen log check`",
            )
        status = after
    return Case(decision, tuple(ordered), "passed" if passed else status)


def _iter_entries(ledger: LedgerReader, kind: Literal["review", "decision"]) -> Iterable[Entry]:
    """Every entry of *kind*, newest first, page by page."""
    before: int | None = None
    while True:
        page = ledger.entries(kind, _PAGE, before)
        yield from page
        if len(page) < _PAGE:
            return
        before = page[-1].index
