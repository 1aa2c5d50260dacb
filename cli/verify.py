"""``safegen verify``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from safegen.cli import _options

if TYPE_CHECKING:
    from safegen.types import Report
    from safegen.verification.html_report import ReportItem

LEVELS = ("verified", "signed", "recovered", "any")


@click.command(
    "verify",
    epilog="Exit codes: 0 VERIFIED, 10 VERIFIED_REPACKED, 11 SIGNED_UNTRUSTED, 12 SIGNED_UNLOGGED, 13 "
    "EXPIRED_BUT_LOGGED, 14 WITHDRAWN, 20 RECOVERED, 21 MARKED_UNRESOLVED, 22 CREDENTIALS_UNREADABLE, "
    "30 TAMPERED, 31 CONFLICT, 40 NO_PROVENANCE; 2 unreadable, 4 a check could not run. Several files: "
    "the highest code.",
)
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path), metavar="FILE...")
@click.option("--proof", type=click.Path(path_type=Path), help="Proof sidecar (default: FILE.tlog-proof).")
@click.option(
    "--trust",
    "trust_files",
    multiple=True,
    type=click.Path(path_type=Path),
    help="Trust this bundle or PEM file for this run only (repeatable).",
)
@_options.c2pa_list
@click.option(
    "--require",
    type=click.Choice(LEVELS),
    help="Exit 0 if the verdict is at least this: verified (0, 10), signed (also 12, 13), recovered "
    "(also 20), any provenance without contradiction (also 11, 14, 21).",
)
@click.option("--no-watermark", is_flag=True, help="Skip the watermark search (the report says so).")
@click.option(
    "--at", "moment", metavar="TIME", help="Judge certificates at this time (ISO 8601, UTC) instead of now."
)
@click.option(
    "--fetch-remote",
    multiple=True,
    metavar="HOST",
    help="Fetch credentials stored elsewhere, from this host only (https, public addresses; repeatable).",
)
@click.option(
    "--resolve",
    metavar="URL",
    help="If credentials are missing, ask this C2PA soft binding resolution service about the mark (https).",
)
@click.option(
    "--resolve-by-content",
    is_flag=True,
    help="With --resolve: if the mark leads nowhere, send the whole file to that service to look it up.",
)
@click.option(
    "--fragment",
    "fragments",
    multiple=True,
    type=click.Path(path_type=Path),
    help="Another file of a fragmented MP4 (DASH, CMAF) whose first part is FILE (repeatable).",
)
@click.option(
    "--html", type=click.Path(path_type=Path), metavar="REPORT", help="Also write a one-page HTML report."
)
@click.option("--explain", is_flag=True, help="Show every layer.")
@_options.workspace
@_options.as_json
@_options.plain
def command(
    files: tuple[Path, ...],
    require: str | None,
    html: Path | None,
    explain: bool,
    as_json: bool,
    plain: bool,
    **asked: Any,
) -> None:
    """Find out where FILE comes from: one verdict from every layer.

    A folder stands for every video, sound and picture inside it, - for standard input. Works offline. Trust
    comes from your own workspace, from `safegen trust add`, from --trust and from the C2PA trust list, never
    from the folder that contains the file; the answer says whose root was trusted.
    """
    from safegen.credentials import in_child

    in_child.prepare()  # while the rest is imported
    from safegen.cli import _verify_view as view
    from safegen.cli._files import write_new
    from safegen.cli._output import ProgressBar, console, print_json
    from safegen.cli._standing_in import standing_in
    from safegen.errors import UnreadableInput
    from safegen.verification.batch import collect_files

    single = len(files) == 1 and not files[0].is_dir()
    if (asked["proof"] or asked["fragments"]) and not single:
        raise click.UsageError("--proof and --fragment need exactly one file")
    if html is not None and html.exists():
        raise click.UsageError(f"{html} exists: give a new file for the report")
    how = _verify_options(**asked)
    batch = collect_files(files)
    if not batch.files:
        raise UnreadableInput(f"{files[0]}: no video, sound or picture in this folder", hint="check the path")
    items: list[ReportItem] = []
    with standing_in(batch.files) as copies:
        with ProgressBar(quiet=as_json or single, plain=plain) as bar:
            bar.stage("verifying", len(batch.files))
            for file in batch.files:
                items.append(_verify_one(file, copies.get(file, file), how, single=single))
                if not as_json:
                    view.show_item(items[-1], console(plain), explain=explain)
                bar.advance()
        page = None if html is None else _page(items, copies)
    if as_json:
        print_json(items[0].to_dict() if single else [i.to_dict() for i in items])
    elif batch.ignored:
        console(plain).print(view.passed_over(batch.ignored))
    if html is not None and page is not None:
        write_new(html, page)
    click.get_current_context().exit(max(_exit_code(item, require) for item in items))


def _verify_options(
    *,
    proof: Path | None,
    trust_files: tuple[Path, ...],
    no_c2pa_list: bool,
    no_watermark: bool,
    moment: str | None,
    fetch_remote: tuple[str, ...],
    resolve: str | None,
    resolve_by_content: bool,
    fragments: tuple[Path, ...],
    workspace: Path | None,
) -> dict[str, Any]:
    """The options as the API takes them. Raises UsageError."""
    from safegen._util.time import parse_moment
    from safegen.verification.soft_binding_api import service_host

    if resolve is not None:
        service_host(resolve)
    elif resolve_by_content:
        raise click.UsageError("--resolve-by-content needs --resolve URL")
    return {
        "workspace": workspace,
        "proof": proof,
        "trust": trust_files,
        "c2pa_list": not no_c2pa_list,
        "watermark": not no_watermark,
        "at": None if moment is None else parse_moment(moment),
        "fetch_remote": fetch_remote,
        "resolve": resolve,
        "resolve_by_content": resolve_by_content,
        "fragments": fragments,
    }


def _verify_one(file: Path, copy: Path, how: dict[str, Any], *, single: bool) -> ReportItem:
    """The report on one file (*copy*: its bytes). In a batch one that cannot be examined stops no other."""
    from dataclasses import replace

    from safegen.api.inspection import verify  # not by way of api: what makes clips is not loaded
    from safegen.cli._output import said_of
    from safegen.cli._standing_in import named_as
    from safegen.errors import SafegenError
    from safegen.verification.html_report import ReportItem

    try:
        with named_as(file, copy):
            report = verify(copy, **how)
        return ReportItem(file, report if copy == file else replace(report, path=file))
    except SafegenError as error:
        if single:
            raise
        return ReportItem(file, error=said_of(file, error), hint=error.hint, exit_code=error.exit_code)


def _exit_code(item: ReportItem, require: str | None) -> int:
    """The verdict's exit code, 0 where it is enough."""
    if item.report is None:
        return item.exit_code
    return 0 if require and _meets_level(item.report, require) else item.report.exit_code


def _page(items: list[ReportItem], copies: dict[Path, Path]) -> bytes:
    """The HTML report, with the thumbnails that the credentials carry."""
    from dataclasses import replace

    from safegen._util.time import utc_now
    from safegen.credentials.in_child import read_thumbnail
    from safegen.verification.html_report import render

    shown = [
        replace(i, thumbnail=read_thumbnail(copies.get(i.path, i.path))) if i.report else i for i in items
    ]
    when = utc_now().strftime("%Y-%m-%d %H:%M:%S UTC")
    return render(shown, when=when).encode("utf-8")


def _meets_level(report: Report, level: str) -> bool:
    """Whether the verdict is at least *level*."""
    verified = {"VERIFIED", "VERIFIED_REPACKED"}
    signed = verified | {"SIGNED_UNLOGGED", "EXPIRED_BUT_LOGGED"}
    recovered = signed | {"RECOVERED"}
    allowed = {
        "verified": verified,
        "signed": signed,
        "recovered": recovered,
        "any": recovered | {"SIGNED_UNTRUSTED", "WITHDRAWN", "MARKED_UNRESOLVED"},
    }
    return report.verdict.name in allowed[level]
