"""``safegen comply``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from safegen.cli import _options

if TYPE_CHECKING:
    from safegen.cli._output import Screen
    from safegen.compliance.model import ComplianceReport

_WORDS = {"met": ("met", "green"), "not_met": ("NOT MET", "bold red"), "outside": ("not in a file", "dim")}


@click.command(
    "comply",
    epilog="Rules: eu-ai-act-50, ca-bpc-22757. Exit codes: 0 every requirement that a file can show is "
    "met, 9 at least one is not, 2 unreadable file or unknown rule, 4 a check could not run. Not "
    "legal advice.",
)
@click.argument("file", type=click.Path(path_type=Path), metavar="FILE")
@click.option("--rule", required=True, metavar="RULE", help="eu-ai-act-50 or ca-bpc-22757.")
@click.option(
    "--trust",
    "trust_files",
    multiple=True,
    type=click.Path(path_type=Path),
    help="Trust this bundle or PEM file for this run only (repeatable).",
)
@_options.c2pa_list
@_options.workspace
@_options.as_json
@_options.plain
@click.pass_context
def command(
    ctx: click.Context,
    file: Path,
    rule: str,
    trust_files: tuple[Path, ...],
    no_c2pa_list: bool,
    workspace: Path | None,
    as_json: bool,
    plain: bool,
) -> None:
    """Check FILE against a disclosure rule, requirement by requirement, with the evidence.

    Not legal advice: it reports what is in the file, not whether a law applies to you or is complied with.
    """
    from safegen.api import comply
    from safegen.cli._output import console, print_json

    found = comply(file, rule=rule, workspace=workspace, trust=trust_files, c2pa_list=not no_c2pa_list)
    if as_json:
        print_json(found.to_dict())
    else:
        _show(found, console(plain))
    ctx.exit(0 if found.all_met else 9)


def _show(found: ComplianceReport, console: Screen) -> None:
    """One requirement after the other."""
    from safegen.compliance.model import NOT_ADVICE

    report = found.statements.report
    console.print((found.rule.title, "bold"))
    console.print(f"file: {report.path}")
    console.print(f"verdict of `safegen verify`: {report.verdict.name}")
    console.print()
    for finding in found.findings:
        words, style = _WORDS[finding.answer.status.value]
        requirement = finding.requirement
        console.print((f"{words:<14}", style), requirement.text)
        console.print(f"  source    {requirement.source}")
        console.print("  evidence  " + finding.answer.evidence)
        if finding.answer.hint:
            console.print("  do        " + finding.answer.hint)
    for line in ("", found.rule.note, NOT_ADVICE):
        console.print(line)
