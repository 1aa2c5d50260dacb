"""``safegen reproduce``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from safegen._text import one_line
from safegen.cli import _options

if TYPE_CHECKING:
    from safegen.pipeline.reproduce import Reproduction

_WORDS = {True: "IDENTICAL", False: "DIFFERENT", None: "UNKNOWN"}


@click.command(
    "reproduce",
    epilog="Exit codes: 0 identical, 9 not identical (or no digest was recorded), 2 something must be "
    "given, 3 refused by the current policy, 7 held for a person.",
)
@click.argument("file", type=click.Path(path_type=Path))
@click.option(
    "-o", "--output", type=click.Path(path_type=Path), help="Also release the reproduced clip (a new id)."
)
@click.option(
    "--prompt-file",
    type=click.Path(path_type=Path),
    help="File with the prompt, if the workspace did not keep it; checked against the recorded hash.",
)
@click.option(
    "--negative-prompt-file",
    type=click.Path(path_type=Path),
    help="File with the negative prompt, if there was one and the workspace did not keep it.",
)
@click.option(
    "--input",
    "inputs",
    multiple=True,
    type=click.Path(path_type=Path),
    help="A picture or video the clip was made from, matched by its SHA-256 (repeatable).",
)
@click.option("--model", help="Current location of the same model (default: as recorded).")
@click.option("--policy", help="Screen under this policy (default: the current policy of the recorded name).")
@click.option("--watermark", default="tile", show_default=True, help="Watermark scheme of the new release.")
@click.option("--force", is_flag=True, help="Replace an existing output.")
@click.option(
    "--approval",
    type=click.IntRange(0),
    metavar="INDEX",
    help="Number of a held decision that a person approved.",
)
@_options.passphrase_file
@_options.workspace
@_options.as_json
@_options.plain
@click.pass_context
def command(
    ctx: click.Context,
    file: Path,
    output: Path | None,
    prompt_file: Path | None,
    negative_prompt_file: Path | None,
    inputs: tuple[Path, ...],
    model: str | None,
    policy: str | None,
    watermark: str,
    force: bool,
    approval: int | None,
    passphrase_file: Path | None,
    workspace: Path | None,
    as_json: bool,
    plain: bool,
) -> None:
    """Generate FILE again from what the workspace recorded and report whether its frames are the same.

    Frames are compared bit by bit, as they were before marking and encoding.
    """
    from safegen.api import reproduce
    from safegen.cli._output import ProgressBar, print_json
    from safegen.pipeline.find_release import read_prompt_file

    with ProgressBar(quiet=as_json, plain=plain) as bar:
        seen = reproduce(
            file,
            output,
            prompt=None if prompt_file is None else read_prompt_file(prompt_file),
            negative_prompt=None if negative_prompt_file is None else read_prompt_file(negative_prompt_file),
            inputs=inputs,
            model=model,
            policy=policy,
            watermark=watermark,
            overwrite=force,
            approval=approval,
            workspace=workspace,
            passphrase=_options.passphrase(passphrase_file),
            progress=bar,
        )
    if as_json:
        print_json(seen.to_dict())
    else:
        _show(seen, plain=plain)
    ctx.exit(seen.exit_code)


def _show(seen: Reproduction, *, plain: bool) -> None:
    """The answer for people."""
    from safegen.cli._output import console
    from safegen.cli.generate import show_release

    out = console(plain)
    first, near = seen.found.release, seen.likeness
    out.print(f"{_WORDS[seen.identical]}  release {first.index}, found by {seen.found.by}")
    out.print(f"frames     {seen.frames_sha256}")
    if not seen.identical and seen.recorded_sha256:
        out.print(f"recorded   {seen.recorded_sha256}")
    if near.psnr is not None:
        out.print(f"likeness   {near.psnr:.1f} dB to the file (its mark and compression count as distance)")
        if not seen.identical:
            out.print(f"worst      frame {near.worst_frame}, {near.worst_psnr:.1f} dB")
    if near.note:
        out.print(f"likeness   {near.note}")
    for found in seen.differences:
        then, now = (one_line(text, 80) or "nothing" for text in (found.then, found.now))
        out.print(f"differs    {found.name}: {then} then, {now} now")
    for note in seen.notes:
        out.print(f"note       {note}")
    if seen.release is not None:
        show_release(seen.release, as_json=False, plain=plain)
