"""``safegen audit report``."""

from __future__ import annotations

from pathlib import Path

import click

from safegen.cli import _options


@click.command("report")
@click.argument("folder", required=False, type=click.Path(path_type=Path))
@click.option("--released", is_flag=True, help="Audit everything this workspace's ledger says was released.")
@click.option("--targets", metavar="SUITE", help="With --released: take the targets from this suite.")
@click.option("--attribute", "attributes", multiple=True, help="With --released: only this one (repeatable).")
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path),
    metavar="DIR",
    help="Folder to write the report to.",
)
@_options.workspace
@_options.as_json
@_options.plain
def command(
    folder: Path | None,
    released: bool,
    targets: str | None,
    attributes: tuple[str, ...],
    output: Path | None,
    workspace: Path | None,
    as_json: bool,
    plain: bool,
) -> None:
    """Show the audit in FOLDER, finished or not, or (--released) an audit of everything released.

    Writes report.html, audit.json and audit.jsonl to FOLDER or to the folder given with -o.
    """
    from safegen.audit import api
    from safegen.cli._audit_view import show
    from safegen.cli._output import print_json

    if released == (folder is not None):
        raise click.UsageError("give the folder of an audit, or --released")
    if (targets or attributes) and not released:
        raise click.UsageError("--targets and --attribute need --released")
    if released:
        done = api.released(output, targets=targets, attributes=attributes, workspace=workspace)
    else:
        assert folder is not None
        done = api.report(folder, output)
    if as_json:
        print_json(done.to_dict())
    else:
        show(done, plain=plain)
