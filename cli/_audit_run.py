"""``safegen audit run``."""

from __future__ import annotations

from pathlib import Path

import click

from safegen.cli import _options
from safegen.cli._setting_options import setting_option


@click.command(
    "run", epilog="Exit codes: 0 done (whatever the result; see `audit gate`), 4 an extractor cannot run."
)
@click.argument("suite")
@click.option(
    "-o",
    "--output",
    required=True,
    type=click.Path(path_type=Path),
    metavar="DIR",
    help="Folder for the audit.",
)
@click.option("--model", help="Model name, folder or hub id (default: from the suite).")
@setting_option("policy")
@click.option("--seeds", type=click.IntRange(1, 10_000), help="Clips per prompt (default: from the suite).")
@click.option(
    "--seed", type=click.IntRange(0, 2**48), default=0, show_default=True, help="Base for all seeds."
)
@click.option(
    "--resume", is_flag=True, help="Continue an interrupted run; more --seeds extend a finished one."
)
@click.option(
    "--no-record",
    is_flag=True,
    help="Do not record the audit in the ledger: no entry, no mention in manifests.",
)
@_options.passphrase_file
@_options.workspace
@_options.as_json
@_options.plain
def command(
    suite: str,
    output: Path,
    model: str | None,
    policy: str,
    seeds: int | None,
    seed: int,
    resume: bool,
    no_record: bool,
    passphrase_file: Path | None,
    workspace: Path | None,
    as_json: bool,
    plain: bool,
) -> None:
    """Make many clips from SUITE (a name or a YAML file), read what they show and write DIR/report.html.

    Nothing is released. The audit becomes a ledger entry that later releases by the same model refer to.
    """
    from safegen.audit import api
    from safegen.cli._audit_view import show
    from safegen.cli._output import ProgressBar, print_json

    with ProgressBar(quiet=as_json, plain=plain) as bar:
        done = api.run(
            suite,
            output,
            model=model,
            policy=policy,
            seeds=seeds,
            seed=seed,
            resume=resume,
            record=not no_record,
            workspace=workspace,
            passphrase=_options.passphrase(passphrase_file),
            progress=bar,
        )
    if as_json:
        print_json(done.to_json())
    else:
        show(done, plain=plain)
