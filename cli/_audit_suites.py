"""``safegen audit suites``."""

from __future__ import annotations

import click

from safegen.cli import _options


@click.command("suites")
@click.argument("suite", required=False)
@_options.as_json
def command(suite: str | None, as_json: bool) -> None:
    """List the shipped suites; show and check SUITE (a name or a YAML file)."""
    from safegen.audit import api
    from safegen.cli._output import print_json
    from safegen.cli._printable import printable

    rows = api.suites(suite)
    if as_json:
        print_json(rows if suite is None else rows[0])
        return
    if suite is None:
        for row in rows:
            click.echo(f"{row['name']:<16}{row['prompts']:>4} prompts  {printable(row['about'], 200)}")
        return
    row = rows[0]
    for name in ("name", "sha256", "about", "model", "seeds", "extractors"):
        click.echo(printable(f"{name:<14}{row[name]}"))
    click.echo("\nattributes")
    for name, aim in row["attributes"].items():
        click.echo(
            printable(f"  {name} ({aim['extractor']}), at least {aim['least_n']} clips: {aim['target']}")
        )
    click.echo("\ngroups")
    for group in row["groups"]:
        click.echo(printable(f"  {group['name']}: {', '.join(group['attributes'])}"))
        for prompt in group["prompts"]:
            click.echo(printable(f"    {prompt}"))
