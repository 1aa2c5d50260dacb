"""``safegen template``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from safegen._text import one_line
from safegen.cli import _options
from safegen.cli._output import say, say_note
from safegen.cli._setting_options import template_options

if TYPE_CHECKING:
    from collections.abc import Callable

    from safegen.templates import Row, RunReport, Template

_folder = click.option(
    "--folder", type=click.Path(path_type=Path), metavar="DIR", help="Folder with your own templates."
)


def _clip_options(function: Callable[..., None]) -> Callable[..., None]:
    """The settings of the clips, which are the same for every row."""
    for option in reversed(template_options()):
        function = option(function)
    return function


@click.group("template")
def command() -> None:
    """Make clips from templates, one for each row of a table."""


@command.command("list")
@_folder
@_options.as_json
def list_(folder: Path | None, as_json: bool) -> None:
    """List the templates and what each is for."""
    from safegen.cli._output import print_json
    from safegen.templates import catalogue

    rows = catalogue(folder)
    if as_json:
        print_json([_template_json(t) for t in rows])
        return
    for template in rows:
        say(f"{template.name:<20}{template.use:<15}{template.summary}")


@command.command("show")
@click.argument("template")
@_folder
@_options.as_json
def show(template: str, folder: Path | None, as_json: bool) -> None:
    """Show everything about TEMPLATE (a name or a YAML file): its fields, their values, its prompts."""
    from safegen.cli._output import print_json, show_rows
    from safegen.templates import load

    found = load(template, folder)
    if as_json:
        print_json(_template_json(found))
        return
    rows: dict[str, object] = {"name": found.name, "use": found.use, "purpose": found.purpose}
    rows |= {"title": found.title, "caption (private)": found.caption or "none"}
    rows["prompt"] = found.small.prompt
    if found.rich is not None:
        rows["prompt, real models"] = found.rich.prompt
        rows["written for"] = f"{found.small.model}, {found.rich.model}"
    show_rows(rows, as_json=False)
    say()
    say("columns")
    for name, field in found.fields.items():
        what = ", ".join(field.values) if field.values else f"text, at most {field.max_length} characters"
        default = f" (default {field.default})" if field.default else " (needed)"
        where = "" if field.goes_into == "prompt" else " Not drawn; kept private."
        say(f"  {name:<20}{field.about}{where}{default}")
        say(f"{'':<22}{what}")


@command.command(
    "run", epilog="Exit codes: 0 all done, 8 some rows failed, 130 stopped (continue with --resume)."
)
@click.argument("template")
@click.option(
    "-o",
    "--output",
    required=True,
    type=click.Path(path_type=Path),
    metavar="DIR",
    help="Folder for the clips.",
)
@click.option(
    "--csv",
    "table",
    type=click.Path(path_type=Path),
    help="CSV table with a column for each field and a row for each clip.",
)
@click.option(
    "--set",
    "pairs",
    multiple=True,
    metavar="FIELD=VALUE",
    help="Value for rows that have none; without --csv, these make up the only row (repeatable).",
)
@_folder
@_clip_options
@click.option(
    "--publish-caption",
    is_flag=True,
    help="Put the caption, including any names, into each clip's public manifest.",
)
@click.option("--dry-run", is_flag=True, help="Check and screen every row without making anything.")
@click.option("--resume", is_flag=True, help="Continue an interrupted run; finished rows are skipped.")
@_options.passphrase_file
@_options.workspace
@_options.as_json
@_options.plain
@click.pass_context
def run(
    ctx: click.Context,
    /,
    template: str,
    output: Path,
    table: Path | None,
    pairs: tuple[str, ...],
    folder: Path | None,
    dry_run: bool,
    resume: bool,
    passphrase_file: Path | None,
    workspace: Path | None,
    as_json: bool,
    plain: bool,
    **options: object,
) -> None:
    """Make a signed clip from TEMPLATE (a name or a YAML file) for every row of a table.

    A failed row does not stop the others. DIR/results.csv lists the outcome of each.
    """
    from safegen.cli._output import ProgressBar, print_json
    from safegen.templates import Options
    from safegen.templates import run as run_template

    with ProgressBar(quiet=as_json, plain=plain) as bar:
        report = run_template(
            template,
            output,
            csv=table,
            values=_values(pairs),
            options=Options(**options),  # type: ignore[arg-type]
            folder=folder,
            dry_run=dry_run,
            resume=resume,
            workspace=workspace,
            passphrase=_options.passphrase(passphrase_file),
            progress=bar,
            on_row=_nothing if as_json else _row_printer(plain),
        )
    if as_json:
        print_json(report.to_dict())
    else:
        _show(report)
    ctx.exit(report.exit_code)


def _nothing(_: Row) -> None:
    """With --json only the summary is printed."""


def _row_printer(plain: bool) -> Callable[[Row], None]:
    """Prints a line for every row as it is done."""
    from safegen.cli._output import console

    out = console(plain)

    def tell(row: Row) -> None:
        what = one_line(row.path or row.prompt or row.error, 300)
        hint = f" ({one_line(row.hint, 200)})" if row.error and row.hint and row.status == "failed" else ""
        out.print(f"row {row.row:<6} {row.status:<9}{what}{hint}")
        for note in row.notes:
            out.print(f"{'':<20}note: {note}")

    return tell


def _values(pairs: tuple[str, ...]) -> dict[str, str]:
    """FIELD=VALUE pairs. Raises a usage error for one that is none."""
    values: dict[str, str] = {}
    for pair in pairs:
        name, equals, value = pair.partition("=")
        if not equals or not name.strip() or name.strip() in values:
            raise click.UsageError(f"--set {pair}: write FIELD=VALUE, each field once")
        values[name.strip()] = value
    return values


def _show(report: RunReport) -> None:
    """The summary."""

    for note in report.notes:
        say_note(note)
    verb = "would be made" if report.dry_run else "made"
    earlier = f", {report.skipped} made earlier" if report.skipped else ""
    say(f"{report.rows} rows: {report.done} {verb}{earlier}, {report.failed} failed")
    if report.results is not None:
        say(f"results    {report.results}")


def _template_json(template: Template) -> dict[str, object]:
    """A template as JSON."""
    return template.model_dump(mode="json", exclude_none=True)
