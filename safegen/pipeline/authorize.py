"""From a request to the permission to generate: prompt, inputs, decision, its entry, a person's approval.

In this order, and all of it before anything is generated. A refused prompt is recorded and stops at once:
its inputs are not even opened.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

from safegen.consent.prompt_check import apply_consent
from safegen.consent.registrar import load_public_key
from safegen.consent.registry import list_consents
from safegen.errors import HeldForReview, RefusedByPolicy, UsageError
from safegen.pipeline.held_clips import HeldClip, approved_output, load_held_clip
from safegen.pipeline.inputs import Admitted, admit_inputs
from safegen.pipeline.ledger_records import append_decision, decision_public
from safegen.review.queue import spend_approval
from safegen.types import Allowed, Decision, Held, Refused, Request
from safegen.workspace.session import Session

if TYPE_CHECKING:
    from datetime import datetime

    from safegen.consent.records import Consent
    from safegen.ledger.reader import LedgerReader
    from safegen.policies.schema import Policy
    from safegen.review.queue import Approval
    from safegen.verification.trust import Trust
    from safegen.workspace.config import Workspace


@dataclass(frozen=True)
class Authorized:
    """A request that may be generated, its inputs admitted. ``decision_index``: its entry in the ledger.

    ``held_clip``: the clip made of it before, which a person approved.
    """

    inputs: Admitted
    decision_index: int
    approval: Approval | None
    held_clip: HeldClip | None = None


def screen_prompt(request: Request, policy: Policy, session: Session) -> Allowed | Held | Refused:
    """The decision about the prompts alone. A refusal is recorded and raised (RefusedByPolicy)."""
    from safegen.screening import screen

    session.progress.stage("screening")
    decision = screen(request, policy=policy)
    if isinstance(decision, Refused):
        raise_for_decision(decision, record_decision(decision, session))
    return decision


def authorize(
    decision: Allowed | Held | Refused,
    policy: Policy,
    *,
    session: Session,
    temporary: Callable[[str], Path],
    approval: int | None = None,
) -> Authorized:
    """Admit the inputs of a screened request, record the decision about all of it, let it pass or stop.

    *temporary* gives paths for files that have to stay until the clip is signed. An *approval* of a clip
    brings that clip back (``Authorized.held_clip``): nothing has to be generated. Raises UnreadableInput,
    CheckUnavailable, RefusedByPolicy, HeldForReview, UsageError for an approval nothing needs.
    """
    consents = load_consents(session.workspace, session.ledger, session.clock())
    decision = apply_consent(decision, policy, consents)
    if isinstance(decision, Refused):
        raise_for_decision(decision, record_decision(decision, session))
    trust = user_trust(session.workspace)
    admitted = admit_inputs(
        decision,
        policy,
        temporary=temporary,
        anchors=[*session.signer_anchors, *trust.anchors],
        tsa_anchors=trust.tsa_anchors,
        crls=trust.crls,
        ledger=session.ledger,
        consents=consents,
        progress=session.progress,
    )
    index = record_decision(admitted.decision, session)
    output = None if approval is None else approved_output(session.ledger, approval)
    if approval is None or output is None or isinstance(admitted.decision, Refused):
        return Authorized(admitted, index, apply_approval(admitted.decision, approval, session, index))
    held_clip = load_held_clip(
        output, admitted.decision, session=session, temporary=temporary, ingredients=admitted.ingredients
    )
    spent = spend_approval(
        session.ledger, approval, admitted.decision, recorded=index, output=held_clip.output
    )
    return Authorized(admitted, index, spent, held_clip)


def load_consents(workspace: Workspace, ledger: LedgerReader, now: datetime) -> list[Consent]:
    """The consent registry as it stands *now*. Raises LedgerError, KeyUnavailable."""
    return list_consents(ledger, load_public_key(workspace.keys), now=now)


def user_trust(workspace: Workspace) -> Trust:
    """Whom the user trusts, and what is revoked. Raises UsageError for a broken trust file."""
    from safegen.verification.trust import load_trust

    return load_trust(workspace, ())


def record_decision(decision: Decision, session: Session) -> int:
    """Enter the decision into the ledger, the prompt only as a commitment; returns the entry's index.

    What a person has to see of a held request is sealed beside it.
    """
    return append_decision(session, decision, decision_public(decision))


def apply_approval(decision: Decision, approval: int | None, session: Session, index: int) -> Approval | None:
    """Stop unless *decision* allows the request, or a person did: that *approval* is then spent.

    Raises RefusedByPolicy (no approval helps), HeldForReview, UsageError for an approval nothing needs.
    """
    if isinstance(decision, Allowed):
        if approval is not None:
            raise UsageError(
                f"the policy allows this {_subject(decision)} without approval", hint="omit --approval"
            )
        return None
    if approval is None or not isinstance(decision, Held):
        raise_for_decision(decision, index)
    return spend_approval(session.ledger, approval, decision, recorded=index)


def raise_for_decision(decision: Decision, index: int | None = None) -> NoReturn:
    """Raise what a refusing or holding decision means. *index*: its entry in the ledger, if recorded."""
    first = decision.findings[0] if decision.findings else None
    why = f"{first.category}: {first.reason}" if first else "the overall score is too high"
    if isinstance(decision, Refused):
        raise RefusedByPolicy(
            f"the policy {decision.policy.name!r} refuses this {_subject(decision)} ({why})",
            decision=decision,
            hint="nothing was generated"
            + ("" if decision.request.inputs else "; see every finding with `safegen screen`"),
        )
    if isinstance(decision, Held):
        raise HeldForReview(
            f"the policy {decision.policy.name!r} requires a person to review it first ({why})",
            decision=decision,
            hint="nothing was generated"
            if index is None
            else f"nothing was generated; the request waits as decision {index}: see `safegen review "
            f"show {index}`",
        )
    raise TypeError(f"{type(decision).__name__} is not a reason to stop")


def _subject(decision: Decision) -> str:
    """What was decided about, in a word."""
    return "request" if decision.request.inputs else "prompt"
