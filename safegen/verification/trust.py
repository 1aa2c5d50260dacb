"""Whom a verification trusts: gathered from the user's own workspace and the command line only."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from safegen.workspace.config import Workspace

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    from safegen.keys.log_history import PastKey
    from safegen.keys.trust import TrustBundle


@dataclass(frozen=True)
class Trust:
    """Whom the user trusts: PEM anchors of signers, keys of logs by origin, PEM anchors of time stamps.

    The order of ``anchors`` is that of preference: the user's own, what the user pinned, the C2PA's list.
    """

    anchors: tuple[bytes, ...] = ()
    log_keys: Mapping[str, Sequence[Ed25519PublicKey]] = field(default_factory=dict)
    tsa_anchors: tuple[bytes, ...] = ()
    crls: tuple[bytes, ...] = ()
    """Revocation lists (PEM)."""
    names: Mapping[str, str] = field(default_factory=dict)
    """Where each signer anchor comes from, by the SHA-256 (hex) of its certificate."""
    ties: Mapping[str, frozenset[str]] = field(default_factory=dict)
    """Origins of the logs that each signer anchor was pinned together with, by the same SHA-256."""
    own_logs: frozenset[str] = frozenset()
    """Origins of the user's own workspace's logs."""

    def logs_of(self, root_sha256: str) -> frozenset[str]:
        """Origins of the logs that may speak for signers under the anchor *root_sha256* (hex); often none.

        Each of them has one history of keys in ``log_keys``, whoever named it: see
        ``safegen.keys.log_ties``. A proof of any other log says nothing about such a signer.
        """
        return self.ties.get(root_sha256.lower(), frozenset())

    def describe_anchor(self, root: str, sha256: str) -> str:
        """The anchor *root* with that *sha256* (hex), and where it comes from.

        Names that others gave are in quotes, ours are not.
        """
        name = self.names.get(sha256.lower())
        return f"{name}: {root}" if name else root


def load_trust(workspace: Workspace, trust_files: Sequence[Path] = (), *, c2pa_list: bool = True) -> Trust:
    """Anchors and logs: the workspace's own identity, its pinned bundles, *trust_files* for this run.

    After them come the C2PA's lists, for signers and time stamps only, unless *c2pa_list* or the workspace's
    settings say no. A workspace that was merely discovered adds nothing (callers pass a trusted one). Raises
    UsageError (trust files, logs or roots that two of them claim), KeyUnavailable (a damaged identity).
    """
    from safegen.keys.log_ties import tie_roots
    from safegen.keys.trust import TrustStore, read_trust_file

    own = own_bundles(workspace) if workspace.trusted else []
    pinned = TrustStore(workspace.trust).bundles() if workspace.trusted else ()
    for_this_run = sorted((read_trust_file(file) for file in trust_files), key=lambda bundle: bundle.id)
    named = [
        *((bundle, bundle.name) for bundle in own),
        *((bundle, f'"{bundle.name}", pinned') for bundle in pinned),
        *((bundle, f'"{bundle.name}", trusted for this run') for bundle in for_this_run),
    ]
    ties = tie_roots([*own, *pinned], for_this_run)
    names: dict[str, str] = {}
    logs: dict[str, list[Ed25519PublicKey]] = {}
    for bundle, name in named:
        for origin, keys in bundle.log_keys.items():
            known = logs.setdefault(origin, [])
            known.extend(key for key in keys if key not in known)
        names = dict.fromkeys(bundle.root_fingerprints, name) | names
    # Of two anchors for the same signer the one that brings a log counts, whoever pinned the other.
    ordered = sorted(named, key=lambda item: not item[0].logs)
    trust = Trust(
        anchors=tuple(root for bundle, _ in ordered for root in bundle.roots),
        log_keys=logs,
        tsa_anchors=tuple(root for bundle, _ in named for root in bundle.tsa_roots),
        crls=tuple(crl for bundle, _ in named for crl in bundle.crls),
        names=names,
        ties=ties,
        own_logs=frozenset(origin for bundle in own for origin in bundle.logs),
    )
    return _with_c2pa_lists(trust) if c2pa_list and workspace.config.c2pa_list else trust


def _with_c2pa_lists(trust: Trust) -> Trust:
    """*trust* and the C2PA's lists, which come last and are tied to no log."""
    from dataclasses import replace

    from safegen.verification.c2pa_lists import lists_in_use

    signers, stamps = lists_in_use()
    return replace(
        trust,
        anchors=(*trust.anchors, *signers.anchors),
        tsa_anchors=(*trust.tsa_anchors, *stamps.anchors),
        names=dict.fromkeys(signers.fingerprints, signers.name) | dict(trust.names),
    )


def own_bundles(workspace: Workspace) -> list[TrustBundle]:
    """The identity of a workspace of one's own, and the certificate configured instead of it.

    Both are tied to the workspace's own log. Raises KeyUnavailable: a damaged identity, certificates that
    cannot be read.
    """
    from safegen.keys.identity import Identity
    from safegen.keys.log_key import decode_vkey
    from safegen.keys.signing_roots import read_chain_roots
    from safegen.keys.trust import TrustBundle

    found: list[TrustBundle] = []
    logs: dict[str, Ed25519PublicKey] = {}
    past: tuple[PastKey, ...] = ()
    if (workspace.keys / "identity.json").is_file():
        identity = Identity.load(workspace.keys)
        logs, past = dict([decode_vkey(identity.log_vkey)]), identity.log_history
        roots = (identity.root_pem,)
        found.append(TrustBundle("this workspace", roots, logs, log_history=past, crls=identity.crls))
    if workspace.config.signing_chain is not None:
        configured = read_chain_roots(workspace.config.signing_chain)
        if configured:
            found.append(TrustBundle("configured certificate", configured, logs, log_history=past))
    return found
