"""``safegen trust``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from safegen._text import one_line
from safegen.cli import _options, _trust_lists
from safegen.cli._output import confirm, say

if TYPE_CHECKING:
    from safegen.keys.trust import TrustBundle, TrustStore


def _store(workspace: Path | None) -> TrustStore:
    """The store of the user's own workspace: never of one found by walking up."""
    from safegen.keys.trust import TrustStore
    from safegen.workspace.config import find_trusted_workspace

    found = find_trusted_workspace(workspace)
    found.create()
    return TrustStore(found.trust)


def _describe(bundle: TrustBundle) -> list[str]:
    """The lines that a person compares; what is short comes first, so that no heap of roots hides it."""
    lines = [f"  log   {one_line(v, 120)}" for v in bundle.vkeys]
    if bundle.crls:
        lines.append(f"  revocation lists: {len(bundle.crls)}")
    if bundle.roots and bundle.tsa_roots:
        lines.append(f"  also vouches for time stamps: {len(bundle.tsa_roots)} of the roots")
    for index, a in enumerate(bundle.anchors):
        what = "root" if index < len(bundle.roots) else "root for time stamps"
        lines += [f"  {what}  {one_line(a.subject, 90)}", f"        SHA-256 {a.sha256}"]
    return lines


def _vouches_for(bundle: TrustBundle) -> str:
    """What the certificates vouch for."""
    if not bundle.anchors:
        return "revocations"
    roles = (("signers", bundle.roots), ("time stamps", bundle.tsa_roots))
    return " and ".join(role for role, roots in roles if roots)


@click.group("trust")
def command() -> None:
    """Manage whose signatures and ledgers you trust."""


command.add_command(_trust_lists.update)


@command.command("add")
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--tsa", is_flag=True, help="Trust the certificates for time stamps only, never for signers.")
@click.option(
    "--shared-root",
    is_flag=True,
    help="The maker has certificates from the same authority as another one whom you trust.",
)
@click.option("-y", "--yes", is_flag=True, help="Do not ask for confirmation.")
@_options.workspace
@_options.as_json
def add(file: Path, tsa: bool, shared_root: bool, yes: bool, workspace: Path | None, as_json: bool) -> None:
    """Trust the maker in FILE (from `safegen keys export-trust`, or PEM certificates), or a revocation list.

    Compare the SHA-256 with the one the maker gives you through another channel.
    """
    from safegen.cli._output import show_rows
    from safegen.keys.trust import read_trust_file
    from safegen.verification.trust import own_bundles
    from safegen.workspace.config import find_trusted_workspace

    bundle = read_trust_file(file, kind="tsa" if tsa else "signer")
    shown = _describe(bundle)
    for line in (f"maker {bundle.name}", *shown[:40]):
        say(line, err=True)
    if len(shown) > 40:
        say(f"  and {len(shown) - 40} more lines", err=True)
    if not yes:
        confirm("trust this maker?", abort=True, instead="--yes")
    own = own_bundles(find_trusted_workspace(workspace))
    identifier = _store(workspace).add(bundle, own=own, shared_root=shared_root)
    show_rows({"pinned as": identifier, "name": bundle.name}, as_json=as_json)


@command.command("list")
@_options.workspace
@_options.as_json
def list_(workspace: Path | None, as_json: bool) -> None:
    """List the pinned makers, and the C2PA trust lists with their dates."""
    from safegen.cli._output import print_json

    pinned = _store(workspace).list()
    c2pa = _trust_lists.list_entries(workspace)
    if as_json:
        print_json(
            [
                {
                    "id": identifier,
                    "name": bundle.name,
                    "vouches_for": _vouches_for(bundle),
                    "roots": [{"subject": a.subject, "sha256": a.sha256} for a in bundle.anchors],
                    "logs": list(bundle.vkeys),
                    "revocation_lists": len(bundle.crls),
                }
                for identifier, bundle in pinned
            ]
            + c2pa
        )
        return
    if not pinned:
        say("nothing is pinned; your own workspace's identity is always trusted")
    for identifier, bundle in pinned:
        say(f"{identifier}  {_vouches_for(bundle):<12} {bundle.name}")
        for line in _describe(bundle)[:12]:
            say(line)
    _trust_lists.show_entries(c2pa)


@command.command("remove")
@click.argument("identifier")
@_options.workspace
@_options.as_json
def remove(identifier: str, workspace: Path | None, as_json: bool) -> None:
    """Stop trusting the maker whose id starts with IDENTIFIER."""
    from safegen.cli._output import show_rows

    _trust_lists.refuse_removal(identifier)
    show_rows({"removed": _store(workspace).remove(identifier).name}, as_json=as_json)
