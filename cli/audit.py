"""``safegen audit``: a group whose commands live in modules of their own, imported on use."""

from __future__ import annotations

import importlib

import click

from safegen.cli._help import fit
from safegen.cli._logging import add_verbose

_COMMANDS = {
    "run": ("_audit_run", "Make many clips from a suite's prompts and report what they show."),
    "report": ("_audit_report", "Show the report on a run, or on everything this workspace released."),
    "gate": ("_audit_gate", "Fail (exit 9) if a run strays from its targets."),
    "suites": ("_audit_suites", "List, show and check audit suites."),
    "screen": ("_audit_screen", "Check whether the prompt screen treats people alike and is calibrated."),
    "data": (
        "_audit_data",
        "Report who and what captions or labelled prompts mention, and how labels are distributed.",
    ),
}
"""Name -> module in this package (its object is called ``command``) and its line of help."""


class _Group(click.Group):
    """Imports a command's module when it is used."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Names in the order in which people meet them."""
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import the command."""
        if cmd_name not in _COMMANDS:
            return None
        command: click.Command = importlib.import_module(f"safegen.cli.{_COMMANDS[cmd_name][0]}").command
        return fit(add_verbose(command))

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The list of commands, without importing them."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, text) for name, (_, text) in _COMMANDS.items()])


@click.group("audit", cls=_Group)
def command() -> None:
    """Measure what models, training data and screens prefer: shares with intervals, never bare numbers."""
