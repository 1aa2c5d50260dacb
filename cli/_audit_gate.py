"""``safegen audit gate``."""

from __future__ import annotations

from pathlib import Path

import click

from safegen.cli import _options


@click.command(
    "gate", epilog="Exit codes: 0 no stray found, 4 cannot say (too few clips), 9 the audit strays."
)
@click.argument("folder", type=click.Path(path_type=Path))
@click.option("--limit", type=click.FloatRange(0, 1), help="Tolerated distance (default: from the suite).")
@click.option(
    "--effect", type=click.FloatRange(0, 1), help="Distance the gate must detect (determines the minimum N)."
)
@click.option("--max-unknown", type=click.FloatRange(0, 1), help="Tolerated share of unreadable clips.")
@_options.as_json
@_options.plain
@click.pass_context
def command(
    ctx: click.Context,
    folder: Path,
    limit: float | None,
    effect: float | None,
    max_unknown: float | None,
    as_json: bool,
    plain: bool,
) -> None:
    """Fail (exit 9) if the audit in FOLDER strays from its targets by more than the limit.

    The lower bound decides, not the point estimate: at most 5 % of audits of a model within its limit fail,
    however many attributes are examined.
    """
    from safegen.audit import api
    from safegen.cli._audit_view import show
    from safegen.cli._output import print_json

    done = api.gate(folder, limit=limit, effect=effect, max_unknown=max_unknown)
    if as_json:
        print_json(done.to_dict())
    else:
        show(done, plain=plain)
    ctx.exit(done.audit.exit_code)
