"""``safegen models``."""

from __future__ import annotations

from typing import Any

import click

from safegen.cli import _options
from safegen.cli._output import say

_dry_run = click.option("--dry-run", is_flag=True, help="Show what would be done without doing it.")


@click.group("models")
def command() -> None:
    """List, describe, pull and verify the models."""


@command.command("list")
@_options.as_json
def list_(as_json: bool) -> None:
    """List named and pulled models: whether they are on this machine, their size and licence."""
    from safegen.cli._models import table
    from safegen.cli._output import print_json
    from safegen.generators.catalogue import list_models

    found = list_models()
    if as_json:
        print_json(found)
        return
    for line in table(found):
        say(line)


@command.command("show")
@click.argument("name")
@_options.as_json
def show(name: str, as_json: bool) -> None:
    """Show what NAME is, what it knows and needs, and where each figure comes from."""
    from safegen.generators.catalogue import describe_model

    _print(describe_model(name), as_json)


@command.command("pull")
@click.argument("name")
@click.option("--revision", help="Branch, tag or commit to pin (default: the pinned one, else main).")
@click.option("--update", is_flag=True, help="Move the pin to the newest commit of its revision.")
@click.option(
    "--accept-licence",
    is_flag=True,
    help="Confirm that you have read the licence terms and may use the model.",
)
@click.option("--yes", is_flag=True, help="Download without asking for confirmation.")
@_dry_run
@_options.as_json
@_options.plain
def pull(
    name: str,
    revision: str | None,
    update: bool,
    accept_licence: bool,
    yes: bool,
    dry_run: bool,
    as_json: bool,
    plain: bool,
) -> None:
    """Download the model NAME (preset or hub id) and pin the commit found.

    Shows licence and size first. After an interruption, the data received is kept: pull again to continue.
    Every file is checked against the hash the hub lists for it.
    """
    from safegen.cli._models import confirm_download
    from safegen.cli._output import ProgressBar
    from safegen.generators.catalogue import resolve_preset
    from safegen.generators.pull import plan_pull, pull_model

    plan = plan_pull(resolve_preset(name), revision=revision, update=update)
    if dry_run:
        _print(plan.to_dict(), as_json)
        return
    if not confirm_download(plan, plan.to_dict(), yes=yes, accepted=accept_licence, as_json=as_json):
        return
    with ProgressBar(quiet=as_json, plain=plain) as bar:
        record = pull_model(plan, accepted=accept_licence, progress=bar)
    _print(record.to_dict(), as_json)


@command.command("verify")
@click.argument("name")
@_options.as_json
@_options.plain
def verify(name: str, as_json: bool, plain: bool) -> None:
    """Hash every file of the pulled model NAME and compare it with what was pulled."""
    from safegen.cli._output import ProgressBar
    from safegen.generators.catalogue import resolve_preset
    from safegen.generators.hub import pinned

    record = pinned.require_pinned(resolve_preset(name))
    with ProgressBar(quiet=as_json, plain=plain) as bar:
        hashed = pinned.verify_model(record, fully=True, progress=bar)
    _print({**record.to_dict(), "verified": hashed}, as_json)


@command.command("unpin")
@click.argument("name")
@_dry_run
@_options.as_json
def unpin(name: str, dry_run: bool, as_json: bool) -> None:
    """Forget the commit that NAME is pinned to; its files stay in the Hugging Face cache."""
    from safegen.generators.catalogue import resolve_preset
    from safegen.generators.hub import pinned

    source = resolve_preset(name).source
    if not dry_run:
        pinned.unpin_model(source)
    _print({"unpinned": source, "dry_run": dry_run}, as_json)


def _print(values: dict[str, Any], as_json: bool) -> None:
    """A result, for people or programs."""
    from safegen.cli._models import lines
    from safegen.cli._output import print_json

    if as_json:
        print_json(values)
        return
    for line in lines(values):
        say(line)
