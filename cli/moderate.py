"""``safegen moderate``."""

from __future__ import annotations

from pathlib import Path

import click

from safegen.cli import _options
from safegen.cli._setting_options import setting_option


@click.command(
    "moderate",
    epilog="Exit codes: 0 nothing found against release, 3 blocked, 7 a person must review it (or faces "
    "must be hidden), 2 unreadable, 4 a required check could not run. Several files: 4 before 3 "
    "before 7 before 2.",
)
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path), metavar="FILE...")
@setting_option("policy")
@click.option(
    "--check",
    "checks",
    multiple=True,
    metavar="NAME",
    help="Another frames check that must run in addition to the policy's own (repeatable); see "
    "docs/moderation.md.",
)
@click.option(
    "--html", type=click.Path(path_type=Path), metavar="PAGE", help="Also write an HTML page with timelines."
)
@_options.as_json
@_options.plain
@click.pass_context
def command(
    ctx: click.Context,
    files: tuple[Path, ...],
    policy: str,
    checks: tuple[str, ...],
    html: Path | None,
    as_json: bool,
    plain: bool,
) -> None:
    """Report what FILE shows, second by second, and what the policy says about it.

    Works on any video or picture, whoever made it; nothing is changed or recorded. A folder stands for every
    video and picture inside it. Checks that are not installed are listed, never silently skipped.
    """
    from safegen.cli import _moderate_view as view
    from safegen.cli._output import ProgressBar, print_json
    from safegen.moderation.batch import moderate_files

    with ProgressBar(quiet=as_json, plain=plain) as bar:
        items = moderate_files(files, policy=policy, checks=checks, progress=bar)
    if html is not None:
        view.write_page(html, items)
    if as_json:
        answers = [view.item_json(item) for item in items]
        print_json(answers[0] if len(files) == 1 and not files[0].is_dir() else answers)
    else:
        for item in items:
            view.show(item, plain=plain)
    ctx.exit(view.exit_code(items))
