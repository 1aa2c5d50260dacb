"""``safegen trust update``, and the C2PA's lists in ``safegen trust list``."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from safegen.cli import _options
from safegen.cli._output import confirm, say, say_note

if TYPE_CHECKING:
    from safegen.keys.c2pa_list import TrustList
    from safegen.keys.c2pa_update import Change
    from safegen.types import Json

IDS = {"signer": "c2pa-signers", "tsa": "c2pa-tsa"}
SWITCH = "`c2pa_list = false` under [trust] in safegen.toml, or --no-c2pa-list for one run"
SHOWN = 40
"""So many changes of a list are shown one by one."""


@click.command("update")
@click.option("--from", "signers", metavar="FILE|URL", help="The list of signers (PEM; default: the C2PA's).")
@click.option("--tsa-from", "stamps", metavar="FILE|URL", help="The list of time stamp authorities.")
@click.option("--date", metavar="DAY", help="Of when the list is, where its file does not say (2026-08-13).")
@click.option("--dry-run", is_flag=True, help="Show what would change, and change nothing.")
@click.option("-y", "--yes", is_flag=True, help="Do not ask for confirmation.")
@_options.as_json
def update(
    signers: str | None, stamps: str | None, date: str | None, dry_run: bool, yes: bool, as_json: bool
) -> None:
    """Fetch the current C2PA trust lists, and use them in place of those that came with safegen.

    Without --from and --tsa-from both are fetched from the C2PA's public repository (https). You are shown
    what changes and asked first. They are kept in your own data folder, for all your workspaces.
    """
    from safegen._util.time import utc_now
    from safegen.cli._output import print_json
    from safegen.keys.c2pa_list import store_list
    from safegen.verification.c2pa_lists import KINDS, find_update, list_folder

    places = dict(zip(KINDS, (signers, stamps), strict=True))
    wanted = [kind for kind in KINDS if places[kind]] or KINDS
    changes = [find_update(kind, places[kind], now=utc_now(), date=date) for kind in wanted]
    for change in changes:
        _show_change(change)
    if not dry_run and not yes and any(c.added or c.removed for c in changes):
        confirm("use these lists from now on?", abort=True, instead="--yes")
    written: list[Path | None] = [
        None if dry_run or c.nothing else store_list(list_folder(), c.fresh) for c in changes
    ]
    if as_json:
        print_json(
            [
                {**change.to_dict(), "written": str(file) if file else None}
                for change, file in zip(changes, written, strict=True)
            ]
        )


def _show_change(change: Change) -> None:
    """What a person decides on, on stderr."""
    fresh = change.fresh
    counts = f"{len(fresh.anchors)} anchors, {len(change.added)} added, {len(change.removed)} removed"
    lines = [
        f"{change.current.name} -> {fresh.name}: {counts}",
        f"  from {fresh.source}, SHA-256 {fresh.sha256}",
    ]
    changed = [("+", a) for a in change.added] + [("-", a) for a in change.removed]
    for sign, anchor in changed[:SHOWN]:
        lines += [f"  {sign} {anchor.subject}", f"    SHA-256 {anchor.sha256}"]
    if len(changed) > SHOWN:
        lines.append(f"  and {len(changed) - SHOWN} more")
    if change.nothing:
        lines.append("  nothing to change")
    for line in lines:
        say(line, err=True)


def list_entries(workspace: Path | None) -> list[Json]:
    """The C2PA's lists as `trust list --json` shows them. Raises UsageError for a damaged one."""
    from safegen._util.time import utc_now
    from safegen.verification.c2pa_lists import lists_in_use
    from safegen.workspace.config import find_trusted_workspace

    in_use = find_trusted_workspace(workspace).config.c2pa_list
    return [_entry(found, in_use, utc_now()) for found in lists_in_use()]


def _entry(found: TrustList, in_use: bool, now: datetime) -> Json:
    from safegen.keys.bundle import parse_trust

    bundle = parse_trust(found.body, kind=found.kind)
    return {
        "id": IDS[found.kind],
        "name": found.name,
        "vouches_for": "signers" if found.kind == "signer" else "time stamps",
        "roots": [{"subject": a.subject, "sha256": a.sha256} for a in bundle.anchors],
        "logs": [],
        "revocation_lists": 0,
        "date": found.date,
        "source": found.source,
        "updated": found.updated,
        "in_use": in_use,
        "old": found.is_old(now),
    }


def show_entries(entries: list[Json]) -> None:
    """One line for each list, and a warning where it is old."""
    for entry in entries:
        state = "" if entry["in_use"] else "; switched off under [trust] in safegen.toml"
        origin = "updated" if entry["updated"] else "with the package"
        say(f"{entry['id']:<16}  {entry['vouches_for']:<12} {entry['name']} ({origin}{state})")
        say(f"  {len(entry['roots'])} roots, no log; from {entry['source']}")
    if any(entry["old"] and entry["in_use"] for entry in entries):
        say_note("a C2PA trust list is older than 180 days; fetch it with `safegen trust update`")


def refuse_removal(identifier: str) -> None:
    """Raise UsageError where *identifier* means one of the C2PA's lists."""
    from safegen.errors import UsageError

    if identifier and any(known.startswith(identifier.lower()) for known in IDS.values()):
        raise UsageError("the C2PA trust lists are not pinned and cannot be removed", hint=f"use {SWITCH}")
