"""``safegen keys``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from safegen.cli import _options
from safegen.cli._output import say, show_document

if TYPE_CHECKING:
    from safegen.keys.identity import Identity


@click.group("keys")
def command() -> None:
    """Manage the workspace's signing identity: a local one that nobody has verified."""


def _identity(workspace: Path | None, passphrase_file: Path | None = None, *, create: bool) -> Identity:
    """The identity of the workspace; made when *create*. Raises KeyUnavailable."""
    from safegen.keys.identity import Identity
    from safegen.workspace.config import find_workspace
    from safegen.workspace.session import DEFAULT_ORGANISATION

    found = find_workspace(workspace)
    secret = _options.passphrase(passphrase_file)
    if create:
        found.create()
        return Identity.load_or_create(
            found.keys, name=found.config.organisation or DEFAULT_ORGANISATION, passphrase=secret
        )
    return Identity.load(found.keys, passphrase=secret)


@command.command("init")
@_options.passphrase_file
@_options.workspace
@_options.as_json
def init(passphrase_file: Path | None, workspace: Path | None, as_json: bool) -> None:
    """Create the identity now (otherwise the first `generate` does). Existing keys are not changed.

    With a passphrase (file or SAFEGEN_KEY_PASSPHRASE) the private keys are encrypted.
    """
    from safegen.cli._output import show_rows

    own = _identity(workspace, passphrase_file, create=True)
    rows = {"name": own.name, "folder": str(own.folder), "root SHA-256": own.fingerprint}
    show_rows({**rows, "encrypted": own.encrypted}, as_json=as_json)
    if not own.encrypted:
        say("note: the keys are not encrypted; set SAFEGEN_KEY_PASSPHRASE before `keys init`", err=True)


def _configured_roots(workspace: Path | None, passphrase_file: Path | None) -> tuple[bytes, ...]:
    """The roots of the certificate under [signing]; none: the local identity signs. Raises KeyUnavailable."""
    from safegen.keys.signing_roots import configured_roots
    from safegen.workspace.config import find_workspace

    config = find_workspace(workspace).config
    secret = _options.passphrase(passphrase_file)
    return configured_roots(config.signing_chain, config.signing_key, secret)


def _signing_rows(own: Identity, workspace: Path | None, passphrase_file: Path | None) -> dict[str, object]:
    """Which certificate signs, and the root that others pin; what is wrong with it does not hide the rest."""
    from safegen.errors import KeyUnavailable

    try:
        roots = _configured_roots(workspace, passphrase_file)
    except KeyUnavailable as error:
        return {"signs with": "the certificate under [signing]", "root SHA-256": f"unknown: {error}"}
    who = "the certificate under [signing]" if roots else "the local identity"
    return {"signs with": who, **_root_rows(own, roots)}


def _root_rows(own: Identity, roots: tuple[bytes, ...]) -> dict[str, object]:
    """The SHA-256 that others compare: of what ``export-trust`` gives them."""
    from safegen.keys.chain import fingerprint
    from safegen.keys.signers import load_chain

    if not roots:
        return {"root SHA-256": own.fingerprint}
    return {"root SHA-256": ", ".join(fingerprint(load_chain(root)[0]) for root in roots)}


@command.command("show")
@_options.passphrase_file
@_options.workspace
@_options.as_json
def show(passphrase_file: Path | None, workspace: Path | None, as_json: bool) -> None:
    """Show who signs here, until when, and the log's key.

    The SHA-256 of the root is that of what `export-trust` gives to others: with a certificate of your own
    under [signing] its root; the local identity is then unused, and shown all the same.
    """
    from safegen.cli._output import show_rows
    from safegen.keys.revoke import earlier_serials, revoked_serials

    own = _identity(workspace, create=False)
    rows: dict[str, object] = {
        "name": own.name,
        "folder": str(own.folder),
        "created": own.created,
        "certificate expires": own.expires.isoformat(),
        "encrypted": own.encrypted,
        **_signing_rows(own, workspace, passphrase_file),
        "root key here": own.root_key_here,
        "certificate serial": f"{own.leaf.serial_number:x}",
        "earlier certificates": len(own.history),
        "earlier serials": ", ".join(earlier_serials(own)) or "none",
        "revoked": ", ".join(revoked_serials(own)) or "none",
        "log origin": own.log_origin,
        "log key": own.log_vkey,
        "earlier log keys": len(own.log_history),
    }
    show_rows(rows, as_json=as_json)


@command.command("export-trust")
@click.option("-o", "--output", type=click.Path(path_type=Path), help="Write to a file (default: stdout).")
@click.option("--name", default="", help="Name that others see in their list.")
@click.option(
    "--pem", is_flag=True, help="Export only the root certificate, for tools that do not use ledgers."
)
@_options.passphrase_file
@_options.workspace
@_options.as_json
def export_trust(
    output: Path | None,
    name: str,
    pem: bool,
    passphrase_file: Path | None,
    workspace: Path | None,
    as_json: bool,
) -> None:
    """Export what others need to check your videos: your root and your ledger's key. Nothing secret.

    With a certificate of your own under [signing] it is that certificate's root, else its topmost CA.
    """
    from safegen._util.time import utc_now
    from safegen.cli._files import write_new
    from safegen.cli._output import show_rows
    from safegen.keys import trust

    own = _identity(workspace, create=False)
    roots = _configured_roots(workspace, passphrase_file)
    if pem:
        text = trust.export_pem(own, roots)
    else:
        called = name or own.name or "safegen workspace"
        text = trust.export_trust(own, called, created=utc_now(), roots=roots)
    if output is None:
        show_document(text)
        return
    write_new(output, text.encode())
    show_rows({"path": str(output), **_root_rows(own, roots)}, as_json=as_json)
    if not as_json:
        say("others pin it with `safegen trust add` and compare its SHA-256 with yours", err=True)


@command.command("rotate")
@_options.passphrase_file
@_options.workspace
@_options.as_json
def rotate(passphrase_file: Path | None, workspace: Path | None, as_json: bool) -> None:
    """Replace the signing certificate; the old one goes into the history, and the root stays."""
    from safegen.cli._output import show_rows
    from safegen.keys.renewal import rotate_leaf

    fresh = rotate_leaf(_identity(workspace, passphrase_file, create=False))
    show_rows(
        {"certificate expires": fresh.expires.isoformat(), "root SHA-256": fresh.fingerprint}, as_json=as_json
    )


@command.command("move-root")
@click.argument("file", type=click.Path(path_type=Path))
@_options.workspace
@_options.as_json
def move_root(file: Path, workspace: Path | None, as_json: bool) -> None:
    """Move the root's encrypted key to FILE, a new file, for instance on a stick that is locked away.

    Signing and `keys rotate` do not need it. Its passphrase is still the identity's.
    """
    from safegen.cli._output import show_rows
    from safegen.keys.renewal import move_root_key

    own = _identity(workspace, create=False)
    move_root_key(own, file)
    rows = {"path": str(file), "root SHA-256": own.fingerprint, "root key here": own.root_key_here}
    show_rows(rows, as_json=as_json)
    if not as_json:
        say(
            "keep a second copy, and the salt in keys/identity.json: without it no passphrase opens the key",
            err=True,
        )


@command.command("revoke")
@click.option(
    "--serial", metavar="HEX", help="Serial number of an earlier certificate (default: the one in use)."
)
@click.option(
    "--reason",
    default="unspecified",
    show_default=True,
    help="unspecified, keyCompromise, affiliationChanged, superseded or cessationOfOperation.",
)
@click.option(
    "--unsafe-since", metavar="TIME", help="When the key became unsafe (ISO 8601, UTC), for the list."
)
@_options.passphrase_file
@_options.workspace
@_options.as_json
def revoke(
    serial: str | None,
    reason: str,
    unsafe_since: str | None,
    passphrase_file: Path | None,
    workspace: Path | None,
    as_json: bool,
) -> None:
    """Revoke a signing certificate; the one in use is replaced. Then distribute `export-trust` again.

    Files it signed are no longer trusted, except those that a trusted time stamp proves to be older.
    """
    from safegen._util.time import parse_moment
    from safegen.cli._output import show_rows
    from safegen.cli._workspace import open_writing
    from safegen.keys.revoke import revoke as run
    from safegen.keys.revoke import serial_number

    since = None if unsafe_since is None else parse_moment(unsafe_since)
    number = None if serial is None else serial_number(serial)
    with open_writing(workspace, passphrase_file) as (ledger, _):

        def announce(revoked: str, why: str) -> None:
            ledger.append("key", {"act": "revoke", "serial": revoked, "reason": why})

        own = _identity(workspace, passphrase_file, create=False)
        fresh, revoked = run(own, announce, serial=number, reason=reason, unsafe_since=since)
    rows: dict[str, object] = {"revoked": revoked, "reason": reason}
    rows["in use"] = f"{fresh.leaf.serial_number:x}"
    show_rows(rows, as_json=as_json)
    if not as_json:
        say("distribute `safegen keys export-trust` again: it carries the revocation list", err=True)


@command.command("rotate-log")
@_options.passphrase_file
@_options.workspace
@_options.as_json
def rotate_log(passphrase_file: Path | None, workspace: Path | None, as_json: bool) -> None:
    """Replace the log key with a new one, announced under the old one. Old proofs stay valid.

    Then distribute `safegen keys export-trust` again: anyone who pinned the old key must add the new one.
    """
    from safegen.cli._output import show_rows
    from safegen.cli._workspace import open_writing
    from safegen.keys.log_rotation import rotate_log as run

    with open_writing(workspace, passphrase_file) as (ledger, _):

        def announce(old: str, new: str, note: str) -> None:
            ledger.append("key", {"act": "rotate", "old": old, "new": new, "note": note})

        fresh = run(_identity(workspace, passphrase_file, create=False), announce)
    show_rows({"log origin": fresh.log_origin, "log key": fresh.log_vkey}, as_json=as_json)
