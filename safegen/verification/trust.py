"""Whom a verification trusts: gathered from the user's own workspace and the command line only."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
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
    ties: Mapping[str, frozenset[str]] = field(default_factory=dict)
    """Origins of the logs that each signer anchor was pinned together with, by the same SHA-256."""

    def logs_of(self, root_sha256: str) -> frozenset[str]:
        """Origins of the logs that may speak for signers under the anchor *root_sha256* (hex); often none.

        Each of them has one history of keys in ``log_keys``, whoever named it: see
        ``safegen.keys.log_ties``. A proof of any other log says nothing about such a signer.
        """
        return self.ties.get(root_sha256.lower(), frozenset())

    def describe_anchor(self, root: str) -> str:
        """The anchor *root*, and the bundle that brought it."""
        names = [name for sha256, name in self.names.items() if sha256 in root]
        return f"{names[0]}: {root}" if names else root


def load_trust(workspace: Workspace, trust_files: Sequence[Path] = ()) -> Trust:
    """Anchors and logs: the workspace's own identity, its pinned bundles, and *trust_files* for this run.

    A workspace that was merely discovered adds nothing (callers pass a trusted one). Raises UsageError
    (trust files), KeyUnavailable (a damaged identity).
    """
    from safegen.keys.log_ties import tie_roots
    from safegen.keys.trust import TrustStore, read_trust_file

    anchors: list[bytes] = []
    tsa_anchors: list[bytes] = []
    names: dict[str, str] = {}
    logs: dict[str, list[Ed25519PublicKey]] = {}
    crls: list[bytes] = []
    named = [read_trust_file(file) for file in trust_files]
    pinned = [*_own(workspace), *TrustStore(workspace.trust).bundles()] if workspace.trusted else []
    ties = tie_roots([pinned, named])
    for bundle in (*pinned, *named):
        anchors.extend(bundle.roots)
        tsa_anchors.extend(bundle.tsa_roots)
        crls.extend(bundle.crls)
        for origin, keys in bundle.log_keys.items():
            logs.setdefault(origin, []).extend(keys)
        names = dict.fromkeys(bundle.root_fingerprints, bundle.name) | names
    return Trust(tuple(anchors), logs, tuple(tsa_anchors), tuple(crls), names, ties)


def _own(workspace: Workspace) -> list[TrustBundle]:
    """The identity of a workspace of one's own, and the certificate configured instead of it.

    Both are tied to the workspace's own log.
    """
    from safegen.keys.identity import Identity
    from safegen.keys.log_key import decode_vkey
    from safegen.keys.trust import TrustBundle

    found: list[TrustBundle] = []
    logs: dict[str, Ed25519PublicKey] = {}
    if (workspace.keys / "identity.json").is_file():
        identity = Identity.load(workspace.keys)
        logs = dict([decode_vkey(identity.log_vkey)])
        past = identity.log_history
        roots = (identity.root_pem,)
        found.append(TrustBundle("this workspace", roots, logs, log_history=past, crls=identity.crls))
    if workspace.config.signing_chain is not None:
        configured = (workspace.config.signing_chain.read_bytes(),)
        past = identity.log_history if logs else ()
        found.append(TrustBundle("configured certificate", configured, logs, log_history=past))
    return found
