"""``safegen review``."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TypeVar

import click

from safegen._text import one_line
from safegen.cli import _options
from safegen.cli._output import print_json, say
from safegen.cli._review_view import held_clip_path, print_case, private_details
from safegen.cli._workspace import open_readonly, open_writing

if TYPE_CHECKING:
    from collections.abc import Callable

F = TypeVar("F", bound="Callable[..., Any]")


@click.group("review")
def command() -> None:
    """Decide on requests and clips that the policy held; every step becomes a ledger entry."""


@command.command("list")
@click.option("--all", "everything", is_flag=True, help="Include those already decided.")
@click.option("-n", "--limit", type=click.IntRange(1, 10_000), default=20, show_default=True)
@_options.workspace
@_options.as_json
def list_(everything: bool, limit: int, workspace: Path | None, as_json: bool) -> None:
    """List the held requests and clips that are waiting for a person, newest first."""
    from safegen.review.queue import list_cases

    with open_readonly(workspace) as ledger:
        found = list_cases(ledger, include_decided=everything, limit=limit)
    if as_json:
        print_json([c.to_dict() for c in found])
        return
    if not found:
        say("nothing is waiting for review")
    for case in found:
        about = ", ".join(case.decision.public.get("categories", [])) or "overall score"
        kind = "request" if case.output is None else "clip"
        say(f"{case.index:>6}  {case.decision.time}  {case.status:<14}  {kind:<7}  {one_line(about, 80)}")


@command.command("show")
@click.argument("index", type=click.IntRange(0))
@_options.workspace
@_options.as_json
def show(index: int, workspace: Path | None, as_json: bool) -> None:
    """Show the held decision INDEX: what was found and decided, and the prompt while it is kept."""
    from safegen.review.queue import load_case

    with open_readonly(workspace) as ledger:
        found = load_case(ledger, index)
        shown = {
            **found.to_dict(),
            **private_details(ledger, found, workspace),
            "clip": held_clip_path(found, workspace),
        }
    if as_json:
        print_json(shown)
        return
    print_case(shown)


@command.command("export")
@click.option(
    "-o", "--out", type=click.Path(path_type=Path), help="File to write (default: standard output)."
)
@_options.workspace
@_options.as_json
def export(out: Path | None, workspace: Path | None, as_json: bool) -> None:
    """Export decided requests as labelled JSON lines, to retrain or measure a screen. Needs kept prompts."""
    from safegen.cli._files import write_new
    from safegen.review.export import SkippedCases, labelled_rows
    from safegen.screening.jsonl import dumps

    left = SkippedCases()
    with open_readonly(workspace) as ledger:
        rows = list(labelled_rows(ledger, left))
    if out is not None:
        write_new(out, "".join(f"{dumps(row)}\n" for row in rows).encode())
    elif not as_json:
        for row in rows:
            print_json(row, indent=None)
    about = {"rows": len(rows), **vars(left)}
    if as_json:
        shown = {"schema": "safegen.review-export/1", **about, "data": [] if out is not None else rows}
        print_json(shown, indent=None)
        return
    say("; ".join(f"{name.replace('_', ' ')}: {n}" for name, n in about.items()), err=True)


def _step(function: F) -> F:
    """The options of approve, deny and appeal."""
    for option in (
        _options.as_json,
        _options.workspace,
        _options.passphrase_file,
        click.option("--publish-reason", is_flag=True, help="Include the reason in the public entry."),
        click.option(
            "--reviewer",
            metavar="NAME",
            help="Name of the reviewer to record (default: SAFEGEN_REVIEWER, else your login name).",
        ),
        click.option(
            "--reason", default="", help="Reason; kept in the workspace, and the entry only commits to it."
        ),
        click.argument("index", metavar="DECISION", type=click.IntRange(0)),
    ):
        function = option(function)
    return function


@command.command("approve")
@_step
def approve(**options: Any) -> None:
    """Let the held request or clip DECISION pass once.

    Then continue with `safegen generate PROMPT --approval DECISION`; a held clip is released unchanged. For a
    video made elsewhere, run `safegen protect FILE` again.
    """
    _decide("approve", **options)


@command.command("deny")
@_step
def deny(**options: Any) -> None:
    """Refuse the held request or clip DECISION, take back an unused approval, or reject an appeal."""
    _decide("deny", **options)


@command.command("appeal")
@_step
def appeal(**options: Any) -> None:
    """Ask for another look at the denied request DECISION; approve or deny then decides the appeal."""
    _decide("appeal", **options)


def _decide(
    act: Literal["approve", "deny", "appeal"],
    index: int,
    reason: str,
    reviewer: str | None,
    publish_reason: bool,
    passphrase_file: Path | None,
    workspace: Path | None,
    as_json: bool,
) -> None:
    """Record a step and say what the case is now."""
    from safegen._util.login import login_name
    from safegen.cli._output import show_rows
    from safegen.review.queue import record_review

    name = reviewer or os.environ.get("SAFEGEN_REVIEWER") or login_name(hint="give --reviewer NAME")
    with open_writing(workspace, passphrase_file) as (ledger, _):
        case = record_review(ledger, index, act, reviewer=name, reason=reason, publish_reason=publish_reason)
    rows: dict[str, object] = {"decision": case.index, "status": case.status, "entry": case.steps[-1].index}
    show_rows(rows, as_json=as_json)
