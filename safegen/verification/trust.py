"""Whom a verification trusts: gathered from the user's own workspace and the command line only."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from safegen.workspace.config import Workspace

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    from safegen.keys.trust import TrustBundle


@dataclass(frozen=True)
class Trust:
    """Whom the user trusts: PEM anchors of signers, keys of logs by origin, PEM anchors of time stamps."""

    anchors: tuple[bytes, ...] = ()
    log_keys: Mapping[str, Sequence[Ed25519PublicKey]] = field(default_factory=dict)
    tsa_anchors: tuple[bytes, ...] = ()
    crls: tuple[bytes, ...] = ()
    """Revocation lists (PEM)."""
    names: Mapping[str, str] = field(default_factory=dict)
    """Where each signer anchor comes from, by the SHA-256 (hex) of its certificate."""

    def describe_anchor(self, root: str) -> str:
        """The anchor *root*, and the bundle that brought it."""
        names = [name for sha256, name in self.names.items() if sha256 in root]
        return f"{names[0]}: {root}" if names else root


def load_trust(workspace: Workspace, trust_files: Sequence[Path] = ()) -> Trust:
    """Anchors and logs: the workspace's own identity, its pinned bundles, and *trust_files* for this run.

    A workspace that was merely discovered adds nothing (callers pass a trusted one). Raises UsageError
    (trust files), KeyUnavailable (a damaged identity).
    """
    from safegen.keys.trust import TrustStore, read_trust_file

    anchors: list[bytes] = []
    tsa_anchors: list[bytes] = []
    names: dict[str, str] = {}
    logs: dict[str, list[Ed25519PublicKey]] = {}
    crls: list[bytes] = []
    bundles = [read_trust_file(file) for file in trust_files]
    if workspace.trusted:
        bundles.extend(TrustStore(workspace.trust).bundles())
        bundles.extend(_own(workspace))
    for bundle in bundles:
        anchors.extend(bundle.roots)
        tsa_anchors.extend(bundle.tsa_roots)
        crls.extend(bundle.crls)
        for origin, keys in bundle.log_keys.items():
            logs.setdefault(origin, []).extend(keys)
        names.update({anchor.sha256: bundle.name for anchor in bundle.anchors})
    return Trust(tuple(anchors), logs, tuple(tsa_anchors), tuple(crls), names)


def _own(workspace: Workspace) -> Iterator[TrustBundle]:
    """The identity of a workspace of one's own, and the certificate configured instead of it."""
    from safegen.keys.identity import Identity
    from safegen.keys.log_key import decode_vkey
    from safegen.keys.trust import TrustBundle

    if (workspace.keys / "identity.json").is_file():
        identity = Identity.load(workspace.keys)
        logs = dict([decode_vkey(identity.log_vkey)])
        yield TrustBundle(
            "this workspace", (identity.root_pem,), logs, log_history=identity.log_history, crls=identity.crls
        )
    if workspace.config.signing_chain is not None:
        yield TrustBundle("configured certificate", (workspace.config.signing_chain.read_bytes(),))
