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
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    from safegen.ledger.records import CheckReport, Kind

KINDS = ("decision", "release", "withdrawal", "consent", "review", "audit", "key", "redaction")


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
        if entry.kind in {"review", "withdrawal", "redaction"}:
            about = f"entry {public.get('decision', public.get('release', public.get('entry')))}"
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
@click.option(
    "--key",
    "keys",
    multiple=True,
    metavar="VKEY",
    help="Verifier key of the log, or a former one (origin+id+key; default: the workspace's own).",
)
@_options.workspace
@_options.as_json
def check(keys: tuple[str, ...], workspace: Path | None, as_json: bool) -> None:
    """Recompute everything and compare it with every checkpoint. Exit 9 if anything is wrong or unchecked.

    The ledger is judged by the log's key, never by what it says of itself.
    """
    from safegen.errors import GateFailed
    from safegen.keys.trust import TrustStore
    from safegen.workspace.config import find_workspace

    found = find_workspace(workspace)
    origin, public_keys = _log_keys(found.keys, keys)
    with open_readonly(workspace) as ledger:
        report = ledger.check(keys=public_keys, origin=origin, authorities=TrustStore(found.trust).tsa_roots)
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
        raise GateFailed("the ledger failed its check", hint=_after_a_failure(report))
    say("the ledger is complete and unchanged")


def _log_keys(folder: Path, given: tuple[str, ...]) -> tuple[str | None, list[Ed25519PublicKey]]:
    """Origin and keys to judge the ledger by: the *given* ones, else those of the identity in *folder*.

    Nothing where there is neither. Raises UsageError for keys that are none, or of several logs.
    """
    from safegen.errors import UsageError
    from safegen.keys.identity import Identity
    from safegen.keys.identity_files import PUBLIC
    from safegen.keys.log_key import decode_vkey

    vkeys = list(given)
    if not vkeys and (folder / PUBLIC).exists():
        own = Identity.load(folder)
        vkeys = [own.log_vkey, *(past.vkey for past in own.log_history)]
    decoded = [decode_vkey(text) for text in vkeys]
    if len({origin for origin, _ in decoded}) > 1:
        raise UsageError("the keys are of different logs", hint="give the keys of one log with --key")
    return (decoded[0][0] if decoded else None), [key for _, key in decoded]


def _after_a_failure(report: CheckReport) -> str:
    """What to do now."""
    codes = {problem.code for problem in report.problems}
    if codes == {"keys-missing"}:
        return "give the log's key with --key, or restore the workspace's keys folder"
    if codes == {"checkpoint-foreign"}:
        return "remove the file with the other log's checkpoint from the checkpoints folder, and check again"
    if codes == {"redaction-unrecorded"}:
        return "redact those entries again, if it was you who redacted them; else compare with a backup"
    return "keep it as it is and compare it with a backup"


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
