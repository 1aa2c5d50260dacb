"""``safegen doctor``."""

from __future__ import annotations

import click

from safegen.cli import _options
from safegen.cli._output import say


@click.command("doctor")
@_options.workspace
@_options.as_json
def command(workspace: str | None, as_json: bool) -> None:
    """Check the installation: what is missing and how to get it. Exit 4 if the core does not work."""
    from safegen.cli._output import print_json
    from safegen.doctor import diagnose

    rows = diagnose(workspace)
    if as_json:
        print_json([r.to_dict() for r in rows])
    else:
        for row in rows:
            mark = "ok     " if row.ok else ("MISSING" if row.needed else "absent ")
            say(f"{mark}  {row.name:<24}{row.detail}")
            if not row.ok and row.hint:
                say(f"           -> {row.hint}")
    click.get_current_context().exit(4 if any(r.needed and not r.ok for r in rows) else 0)
