"""What an input's credentials say: whether it is what they describe, and whether it may be built upon."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from safegen.credentials import assertions
from safegen.credentials.manifest_store import actions_in
from safegen.credentials.source_types import is_owners_word
from safegen.errors import UnreadableInput
from safegen.types import Action, CredentialsEvidence, CredentialState, Finding, Json

if TYPE_CHECKING:
    from safegen.ledger.reader import LedgerReader
    from safegen.policies.schema import Inputs

CHECK, VERSION = "input-credentials", "1"


@dataclass(frozen=True)
class InputCredentials:
    """An input's credentials, and what they mean for the request: findings with what each leads to."""

    evidence: CredentialsEvidence
    findings: tuple[tuple[Finding, Action], ...]

    @property
    def broken(self) -> bool:
        """Whether the file is not what its credentials, or those of what it was made from, say."""
        return self.evidence.state is CredentialState.INVALID or bool(self.evidence.ingredient_failures)

    @property
    def generated(self) -> bool:
        """Whether a trusted signer says that a model made all of it."""
        return self.evidence.trusted and is_fully_generated(self.evidence.manifest or {})


def assess_credentials(
    copy: Path,
    name: str,
    policy: Inputs,
    *,
    anchors: Sequence[bytes | str],
    ledger: LedgerReader | None,
    tsa_anchors: Sequence[bytes | str] = (),
    crls: Sequence[bytes] = (),
) -> InputCredentials:
    """Read the credentials of *copy* and apply the *policy*; *name* is the file's own name, for messages.

    *anchors* vouch for signers, *tsa_anchors* for time stamps, *crls* are revocation lists (PEM). An intact
    release of the own *ledger* may be used whatever its credentials allow others. Raises UnreadableInput for
    a damaged file, LedgerError.
    """
    from safegen.credentials import formats
    from safegen.credentials.in_child import read_credentials
    from safegen.credentials.mining import disallowed_generative_uses

    evidence = read_credentials(copy, anchors_pem=anchors, tsa_anchors_pem=tsa_anchors, crls=crls)
    if evidence.state is CredentialState.UNSUPPORTED and formats.detect(copy).signable:
        raise UnreadableInput(f"{name}: {evidence.reason}", hint="fetch it again, or use another copy")
    findings: list[tuple[Finding, Action]] = []

    def add(category: str, score: float, reason: str, action: Action) -> None:
        findings.append((Finding(category, score, CHECK, f"{name}: {reason}"), action))

    if InputCredentials(evidence, ()).broken:
        add("input_credentials", 1.0, _why_broken(evidence), policy.broken)
    if evidence.state is CredentialState.UNREADABLE:
        reason = f"its credentials cannot be checked, so what they allow is unknown: {evidence.reason}"
        add("input_credentials", 0.5, reason, policy.remote)
    forbidden = disallowed_generative_uses(evidence.manifest or {})
    if forbidden and not _is_own_release(evidence, ledger):
        reason = f"its credentials do not allow generative use ({', '.join(forbidden)})"
        add("input_rights", 1.0, reason, policy.forbidden)
    if evidence.state is CredentialState.REMOTE_NOT_FETCHED:
        reason = "its credentials are stored elsewhere, so what they allow is unknown"
        add("input_credentials", 0.5, reason, policy.remote)
    return InputCredentials(evidence, tuple(findings))


def _why_broken(evidence: CredentialsEvidence) -> str:
    """The reason in words, the code behind it."""
    from safegen.credentials.explain import explain

    if evidence.state is CredentialState.INVALID:
        return f"it does not match its credentials: {evidence.reason} ({', '.join(evidence.failures)})"
    code = evidence.ingredient_failures[0]
    return f"something it was made from does not match its credentials: {explain(code)} ({code})"


def _is_own_release(evidence: CredentialsEvidence, ledger: LedgerReader | None) -> bool:
    """Whether it is an intact release of the own ledger: its maker is not bound by what others may do."""
    if ledger is None or not evidence.trusted or evidence.manifest_id is None:
        return False
    recorded = ledger.find_releases(manifest_id=evidence.manifest_id)
    return any(release.manifest == evidence.store for release in recorded)  # the id is only a name


def is_fully_generated(manifest: Json) -> bool:
    """Whether *manifest* (c2pa's JSON) says at every step that names a source type that a model made it.

    What an owner states about a file made elsewhere does not count: something in it may have been filmed.
    """
    source_types = [kind for kind in _source_types(manifest) if kind]
    return bool(source_types) and all(kind == assertions.GENERATED for kind in source_types)


def _source_types(manifest: Json) -> Iterator[object]:
    for action in actions_in(manifest):
        yield None if is_owners_word(action) else action.get("digitalSourceType")
