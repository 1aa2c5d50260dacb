"""``safegen audit suites``."""

from __future__ import annotations

import click

from safegen._text import one_line
from safegen.cli import _options
from safegen.cli._output import say


@click.command("suites")
@click.argument("suite", required=False)
@_options.as_json
def command(suite: str | None, as_json: bool) -> None:
    """List the shipped suites; show and check SUITE (a name or a YAML file)."""
    from safegen.audit import api
    from safegen.cli._output import print_json

    rows = api.suites(suite)
    if as_json:
        print_json(rows if suite is None else rows[0])
        return
    if suite is None:
        for row in rows:
            say(f"{row['name']:<16}{row['prompts']:>4} prompts  {one_line(row['about'], 200)}")
        return
    row = rows[0]
    for name in ("name", "sha256", "about", "model", "seeds", "extractors"):
        say(f"{name:<14}{row[name]}")
    say()
    say("attributes")
    for name, aim in row["attributes"].items():
        say(f"  {name} ({aim['extractor']}), at least {aim['least_n']} clips: {aim['target']}")
    say()
    say("groups")
    for group in row["groups"]:
        say(f"  {group['name']}: {', '.join(group['attributes'])}")
        for prompt in group["prompts"]:
            say(f"    {prompt}")
