"""Everything a job needs besides the request: workspace, ledger, keys, policy, clock, randomness."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from safegen._util.time import Clock, utc_now
from safegen.errors import UsageError
from safegen.protocols import NoProgress, Progress, Signer
from safegen.workspace.config import Workspace

if TYPE_CHECKING:
    from safegen.keys.identity import Identity
    from safegen.keys.passphrase import Passphrase
    from safegen.ledger.store import Ledger


def new_content_id() -> int:
    """A random content id: 64 bits, never 0."""
    return secrets.randbits(64) or 1


def no_hook(_point: str) -> None:
    """The default of the fault-injection hook: nothing happens."""


DEFAULT_ORGANISATION = "local"
"""The organisation in a local identity's certificates when the workspace names none."""


@dataclass(frozen=True)
class Session:
    """An open workspace with its keys at hand.

    ``signer_roots`` are the anchors against which our own signature is checked when it is read back.
    ``at`` is called at every named point of the release protocol (tests inject faults there).
    """

    workspace: Workspace
    identity: Identity
    signer: Signer
    signer_anchors: tuple[bytes, ...]
    ledger: Ledger
    progress: Progress = field(default_factory=NoProgress)
    clock: Clock = utc_now
    new_id: Callable[[], int] = new_content_id
    hook: Callable[[str], None] = no_hook


@contextmanager
def open_session(
    workspace: Workspace,
    *,
    passphrase: Passphrase = None,
    signer: Signer | None = None,
    progress: Progress | None = None,
    clock: Clock = utc_now,
    hook: Callable[[str], None] = no_hook,
) -> Iterator[Session]:
    """Open *workspace* for making videos; made on first use. Finishes interrupted releases first.

    Raises WorkspaceError, KeyUnavailable, LedgerError: all before anything is generated.
    """
    from safegen.keys.identity import Identity
    from safegen.keys.signers import require_valid_certificate
    from safegen.ledger.note import LogSigner
    from safegen.ledger.store import Ledger
    from safegen.release import recover

    workspace.create()
    identity = Identity.load_or_create(
        workspace.keys,
        name=workspace.config.organisation or DEFAULT_ORGANISATION,
        passphrase=passphrase,
        clock=clock,
    )
    chosen, roots = (
        (signer, (signer.chain_pem,))
        if signer is not None
        else _configured_signer(workspace, identity, passphrase)
    )
    require_valid_certificate(chosen, clock())
    log = LogSigner(identity.log_origin, identity.log_key)
    with Ledger.open(
        workspace.ledger_url, signer=log, checkpoint_dir=workspace.checkpoints, clock=clock
    ) as ledger:
        recover(ledger, clock=clock)
        yield Session(
            workspace, identity, chosen, roots, ledger, progress or NoProgress(), clock, new_content_id, hook
        )


@contextmanager
def open_ledger_for_writing(
    workspace: Workspace, *, passphrase: Passphrase = None, clock: Clock = utc_now
) -> Iterator[Ledger]:
    """The existing ledger of *workspace*, for commands that write to it but sign no video.

    Finishes interrupted releases first. Raises UsageError where there is none yet, KeyUnavailable,
    LedgerError.
    """
    from safegen.keys.identity import Identity
    from safegen.ledger.note import LogSigner
    from safegen.ledger.store import Ledger
    from safegen.release import recover

    if not workspace.has_ledger:
        raise UsageError(
            f"there is no ledger in {workspace.root} yet",
            hint="make a release first: `safegen generate` creates the ledger",
        )
    identity = Identity.load(workspace.keys, passphrase=passphrase, clock=clock)
    log = LogSigner(identity.log_origin, identity.log_key)
    with Ledger.open(
        workspace.ledger_url, signer=log, checkpoint_dir=workspace.checkpoints, clock=clock
    ) as ledger:
        recover(ledger, clock=clock)
        yield ledger


def _configured_signer(
    workspace: Workspace, identity: Identity, passphrase: Passphrase
) -> tuple[Signer, tuple[bytes, ...]]:
    """The configured certificate, else the local identity; with the anchors of its chain."""
    config = workspace.config
    if config.signing_key is None:
        return identity.signer(), (identity.root_pem,)
    from safegen.keys.signers import from_paths

    signer = from_paths(config.signing_chain, config.signing_key, passphrase=passphrase)
    return signer, (signer.chain_pem,)
