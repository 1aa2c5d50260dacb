"""``safegen workspace``."""

from __future__ import annotations

from pathlib import Path

import click

from safegen.cli import _options


@click.group("workspace")
def command() -> None:
    """Say which workspaces may be used when they are merely found above the current folder."""


@command.command("trust")
@click.argument("path", required=False, type=click.Path(path_type=Path))
@_options.as_json
def trust(path: Path | None, as_json: bool) -> None:
    """Use the workspace in PATH (default: the one found from here) whenever it is found.

    Its settings then decide where ledger, keys and time stamps come from, its keys sign, its ledger is
    written to, and `verify` counts its trust as yours. Do this only for a folder whose content you or people
    you trust have made.
    """
    from safegen.cli._output import show_rows
    from safegen.workspace.confirmed import confirm_workspace

    show_rows({"trusted": str(confirm_workspace(_named(path)))}, as_json=as_json)


@command.command("untrust")
@click.argument("path", required=False, type=click.Path(path_type=Path))
@_options.as_json
def untrust(path: Path | None, as_json: bool) -> None:
    """Stop using the workspace in PATH (default: the one found from here) when it is merely found."""
    from safegen.cli._output import show_rows
    from safegen.workspace.confirmed import forget_workspace

    show_rows({"no longer trusted": str(forget_workspace(_named(path)))}, as_json=as_json)


@command.command("list")
@_options.as_json
def list_(as_json: bool) -> None:
    """List the workspaces that are used when they are found."""
    from safegen.cli._output import print_json, say
    from safegen.workspace.confirmed import list_confirmed

    known = list_confirmed()
    if as_json:
        print_json([{"path": str(item.root), "unchanged": item.there} for item in known])
        return
    if not known:
        say("none; workspaces named with --workspace or SAFEGEN_WORKSPACE need no confirmation")
    for item in known:
        say(str(item.root) + ("" if item.there else "  (gone or replaced: not used)"))


def _named(path: Path | None) -> Path:
    """*path*, else the workspace found from the current folder. Raises UsageError when there is none."""
    from safegen.errors import UsageError
    from safegen.workspace.config import look_up_workspace

    if path is not None:
        return path
    found = look_up_workspace()
    if found.source not in {"discovered", "confirmed"}:
        raise UsageError(
            "no workspace is found above the current folder", hint="name one: safegen workspace trust PATH"
        )
    return found.root
