"""``safegen verify``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from safegen.cli import _options

if TYPE_CHECKING:
    from safegen.types import Report

LEVELS = ("verified", "signed", "recovered", "any")


@click.command(
    "verify",
    epilog="Exit codes: 0 VERIFIED, 10 VERIFIED_REPACKED, 11 SIGNED_UNTRUSTED, 12 SIGNED_UNLOGGED, "
    "13 EXPIRED_BUT_LOGGED, 20 RECOVERED, 21 MARKED_UNRESOLVED, 30 TAMPERED, 31 CONFLICT, "
    "40 NO_PROVENANCE; 2 unreadable, 4 a check could not run.",
)
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path), metavar="FILE...")
@click.option("--proof", type=click.Path(path_type=Path), help="Proof sidecar (default: FILE.tlog-proof).")
@click.option(
    "--trust",
    "trust_files",
    multiple=True,
    type=click.Path(path_type=Path),
    help="Trust this bundle or PEM for this run only (repeatable).",
)
@click.option(
    "--require",
    type=click.Choice(LEVELS),
    help="Exit 0 when the verdict is at least this: verified (0, 10), signed (also 12, 13), "
    "recovered (also 20), any provenance without contradiction (also 11, 21).",
)
@click.option("--no-watermark", is_flag=True, help="Skip the watermark search (the report says so).")
@click.option("--explain", is_flag=True, help="Show every layer.")
@_options.workspace
@_options.as_json
@_options.plain
@click.pass_context
def command(
    ctx: click.Context,
    files: tuple[Path, ...],
    proof: Path | None,
    trust_files: tuple[Path, ...],
    require: str | None,
    no_watermark: bool,
    explain: bool,
    workspace: Path | None,
    as_json: bool,
    plain: bool,
) -> None:
    """Say where FILE comes from: one verdict from every layer.

    Works offline. Trust comes from your own workspace, from `safegen trust add` and from --trust, never
    from the folder the file lies in; the answer says whose root was trusted.
    """
    from safegen.api import verify
    from safegen.cli import _verify_view as view
    from safegen.cli._output import Bar, console, print_json
    from safegen.errors import SafegenError
    from safegen.verification.schema import report_to_json

    if proof and len(files) > 1:
        raise click.UsageError("--proof goes with one file")
    answers: list[object] = []
    codes: list[int] = []
    with Bar(quiet=as_json or len(files) == 1, plain=plain) as bar:
        bar.stage("verifying", len(files))
        for file in files:
            try:
                report = verify(
                    file,
                    workspace=workspace,
                    proof=proof,
                    trust=trust_files,
                    watermark=not no_watermark,
                )
            except SafegenError as error:
                if len(files) == 1:
                    raise
                codes.append(error.exit_code)
                answers.append({"path": str(file), "error": str(error), "exit_code": error.exit_code})
                if not as_json:
                    console(plain).print(view.failed(file, error))
            else:
                codes.append(0 if require and _enough(report, require) else report.exit_code)
                answers.append(report_to_json(report))
                if not as_json:
                    view.show(report, console(plain), explain=explain)
            bar.advance()
    if as_json:
        print_json(answers[0] if len(files) == 1 else answers)
    ctx.exit(max(codes))


def _enough(report: Report, level: str) -> bool:
    """Whether the verdict is at least *level*."""
    verified = {"VERIFIED", "VERIFIED_REPACKED"}
    signed = verified | {"SIGNED_UNLOGGED", "EXPIRED_BUT_LOGGED"}
    recovered = signed | {"RECOVERED"}
    allowed = {
        "verified": verified,
        "signed": signed,
        "recovered": recovered,
        "any": recovered | {"SIGNED_UNTRUSTED", "MARKED_UNRESOLVED"},
    }
    return report.verdict.name in allowed[level]
