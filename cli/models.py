"""``safegen models``."""

from __future__ import annotations

import click

from safegen.cli import _options


@click.group("models")
def command() -> None:
    """List and describe the models."""


@command.command("list")
@_options.as_json
def list_(as_json: bool) -> None:
    """Models known by name; any diffusers video pipeline also works by folder or hub id."""
    from safegen.cli._output import print_json
    from safegen.generators import catalogue

    rows = catalogue()
    if as_json:
        print_json(rows)
        return
    for row in rows:
        click.echo(f"{row['name']:<14}{row['summary']}")
    click.echo("any other diffusers video pipeline: --model FOLDER or --model ORGANISATION/NAME")


@command.command("show")
@click.argument("name")
@_options.as_json
def show(name: str, as_json: bool) -> None:
    """What NAME is, knows and needs."""
    from safegen.cli._output import print_json
    from safegen.errors import UsageError
    from safegen.generators import catalogue

    row = next((r for r in catalogue() if r["name"] == name), None)
    if row is None:
        known = ", ".join(str(r["name"]) for r in catalogue())
        raise UsageError(f"there is no model called {name!r}", hint=f"known: {known}")
    if as_json:
        print_json(row)
        return
    for key, value in row.items():
        shown = ", ".join(map(str, value)) if isinstance(value, list | tuple) else str(value)
        click.echo(f"{key:<14}{shown}")
