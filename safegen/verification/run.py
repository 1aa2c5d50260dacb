"""``verify``: open what the user trusts, gather, decide, report."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from safegen._util.logs import logger
from safegen.credentials import in_child
from safegen.errors import CheckUnavailable, LedgerError
from safegen.types import ContentMatch, CredentialsEvidence, CredentialState, Report
from safegen.verification import content_index
from safegen.verification.collector import EvidenceCollector
from safegen.verification.evidence import VerdictResult
from safegen.verification.gather import GatheredEvidence, gather_evidence
from safegen.verification.options import VerifyOptions
from safegen.verification.origin import find_origin
from safegen.verification.text_tracks import check_text_tracks
from safegen.verification.trust import load_trust
from safegen.verification.verdict import decide_verdict
from safegen.workspace.config import Workspace

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    from safegen.ledger.checkpoint import Checkpoint
    from safegen.ledger.store import Ledger

_log = logger(__name__)

SQLITE = "sqlite:///"


def verify_file(
    path: Path,
    *,
    workspace: Workspace,
    proof: Path | None = None,
    discovered_workspace: Workspace | None = None,
    trust_files: Sequence[Path] = (),
    watermark: bool = True,
    at: datetime | None = None,
    fetch_hosts: Sequence[str] = (),
    resolve: str | None = None,
    send: bool = False,
    fragments: Sequence[Path] = (),
    c2pa_list: bool = True,
) -> Report:
    """The report on *path*, with the trust of *workspace* and of *trust_files*, and (*c2pa_list*) the C2PA's.

    *discovered_workspace* is a workspace that was found by walking up and adds nothing: the report says so.
    *at* (aware) judges certificates at another time; *fetch_hosts* allows remote manifests from these hosts;
    *resolve* is the address of a resolution service to ask where the credentials are gone, which with
    *send* may also be sent the file itself. *fragments* are the other files of a fragmented MP4.

    Raises UnreadableInput, UsageError (trust files), CheckUnavailable (a layer that cannot be examined,
    a ledger that is locked or corrupt).
    """
    in_child.prepare()
    options = VerifyOptions(
        trust=load_trust(workspace, trust_files, c2pa_list=c2pa_list),
        open_ledger=lambda: _open_ledger(workspace),
        database=_database(workspace),
        heads_seen=lambda origin, keys: _heads_seen(workspace, origin, keys),
        index_file=workspace.root / content_index.INDEX_NAME if workspace.trusted else None,
        proof=proof,
        watermark=watermark,
        at=at,
        fetch_hosts=tuple(fetch_hosts),
        resolve=resolve,
        send=send,
        fragments=tuple(fragments),
    )
    collector = EvidenceCollector(path, options)
    try:
        found = gather_evidence(collector)
    except LedgerError as error:
        raise CheckUnavailable(f"the ledger could not be queried: {error}", hint=error.hint) from error
    if discovered_workspace is not None:
        root = discovered_workspace.root
        reason = f"{root} was found but not chosen; use its trust and ledger with --workspace"
        collector.note("workspace", reason)
    report = _build_report(collector, found, decide_verdict(found.evidence))
    _log.info("verdict %(verdict)s", {"verdict": report.verdict.name})
    for layer in report.not_checked:
        _log.debug("not checked: %(layer)s", {"layer": layer.layer})
    return report


def _database(workspace: Workspace) -> Path | None:
    """The file of the workspace's ledger where it is SQLite and exists."""
    if not (workspace.trusted and workspace.ledger_url.startswith(SQLITE)):
        return None
    file = Path(workspace.ledger_url.removeprefix(SQLITE))
    return file if file.is_file() else None


def _heads_seen(workspace: Workspace, origin: str, keys: Sequence[Ed25519PublicKey]) -> Sequence[Checkpoint]:
    """Checkpoints that the workspace's log must extend. Raises LedgerError."""
    from safegen.workspace.session import heads_seen

    return heads_seen(workspace, origin, keys)


@contextmanager
def _open_ledger(workspace: Workspace) -> Iterator[Ledger | None]:
    """The workspace's ledger, read only; None where none was made yet."""
    from safegen.workspace.session import open_ledger_if_any

    if not workspace.trusted:
        yield None
        return
    with ExitStack() as stack:
        try:
            ledger = stack.enter_context(open_ledger_if_any(workspace))
        except LedgerError as error:
            raise CheckUnavailable(f"the ledger could not be opened: {error}", hint=error.hint) from error
        yield ledger


def _trusted_by(collector: EvidenceCollector, credentials: CredentialsEvidence) -> str | None:
    """Through which anchor the signer is trusted, and who pinned that."""
    root, sha256 = credentials.trusted_root, credentials.root_sha256
    if not credentials.trusted or root is None or sha256 is None:
        return None
    return collector.trust.describe_anchor(root, sha256)


def _build_report(collector: EvidenceCollector, found: GatheredEvidence, answer: VerdictResult) -> Report:
    """Everything in one value."""
    evidence = found.evidence
    if evidence.ledger is not None and evidence.ledger.source == "sidecar":
        collector.note(
            "withdrawal", "the proof beside the file cannot say whether its maker withdrew it since"
        )
    content: ContentMatch | None = next((r.content for r in evidence.resolutions if r.content), None)
    intact = evidence.credentials.state is CredentialState.VALID
    recovered = (
        found.recovered_release.manifest_json if found.recovered_release is not None and not intact else None
    )
    if recovered is None and evidence.named:
        recovered = evidence.named[0].credentials.manifest
    return Report(
        path=collector.path,
        sha256=found.sha256,
        verdict=answer.verdict,
        summary=answer.summary,
        reasons=answer.reasons,
        credentials=evidence.credentials,
        watermarks=evidence.watermarks,
        ledger=evidence.ledger,
        content=content,
        recovered_manifest=recovered,
        trusted_by=_trusted_by(collector, evidence.credentials),
        not_checked=collector.not_checked,
        texts=check_text_tracks(collector.path, evidence.credentials.manifest if intact else recovered),
        origin=find_origin(evidence, answer.verdict, None if intact else recovered),
        noun=evidence.noun,
    )
