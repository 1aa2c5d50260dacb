"""``safegen keys``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from safegen.cli import _options, _signing_certificate
from safegen.cli._output import say, show_document

if TYPE_CHECKING:
    from safegen.keys.identity import Identity


@click.group("keys")
def command() -> None:
    """Manage the workspace's keys: the local identity, which nobody has verified, and the key of its log.

    With a certificate of your own under [signing] in safegen.toml that one signs, and the local identity
    only keeps the log: `show` and `export-trust` then speak of your certificate; `rotate`, `move-root` and
    `revoke` say who has to act, and act on the local identity with `--local`.
    """


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
    """Create the local identity now (otherwise the first `generate` does). Existing keys are not changed.

    With a passphrase (file or SAFEGEN_KEY_PASSPHRASE) the private keys are encrypted.
    """
    from safegen.cli._output import show_rows

    own = _identity(workspace, passphrase_file, create=True)
    rows: dict[str, object] = {"name": own.name, "folder": str(own.folder)}
    signing = _signing_certificate.signing_rows(own, workspace, passphrase_file)
    rows |= {name: value for name, value in signing.items() if "root" in name or name == "signs with"}
    show_rows({**rows, "encrypted": own.encrypted}, as_json=as_json)
    if not own.encrypted:
        say("note: the keys are not encrypted; set SAFEGEN_KEY_PASSPHRASE before `keys init`", err=True)


@command.command("show")
@_options.passphrase_file
@_options.workspace
@_options.as_json
def show(passphrase_file: Path | None, workspace: Path | None, as_json: bool) -> None:
    """Show who signs here, until when, and the log's key.

    The SHA-256 of the root is that of what `export-trust` gives to others: with a certificate of your own
    under [signing] its root. The local identity then only keeps the log; its certificate is shown as the
    "local" one, and what was revoked and replaced earlier is the local identity's always.
    """
    from safegen.cli._output import show_rows
    from safegen.keys.revoke import earlier_serials, revoked_serials

    own = _identity(workspace, create=False)
    signing = _signing_certificate.signing_rows(own, workspace, passphrase_file)
    rows: dict[str, object] = {
        "name": own.name,
        "folder": str(own.folder),
        "created": own.created,
        "certificate expires": signing.pop("certificate expires"),
        "encrypted": own.encrypted,
        "signs with": signing.pop("signs with"),
        "root SHA-256": signing.pop("root SHA-256"),
        "root key here": own.root_key_here,
        **signing,
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

    With a certificate of your own under [signing] it is that certificate's root, else its topmost CA, and
    the revocation lists of its issuers that you pinned with `trust add`.
    """
    from safegen._util.time import utc_now
    from safegen.cli._files import write_new
    from safegen.cli._output import show_rows
    from safegen.keys import trust
    from safegen.keys.signing_roots import configured_roots

    own = _identity(workspace, create=False)
    roots = configured_roots(**_signing_certificate.signing_files(workspace, passphrase_file))
    if pem:
        text = trust.export_pem(own, roots)
    else:
        called = name or own.name or "safegen workspace"
        lists = _signing_certificate.pinned_lists(workspace, passphrase_file)
        text = trust.export_trust(own, called, created=utc_now(), roots=roots, crls=lists)
    if output is None:
        show_document(text)
        return
    write_new(output, text.encode())
    show_rows({"path": str(output), **_signing_certificate.root_rows(own, roots)}, as_json=as_json)
    if not as_json:
        say("others pin it with `safegen trust add` and compare its SHA-256 with yours", err=True)


@command.command("rotate")
@_signing_certificate.local
@_options.passphrase_file
@_options.workspace
@_options.as_json
def rotate(local: bool, passphrase_file: Path | None, workspace: Path | None, as_json: bool) -> None:
    """Replace the signing certificate; the old one goes into the history, and the root stays.

    A certificate of your own under [signing] is renewed by its issuer: it is not touched here.
    """
    from safegen.cli._output import show_rows
    from safegen.keys.renewal import rotate_leaf

    _signing_certificate.refuse_own_certificate(
        workspace,
        local,
        "its issuer renews it",
        "get a new certificate from its issuer and name its files under [signing]; `--local` renews that of "
        "the local identity, which signs nothing here",
    )
    fresh = rotate_leaf(_identity(workspace, passphrase_file, create=False))
    show_rows(
        {"certificate expires": fresh.expires.isoformat(), "root SHA-256": fresh.fingerprint}, as_json=as_json
    )


@command.command("move-root")
@click.argument("file", type=click.Path(path_type=Path))
@_signing_certificate.local
@_options.workspace
@_options.as_json
def move_root(file: Path, local: bool, workspace: Path | None, as_json: bool) -> None:
    """Move the root's encrypted key to FILE, a new file, for instance on a stick that is locked away.

    Signing and `keys rotate` do not need it. Its passphrase is still the identity's.
    """
    from safegen.cli._output import show_rows
    from safegen.keys.renewal import move_root_key

    _signing_certificate.refuse_own_certificate(
        workspace,
        local,
        "the key of its root is its issuer's",
        "`--local` moves the key of the local identity's root, under which nothing is signed here",
    )
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
    "--serial", metavar="HEX", help="Serial number of an earlier certificate (default: the one that signs)."
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
@_signing_certificate.local
@_options.passphrase_file
@_options.workspace
@_options.as_json
def revoke(
    serial: str | None,
    reason: str,
    unsafe_since: str | None,
    local: bool,
    passphrase_file: Path | None,
    workspace: Path | None,
    as_json: bool,
) -> None:
    """Revoke a signing certificate; the one in use is replaced. Then distribute `export-trust` again.

    Files it signed are no longer trusted, except those that a trusted time stamp proves to be older. Only the
    issuer of a certificate of your own under [signing] can revoke it: the command then says what to do.
    """
    from safegen._util.time import parse_moment
    from safegen.cli._output import show_rows
    from safegen.cli._workspace import open_writing
    from safegen.keys.revoke import revocable_serial, serial_number
    from safegen.keys.revoke import revoke as run
    from safegen.keys.signing_roots import configured_certificates

    since = None if unsafe_since is None else parse_moment(unsafe_since)
    number = None if serial is None else serial_number(serial)
    signing = None
    if not local:
        files = _signing_certificate.signing_files(workspace, passphrase_file)
        signing = next(iter(configured_certificates(**files)), None)
        revocable_serial(_identity(workspace, create=False), number, signing=signing)
    with open_writing(workspace, passphrase_file) as (ledger, _):

        def announce(revoked: str, why: str) -> None:
            ledger.append("key", {"act": "revoke", "serial": revoked, "reason": why})

        own = _identity(workspace, passphrase_file, create=False)
        fresh, revoked = run(own, announce, signing=signing, serial=number, reason=reason, unsafe_since=since)
    rows: dict[str, object] = {"revoked": revoked, "reason": reason}
    rows["in use"] = f"{fresh.leaf.serial_number:x}"
    show_rows(rows, as_json=as_json)
    if not as_json:
        say("distribute `safegen keys export-trust` again: it carries the revocation list", err=True)
        if signing is not None and revoked == f"{signing.serial_number:x}":
            say("nothing is signed with the certificate under [signing] any more: name another", err=True)


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
