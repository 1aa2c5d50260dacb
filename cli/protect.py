"""``safegen protect``."""

from __future__ import annotations

from pathlib import Path

import click

from safegen.cli import _options
from safegen.cli._setting_options import setting_option
from safegen.credentials.source_types import NAMES


@click.command("protect")
@click.argument("file", type=click.Path(path_type=Path))
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path),
    help="Output file (default: NAME.protected.mp4, .png or .jpg).",
)
@click.option(
    "--source-type",
    type=click.Choice(NAMES),
    help="What you state the source to be (IPTC digital source type); signed as your statement.",
)
@setting_option("policy")
@setting_option("watermark")
@setting_option("crf", help="Encoding quality of H.264 (8-bit) or HEVC (10-bit)")
@click.option(
    "--allow-damaged",
    is_flag=True,
    help="Protect the decodable part of a damaged file.",
)
@_options.manifest
@click.option(
    "--label",
    metavar="TEXT",
    help='Write a visible label into every frame, such as "AI-generated" (default: none).',
)
@click.option("--force", is_flag=True, help="Replace an existing output.")
@_options.passphrase_file
@_options.workspace
@_options.as_json
@_options.plain
def command(
    file: Path,
    output: Path | None,
    source_type: str | None,
    policy: str,
    watermark: str,
    crf: int,
    manifest: str | None,
    label: str | None,
    allow_damaged: bool,
    force: bool,
    passphrase_file: Path | None,
    workspace: Path | None,
    as_json: bool,
    plain: bool,
) -> None:
    """Mark, sign and record FILE, a video or picture (PNG, JPEG) made elsewhere. The original is not changed.

    Sound, subtitles, chapters, colours and times are kept; anything that cannot be is reported.

    No claim is made about how FILE was made; its own credentials are kept as an ingredient.
    """
    from safegen.api import protect
    from safegen.cli._output import ProgressBar
    from safegen.cli._release import show_release

    with ProgressBar(quiet=as_json, plain=plain) as bar:
        release = protect(
            file,
            output,
            source_type=source_type,
            policy=policy,
            watermark=watermark,
            crf=crf,
            manifest=manifest,
            label=label,
            overwrite=force,
            allow_damaged=allow_damaged,
            workspace=workspace,
            passphrase=_options.passphrase(passphrase_file),
            progress=bar,
        )
    show_release(release, as_json=as_json, plain=plain)
