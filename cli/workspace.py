"""``safegen workspace``."""

from __future__ import annotations

from pathlib import Path

import click

from safegen.cli import _options


@click.group("workspace")
def command() -> None:
    """Back up, restore and move workspaces; say which may be used when they are merely found."""


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


@command.command("backup")
@click.argument("folder", type=click.Path(path_type=Path))
@_options.workspace
@_options.as_json
def backup(folder: Path, workspace: Path | None, as_json: bool) -> None:
    """Make a backup of the workspace in the new FOLDER; others may go on using it meanwhile.

    The copy is checked as `safegen log check` does. It contains the keys: keep it as safe as the workspace.
    """
    from safegen.cli._output import print_json, say, say_note
    from safegen.workspace.backup import back_up
    from safegen.workspace.config import find_workspace

    made = back_up(find_workspace(workspace), folder)
    if as_json:
        print_json(made.to_dict())
        return
    for note in made.notes:
        say_note(note)
    say(f"{folder}: {made.size} entries of {made.origin}, {len(made.files)} files, checked")


@command.command("restore")
@click.argument("backup", metavar="BACKUP", type=click.Path(path_type=Path, exists=True, file_okay=False))
@click.argument("folder", type=click.Path(path_type=Path))
@click.option(
    "--seen",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    multiple=True,
    help="A checkpoint or .tlog-proof of the log that the backup must contain (repeatable).",
)
@click.option(
    "--accept-older",
    is_flag=True,
    help="Restore although newer checkpoints of the log are known: for reading, not for recording.",
)
@_options.as_json
def restore(backup: Path, folder: Path, seen: tuple[Path, ...], accept_older: bool, as_json: bool) -> None:
    """Make the workspace FOLDER, which must be new or empty, from BACKUP.

    Every file is compared with its hash and the ledger is checked. One that is older than what you have seen
    of its log, or than --seen says, is refused.
    """
    from safegen.cli._output import say_note, show_rows
    from safegen.workspace.restore import restore as make

    made, notes = make(backup, folder, accept_older=accept_older, seen=seen)
    for note in notes:
        say_note(note)
    show_rows(
        {"restored": str(made.root), "notes": list(notes)} if as_json else {"restored": str(made.root)},
        as_json=as_json,
    )


@command.command("migrate")
@click.argument("url", required=False)
@click.option("--to-sqlite", is_flag=True, help="Move it back into the workspace's own SQLite file.")
@_options.workspace
@_options.as_json
def migrate(url: str | None, to_sqlite: bool, workspace: Path | None, as_json: bool) -> None:
    """Move the ledger into the empty database at URL (postgresql+psycopg://...), and use it from then on.

    It is checked before and after. Give the password in ~/.pgpass or PGPASSWORD, not in the URL.
    """
    from safegen.cli._output import print_json, say
    from safegen.errors import UsageError
    from safegen.workspace.config import find_workspace
    from safegen.workspace.migrate import migrate as move

    if (url is None) is not to_sqlite:
        raise UsageError("name one place for the ledger", hint="give a URL, or --to-sqlite")
    moved = move(find_workspace(workspace), url)
    if as_json:
        print_json(moved.to_dict())
        return
    say(f"{moved.size} entries are now in {moved.target}, checked; safegen.toml names it")
    if moved.old is not None:
        say(f"the old ledger is closed and kept as {moved.old}")


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
