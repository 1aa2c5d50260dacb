"""``generate --dry-run``: what a request would lead to. Nothing is made, recorded or loaded."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from safegen._util.time import utc_now
from safegen.consent.prompt_check import apply_consent
from safegen.pipeline import produce
from safegen.pipeline.authorize import load_consents, raise_for_decision, user_trust
from safegen.pipeline.inputs import Admitted, admit_inputs
from safegen.request.settings import names_for
from safegen.request.validate import check_request
from safegen.types import Allowed, Held, Json, Outlook, Refused, Request
from safegen.workspace.session import open_ledger_if_any

if TYPE_CHECKING:
    from safegen.policies.schema import Policy
    from safegen.protocols import Generator
    from safegen.workspace.config import Workspace

_SIZE_SETTINGS = names_for("dry run")


def plan(request: Request, output: Path | None, *, workspace: Workspace, notes: Sequence[str] = ()) -> Json:
    """What ``produce`` would do: decision, model, sizes. Raises what it would raise before generating."""
    from safegen.policies import load
    from safegen.screening import screen

    policy = load(request.policy)
    generator = produce.find_generator(request.model)
    if output is not None:
        produce.check_output_path(output)
    outlook = check_request(request, generator)
    decision = screen(request, policy=policy)
    if isinstance(decision, Refused):
        raise_for_decision(decision)
    with tempfile.TemporaryDirectory(prefix="safegen-") as folder:
        admitted = _admit_read_only(decision, policy, Path(folder), workspace)
    if not isinstance(admitted.decision, Allowed):
        raise_for_decision(admitted.decision)
    return _plan_json(admitted, policy, generator, outlook, output, workspace, notes)


def _admit_read_only(
    decision: Allowed | Held, policy: Policy, folder: Path, workspace: Workspace
) -> Admitted:
    """The inputs examined without a ledger to write to. Raises as ``admit_inputs`` does."""
    trust = user_trust(workspace)
    admit = partial(
        admit_inputs,
        policy=policy,
        temporary=folder.joinpath,
        anchors=trust.anchors,
        tsa_anchors=trust.tsa_anchors,
        crls=trust.crls,
    )
    with open_ledger_if_any(workspace) as ledger:
        if ledger is None:
            return admit(decision, ledger=None)
        consents = load_consents(workspace, ledger, utc_now())
        consented = apply_consent(decision, policy, consents)
        if isinstance(consented, Refused):
            raise_for_decision(consented)
        return admit(consented, ledger=ledger, consents=consents)


def _plan_json(
    admitted: Admitted,
    policy: Policy,
    generator: Generator,
    outlook: Outlook,
    output: Path | None,
    workspace: Workspace,
    notes: Sequence[str],
) -> Json:
    """The plan as names and values, for people and programs."""
    decision = admitted.decision
    request = decision.request
    all_notes = [*notes, *admitted.notes, *outlook.notes]
    return {
        "prompt": request.prompt,
        "mode": request.mode,
        **{c.role: c.name for c in admitted.conditions},
        **({"shots": "; ".join(f"{s.at:g} s: {s.prompt}" for s in request.shots)} if request.shots else {}),
        **({} if request.strength is None else {"strength": request.strength}),
        "decision": decision.outcome,
        "policy": f"{policy.name} {policy.digest[:12]}",
        "checks": ", ".join(c.name for c in decision.checks),
        "then": ", ".join((*policy.frames.required, *policy.frames.optional, *policy.attributes)),
        "seed": request.seed,
        **{k: v for k, v in vars(request).items() if k in _SIZE_SETTINGS and v is not None},
        "model": generator.name,
        **{k: v for k, v in vars(outlook).items() if k in _SIZE_SETTINGS and v is not None},
        **outlook.needs,
        "notes": "; ".join(all_notes) or "none",
        "output": str(output) if output else "safegen-ID.mp4",
        "workspace": str(workspace.root),
    }
