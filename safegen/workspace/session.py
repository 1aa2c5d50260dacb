"""Opening a workspace: its ledger for reading or writing, or a session with everything a release needs.

Every other module opens workspace, ledger and identity with these functions.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from safegen._util.logs import logger
from safegen._util.time import Clock, utc_now
from safegen.errors import KeyUnavailable, UsageError
from safegen.protocols import NoProgress, Progress, Signer, StepHook, no_hook
from safegen.workspace.config import Workspace

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    from safegen.keys.identity import Identity
    from safegen.keys.log_history import PastKey
    from safegen.keys.passphrase import Passphrase
    from safegen.ledger.checkpoint import Checkpoint
    from safegen.ledger.seen import SeenCheckpoints
    from safegen.ledger.store import Ledger

_log = logger(__name__)


def new_content_id() -> int:
    """A random content id: 64 bits, never 0."""
    return secrets.randbits(64) or 1


DEFAULT_ORGANISATION = "local"
"""The organisation in a local identity's certificates when the workspace names none."""


@dataclass(frozen=True)
class Session:
    """An open workspace with its keys at hand.

    ``signer_anchors``: what our own signature is checked against when it is read back. ``hook`` is called at
    every named point of the release protocol (tests inject faults there).
    """

    workspace: Workspace
    signer: Signer
    signer_anchors: tuple[bytes, ...]
    ledger: Ledger
    progress: Progress = field(default_factory=NoProgress)
    clock: Clock = utc_now
    new_id: Callable[[], int] = new_content_id
    hook: StepHook = no_hook


@contextmanager
def open_session(
    workspace: Workspace,
    *,
    passphrase: Passphrase = None,
    signer: Signer | None = None,
    progress: Progress | None = None,
    clock: Clock = utc_now,
    hook: StepHook = no_hook,
) -> Iterator[Session]:
    """Open *workspace* for making videos; made on first use. Finishes interrupted releases first.

    Raises WorkspaceError, KeyUnavailable, LedgerError: all before anything is generated.
    """
    from safegen.keys.signers import require_valid_certificate

    identity = _load_identity(workspace, passphrase, clock, create=True)
    chosen, anchors = (
        (signer, (signer.chain_pem,))
        if signer is not None
        else _configured_signer(workspace, identity, passphrase)
    )
    require_valid_certificate(chosen, clock())
    _refuse_revoked(workspace, identity, chosen, clock)
    with _open_writable(workspace, identity, clock) as ledger:
        _log.info(
            "workspace open: log %(origin)s, signing with %(alg)s, %(tsa)s",
            {
                "origin": identity.log_origin,
                "alg": chosen.alg,
                "tsa": "time stamps" if workspace.config.tsa_url else "no time stamps",
            },
        )
        yield Session(
            workspace, chosen, anchors, ledger, progress or NoProgress(), clock, new_content_id, hook
        )


def require_ledger(workspace: Workspace) -> None:
    """Raise UsageError where no ledger has been made yet."""
    if not workspace.has_ledger:
        raise UsageError(
            f"there is no ledger in {workspace.root} yet",
            hint="make a release first: `safegen generate` creates the ledger",
        )


@contextmanager
def open_ledger(workspace: Workspace) -> Iterator[Ledger]:
    """The ledger of *workspace*, read only. Raises UsageError where there is none yet, LedgerError."""
    from safegen.ledger.store import Ledger

    workspace.require_trusted()
    require_ledger(workspace)
    with Ledger.open(
        workspace.ledger_url,
        read_only=True,
        checkpoint_dir=workspace.checkpoints,
        seen=seen_checkpoints(workspace),
    ) as ledger:
        yield ledger


@contextmanager
def open_ledger_if_any(workspace: Workspace) -> Iterator[Ledger | None]:
    """As ``open_ledger``, but None where there is none yet. Raises LedgerError."""
    workspace.require_trusted()
    if not workspace.has_ledger:
        yield None
        return
    with open_ledger(workspace) as ledger:
        yield ledger


@contextmanager
def open_ledger_for_writing(
    workspace: Workspace,
    *,
    passphrase: Passphrase = None,
    clock: Clock = utc_now,
    create: bool = False,
) -> Iterator[Ledger]:
    """The ledger of *workspace*, for commands that write to it but sign no video.

    Finishes interrupted releases first. Where there is none yet, *create* makes workspace, identity and
    ledger; without it that is a UsageError. Raises KeyUnavailable, WorkspaceError, LedgerError.
    """
    workspace.require_trusted()
    if not create:
        require_ledger(workspace)
    identity = _load_identity(workspace, passphrase, clock, create=create)
    with _open_writable(workspace, identity, clock) as ledger:
        yield ledger


def _load_identity(workspace: Workspace, passphrase: Passphrase, clock: Clock, *, create: bool) -> Identity:
    """The workspace's identity; with *create* both are made on first use."""
    from safegen.keys.identity import Identity

    workspace.require_trusted()
    if not create:
        return Identity.load(workspace.keys, passphrase=passphrase, clock=clock)
    workspace.create()
    name = workspace.config.organisation or DEFAULT_ORGANISATION
    return Identity.load_or_create(workspace.keys, name=name, passphrase=passphrase, clock=clock)


def _refuse_revoked(workspace: Workspace, identity: Identity, signer: Signer, clock: Clock) -> None:
    """Refuse a certificate that the identity's list, or one that the user pinned, says is revoked.

    Raises KeyUnavailable; CheckUnavailable, UsageError: a pinned list or bundle is damaged.
    """
    from safegen.keys.revoke import require_not_revoked
    from safegen.keys.trust import TrustStore

    pinned = TrustStore(workspace.trust).bundles()
    anchors = [root for bundle in pinned for root in bundle.roots]
    crls = [crl for bundle in pinned for crl in bundle.crls]
    require_not_revoked(identity, signer.chain_pem, now=clock(), anchors=anchors, crls=crls)


@contextmanager
def _open_writable(workspace: Workspace, identity: Identity, clock: Clock) -> Iterator[Ledger]:
    """The ledger for appending, its checkpoints signed by *identity*; interrupted releases are finished."""
    from safegen.ledger.note import LogSigner
    from safegen.ledger.store import Ledger
    from safegen.release import recover
    from safegen.workspace.sealed_prompts import remove_old_prompts

    log = LogSigner(identity.log_origin, identity.log_key)
    with Ledger.open(
        workspace.ledger_url,
        signer=log,
        checkpoint_dir=workspace.checkpoints,
        seen=_seen(identity.log_vkey, identity.log_history),
        clock=clock,
    ) as ledger:
        ledger.refuse_fork()
        report = recover(ledger, clock=clock)
        if report.waiting:
            _log.warning("%(count)d interrupted releases are left alone", {"count": len(report.waiting)})
        yield ledger
        remove_old_prompts(workspace, ledger, clock())


def _seen(vkey: str, history: Sequence[PastKey]) -> SeenCheckpoints:
    """This user's record of the log whose key now is *vkey*."""
    from safegen._util.user_state import user_state_folder
    from safegen.ledger.seen import SeenCheckpoints

    return SeenCheckpoints(user_state_folder() / "logs", history[0].vkey if history else vkey)


def seen_checkpoints(workspace: Workspace) -> SeenCheckpoints | None:
    """The record for the workspace's own log; None where it has no readable identity."""
    from safegen.keys.identity_files import read_public_part
    from safegen.keys.log_history import PastKey

    try:
        public = read_public_part(workspace.keys)
        history = [PastKey(**past) for past in public.get("log_history", [])]
        return _seen(str(public["log_vkey"]), history)
    except (KeyUnavailable, KeyError, TypeError):
        return None


def heads_seen(workspace: Workspace, origin: str, keys: Sequence[Ed25519PublicKey]) -> list[Checkpoint]:
    """What the workspace's log *origin* must extend: its checkpoints outside the database that count.

    Raises LedgerError: unreadable.
    """
    from safegen.ledger import seen
    from safegen.ledger.checkpoint_folder import CheckpointFolder

    workspace.require_trusted()
    folder = CheckpointFolder(workspace.checkpoints)
    return seen.heads_seen(folder, seen_checkpoints(workspace), keys=keys, origin=origin)


def _configured_signer(
    workspace: Workspace, identity: Identity, passphrase: Passphrase
) -> tuple[Signer, tuple[bytes, ...]]:
    """The configured certificate, else the local identity; with the anchors of its chain."""
    config = workspace.config
    if config.signing_key is None:
        signer: Signer = identity.signer()
        anchors = (identity.root_pem,)
    else:
        from safegen.keys.passphrase import for_signing_key
        from safegen.keys.signers import from_paths

        secret = for_signing_key(config.signing_passphrase_file, passphrase)
        signer = from_paths(config.signing_chain, config.signing_key, passphrase=secret)
        anchors = (signer.chain_pem,)
    if config.signing_alg is not None and config.signing_alg != signer.alg:
        raise KeyUnavailable(
            f"[signing] alg is {config.signing_alg}, but the signing key is for {signer.alg}",
            hint="correct or remove `alg` in safegen.toml, or name another key",
        )
    return signer, anchors
