"""The functions behind ``safegen consent``, taking plain values."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from safegen import policies
from safegen._util.hashing import file_sha256
from safegen._util.login import login_name
from safegen._util.time import parse_moment
from safegen.consent import image_check, registry
from safegen.consent.prompt_check import apply_consent
from safegen.consent.records import Attestation, Consent, Grant
from safegen.consent.registrar import load_public_key, open_registrar
from safegen.types import Action, Json, Request
from safegen.workspace import config
from safegen.workspace.session import open_ledger_for_writing

if TYPE_CHECKING:
    from safegen.keys.passphrase import Passphrase
    from safegen.ledger.reader import LedgerReader
    from safegen.workspace.config import Workspace


def grant(
    subject: str, fields: Mapping[str, Any], workspace_path: Path | None, passphrase: Passphrase
) -> tuple[int, str]:
    """Record a grant in a workspace; returns the entry's index and the registrar's name.

    *fields*: the other fields of ``Grant``, the end as text. Raises UsageError, UnreadableInput,
    KeyUnavailable, LedgerError.
    """
    end = fields.get("expires")
    terms = Grant(**{**fields, "subject": subject, "expires": parse_moment(end) if end else None})
    workspace = config.find_workspace(workspace_path)
    with open_ledger_for_writing(workspace, passphrase=passphrase, create=True) as ledger:
        registrar = open_registrar(workspace.keys)
        return registry.grant(ledger, terms, registrar, image_check.compute_descriptors), registrar.name


def attest(
    file: Path,
    consents: Sequence[int],
    no_person: bool,
    by: str,
    workspace_path: Path | None,
    *,
    passphrase: Passphrase,
) -> Attestation:
    """Record a statement about *file*. Raises UsageError, UnreadableInput, KeyUnavailable, LedgerError."""
    signatory = by.strip() or os.environ.get("SAFEGEN_USER", "").strip() or login_name(hint="give --by NAME")
    workspace = config.find_workspace(workspace_path)
    with open_ledger_for_writing(workspace, passphrase=passphrase, create=True) as ledger:
        return registry.attest(ledger, file, consent=tuple(consents), no_person=no_person, by=signatory)


def list_consents(space: Workspace, ledger: LedgerReader) -> list[Consent]:
    """Every grant with its current state, newest first."""
    return registry.list_consents(ledger, load_public_key(space.keys))


def check_consent(what: str, policy: str, workspace_path: Path | None, ledger: LedgerReader) -> Json:
    """What the registry says about *what*: a prompt, or the path of a picture or video.

    Raises CheckUnavailable, UnreadableInput, UsageError, LedgerError.
    """
    consents = list_consents(config.find_workspace(workspace_path), ledger)
    rules = policies.load(policy)
    outcome: Action
    if Path(what).is_file():
        outcome, reasons = _check_file(Path(what), rules.inputs.people, consents, ledger)
    else:
        from safegen.screening import screen

        decision = apply_consent(screen(Request(what, policy=policy), policy=rules), rules, consents)
        outcome, reasons = decision.outcome, [f.reason for f in decision.findings]
    return {
        "schema": "safegen.consent/1",
        "about": what,
        "outcome": outcome,
        "reasons": reasons,
        "exit_code": outcome.exit_code,
    }


def _check_file(
    path: Path, people: Any, consents: Sequence[Consent], ledger: LedgerReader
) -> tuple[Action, list[str]]:
    from safegen.media import sandbox

    findings, _ = image_check.check_likeness(
        sandbox.open_clip(path),
        path.name,
        file_sha256(path),
        ledger=ledger,
        consents=consents,
        generated=False,
        people=people,
    )
    outcome = max((action for _, action in findings), default=Action.ALLOW)
    return outcome, [f.reason for f, _ in findings]


def to_json(consent: Consent) -> Json:
    """A consent for programs (``safegen.consent/1``)."""
    return {
        "schema": "safegen.consent/1",
        "entry": consent.index,
        "time": consent.time,
        "state": consent.state,
        "subject": consent.subject,
        "aliases": list(consent.aliases),
        "scope": list(consent.scope),
        "expires": consent.expires,
        "minor": consent.minor,
        "evidence_sha256": consent.evidence_sha256,
        "references": [{"name": r.name, "sha256": r.sha256} for r in consent.references],
    }
