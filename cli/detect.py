"""``safegen detect``."""

from __future__ import annotations

from pathlib import Path

import click

from safegen.cli import _options
from safegen.cli._output import say


@click.command(
    "detect",
    epilog="Exit codes: 0 a mark was found, 40 none was; 2 unreadable, 4 the detector could not run. "
    "Several files: the highest code.",
)
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path), metavar="FILE...")
@click.option("--scheme", default="tile", show_default=True, metavar="NAME", help="Watermark scheme.")
@click.option(
    "--key",
    "key_file",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="File with a private key (default: the public key, with which anyone can read marks).",
)
@click.option("--per-second", is_flag=True, help="Report every second, not only whole stretches.")
@_options.as_json
@_options.plain
@click.pass_context
def command(
    ctx: click.Context,
    files: tuple[Path, ...],
    scheme: str,
    key_file: Path | None,
    per_second: bool,
    as_json: bool,
    plain: bool,
) -> None:
    """Look for the watermark in FILE and report which parts carry it and how certain that is.

    Looks only at the mark, not at credentials, ledger or workspace. A mark is a pointer, not a proof: use
    `safegen verify` to find out where a file comes from. A folder stands for every video and picture inside
    it.
    """
    from safegen.api import detect
    from safegen.cli import _detect_view as view
    from safegen.cli._output import ProgressBar, console, print_json
    from safegen.errors import SafegenError, UnreadableInput
    from safegen.verification.batch import collect_files

    batch = collect_files(files)
    if not batch.files:
        raise UnreadableInput(f"{files[0]}: no video or picture in this folder", hint="check the path")
    single = len(files) == 1 and not files[0].is_dir()
    answers: list[object] = []
    codes: list[int] = []
    with ProgressBar(quiet=as_json, plain=plain) as bar:
        for file in batch.files:
            try:
                found = detect(file, scheme=scheme, key=key_file, progress=bar)
            except SafegenError as error:
                if single or error.exit_code not in {2, 4}:
                    raise
                codes.append(error.exit_code)
                answers.append({"file": str(file), "error": str(error), "exit_code": error.exit_code})
                if not as_json:
                    say(view.failed(file, error))
                continue
            codes.append(found.exit_code)
            answers.append(found.to_dict(per_second=per_second))
            if not as_json:
                view.show(found, console(plain), per_second=per_second)
    if as_json:
        print_json(answers[0] if single else answers)
    ctx.exit(max(codes))
