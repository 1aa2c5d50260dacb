"""The store of pinned trust bundles: one file each, in a folder of the workspace.

Time stamp authorities are kept apart from signer roots: one of them never vouches for a signer.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from safegen.errors import KeyUnavailable, UsageError
from safegen.keys.bundle import (
    Anchor,
    TrustBundle,
    bundle_to_json,
    export_pem,
    export_trust,
    parse_trust,
    read_trust_file,
)
from safegen.keys.files import FOLDER_MODE, write_private
from safegen.keys.log_ties import refuse_other_keys, refuse_shared_root

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

__all__ = [
    "Anchor",
    "TrustBundle",
    "TrustStore",
    "export_pem",
    "export_trust",
    "parse_trust",
    "read_trust_file",
]


class TrustStore:
    """Pinned bundles, one file each, in a folder of the workspace."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def add(self, bundle: TrustBundle, *, own: Sequence[TrustBundle] = (), shared_root: bool = False) -> str:
        """Pin *bundle*; its id. Show ``bundle.anchors`` and get a yes first. Adding it again changes nothing.

        A log that is pinned already may come with a new key if the pinned one announced it; the bundle it
        was pinned by is then replaced. *own* is what the user's workspace brings. Raises UsageError when one
        of these or another bundle names the same log with keys that are not announced so, or the same root
        with other logs (unless *shared_root*: the user says that the makers share an authority);
        KeyUnavailable when the folder cannot be written.
        """
        others = (*own, *self.bundles())
        refuse_other_keys(bundle, others)
        if not shared_root:
            refuse_shared_root(bundle, others)
        try:
            self.folder.mkdir(mode=FOLDER_MODE, parents=True, exist_ok=True)
        except OSError as error:
            raise KeyUnavailable(f"cannot create {self.folder}: {error.strerror}", hint="check it") from error
        bundle = parse_trust(bundle_to_json(self._with_lists(bundle)).encode())  # as it will be read again
        write_private(self._file(bundle.id), bundle_to_json(bundle).encode())
        known = {past.vkey for past in bundle.log_history}
        for identifier, older in self.list():
            if older.roots == bundle.roots and older.vkeys and set(older.vkeys) <= known:
                self._file(identifier).unlink(missing_ok=True)
        return bundle.id

    def _with_lists(self, bundle: TrustBundle) -> TrustBundle:
        """*bundle* with the revocation lists that it is pinned with: an old copy of it takes none back."""
        same = [b for b in self.bundles() if (b.roots == bundle.roots and b.roots) or b.id == bundle.id]
        return replace(bundle, crls=tuple(dict.fromkeys(c for b in (*same, bundle) for c in b.crls)))

    def list(self) -> tuple[tuple[str, TrustBundle], ...]:
        """Ids and bundles, by id. Raises UsageError when a pinned file is damaged."""
        if not self.folder.is_dir():
            return ()
        return tuple((p.stem, read_trust_file(p)) for p in sorted(self.folder.glob("*.json")))

    def remove(self, identifier: str) -> TrustBundle:
        """Unpin the bundle whose id starts with *identifier* (at least 4 characters).

        Raises UsageError when none or several match.
        """
        matches = [(i, b) for i, b in self.list() if len(identifier) >= 4 and i.startswith(identifier)]
        if len(matches) != 1:
            raise UsageError(
                f"{len(matches)} pinned bundles match {identifier!r}",
                hint="list the ids with `safegen trust list`",
            )
        self._file(matches[0][0]).unlink(missing_ok=True)
        return matches[0][1]

    def bundles(self) -> tuple[TrustBundle, ...]:
        """The pinned bundles."""
        return tuple(bundle for _, bundle in self.list())

    @property
    def roots(self) -> tuple[bytes, ...]:
        """PEM roots that vouch for signers."""
        return tuple(root for b in self.bundles() for root in b.roots)

    @property
    def tsa_roots(self) -> tuple[bytes, ...]:
        """PEM roots that vouch for time stamps, and for nothing else."""
        return tuple(root for b in self.bundles() for root in b.tsa_roots)

    @property
    def logs(self) -> Mapping[str, Ed25519PublicKey]:
        """Verification keys of pinned logs by origin."""
        return {origin: key for b in self.bundles() for origin, key in b.logs.items()}

    def _file(self, identifier: str) -> Path:
        return self.folder / f"{identifier}.json"
