"""``verify``: open what the user trusts, gather, decide, report."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from safegen.errors import CheckUnavailable, LedgerError
from safegen.types import ContentMatch, CredentialState, NotChecked, Report
from safegen.verification.gather import Gathered, Trust, gather
from safegen.verification.verdict import Answer, decide
from safegen.workspace import Workspace

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    from safegen.keys.trust import TrustBundle
    from safegen.ledger.store import Ledger


def verify_file(
    path: Path,
    *,
    workspace: Workspace,
    proof: Path | None = None,
    passed_over: Workspace | None = None,
    trust_files: Sequence[Path] = (),
    watermark: bool = True,
    at: datetime | None = None,
) -> Report:
    """The report on *path*, with the trust of *workspace* and of *trust_files*.

    *passed_over* is a workspace that was found by walking up and adds nothing: the report says so.

    Raises UnreadableInput, UsageError (trust files), CheckUnavailable (a layer that cannot be examined,
    a ledger that is locked or corrupt).
    """
    trust = load_trust(workspace, trust_files)
    with _ledger(workspace) as ledger:
        try:
            found = gather(path, trust=trust, ledger=ledger, proof=proof, watermark=watermark, at=at)
        except LedgerError as error:
            raise CheckUnavailable(f"the ledger could not be asked: {error}", hint=error.hint) from error
    if passed_over is not None:
        reason = f"{passed_over.root} was only found, not chosen; --workspace would use its trust and ledger"
        found = replace(found, not_checked=(*found.not_checked, NotChecked("workspace", reason)))
    return _report(path, found, decide(found.evidence), trust)


def load_trust(workspace: Workspace, trust_files: Sequence[Path] = ()) -> Trust:
    """Anchors and logs: the workspace's own identity, its pinned bundles, and *trust_files* for this run.

    A workspace that was merely discovered adds nothing (callers pass a trusted one).
    """
    from safegen.keys.trust import TrustStore, read_trust_file

    anchors: list[bytes] = []
    stamps: list[bytes] = []
    names: dict[str, str] = {}
    logs: dict[str, list[Ed25519PublicKey]] = {}
    bundles = [read_trust_file(file) for file in trust_files]
    if workspace.trusted:
        bundles.extend(TrustStore(workspace.trust).bundles())
        bundles.extend(_own(workspace))
    for bundle in bundles:
        anchors.extend(bundle.roots)
        stamps.extend(bundle.tsa_roots)
        for origin, key in bundle.logs.items():
            logs.setdefault(origin, []).append(key)
        names.update({anchor.sha256: bundle.name for anchor in bundle.anchors})
    return Trust(tuple(anchors), logs, tuple(stamps), names)


def _own(workspace: Workspace) -> Iterator[TrustBundle]:
    """The identity of a workspace of one's own, and the certificate configured instead of it."""
    from safegen.keys.identity import Identity
    from safegen.keys.logkey import decode_vkey
    from safegen.keys.trust import TrustBundle

    if (workspace.keys / "identity.json").is_file():
        own = Identity.load(workspace.keys)
        yield TrustBundle("this workspace", (own.root_pem,), dict([decode_vkey(own.log_vkey)]))
    if workspace.config.signing_chain is not None:
        yield TrustBundle("configured certificate", (workspace.config.signing_chain.read_bytes(),))


@contextmanager
def _ledger(workspace: Workspace) -> Iterator[Ledger | None]:
    """The workspace's ledger, read only; None where none was made yet."""
    if not (workspace.trusted and workspace.has_ledger):
        yield None
        return
    from safegen.ledger.store import Ledger

    try:
        ledger = Ledger.open(workspace.ledger_url, read_only=True)
    except LedgerError as error:
        raise CheckUnavailable(f"the ledger could not be opened: {error}", hint=error.hint) from error
    with ledger:
        yield ledger


def _report(path: Path, found: Gathered, answer: Answer, trust: Trust) -> Report:
    """Everything in one value."""
    evidence = found.evidence
    content: ContentMatch | None = next((r.content for r in evidence.resolutions if r.content), None)
    intact = evidence.credentials.state is CredentialState.VALID
    recovered = found.recovered.manifest_json if found.recovered is not None and not intact else None
    root = evidence.credentials.trusted_root
    return Report(
        path=path,
        sha256=found.sha256,
        verdict=answer.verdict,
        summary=answer.summary,
        reasons=answer.reasons,
        credentials=evidence.credentials,
        watermarks=evidence.watermarks,
        ledger=evidence.ledger,
        content=content,
        recovered_manifest=recovered,
        trusted_by=_by_whom(root, trust) if evidence.credentials.trusted and root else None,
        not_checked=found.not_checked,
    )


def _by_whom(root: str, trust: Trust) -> str:
    """The anchor, and the bundle that brought it."""
    names = [name for sha256, name in trust.names.items() if sha256 in root]
    return f"{names[0]}: {root}" if names else root
