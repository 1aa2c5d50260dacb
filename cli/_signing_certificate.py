"""The certificate under ``[signing]`` in ``safegen.toml``, as ``safegen keys`` heeds it: who signs here?"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from safegen.cli import _options

if TYPE_CHECKING:
    from cryptography import x509

    from safegen.keys.identity import Identity

local = click.option(
    "--local",
    is_flag=True,
    help="Act on the local identity also where a certificate under [signing] signs instead of it.",
)
CONFIGURED = "the certificate under [signing]"


def signing_files(workspace: Path | None, passphrase_file: Path | None) -> dict[str, Any]:
    """Chain, key and the key's passphrase as the workspace's settings say."""
    from safegen.keys.passphrase import for_signing_key
    from safegen.workspace.config import find_workspace

    config = find_workspace(workspace).config
    secret = for_signing_key(config.signing_passphrase_file, _options.passphrase(passphrase_file))
    return {"chain": config.signing_chain, "key": config.signing_key, "passphrase": secret}


def refuse_own_certificate(workspace: Path | None, is_local: bool, why: str, hint: str) -> None:
    """Raise UsageError where a certificate of the user's own signs, unless the user means the local one."""
    from safegen.errors import UsageError
    from safegen.workspace.config import find_workspace

    if find_workspace(workspace).config.signing_key is not None and not is_local:
        raise UsageError(f"{CONFIGURED} in safegen.toml signs here: {why}", hint=hint)


def signing_rows(own: Identity, workspace: Path | None, passphrase_file: Path | None) -> dict[str, object]:
    """Who signs, until when, and the root that others pin; what is wrong with it does not hide the rest."""
    from safegen.errors import KeyUnavailable
    from safegen.keys.signing_roots import configured_certificates, configured_roots

    of_local = {
        "certificate expires": own.expires.isoformat(),
        "certificate serial": f"{own.leaf.serial_number:x}",
        "root SHA-256": own.fingerprint,
    }
    files = signing_files(workspace, passphrase_file)
    if files["key"] is None:
        return {"signs with": "the local identity", **of_local}
    rows: dict[str, object] = {"signs with": CONFIGURED}
    try:
        rows |= certificate_rows(configured_certificates(**files)[0])
        rows |= root_rows(own, configured_roots(**files))
    except KeyUnavailable as error:
        unknown = f"unknown: {error}"
        rows = dict.fromkeys(of_local, unknown) | rows
    return rows | {f"local {name}": value for name, value in of_local.items()}


def certificate_rows(leaf: x509.Certificate) -> dict[str, object]:
    """When the signing certificate ends, and its serial number in hex."""
    return {
        "certificate expires": leaf.not_valid_after_utc.isoformat(),
        "certificate serial": f"{leaf.serial_number:x}",
    }


def root_rows(own: Identity, roots: tuple[bytes, ...]) -> dict[str, object]:
    """The SHA-256 that others compare: of what ``export-trust`` gives them."""
    from safegen.keys.chain import fingerprint
    from safegen.keys.signers import load_chain

    if not roots:
        return {"root SHA-256": own.fingerprint}
    return {"root SHA-256": ", ".join(fingerprint(load_chain(root)[0]) for root in roots)}


def pinned_lists(workspace: Path | None, passphrase_file: Path | None) -> tuple[bytes, ...]:
    """Pinned revocation lists (PEM) by the issuers of the certificate under ``[signing]``."""
    from cryptography import x509

    from safegen.keys.signing_roots import configured_certificates
    from safegen.keys.trust import TrustStore
    from safegen.workspace.config import find_workspace

    issuers = {c.issuer for c in configured_certificates(**signing_files(workspace, passphrase_file))}
    pinned = [crl for bundle in TrustStore(find_workspace(workspace).trust).bundles() for crl in bundle.crls]
    return tuple(crl for crl in pinned if x509.load_pem_x509_crl(crl).issuer in issuers)
