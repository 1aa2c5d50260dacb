"""``safegen log``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, cast

import click

from safegen._text import one_line
from safegen.cli import _log_find, _log_write, _options
from safegen.cli._output import print_json, say, show_document
from safegen.cli._workspace import open_readonly

if TYPE_CHECKING:
    from safegen.ledger.records import Kind

KINDS = ("decision", "release", "withdrawal", "consent", "review", "audit", "key")


@click.group("log")
def command() -> None:
    """Inspect the workspace's tamper-evident ledger."""


@command.command("list")
@click.option("--kind", type=click.Choice(KINDS), help="Only entries of this kind.")
@click.option("-n", "--limit", type=click.IntRange(1, 10_000), default=20, show_default=True)
@click.option("--before", type=click.IntRange(0), help="Only entries with an index below this.")
@_options.workspace
@_options.as_json
def list_(kind: str | None, limit: int, before: int | None, workspace: Path | None, as_json: bool) -> None:
    """List entries, newest first."""

    with open_readonly(workspace) as ledger:
        entries = ledger.entries(cast("Kind | None", kind), limit, before)
    if as_json:
        print_json([e.to_dict() for e in entries])
        return
    for entry in entries:
        public = entry.public
        what = public.get("outcome") or public.get("act") or public.get("name") or public.get("reason") or ""
        about = public.get("manifest_id") or ", ".join(public.get("categories", []))
        if entry.kind in {"review", "withdrawal"}:
            about = f"entry {public.get('decision', public.get('release'))}"
        shown = f"{one_line(what, 40):<10} {one_line(about, 90)}"
        say(f"{entry.index:>6}  {entry.time}  {entry.kind:<10}  {shown}")


@command.command("show")
@click.argument("index", type=click.IntRange(0))
@click.option("--private", is_flag=True, help="Show the private part as well, which only this workspace has.")
@_options.workspace
@_options.as_json
def show(index: int, private: bool, workspace: Path | None, as_json: bool) -> None:
    """Show entry INDEX."""
    with open_readonly(workspace) as ledger:
        shown = ledger.entry(index).to_dict()
        if private:
            shown["private"] = ledger.private(index)
    print_json(shown)


@command.command("check")
@_options.workspace
@_options.as_json
def check(workspace: Path | None, as_json: bool) -> None:
    """Recompute everything and compare it with every checkpoint. Exit 9 if anything is wrong."""
    from safegen.errors import GateFailed
    from safegen.keys.identity import Identity
    from safegen.keys.log_key import decode_vkey
    from safegen.keys.trust import TrustStore
    from safegen.workspace.config import find_workspace

    found = find_workspace(workspace)
    own = Identity.load(found.keys)
    with open_readonly(workspace) as ledger:
        report = ledger.check(
            keys=[decode_vkey(v)[1] for v in (own.log_vkey, *(p.vkey for p in own.log_history))],
            authorities=TrustStore(found.trust).tsa_roots,
        )
    if as_json:
        print_json(report.to_dict())
        click.get_current_context().exit(0 if report.ok else 9)
    counted = f"{report.size} entries, {report.checkpoints} checkpoints, {report.stamps} time stamps"
    say(f"{counted}, root {report.root}")
    for note in report.notes:
        say(f"note: {note}")
    for problem in report.problems:
        where = "" if problem.index is None else f" (entry {problem.index})"
        say(f"PROBLEM {problem.code}{where}: {problem.message}")
    if not report.ok:
        raise GateFailed("the ledger failed its check", hint="keep it as it is and compare it with a backup")
    say("the ledger is complete and unchanged")


@command.command("proof")
@click.argument("index", type=click.IntRange(0))
@click.option("-o", "--output", type=click.Path(path_type=Path), help="Write to a file (default: stdout).")
@_options.workspace
def proof(index: int, output: Path | None, workspace: Path | None) -> None:
    """Write a proof (c2sp.org/tlog-proof) that entry INDEX is in the ledger, for others to check offline."""
    from safegen.cli._files import write_new

    with open_readonly(workspace) as ledger:
        text = ledger.prove(index)
    if output is None:
        show_document(text)
    else:
        write_new(output, text.encode())
        say(str(output))


@command.command("resolve")
@click.argument("what", metavar="ID|FILE")
@click.option(
    "-o", "--output", type=click.Path(path_type=Path), help="Write the manifest store (.c2pa) of the release."
)
@_options.workspace
@_options.as_json
def resolve(what: str, output: Path | None, workspace: Path | None, as_json: bool) -> None:
    """Find the release behind a mark's id (16 hexadecimal digits), or behind the mark or pictures of FILE.

    For a file, only releases whose recorded pictures match. Exit 9 if there is none.
    """
    from safegen.cli._files import write_new
    from safegen.errors import GateFailed
    from safegen.verification.local_lookup import find_local_releases, parse_payload_or_path

    with open_readonly(workspace) as ledger:
        found = find_local_releases(ledger, parse_payload_or_path(what))
    if not found:
        raise GateFailed(
            "the ledger has no release for it", hint="ask others with `safegen verify --resolve`"
        )
    if output is not None:
        write_new(output, found[0].manifest)
    rows = [r.to_dict() for r in found]
    if as_json:
        print_json(rows)
        return
    for row in rows:
        withdrawn = "" if row["withdrawn"] is None else f"  withdrawn by entry {row['withdrawn']}"
        say(f"{row['index']:>6}  {row['content_id']}  {row['manifest_id']}{withdrawn}")


for _each in (_log_write.checkpoint, _log_write.stamp, _log_write.withdraw, _log_write.supersede):
    command.add_command(_each)
command.add_command(_log_find.find)
command.add_command(_log_write.redact)
command.add_command(_log_write.export)
